"""Batches of one sink on disk, in order, within a cap.

A directory has segments, ``0000000000000001.seg`` and on, each a file of frames, and ``position``:
how far batches were taken. A segment goes when all of it was taken, or when the cap is reached.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gridtap.collector.frames import (
    MAGIC,
    FrameWriter,
    frame,
    outline,
    read_frame,
    sync_directory,
)
from gridtap.collector.logs import event_log
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.collector.sinks.settings import FsyncPolicy
from gridtap.errors import SpoolError
from gridtap.files import open_locked

__all__ = ["Spool"]

_LOG = event_log(__name__)

#: Largest segment in bytes. Small enough that a full spool loses little at once and gives space
#: back soon, large enough for a cap of gigabytes to be some dozen files.
_SEGMENT_BYTES = 64 << 20

#: Segments that a cap is divided into, if that makes them smaller
_SEGMENTS = 16

#: Number of the segment, offset in it, CRC-32 of both
_POSITION = struct.Struct("<QQI")


@dataclass(slots=True)
class _Segment:
    number: int
    path: Path
    size: int
    #: Not taken yet
    records: int


class Spool:
    """Batches in the order in which they came, each at least once, also after ``kill -9``.

    For one thread; its counters may be read by others.

    :param directory: made if it is not there
    :param max_bytes: when its files would exceed it, the oldest segment goes, taken or not
    :param fsync: what survives a crash of the host; ``interval``: what is older than the last
        :py:meth:`sync`
    :param segment_bytes: a segment gets no further batch when it would exceed it
    :raises SpoolError: the directory cannot be used, or another process uses it
    """

    def __init__(
        self,
        directory: Path,
        max_bytes: int,
        *,
        fsync: FsyncPolicy = "interval",
        segment_bytes: int | None = None,
    ) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        #: Records that left without being taken: the cap was reached, or their segment is damaged
        self.dropped_records = 0
        #: Bytes that a crash left torn, or that are damaged
        self.damaged_bytes = 0
        self._fsync = fsync
        self._segment_bytes = segment_bytes or min(_SEGMENT_BYTES, max_bytes // _SEGMENTS)
        self._segments: deque[_Segment] = deque()
        self._writer: FrameWriter | None = None
        self._next: tuple[StoredBatch, int] | None = None
        with self._mapped():
            directory.mkdir(parents=True, exist_ok=True)
            self._position = _lock(directory / "position")
            try:
                self._recover()
            except OSError:
                os.close(self._position)
                raise

    @property
    def stored_records(self) -> int:
        """Records to be taken"""
        return sum(one.records for one in tuple(self._segments))

    @property
    def stored_bytes(self) -> int:
        """Size of all segments"""
        return sum(one.size for one in tuple(self._segments))

    def append(self, batch: StoredBatch) -> None:
        """Adds a batch behind all others. One that is larger than the cap is dropped itself.

        :raises SpoolError: it cannot be written; everything else is as it was
        """
        data = frame(batch)
        if len(MAGIC) + len(data) > self.max_bytes:
            self.dropped_records += batch.records
            return
        with self._mapped():
            writer = self._room(len(data))
            writer.append(data)
            if self._fsync == "always":
                writer.sync()
        newest = self._segments[-1]
        newest.size = writer.size
        newest.records += batch.records

    def peek(self) -> StoredBatch | None:
        """The oldest batch; None when there is none.

        :raises SpoolError: it cannot be read
        """
        while self._next is None and self._segments:
            oldest = self._segments[0]
            if self._offset < oldest.size:
                with self._mapped():
                    self._next = self._read(oldest)
            if self._next is None:
                left = oldest.size - self._offset
                if left > 0:
                    self.damaged_bytes += left
                    self.dropped_records += oldest.records
                    _LOG.error(
                        "damaged_segment",
                        path=str(oldest.path),
                        bytes=left,
                        records=oldest.records,
                    )
                self._remove_oldest()
        return self._next[0] if self._next else None

    def advance(self) -> None:
        """The batch that :py:meth:`peek` gave was taken, and is not given again.

        Nothing happens when it has left meanwhile because the cap was reached.

        :raises SpoolError: this cannot be noted; the batch comes again
        """
        if self._next is None:
            return
        batch, behind = self._next
        oldest = self._segments[0]
        with self._mapped():
            self._note(oldest.number, behind)
        self._offset = behind
        self._next = None
        oldest.records -= batch.records
        if behind >= oldest.size:
            self._remove_oldest()

    def sync(self) -> None:
        """What was appended survives a crash of the host, unless the policy is ``never``.

        :raises SpoolError: it may not
        """
        if self._writer is not None and self._fsync != "never":
            with self._mapped():
                self._writer.sync()

    def close(self) -> None:
        """Syncs, and lets go of the directory.

        :raises SpoolError: what was appended may not survive a crash of the host
        """
        try:
            self._end_segment()
        finally:
            os.close(self._position)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = error.filename or self.directory
            raise SpoolError(f"{where}: {error.strerror or error}") from error

    def _recover(self) -> None:
        number, self._offset = _noted(self._position)
        found_files = [path for path in self.directory.glob("*.seg") if path.stem.isdecimal()]
        files = {int(path.stem): path for path in found_files}
        for each, path in sorted(files.items()):
            # All of it was taken; the crash came before it was removed.
            if each < number:
                path.unlink()
                continue
            since = self._offset if each == number else 0
            found = outline(path, since)
            if torn := path.stat().st_size - found.size:
                self.damaged_bytes += torn
                _LOG.warning("torn_batch_cut", path=str(path), bytes=torn)
                os.truncate(path, found.size)
            self._segments.append(_Segment(each, path, found.size, found.records))
        self._last = max([number, *files])
        if not self._segments or self._segments[0].number != number:
            self._offset = len(MAGIC)

    def _room(self, size: int) -> FrameWriter:
        """A writer of the newest segment that may take so many bytes."""
        if self._writer is not None and self._writer.size + size > self._segment_bytes:
            self._end_segment()
        while self._segments and self.stored_bytes + len(MAGIC) + size > self.max_bytes:
            self.dropped_records += self._segments[0].records
            self._remove_oldest()
        if self._writer is None:
            path = self.directory / f"{self._last + 1:016}.seg"
            self._writer = FrameWriter(path)
            self._last += 1
            self._segments.append(_Segment(self._last, path, self._writer.size, 0))
            if self._fsync == "always":
                sync_directory(self.directory)
        return self._writer

    def _end_segment(self) -> None:
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        with self._mapped():
            try:
                if self._fsync != "never":
                    writer.sync()
                    sync_directory(self.directory)
            finally:
                writer.close()

    def _remove_oldest(self) -> None:
        if len(self._segments) == 1:
            # It may be the one that is written to. What goes need not survive.
            if self._writer is not None:
                self._writer.close()
            self._writer = None
        oldest = self._segments.popleft()
        self._next = None
        self._offset = len(MAGIC)
        with self._mapped():
            oldest.path.unlink(missing_ok=True)

    def _read(self, segment: _Segment) -> tuple[StoredBatch, int] | None:
        file = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return read_frame(file, self._offset)
        finally:
            os.close(file)

    def _note(self, number: int, offset: int) -> None:
        checked = struct.pack("<QQ", number, offset)
        os.pwrite(self._position, checked + struct.pack("<I", zlib.crc32(checked)), 0)


def _lock(path: Path) -> int:
    """Opens the file of the position, which is this process's alone."""
    try:
        file = open_locked(path, 0o640)
    except BlockingIOError as error:
        raise SpoolError(f"{path.parent}: another process uses this spool") from error
    try:
        # Later notes need no space: a full disk shall not keep a spool from being emptied.
        if os.fstat(file).st_size < _POSITION.size:
            os.pwrite(file, bytes(_POSITION.size), 0)
    except OSError:
        os.close(file)
        raise
    return file


def _noted(file: int) -> tuple[int, int]:
    """Segment and offset of the first batch that was not taken; (0, 0) when that is not known."""
    noted = os.pread(file, _POSITION.size, 0)
    if len(noted) < _POSITION.size:
        return 0, 0
    number, offset, crc = _POSITION.unpack(noted)
    if zlib.crc32(noted[:16]) != crc:
        return 0, 0
    return number, offset
