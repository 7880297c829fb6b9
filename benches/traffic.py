"""A capture for the benchmark of the collector, in the proportions of real traffic.

Forty servers as ``fstat 60s`` with ``dest files fstat user`` makes them: a packet with the path of
each file, a login for every thirty files, and now and then an f packet of 25 KB with the opens and
closes of hundreds. A capture of three real servers under load has 27,494 paths, 949 logins and
106 f packets. With ``lfn`` the paths are in the opens, and all but the logins is in f packets.
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from pathlib import Path
from typing import BinaryIO

SERVERS = 40
STARTED_AT = 1_700_000_000
_SID = 70_000_000_000_000
_FILES_A_LOGIN = 30
_FILES_AN_F_PACKET = 260
_OPS = struct.pack("!3l2hq6l", 12, 3, 0, 1, 16, 33, 4096, 1 << 20, 100, 200_000, 0, 0)
_LINKTYPE_RAW = 101
_PORT = 9930


class _Server:
    def __init__(self, number: int, lfn: bool) -> None:
        self._lfn = lfn
        self.address = socket.inet_aton(f"127.20.0.{number + 1}")
        self._sid = _SID + number
        self._numbers = {"main": 0, "f": 0}
        self._dictid = 0
        self._login = 0
        self._user = b""
        self._opened: list[tuple[int, bytes]] = []
        self._closing: deque[int] = deque()
        self._time = STARTED_AT + 60

    def identify(self) -> bytes:
        text = (
            b"=/xrootd.1234:%d@xrd.example.org\n&site=BENCH&port=1094&inst=anon&pgm=xrootd&ver=v5"
        )
        return self._map(b"=", 0, text % self._sid)

    def turn(self) -> list[bytes]:
        """The packets for one more file"""
        packets = []
        if self._dictid % (_FILES_A_LOGIN + 1) == 0:
            self._dictid += 1
            self._login = self._dictid
            host = b"wn%03d.example.org" % (self._login % 1000)
            self._user = b"xroot/alice.%d:%d@%s" % (4000 + self._login, self._sid, host)
            auth = (
                b"\n&p=gsi&n=alice&h=%s&o=atlas&r=NULL&g=/atlas&m=/DC=ch/CN=Alice&x=xrdcp&I=4"
                % host
            )
            packets.append(self._map(b"u", self._login, self._user + auth))
        self._dictid += 1
        file = self._dictid
        name = b"/store/data/run%06d/AOD/%032x.root" % (file % 1_000_000, file * 2_654_435_761)
        if not self._lfn:
            packets.append(self._map(b"d", file, self._user + b"\n" + name))
        self._opened.append((file, self._open(file, name)))
        if len(self._opened) == _FILES_AN_F_PACKET:
            packets.append(self._files())
        return packets

    def _open(self, file: int, name: bytes) -> bytes:
        if not self._lfn:
            return struct.pack("!BBHLq", 1, 2, 16, file, 1 << 20)
        size = (20 + len(name) + 8) & ~3
        head = struct.pack("!BBHLqL", 1, 3, size, file, 1 << 20, self._login)
        return head + name.ljust(size - 20, b"\0")

    def _files(self) -> bytes:
        records = [record for _, record in self._opened]
        while len(self._closing) > _FILES_AN_F_PACKET // 4:
            head = struct.pack(
                "!BBHLqqq", 0, 2, 80, self._closing.popleft(), 987_654_321, 12_345, 0
            )
            records.append(head + _OPS)
        self._closing.extend(file for file, _ in self._opened)
        self._opened.clear()
        window = (self._time, self._time + 5)
        self._time += 5
        head = struct.pack("!BBHHHLLQ", 2, 1, 24, 0, len(records), *window, self._sid)
        return self._packet(b"f", "f", head + b"".join(records))

    def _map(self, code: bytes, dictid: int, info: bytes) -> bytes:
        return self._packet(code, "main", struct.pack("!L", dictid) + info)

    def _packet(self, code: bytes, sequence: str, body: bytes) -> bytes:
        number = self._numbers[sequence]
        self._numbers[sequence] = (number + 1) % 256
        return struct.pack("!cBHL", code, number, 8 + len(body), STARTED_AT) + body


def _frame(source: bytes, payload: bytes) -> bytes:
    length = 28 + len(payload)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, length, 0, 0, 64, 17, 0) + source
    udp = struct.pack(">HHHH", 40_000, _PORT, length - 20, 0)
    frame = ip + socket.inet_aton("127.0.0.1") + udp + payload
    return struct.pack("<IIII", STARTED_AT, 0, len(frame), len(frame)) + frame


def write_traffic(path: Path, packets: int, lfn: bool = False) -> int:
    """Writes a pcap of at least so many packets, and answers how many.

    100,000 are 25 MB; with ``lfn`` they are 300 MB.
    """
    servers = [_Server(number, lfn) for number in range(SERVERS)]
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, _LINKTYPE_RAW))
        written = _write(file, [(server, [server.identify()]) for server in servers])
        while written < packets:
            written += _write(file, [(server, server.turn()) for server in servers])
    return written


def _write(file: BinaryIO, sent: list[tuple[_Server, list[bytes]]]) -> int:
    frames = [_frame(server.address, payload) for server, payloads in sent for payload in payloads]
    file.write(b"".join(frames))
    return len(frames)
