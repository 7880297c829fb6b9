"""The UDP sockets of a collector: its own, or those that systemd passes."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from gridtap.collector.activation import Passed
from gridtap.collector.config import Listen
from gridtap.collector.config_values import Address
from gridtap.errors import ConfigError
from gridtap.udp import widen

__all__ = ["bind", "buffer_advice", "granted_buffer", "open_sockets"]

_ANY = ("::", "0.0.0.0")


@dataclass(frozen=True)
class _Place:
    """An address that the system can bind"""

    family: socket.AddressFamily
    sockaddr: tuple[str, int] | tuple[str, int, int, int]
    is_v6_only: bool


def open_sockets(
    listen: Listen, passed: Sequence[Passed], warn: Callable[[str], None]
) -> list[socket.socket]:
    """The sockets of all addresses: those passed, and newly bound ones where none is.

    Sockets of one address follow each other.

    :param warn: called with what the user should know
    :raises ConfigError: an address cannot be bound, or what is passed does not fit
    """
    left = list(passed)
    sockets: list[socket.socket] = []
    with ExitStack() as undo:
        for address in listen.addresses:
            place = _place(address, listen.addresses)
            mine = [each for each in left if _is_at(each.socket, place)]
            left = [each for each in left if each not in mine]
            if mine and len(mine) != listen.workers:
                raise ConfigError(
                    f"{address}: {len(mine)} passed socket(s) for {listen.workers} worker(s): "
                    "write ListenDatagram= once for each worker, with ReusePort=yes"
                )
            opened = [each.socket for each in mine] or bind(address, place, listen.workers)
            for each in opened:
                undo.callback(each.close)
            sockets += opened
        if left:
            raise ConfigError(
                f"the passed socket {left[0]} is none of listen.addresses "
                f"({', '.join(map(str, listen.addresses))})"
            )
        _widen(sockets, listen.receive_buffer, warn)
        undo.pop_all()
    return sockets


def bind(address: Address, place: _Place | None = None, count: int = 1) -> list[socket.socket]:
    """Newly bound sockets of an address, among which the kernel shards senders.

    :raises ConfigError: the address is in use, not this host's, or not permitted
    """
    place = place or _place(address, [address])
    try:
        if count == 1:
            return [_bind(place, is_shared=False)]
        # Others of this user could share the port unseen; one who does not share would notice.
        probe = _bind(place, is_shared=False)
        port = probe.getsockname()[1]
        probe.close()
        fixed = _Place(
            place.family, (place.sockaddr[0], port, *place.sockaddr[2:]), place.is_v6_only
        )
        return _bind_all(fixed, count)
    except OSError as error:
        raise ConfigError(f"cannot listen on {address}: {_why(error, address)}") from error


def _bind_all(place: _Place, count: int) -> list[socket.socket]:
    with ExitStack() as undo:
        sockets = []
        for _ in range(count):
            sockets.append(_bind(place, is_shared=True))
            undo.callback(sockets[-1].close)
        undo.pop_all()
    return sockets


def _bind(place: _Place, is_shared: bool) -> socket.socket:
    opened = socket.socket(place.family, socket.SOCK_DGRAM)
    try:
        if place.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, place.is_v6_only)
        if is_shared:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind(place.sockaddr)
    except OSError:
        opened.close()
        raise
    return opened


def _why(error: OSError, address: Address) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "the port is in use (by another collector? see: ss -ulpn)"
        case errno.EACCES:
            return "not permitted: ports below 1024 need CAP_NET_BIND_SERVICE"
        case errno.EADDRNOTAVAIL:
            return "no interface of this host has this address"
        case errno.EAFNOSUPPORT:
            return f"this host has no IPv6; for IPv4 write 0.0.0.0:{address.port}"
        case _:
            return error.strerror or str(error)


def _place(address: Address, others: Sequence[Address]) -> _Place:
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        raise ConfigError(f"cannot listen on {address}: {error.strerror}") from error
    family, _, _, _, sockaddr = found[0]
    # Where IPv4 has a socket of its own, one for both would be in its way.
    v6_only = address.host != _ANY[0] or Address(_ANY[1], address.port) in others
    return _Place(socket.AddressFamily(family), sockaddr, v6_only)  # type: ignore[arg-type]


def _is_at(opened: socket.socket, place: _Place) -> bool:
    if opened.family != place.family:
        return False
    host, port = opened.getsockname()[:2]
    return (host, port) == place.sockaddr[:2]


def _widen(sockets: Sequence[socket.socket], asked: int, warn: Callable[[str], None]) -> None:
    """Asks for receive buffers, and says it when the kernel grants less"""
    # Whoever passed a socket may have had the right to give it more.
    least = min(widen(each, asked) for each in sockets)
    if least < asked:
        warn(buffer_advice(asked, least))


def buffer_advice(asked: int, granted: int) -> str:
    """What to do when the kernel grants a smaller receive buffer than asked for."""
    return (
        f"listen.receive_buffer: asked the kernel for {asked:,} bytes, it grants {granted:,}; "
        f"bursts may be lost. It helps to run: sysctl -w net.core.rmem_max={asked}"
    )


def granted_buffer(asked: int) -> int:
    """The receive buffer that the kernel grants this process when it asks for so much, in bytes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return widen(probe, asked)
