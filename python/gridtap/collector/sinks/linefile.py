"""A file that has whole lines only, whatever happens while they are written."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

__all__ = ["LineFile"]

#: Read at once while the end of the last whole line is looked for
_PIECE_BYTES = 1 << 16


class LineFile:
    """An open file to append to.

    :param file: descriptor
    :param owned: it is closed with this
    """

    def __init__(self, file: int, *, owned: bool = True) -> None:
        self._file = file
        self._owned = owned
        #: Pipes and devices cannot be cut, rotated or synced
        self.is_regular = stat.S_ISREG(os.fstat(file).st_mode)
        self._unsynced = False

    @classmethod
    def standard_output(cls) -> LineFile:
        """The process's standard output."""
        return cls(1, owned=False)

    @classmethod
    def open(cls, path: Path) -> tuple[LineFile, int]:
        """Opens or makes a file, and moves an unfinished last line to ``PATH.torn``.

        :returns: the file, and how many bytes were moved
        :raises OSError: it cannot be used, or another process writes to it
        """
        flags = os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        # A pipe that nobody reads is an error, instead of a wait for ever.
        kind = os.O_RDWR if not path.exists() or path.is_file() else os.O_WRONLY | os.O_NONBLOCK
        descriptor = os.open(path, flags | kind, 0o640)
        try:
            file = cls(descriptor)
            if not file.is_regular:
                os.set_blocking(descriptor, True)
                return file, 0
            _lock(descriptor, path)
            return file, file._repair(path)
        except OSError:
            os.close(descriptor)
            raise

    def append(self, data: bytes | memoryview, *, sync: bool) -> None:
        """Appends lines, all or none of them.

        :raises OSError: they cannot be written
        """
        before = self.size()
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._file, view) :]
            self._unsynced = True
            if sync:
                self.sync()
        except OSError:
            if self.is_regular:
                os.ftruncate(self._file, before)
                # Standard output does not append by itself.
                os.lseek(self._file, before, os.SEEK_SET)
            raise

    def sync(self) -> None:
        """What was appended survives a crash of the host.

        :raises OSError: it may not
        """
        if self._unsynced and self.is_regular:
            os.fdatasync(self._file)
        self._unsynced = False

    def size(self) -> int:
        """In bytes; 0 of what is no regular file. Asked anew: others may have cut it."""
        return os.fstat(self._file).st_size if self.is_regular else 0

    def changed_at(self) -> float:
        """When it was last written to, UTC epoch seconds"""
        return os.fstat(self._file).st_mtime

    def close(self) -> None:
        """Closes it, without :py:meth:`sync`."""
        if self._owned:
            with suppress(OSError):
                os.close(self._file)

    def _repair(self, path: Path) -> int:
        size = self.size()
        end = self._end_of_lines(size)
        if end == size:
            return 0
        torn = os.pread(self._file, size - end, end)
        with open(f"{path}.torn", "ab") as aside:
            aside.write(torn + b"\n")
            aside.flush()
            os.fsync(aside.fileno())
        os.ftruncate(self._file, end)
        return size - end

    def _end_of_lines(self, size: int) -> int:
        end = size
        while end > 0:
            begin = max(0, end - _PIECE_BYTES)
            found = os.pread(self._file, end - begin, begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            end = begin
        return 0


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        reason = "another process, or another sink, writes to it"
        raise OSError(error.errno, reason, str(path)) from error
