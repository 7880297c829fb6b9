"""What a value of the configuration may look like.

A :py:class:`Form` reads one kind of value and shows it as TOML again. Which form a setting has
follows from its type and unit, see :py:func:`form_of`.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, NewType, TypeVar, get_args, get_origin

from gridtap.collector.compatible import Dialect
from gridtap.collector.sinks.settings import Unit

__all__ = [
    "Address",
    "Form",
    "Network",
    "Positive",
    "WrongValueError",
    "address",
    "form_of",
]

T = TypeVar("T")

#: An IP address or network, as text
Network = NewType("Network", str)

#: An integer, 1 or more
Positive = NewType("Positive", int)


class WrongValueError(ValueError):
    """A value that its form does not take; the text says what is wrong where that is not plain."""


@dataclass(frozen=True)
class Form(Generic[T]):
    """A kind of value.

    :param wanted: what an error says is wanted
    :param read: from what TOML has; raises :py:class:`WrongValueError`
    :param show: as TOML; an empty text when the key is to be left out
    """

    wanted: str
    read: Callable[[object], T]
    show: Callable[[T], str]


def quote(text: str) -> str:
    """A text as a TOML string."""
    # What JSON escapes is escaped the same way in TOML, but for this one character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise WrongValueError
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError
    return value


def _integer(value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise WrongValueError
    return value


_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?) ?([kmgt]?)(i?)b", re.ASCII | re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def _size(value: object) -> int:
    if isinstance(value, str):
        if value == "0":
            return 0
        found = _SIZE.fullmatch(value)
        if found is None or (found[3] and not found[2]):
            raise WrongValueError
        unit: int = (1024 if found[3] else 1000) ** _POWERS[found[2].lower()]
        return round(float(found[1]) * unit) if "." in found[1] else int(found[1]) * unit
    return _integer(value, 0)


def _show_size(value: int) -> str:
    for name in ("TiB", "GiB", "MiB", "KiB"):
        unit = 1024 ** _POWERS[name[0].lower()]
        if value and value % unit == 0:
            return f'"{value // unit}{name}"'
    return str(value)


_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,9})?) ?(ms|s|m|h|d|w)", re.ASCII)
_SECONDS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def _duration(value: object) -> float:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise WrongValueError
    number = float(found[1])
    # Divided, as 0.001 is not exact.
    return number / 1000 if found[2] == "ms" else number * _SECONDS[found[2]]


def _whole_duration(value: object) -> int:
    seconds = _duration(value)
    if not seconds.is_integer():
        raise WrongValueError("whole seconds only")
    return int(seconds)


def _show_duration(value: float) -> str:
    for name, unit in _SECONDS.items():
        if value and value >= unit and value % unit == 0 and name != "ms":
            return f'"{value / unit:.0f}{name}"'
    return f'"{value * 1000:.15g}ms"' if value else '"0s"'


def _network(value: object) -> str:
    try:
        return str(ipaddress.ip_network(_text(value), strict=False))
    except ValueError as error:
        raise WrongValueError(str(error)) from error


@dataclass(frozen=True, order=True)
class Address:
    """An address to listen on.

    :param host: an IP address or a name, without brackets
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_HOST_PORT = re.compile(r"(?:\[([^\[\]]+)\]|([^\[\]:\s]+)):(\d{1,5})", re.ASCII)


def address(value: object) -> Address:
    """Reads ``host:port``, with brackets around an IPv6 address.

    :raises WrongValueError: it is none
    """
    found = _HOST_PORT.fullmatch(_text(value))
    if found is None or int(found[3]) > 65_535:
        raise WrongValueError
    if found[1]:
        try:
            ipaddress.IPv6Address(found[1])
        except ValueError as error:
            raise WrongValueError(str(error)) from error
    return Address(found[1] or found[2], int(found[3]))


def list_of(item: Form[T], wanted: str, least: int = 0) -> Form[tuple[T, ...]]:
    """A list of values of one form."""

    def read(value: object) -> tuple[T, ...]:
        if not isinstance(value, list | tuple) or len(value) < least:
            raise WrongValueError
        return tuple(item.read(each) for each in value)

    def show(value: Iterable[T]) -> str:
        return f"[{', '.join(item.show(each) for each in value)}]"

    return Form(wanted, read, show)


def choice(*names: str) -> Form[str]:
    """One of some words."""

    def read(value: object) -> str:
        if value not in names:
            raise WrongValueError
        return str(value)

    return Form("one of " + ", ".join(quote(name) for name in names), read, quote)


def choices(*names: str) -> Form[tuple[str, ...]]:
    """Some of some words, each once."""
    several = list_of(
        choice(*names), "a list of some of " + ", ".join(quote(name) for name in names)
    )

    def read(value: object) -> tuple[str, ...]:
        found = several.read(value)
        if len(set(found)) < len(found):
            raise WrongValueError("a name is there twice")
        return found

    return Form(several.wanted, read, several.show)


def _optional(form: Form[T], nothing: str) -> Form[T | None]:
    """A value, or an empty text for none."""
    return Form(
        f"{form.wanted}, or {nothing} for none",
        lambda value: None if value == "" else form.read(value),
        lambda value: quote("") if value is None else form.show(value),
    )


def _pair(value: object) -> tuple[str, int | str]:
    if not isinstance(value, list | tuple) or len(value) != 2 or not isinstance(value[0], str):
        raise WrongValueError
    taken = value[1]
    if isinstance(taken, bool) or not isinstance(taken, int | str) or taken in (0, ""):
        raise WrongValueError
    return value[0], taken


def _show_pair(pair: tuple[str, int | str]) -> str:
    return f"[{quote(pair[0])}, {pair[1] if isinstance(pair[1], int) else quote(pair[1])}]"


def _texts_by_name(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise WrongValueError
    return {str(name): _text(each) for name, each in value.items()}


def _show_texts_by_name(value: Mapping[str, str]) -> str:
    pairs = [f"{quote(name)} = {quote(each)}" for name, each in value.items()]
    return f"{{ {', '.join(pairs)} }}" if pairs else "{}"


_TEXT = Form("a text", _text, quote)
_FLAG = Form("true or false", _flag, lambda value: str(value).lower())
_NETWORK = Form("a network", _network, quote)
_ADDRESS = Form(
    'an address and a port such as "0.0.0.0:9930" or "[::]:9930"',
    address,
    lambda value: quote(str(value)),
)
_PATH = Form("a path", lambda value: Path(_text(value)), lambda value: quote(str(value)))
_TEXTS = list_of(_TEXT, "a list of texts")

_FORMS: Mapping[tuple[Any, Unit | None], Form[Any]] = {
    (str, None): _TEXT,
    (bool, None): _FLAG,
    (bool | None, None): Form(
        _FLAG.wanted, _FLAG.read, lambda value: "" if value is None else _FLAG.show(value)
    ),
    (int, None): Form("an integer, 0 or more", lambda value: _integer(value, 0), str),
    (Positive, None): Form("an integer, 1 or more", lambda value: _integer(value, 1), str),
    (int, "bytes"): Form('a size such as "64MiB", "1GB" or 4096', _size, _show_size),
    (float, "s"): Form('a duration such as "24h", "5s" or "500ms"', _duration, _show_duration),
    (int, "s"): Form('a duration of whole seconds such as "1m"', _whole_duration, _show_duration),
    (dict[str, str], None): Form(
        'a table of texts such as { "a" = "b" }', _texts_by_name, _show_texts_by_name
    ),
    (Path, None): _PATH,
    (Path | None, None): _optional(_PATH, "an empty text"),
    (str | None, None): _optional(_TEXT, "an empty text"),
    (Address | None, None): _optional(_ADDRESS, "an empty text"),
    (tuple[str, ...], None): _TEXTS,
    (tuple[Network, ...], None): list_of(
        _NETWORK, 'a list of addresses and networks such as "192.0.2.0/24"'
    ),
    (tuple[Address, ...], None): list_of(
        _ADDRESS, f"a list of one or more of {_ADDRESS.wanted}", 1
    ),
    (tuple[Dialect, ...], None): choices(*get_args(Dialect)),
    (tuple[tuple[str, int | str], ...], None): list_of(
        Form("a pair", _pair, _show_pair),
        "a list of pairs: a prefix, and a number of components or a text",
    ),
}


def form_of(value_type: Any, unit: Unit | None) -> Form[Any]:
    """What a setting of this type and unit may look like.

    :raises TypeError: settings cannot have this type
    """
    if (value_type, unit) in _FORMS:
        return _FORMS[value_type, unit]
    if get_origin(value_type) is Literal:
        return choice(*get_args(value_type))
    if get_origin(value_type) is tuple and get_origin(get_args(value_type)[0]) is Literal:
        return choices(*get_args(get_args(value_type)[0]))
    raise TypeError(f"no form for a setting of type {value_type} ({unit})")
