"""Live packets, for as long as it takes to see what servers send."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable

from gridtap.doctor.facts import Arrival, Observation
from gridtap.doctor.observe import Observer
from gridtap.errors import DecodeError
from gridtap.udp import bound, widen
from gridtap.xrootd import decode

__all__ = ["observe_live"]

#: What the socket asks for; the kernel grants up to net.core.rmem_max, bytes.
_BUFFER = 64 << 20

#: Longest datagram.
_DATAGRAM = 65_535

#: Longest time between two looks at the clock, seconds.
_LOOK_S = 0.2

#: Of ``asm-generic/socket.h``: Python's socket module has no names for them.
_SO_TIMESTAMPNS, _SO_MEMINFO = 35, 55

#: Place of the drops among the numbers of SO_MEMINFO (``linux/sock_diag.h``).
_DROPS = 8


def observe_live(
    host: str,
    port: int,
    seconds: float,
    mtu_bytes: int = 1500,
    advance: Callable[[float, int], None] | None = None,
) -> Observation:
    """Listens on a UDP port and keeps facts, not packets. Ctrl-C ends it early.

    :param host: a local address, ``::`` for all of IPv4 and IPv6
    :param advance: called now and then with the seconds that went by and the datagrams that came
    :raises ListenError: the port is taken, or the address is not ours
    """
    observer = Observer(mtu_bytes)
    with bound(host, port) as udp:
        widen(udp, _BUFFER)
        udp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        udp.setblocking(False)
        began = time.monotonic()
        try:
            while (passed := time.monotonic() - began) < seconds:
                if advance is not None:
                    advance(passed, observer.seen.datagrams)
                if select.select([udp], [], [], min(_LOOK_S, seconds - passed))[0]:
                    _take_all(udp, port, observer, began + seconds)
        except KeyboardInterrupt:
            # What came so far is worth a look.
            pass
        observer.seen.kernel_drops = _drops(udp)
        observer.seen.receive_buffer_bytes = udp.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return observer.seen


def _take_all(udp: socket.socket, port: int, observer: Observer, until: float) -> None:
    """All that waits, but not past the end of the observation."""
    space = socket.CMSG_SPACE(16)
    while time.monotonic() < until:
        try:
            data, control, _, sender = udp.recvmsg(_DATAGRAM, space)
        except BlockingIOError:
            return
        host = str(sender[0]).removeprefix("::ffff:").partition("%")[0]
        arrival = Arrival(host, sender[1], port, _time(control), data)
        try:
            packet = decode(data)
        except DecodeError as error:
            observer.undecoded(error.kind)
        else:
            observer.packet(packet, arrival)


def _time(control: list[tuple[int, int, bytes]]) -> float:
    """When the kernel received it: after a wait here the clock would say something else."""
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS) and len(data) >= 16:
            seconds, nanoseconds = struct.unpack_from("@qq", data)
            return float(seconds) + float(nanoseconds) / 1e9
    return time.time()


def _drops(udp: socket.socket) -> int:
    numbers = udp.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * (_DROPS + 1))
    return int(struct.unpack_from(f"@{_DROPS + 1}I", numbers)[_DROPS])
