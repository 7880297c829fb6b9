"""Packets of a capture, sent over real sockets from the addresses that they came from."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data" / "xrootd"


@dataclass(frozen=True)
class Packet:
    """One datagram of a capture"""

    host: str
    port: int
    payload: bytes


def packets(path: Path) -> list[Packet]:
    """The datagrams of a capture of Ethernet frames, without fragments"""
    data = path.read_bytes()
    found = []
    at = 24
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        # Ethernet, IPv4 without options, UDP
        assert frame[12:15] == b"\x08\x00\x45"
        port, _, size = struct.unpack_from(">HHH", frame, 34)
        found.append(Packet(socket.inet_ntoa(frame[26:30]), port, frame[42 : 34 + size]))
    return found


class Sender:
    """Sends packets from the address and port that they have; both have to be of the loopback"""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._sockets: dict[tuple[str, int], socket.socket] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def send(self, several: Iterable[Packet], pause_s: float = 0.0) -> None:
        """Sends in this order

        :param pause_s: after each
        """
        for each in several:
            self._socket(each).sendto(each.payload, self._target)
            if pause_s:
                time.sleep(pause_s)

    def _socket(self, packet: Packet) -> socket.socket:
        key = packet.host, packet.port
        if key not in self._sockets:
            self._sockets[key] = self._stack.enter_context(_bound(key))
        return self._sockets[key]


def _bound(key: tuple[str, int]) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # Another test, or a client of anything, may have the port of the capture for a moment.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline = time.monotonic() + 30
    while True:
        try:
            made.bind(key)
            return made
        except OSError:
            if time.monotonic() > deadline:
                made.close()
                raise
            time.sleep(0.1)


def of_another_server(several: Sequence[Packet], number: int) -> list[Packet]:
    """The same packets as if from another server, so that they can be sent many times"""
    host = f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"
    return [Packet(host, each.port, each.payload) for each in several]
