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
        self._head = self._before = self._piece = self._rest = b""
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

    def begin(self) -> Position:
        """The beginning of this file, by which it is known before anything of it is loaded"""
        head = self._at(0, limits.HEAD_BYTES) if self.is_seekable else self._keep(limits.HEAD_BYTES)
        name = self.path.name
        return Position(
            name, self.device, self.inode, 0, 1, len(head), digest(head), 0, digest(b"")
        )

    def resume(self, position: Position) -> bool:
        """Goes to a position, if it is one in this file: whether it is.

        :raises OSError: the file can not be read
        """
        offset, size = position.offset_bytes, position.head_bytes
        if not size:
            # An empty file is only known as the one that it was.
            return (self.device, self.inode) == (position.device, position.inode)
        if self.is_seekable:
            head = self._at(0, size)
            self._head = self._at(0, min(offset, limits.HEAD_BYTES))
            self._before = self._at(offset - position.tail_bytes, position.tail_bytes)
            self._file.seek(offset)
            self.offset_bytes = offset
        elif offset:
            self._pass(offset)
            head = self._head[:size]
        else:
            head = self._keep(size)
        tail = self._before[len(self._before) - position.tail_bytes :]
        return (
            self.offset_bytes == offset
            and position.tail_bytes == min(offset, max(position.tail_bytes, 1))
            and (len(head), len(tail)) == (size, position.tail_bytes)
            and (digest(head), digest(tail)) == (position.head_sha256, position.tail_sha256)
        )

    def position(self, offset_bytes: int, line: int) -> Position:
        """A position behind a line that ends in the piece that was read last"""
        at = len(self._piece) - (self.offset_bytes - offset_bytes)
        near = self._piece[max(0, at - limits.TAIL_BYTES) : at]
        tail = (self._before + near)[-limits.TAIL_BYTES :]
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
        rest, self._rest = self._rest, b""
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
        # Of the last piece but one, what a position in the last one may need.
        self._before = (self._before + self._piece[-limits.TAIL_BYTES :])[-limits.TAIL_BYTES :]
        self._piece = piece

    def _pass(self, size: int) -> None:
        while size > 0 and (data := self._read(min(size, _READ_BYTES))):
            size -= len(data)
            self._take(data)
        self._take(b"")

    def _keep(self, size: int) -> bytes:
        """The first bytes, to be read again by whoever reads the pieces"""
        self._rest = self._rest or self._read(size)
        return self._rest[:size]

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
