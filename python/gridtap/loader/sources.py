"""One file of a log, plain or packed, read from where it was left."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from gridtap import _core
from gridtap.loader import limits
from gridtap.loader.errors import LoadError
from gridtap.loader.state import Position, digest

__all__ = ["DamagedLogError", "ReplacedLogError", "Source"]

_READ_BYTES = 1 << 20


class DamagedLogError(LoadError):
    """A packed log that is damaged, or ends early."""


class ReplacedLogError(LoadError):
    """A log that was cut off, or written anew, while it was read."""


class Source:
    """A file of a log.

    :param path: of the file; a pipe will do if it is read once, from the beginning
    :raises OSError: it can not be read
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb", buffering=0)
        try:
            status = os.fstat(self._file.fileno())
            self.device, self.inode = status.st_dev, status.st_ino
            self.is_regular = stat.S_ISREG(status.st_mode)
            self._unpacked = _core.UnpackedLog(self._file)
        except BaseException:
            self._file.close()
            raise
        self.is_packed = self._unpacked.is_packed
        self.is_seekable = self._file.seekable() and not self.is_packed
        if self.is_seekable:
            # From here on without the detour; its first bytes were looked at.
            self._file.seek(0)
        self.offset_bytes = 0
        self._head = self._tail = b""
        self._damage: DamagedLogError | None = None

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def position_bytes(self) -> int:
        """Bytes of the file behind, as it is: of a packed file, packed ones"""
        return self._file.tell() if self._file.seekable() else self.offset_bytes

    def resume(self, position: Position) -> bool:
        """Goes to a position, if it is one in this file: whether it is.

        :raises OSError: the file can not be read
        """
        offset = position.offset_bytes
        if self.is_seekable:
            self._head = self._at(0, min(offset, max(limits.HEAD_BYTES, position.head_bytes)))
            self._tail = self._at(offset - position.tail_bytes, position.tail_bytes)
            self._file.seek(offset)
            self.offset_bytes = offset
        else:
            self._pass(offset)
        head, tail = self._head[: position.head_bytes], self._tail[-position.tail_bytes :]
        return (
            self.offset_bytes == offset
            and 0 < position.head_bytes <= offset
            and 0 < position.tail_bytes <= offset
            and (len(head), len(tail)) == (position.head_bytes, position.tail_bytes)
            and (digest(head), digest(tail)) == (position.head_sha256, position.tail_sha256)
        )

    def position(self, offset_bytes: int, line: int) -> Position:
        """A position in this file, behind something that was read just now"""
        surplus = self.offset_bytes - offset_bytes
        tail = self._tail[: len(self._tail) - surplus][-limits.TAIL_BYTES :]
        head = self._head[:offset_bytes]
        return Position(
            self.path.name,
            self.device,
            self.inode,
            offset_bytes,
            line,
            len(head),
            digest(head),
            len(tail),
            digest(tail),
        )

    def pieces(self, size: int) -> Iterator[bytes]:
        """The rest of the file, in pieces that end with a line where they can.

        :raises DamagedLogError: the packed file is damaged
        :raises ReplacedLogError: another log stands in this file now
        :raises OSError: the file can not be read
        """
        rest = b""
        while True:
            piece = rest + self._read(size - len(rest))
            is_last = len(piece) < size
            end = len(piece) if is_last else (piece.rfind(b"\n") + 1 or len(piece))
            piece, rest = piece[:end], piece[end:]
            if piece:
                self._take(piece)
                self._check()
                yield piece
            if is_last:
                break
        if self._damage is not None:
            raise self._damage

    def _take(self, piece: bytes) -> None:
        self.offset_bytes += len(piece)
        self._head += piece[: max(0, limits.HEAD_BYTES - len(self._head))]
        # Twice as long as what is asked for, so that a last line without end does not matter.
        self._tail = (self._tail + piece)[-(limits.TAIL_BYTES + len(piece)) :]

    def _pass(self, size: int) -> None:
        while size > 0:
            data = self._read(min(size, _READ_BYTES))
            if not data:
                return
            size -= len(data)
            self._take(data)
            self._tail = self._tail[-limits.TAIL_BYTES :]

    def _check(self) -> None:
        """Copying a log and cutting it off leaves the same file with other content."""
        if self.is_seekable and self._at(0, len(self._head)) != self._head:
            raise ReplacedLogError(f"{self.path}: was replaced while it was read")

    def _at(self, offset: int, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, offset) if offset >= 0 else b""

    def _read(self, size: int) -> bytes:
        """Bytes as they come, until there are enough or no more."""
        parts: list[bytes] = []
        while size > 0 and (part := self._some(min(size, _READ_BYTES))):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _some(self, size: int) -> bytes:
        if self.is_seekable:
            return self._file.read(size) or b""
        if self._damage is not None:
            return b""
        try:
            return self._unpacked.read(size)
        except OSError as error:
            if error.errno is not None or not self.is_packed:
                raise
            # What came before is read first.
            self._damage = DamagedLogError("the compressed log is damaged or ends early")
            self._damage.__cause__ = error
            return b""
