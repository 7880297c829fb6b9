"""The directory where a collector keeps what has to outlive it; one collector's alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gridtap.errors import ConfigError
from gridtap.files import open_locked

__all__ = ["StateDirectory"]


class StateDirectory:
    """A directory that is locked while this object is not closed.

    :param path: made if it is not there; None: nothing is kept
    :raises ConfigError: it cannot be used, or another collector uses it
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock: int | None = None
        if path is None:
            return
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._lock = open_locked(path / "lock", 0o640)
        except BlockingIOError as error:
            owner = _owner(path / "lock")
            raise ConfigError(
                f"state.directory: {path} is in use by another collector{owner}"
            ) from error
        except OSError as error:
            raise ConfigError(
                f"state.directory: {error.filename or path}: {error.strerror}"
            ) from error
        os.ftruncate(self._lock, 0)
        os.write(self._lock, f"{os.getpid()}\n".encode())

    @property
    def snapshot(self) -> Path | None:
        """File of what the core remembers"""
        return self.path and self.path / "state.snapshot"

    def spool(self, sink: str) -> Path | None:
        """Directory of a sink's spool"""
        return self.path and self.path / "spool" / sink

    def left_spools(self, sinks: Iterable[str]) -> list[Path]:
        """Spools with records of sinks that are none of these"""
        if self.path is None:
            return []
        known = set(sinks)
        found = sorted((self.path / "spool").glob("*/*.seg"))
        return sorted({path.parent for path in found if path.parent.name not in known})

    def dead_letters(self, sink: str) -> Path | None:
        """Directory of what a sink refused"""
        return self.path and self.path / "dead-letters" / sink

    def close(self) -> None:
        """Lets others use it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _owner(lock: Path) -> str:
    pid = lock.read_bytes()[:32].decode(errors="replace").strip()
    return f" (process {pid})" if pid.isdecimal() else ""
