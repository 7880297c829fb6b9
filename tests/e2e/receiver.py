"""A UDP socket that keeps all that comes, and files of what it kept."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Link type of frames that are bare IP packets.
LINKTYPE_RAW = 101


@dataclass(frozen=True)
class Datagram:
    """One datagram as it came"""

    received_at: float
    host: str
    port: int
    payload: bytes


class Receiver:
    """Gathers datagrams in the background"""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((address, 0))
        self._socket.settimeout(0.1)
        self.port: int = self._socket.getsockname()[1]
        self._datagrams: list[Datagram] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                payload, (host, port) = self._socket.recvfrom(65_535)
            except TimeoutError:
                continue
            self._datagrams.append(Datagram(time.time(), host, port, payload))

    def so_far(self) -> list[Datagram]:
        return list(self._datagrams)

    def close(self) -> None:
        self._done.set()
        self._thread.join(5)
        self._socket.close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


def write_raw(path: Path, datagrams: Sequence[Datagram]) -> Path:
    """The payloads one after the other"""
    path.write_bytes(b"".join(datagram.payload for datagram in datagrams))
    return path


def write_envelopes(path: Path, datagrams: Sequence[Datagram]) -> Path:
    """One JSON line for each, as the message bus carries them"""
    lines = (
        {
            "remote": f"{datagram.host}:{datagram.port}",
            "version": "e2e",
            "data": base64.b64encode(datagram.payload).decode(),
        }
        for datagram in datagrams
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def write_pcap(path: Path, datagrams: Sequence[Datagram], port: int) -> Path:
    """A capture of IPv4 packets to ``port`` (checksums are left out, as offloading leaves them)"""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, LINKTYPE_RAW))
        for datagram in datagrams:
            length = 28 + len(datagram.payload)
            source = socket.inet_aton(datagram.host)
            ip = struct.pack(">BBHHHBBH", 0x45, 0, length, 0, 0, 64, 17, 0)
            udp = struct.pack(">HHHH", datagram.port, port, length - 20, 0)
            frame = ip + source + socket.inet_aton("127.0.0.1") + udp + datagram.payload
            seconds, fraction = divmod(datagram.received_at, 1)
            head = struct.pack("<IIII", int(seconds), int(fraction * 1e6), length, length)
            file.write(head + frame)
    return path
