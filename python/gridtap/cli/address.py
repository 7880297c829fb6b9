"""Addresses and ports on the command line."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TypeVar

import click

__all__ = ["ip_address", "ports_option", "udp_address"]

Command = TypeVar("Command", bound=Callable[..., object])


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


def ports_option(of: str) -> Callable[[Command], Command]:
    """``--port``: which packets of a capture are looked at, as the parameter ``ports``.

    :param of: what captures are called in the help
    """
    return click.option(
        "--port",
        "ports",
        type=click.IntRange(1, 65535),
        multiple=True,
        help=f"Of {of}, only packets to this UDP port; may be repeated.",
    )
