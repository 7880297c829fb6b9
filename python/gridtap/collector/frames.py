"""Batches in files, one after the other, so that a file that a crash tore is known to be torn.

A file begins with :py:data:`MAGIC`. Each batch is a *frame*:

======  ================================================================
bytes   what, integers little-endian
======  ================================================================
4       length of the data
4       CRC-32 of all other parts, in this order
4       records
1       length of the kind's name; 0: mixed records
...     the kind's name, UTF-8
...     the data
======  ================================================================
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from gridtap.collector.sinks.protocol import StoredBatch

__all__ = ["MAGIC", "FrameWriter", "Outline", "frame", "outline", "read_frame", "sync_directory"]

#: Name and version of the format
MAGIC = b"GTFRAME1"

_HEAD = struct.Struct("<IIIB")


def frame(batch: StoredBatch) -> bytes:
    """A batch as a frame."""
    kind = (batch.kind or "").encode()
    size, records = len(batch.data), batch.records
    crc = _checksum(size, records, kind, batch.data)
    return b"".join((_HEAD.pack(size, crc, records, len(kind)), kind, batch.data))


def _checksum(size: int, records: int, kind: bytes, data: bytes | memoryview) -> int:
    crc = zlib.crc32(_HEAD.pack(size, 0, records, len(kind)))
    return zlib.crc32(data, zlib.crc32(kind, crc))


def read_frame(file: int, offset: int) -> tuple[StoredBatch, int] | None:
    """The batch at an offset and the offset behind it; None: no whole and undamaged one is there.

    :param file: descriptor
    :raises OSError: it cannot be read
    """
    head = os.pread(file, _HEAD.size, offset)
    if len(head) < _HEAD.size:
        return None
    size, crc, records, kind_size = _HEAD.unpack(head)
    # What the head claims may be damaged too: nothing is read that the file does not have.
    end = offset + _HEAD.size + kind_size + size
    if end > os.fstat(file).st_size:
        return None
    body = os.pread(file, kind_size + size, offset + _HEAD.size)
    kind, data = body[:kind_size], body[kind_size:]
    if len(data) != size or _checksum(size, records, kind, data) != crc:
        return None
    return StoredBatch(records, kind.decode() or None, data), end


@dataclass(frozen=True, slots=True)
class Outline:
    """What a file of frames holds.

    :param size: bytes up to the end of the last whole frame
    :param records: from an offset on
    """

    size: int
    records: int


def outline(path: Path, since: int = 0) -> Outline:
    """Goes over the heads of a file's frames, and checks the whole of the last.

    :param since: offset from which records are counted
    :raises OSError: it cannot be read
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        end = os.fstat(file).st_size
        if os.pread(file, len(MAGIC), 0) != MAGIC:
            return Outline(0, 0)
        places = []
        offset = len(MAGIC)
        while len(head := os.pread(file, _HEAD.size, offset)) == _HEAD.size:
            size, _, records, kind_size = _HEAD.unpack(head)
            behind = offset + _HEAD.size + kind_size + size
            if behind > end:
                break
            places.append((offset, records))
            offset = behind
        # Pages of a file may reach the disk in any order, so that more than the last may be torn.
        while places and read_frame(file, places[-1][0]) is None:
            offset, _ = places.pop()
        return Outline(offset, sum(records for place, records in places if place >= since))
    finally:
        os.close(file)


class FrameWriter:
    """A new file of frames.

    :raises OSError: it exists already, or cannot be made
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self.size = 0
        self._unsynced = True
        try:
            self.append(MAGIC)
        except OSError:
            os.close(self._file)
            path.unlink()
            raise

    def append(self, data: bytes) -> None:
        """Appends a frame, whole or not at all.

        :raises OSError: it cannot be written
        """
        written = 0
        view = memoryview(data)
        try:
            while written < len(view):
                written += os.pwrite(self._file, view[written:], self.size + written)
        except OSError:
            # What follows would otherwise stand behind a torn frame, where no reader gets to.
            os.ftruncate(self._file, self.size)
            raise
        self.size += written
        self._unsynced = True

    def sync(self) -> None:
        """What was appended survives a crash of the host.

        :raises OSError: it may not
        """
        if self._unsynced:
            os.fdatasync(self._file)
            self._unsynced = False

    def close(self) -> None:
        """Closes the file, without :py:meth:`sync`."""
        os.close(self._file)


def sync_directory(directory: Path) -> None:
    """Names made or removed in a directory survive a crash of the host.

    :raises OSError: they may not
    """
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
