"""Addresses on the command line: callbacks of options."""

from __future__ import annotations

import ipaddress

import click

__all__ = ["ip_address", "udp_address"]


def udp_address(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    """``HOST:PORT`` as host and port; an IPv6 address stands in brackets.

    :raises click.BadParameter: it is something else
    """
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        said = f"{value!r}: an IPv6 address stands in brackets, as in [::1]:9930"
        raise click.BadParameter(said, context, parameter)
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise click.BadParameter(f"{value!r} is not HOST:PORT", context, parameter)
    return host, int(port)


def ip_address(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """An IP address, as text.

    :raises click.BadParameter: it is none
    """
    try:
        return None if value is None else str(ipaddress.ip_address(value))
    except ValueError:
        said = f"{value!r} is no IP address"
        raise click.BadParameter(said, context, parameter) from None
