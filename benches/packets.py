"""Packets of a server as benchmarks need them: numbered, with the records of an f-stream."""

from __future__ import annotations

import struct

STARTED_AT = 1_700_000_000

_OPS = struct.pack("!3l2hq6l", 12, 3, 0, 1, 16, 33, 4096, 1 << 20, 100, 200_000, 0, 0)


class Packets:
    """The packets of one server, in order"""

    def __init__(self, sid: int) -> None:
        self._sid = sid
        self._numbers = {"main": 0, "f": 0}
        self._time = STARTED_AT + 60

    def map(self, code: bytes, dictid: int, info: bytes) -> bytes:
        return self._packet(code, "main", struct.pack("!L", dictid) + info)

    def files(self, records: list[bytes]) -> bytes:
        """An f packet with the window of the next second"""
        window = (self._time, self._time + 1)
        self._time += 1
        head = struct.pack("!BBHHHLLQ", 2, 1, 24, 0, len(records), *window, self._sid)
        return self._packet(b"f", "f", head + b"".join(records))

    def _packet(self, code: bytes, sequence: str, body: bytes) -> bytes:
        number = self._numbers[sequence]
        self._numbers[sequence] = (number + 1) % 256
        return struct.pack("!cBHL", code, number, 8 + len(body), STARTED_AT) + body


def path_of(file: int) -> bytes:
    """A name of 60 bytes"""
    return b"/store/data/run%06d/AOD/%032x.root" % (file % 1_000_000, file * 2_654_435_761)


def opening(file: int) -> bytes:
    """The record of an open whose path is told elsewhere"""
    return struct.pack("!BBHLq", 1, 2, 16, file, 123_456_789)


def opening_with_path(file: int, login: int) -> bytes:
    name = path_of(file)
    size = (20 + len(name) + 8) & ~3
    head = struct.pack("!BBHLqL", 1, 1, size, file, 123_456_789, login)
    return head + name.ljust(size - 20, b"\0")


def closing(file: int) -> bytes:
    """The record of a close, with operation counts"""
    return struct.pack("!BBHLqqq", 0, 2, 80, file, 987_654_321, 12_345_678, 0) + _OPS


def disconnecting(login: int) -> bytes:
    """The record of a login's end"""
    return struct.pack("!BBHL", 4, 0, 8, login)
