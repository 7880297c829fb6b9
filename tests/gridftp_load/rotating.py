"""A log as servers and logrotate treat it."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path


class Log:
    """A log in a folder, with what it was rotated to

    :param dated: rotated to dates, as logrotate does with ``dateext``
    """

    def __init__(self, folder: Path, name: str = "gridftp.log", *, dated: bool = False) -> None:
        self.path = folder / name
        self.path.touch()
        self._dated = dated
        self._day = 20240312
        #: All that was ever written to it
        self.written = b""

    def append(self, data: bytes, path: Path | None = None) -> None:
        """A server writes, also into a file that was rotated away"""
        with (path or self.path).open("ab") as file:
            file.write(data)
        self.written += data

    def rotate(self, *, by_copying: bool = False) -> Path:
        """Moves the log away and begins a new one; returns where the old one is"""
        target = self._make_room()
        if by_copying:
            shutil.copy2(self.path, target)
            os.truncate(self.path, 0)
        else:
            self.path.rename(target)
            self.path.touch()
        return target

    def _make_room(self) -> Path:
        if self._dated:
            self._day += 1
            return self.path.with_name(f"{self.path.name}-{self._day}")
        for number in range(20, 0, -1):
            for end in ("", *PACKERS):
                old = self.path.with_name(f"{self.path.name}.{number}{end}")
                if old.exists():
                    old.rename(self.path.with_name(f"{self.path.name}.{number + 1}{end}"))
        return self.path.with_name(f"{self.path.name}.1")


def pack(path: Path, end: str = ".gz") -> Path:
    """Packs a file, keeping its time as the tools do"""
    packed = path.with_name(f"{path.name}{end}")
    packed.write_bytes(PACKERS[end](path.read_bytes()))
    status = path.stat()
    os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()
    return packed


def _zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-q"], input=data, capture_output=True, check=True).stdout


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": _zstd,
}
