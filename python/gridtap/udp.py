"""UDP sockets to receive on."""

from __future__ import annotations

import socket

from gridtap.errors import GridtapError

__all__ = ["ListenError", "bound", "widen"]

#: Of ``asm-generic/socket.h``: Python's socket module has no name for it.
_SO_RCVBUFFORCE = 33


class ListenError(GridtapError):
    """An address that cannot be listened on."""


def bound(host: str, port: int) -> socket.socket:
    """A socket on a local address; ``::`` takes IPv4 as well.

    :raises ListenError: the port is taken, or the address is not ours
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
        udp = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise ListenError(f"{host}: {getattr(error, 'strerror', None) or error}") from error
    try:
        if family == socket.AF_INET6:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        udp.bind(address)
    except OSError as error:
        udp.close()
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        raise ListenError(f"{shown}: {error.strerror or error}") from error
    return udp


def widen(udp: socket.socket, asked: int) -> int:
    """Asks for a receive buffer of so many bytes, if the socket has less; returns what it has.

    Without CAP_NET_ADMIN the kernel grants ``net.core.rmem_max`` at most.
    """
    if _receive_buffer(udp) < asked:
        # The kernel takes a C int and doubles it.
        size = min(asked, 2**30 - 1)
        try:
            udp.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
        except PermissionError:
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    return _receive_buffer(udp)


def _receive_buffer(udp: socket.socket) -> int:
    return udp.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
