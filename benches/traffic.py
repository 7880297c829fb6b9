"""A capture for the benchmark of the collector, in the proportions of real traffic.

Forty servers as ``fstat 60s`` with ``dest files fstat user`` makes them: a packet with the path of
each file, a login for every thirty files, and now and then an f packet of 25 KB with the opens and
closes of hundreds, and the end of each login after its last file. A capture of three real servers
under load has 27,494 paths, 949 logins, of which 859 end, and 106 f packets. With ``lfn`` the paths
are in the opens, and all but the logins is in f packets.
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from pathlib import Path
from typing import BinaryIO

from packets import (
    STARTED_AT,
    Packets,
    closing,
    disconnecting,
    opening,
    opening_with_path,
    path_of,
)

SERVERS = 40
_SID = 70_000_000_000_000
_FILES_A_LOGIN = 30
_FILES_AN_F_PACKET = 260
_LINKTYPE_RAW = 101
_PORT = 9930


class _Server:
    def __init__(self, number: int, lfn: bool) -> None:
        self._lfn = lfn
        self.address = socket.inet_aton(f"127.20.0.{number + 1}")
        self._sid = _SID + number
        self._packets = Packets(self._sid)
        self._dictid = 0
        self._login = 0
        self._user = b""
        self._opened: list[int] = []
        self._records: list[bytes] = []
        self._closing: deque[int] = deque()

    def identify(self) -> bytes:
        text = (
            b"=/xrootd.1234:%d@xrd.example.org\n&site=BENCH&port=1094&inst=anon&pgm=xrootd&ver=v5"
        )
        return self._packets.map(b"=", 0, text % self._sid)

    def turn(self) -> list[bytes]:
        """The packets for one more file"""
        packets = []
        if self._dictid % (_FILES_A_LOGIN + 1) == 0:
            self._dictid += 1
            self._login = self._dictid
            host = b"wn%03d.example.org" % (self._login % 1000)
            self._user = b"xroot/alice.%d:%d@%s" % (4000 + self._login, self._sid, host)
            auth = (
                b"&p=gsi&n=alice&h=%s&o=atlas&r=NULL&g=/atlas&m=/DC=ch/CN=Alice&x=xrdcp&I=4" % host
            )
            packets.append(self._packets.map(b"u", self._login, self._user + b"\n" + auth))
        self._dictid += 1
        file = self._dictid
        if self._lfn:
            self._records.append(opening_with_path(file, self._login))
        else:
            told = self._user + b"\n" + path_of(file)
            packets.append(self._packets.map(b"d", file, told))
            self._records.append(opening(file))
        self._opened.append(file)
        if len(self._opened) == _FILES_AN_F_PACKET:
            packets.append(self._files())
        return packets

    def _files(self) -> bytes:
        while len(self._closing) > _FILES_AN_F_PACKET // 4:
            file = self._closing.popleft()
            self._records.append(closing(file))
            if file % (_FILES_A_LOGIN + 1) == 0:
                self._records.append(disconnecting(file - _FILES_A_LOGIN))
        self._closing.extend(self._opened)
        packet = self._packets.files(self._records)
        self._opened.clear()
        self._records.clear()
        return packet


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
