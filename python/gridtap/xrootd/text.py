"""Texts of the monitoring: ``&key=value`` pairs, and how objects print themselves."""

from __future__ import annotations

from typing import Any, AnyStr

__all__ = ["parse_cgi", "slot_repr"]


def parse_cgi(cgi_data: AnyStr) -> dict[AnyStr, AnyStr]:
    """
    Parse data of the form ``&key1=value1&key2=value2`` to a mapping

    Keys and values have the type of ``cgi_data``; nothing is converted. Servers escape nothing: a
    value may hold ``=``, and what stands between two ``&`` without a ``=`` belongs to the value
    before it.

    >>> parse_cgi(b'&m=/CN=a&b&I=4')
    {b'm': b'/CN=a&b', b'I': b'4'}
    """
    amp, equ = ("&", "=") if isinstance(cgi_data, str) else (b"&", b"=")
    data: dict[AnyStr, AnyStr] = {}
    last: AnyStr | None = None
    for segment in cgi_data.split(amp):
        key, found, value = segment.partition(equ)
        if found:
            data[key] = value
            last = key
        elif segment and last is not None:
            data[last] += amp + segment
    return data


def slot_repr(instance: Any) -> str:
    """The representation that lists all slots"""
    name = instance.__class__.__name__
    return (
        f"<{name}, {', '.join(f'{arg}={getattr(instance, arg)!r}' for arg in instance.__slots__)}>"
    )
