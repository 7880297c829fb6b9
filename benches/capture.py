"""A large raw dump for the benchmark of the command: one server, 200 logins, two million accesses.

Packets have the shape of real ones: f packets of 60 KiB that hold opens with names of 60 bytes and
closes with operation counts, each file open while a hundred others are.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import BinaryIO

from packets import Packets, closing, opening_with_path

ACCESSES = 2_000_000

_SID = 71_913_380_019_031
_LOGINS = 200
_OPEN_AT_ONCE = 100
_FULL = 60_000


class _Dump:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packets = Packets(_SID)
        self._records: list[bytes] = []
        self._size = 0

    def map(self, code: bytes, dictid: int, info: bytes) -> None:
        self._file.write(self._packets.map(code, dictid, info))

    def record(self, record: bytes) -> None:
        self._records.append(record)
        self._size += len(record)
        if self._size > _FULL:
            self.flush()

    def flush(self) -> None:
        self._file.write(self._packets.files(self._records))
        self._records.clear()
        self._size = 0


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
            dump.record(opening_with_path(fileid, fileid % _LOGINS + 1))
            waiting.append(fileid)
            if len(waiting) > _OPEN_AT_ONCE:
                dump.record(closing(waiting.popleft()))
        for fileid in waiting:
            dump.record(closing(fileid))
        dump.flush()
