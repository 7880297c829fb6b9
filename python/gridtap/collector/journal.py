"""Batches that a sink has taken but not yet brought to where they belong, on disk.

Some sinks work on more than one batch at once: a Parquet file of five minutes, a point of one
minute. What they have said yes to must survive their end meanwhile. A journal is a directory of
segments, files of frames: one is written to, the others are *sealed*: they never change again, so
that what is made of one can be made again, the same, after a crash.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gridtap.collector.frames import MAGIC, FrameWriter, frame, outline, read_frame, sync_directory
from gridtap.collector.logs import event_log
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.collector.sinks.settings import FsyncPolicy
from gridtap.errors import SinkUnavailableError
from gridtap.files import open_locked

__all__ = ["Journal", "Segment"]

_LOG = event_log(__name__)

_NUMBER_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Segment:
    """A sealed segment.

    :param number: never used twice in a directory
    """

    number: int
    path: Path

    def batches(self) -> Iterator[StoredBatch]:
        """What it holds, up to its end or to the first damage.

        :raises OSError: it cannot be read
        """
        file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            offset = len(MAGIC)
            while (found := read_frame(file, offset)) is not None:
                batch, offset = found
                yield batch
        finally:
            os.close(file)


class Journal:
    """The journal of one sink. For one thread.

    :param directory: made if it is not there
    :param fsync: when batches are made to survive a crash of the host
    :raises SinkUnavailableError: it cannot be used, or another process uses it
    """

    def __init__(self, directory: Path, fsync: FsyncPolicy) -> None:
        self.directory = directory
        self._fsync = fsync
        self._writer: FrameWriter | None = None
        with self._mapped():
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(directory / "lock")
            try:
                self._recover()
            except OSError:
                # Or this process could not try again.
                os.close(self._lock)
                raise

    @property
    def size(self) -> int:
        """Bytes of the segment that is written to"""
        return self._writer.size if self._writer is not None else 0

    def append(self, batch: StoredBatch) -> None:
        """Takes a batch, whole or not at all.

        :raises SinkUnavailableError: it cannot be written
        """
        with self._mapped():
            if self._writer is None:
                self._begin()
            assert self._writer is not None
            self._writer.append(frame(batch))
            if self._fsync == "always":
                self._writer.sync()

    def sync(self) -> None:
        """What was appended survives a crash of the host, unless the policy is ``never``.

        :raises SinkUnavailableError: it may not
        """
        if self._writer is not None and self._fsync != "never":
            with self._mapped():
                self._writer.sync()

    def seal(self) -> None:
        """Ends the segment that is written to, if there is one.

        :raises SinkUnavailableError: it may not survive a crash of the host
        """
        if self._writer is None:
            return
        self.sync()
        self._writer.close()
        self._writer = None

    def sealed(self) -> list[Segment]:
        """The sealed segments, the oldest first"""
        open_path = self._writer.path if self._writer is not None else None
        found = [
            Segment(int(path.stem), path)
            for path in self.directory.glob("*.seg")
            if path.stem.isdecimal() and path != open_path
        ]
        return sorted(found, key=lambda segment: segment.number)

    def remove(self, segment: Segment) -> None:
        """What was in a segment is where it belongs.

        :raises SinkUnavailableError: it cannot be removed
        """
        with self._mapped():
            segment.path.unlink(missing_ok=True)

    def put_aside(self, segment: Segment) -> Path:
        """Keeps a segment of which nothing can be made, where it is in nobody's way.

        :returns: where it is now
        :raises SinkUnavailableError: it cannot be moved
        """
        aside = segment.path.with_suffix(".refused")
        with self._mapped():
            segment.path.rename(aside)
        return aside

    def close(self) -> None:
        """Seals, and lets go of the directory.

        :raises SinkUnavailableError: what was appended may not survive a crash of the host
        """
        try:
            self.seal()
        finally:
            os.close(self._lock)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = error.filename or self.directory
            raise SinkUnavailableError(f"{where}: {error.strerror or error}") from error

    def _recover(self) -> None:
        noted = os.pread(self._lock, _NUMBER_DIGITS, 0)
        numbers = [each.number for each in self.sealed()]
        self._last = max([int(noted) if noted.isdigit() else 0, *numbers])
        for segment in self.sealed():
            whole = outline(segment.path).size
            # The time of a file that is whole says when its records were written.
            if torn := segment.path.stat().st_size - whole:
                _LOG.warning("torn_batch_cut", path=str(segment.path), bytes=torn)
                os.truncate(segment.path, whole)

    def _begin(self) -> None:
        number = self._last + 1
        # Noted before the segment is there: what was made of an earlier one may bear its number.
        os.pwrite(self._lock, str(number).zfill(_NUMBER_DIGITS).encode(), 0)
        self._writer = FrameWriter(self.directory / f"{number:016}.seg")
        self._last = number
        if self._fsync != "never":
            os.fdatasync(self._lock)
            sync_directory(self.directory)


def _lock(path: Path) -> int:
    """Opens the file that holds the newest segment's number, and is this process's alone."""
    try:
        return open_locked(path, 0o640)
    except BlockingIOError as error:
        reason = "another process, or another sink, uses it"
        raise OSError(error.errno, reason, str(path.parent)) from error
