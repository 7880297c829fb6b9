"""A large raw dump for the benchmark of the command: one server, 200 logins, two million accesses.

Packets have the shape of real ones: f packets of 60 KiB that hold opens with names of 60 bytes and
closes with operation counts, each file open while a hundred others are.
"""

from __future__ import annotations

import struct
from collections import deque
from pathlib import Path
from typing import BinaryIO

ACCESSES = 2_000_000

_STOD = 1_700_000_000
_SID = 71_913_380_019_031
_LOGINS = 200
_OPEN_AT_ONCE = 100
_OPS = struct.pack("!3l2hq6l", 12, 3, 0, 1, 16, 33, 4096, 1 << 20, 100, 200_000, 0, 0)


class _Dump:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._numbers = {"main": 0, "f": 0}
        self._time = _STOD + 60
        self._records: list[bytes] = []
        self._size = 0

    def map(self, code: bytes, dictid: int, info: bytes) -> None:
        self._packet(code, "main", struct.pack("!L", dictid) + info)

    def record(self, record: bytes) -> None:
        self._records.append(record)
        self._size += len(record)
        if self._size > 60_000:
            self.flush()

    def flush(self) -> None:
        window = (self._time, self._time + 5)
        count = len(self._records)
        head = struct.pack("!BBHHHLLQ", 2, 1, 24, 0, count, *window, _SID)
        self._packet(b"f", "f", head + b"".join(self._records))
        self._time += 5
        self._records.clear()
        self._size = 0

    def _packet(self, code: bytes, sequence: str, body: bytes) -> None:
        number = self._numbers[sequence]
        self._numbers[sequence] = (number + 1) % 256
        self._file.write(struct.pack("!cBHL", code, number, 8 + len(body), _STOD) + body)


def _open(fileid: int) -> bytes:
    name = b"/store/data/run%06d/AOD/%032x.root" % (fileid % 1_000_000, fileid * 2_654_435_761)
    size = (20 + len(name) + 8) & ~3
    head = struct.pack("!BBHLqL", 1, 1, size, fileid, 123_456_789, fileid % _LOGINS + 1)
    return head + name.ljust(size - 20, b"\0")


def _close(fileid: int) -> bytes:
    return struct.pack("!BBHLqqq", 0, 2, 80, fileid, 987_654_321, 12_345_678, 0) + _OPS


def write_capture(path: Path) -> None:
    """Writes the dump; about 340 MB."""
    with path.open("wb") as file:
        dump = _Dump(file)
        server = b"=/xrootd.1234:%d@xrd1.example.org" % _SID
        dump.map(b"=", 0, server + b"\n&site=SITE&port=1094&inst=anon&pgm=xrootd&ver=v5.5.3")
        for login in range(1, _LOGINS + 1):
            host = b"wn%03d.example.org" % login
            info = b"&p=gsi&n=alice&h=%s&o=atlas&r=NULL&g=/atlas&m=/DC=ch/CN=Alice" % host
            user = b"xroot/alice.%d:%d@%s" % (4000 + login, _SID, host)
            dump.map(b"u", login, user + b"\n" + info + b"&R=v5.5.3&x=xrdcp&y=&I=4&I=4")
        waiting: deque[int] = deque()
        for fileid in range(1001, 1001 + ACCESSES):
            dump.record(_open(fileid))
            waiting.append(fileid)
            if len(waiting) > _OPEN_AT_ONCE:
                dump.record(_close(waiting.popleft()))
        for fileid in waiting:
            dump.record(_close(fileid))
        dump.flush()
