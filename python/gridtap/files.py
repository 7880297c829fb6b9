"""Files that appear whole or not at all, and files that one process has for itself."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["open_locked", "whole_file"]

_DEVICES = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))


@contextmanager
def whole_file(path: Path | None) -> Iterator[Path | None]:
    """A path to write to, which becomes ``path`` when all went well and is removed otherwise.

    Devices and pipes are written to as they are: they cannot be replaced. So are names in ``/dev``,
    as ``/dev/stdout`` is a link to whatever the shell opened. Other links keep pointing where they
    do. Errors name ``path``, which is what the user knows.
    """
    if path is None or path.parent in _DEVICES or (path.exists() and not path.is_file()):
        yield path
        return
    target = path.resolve() if path.is_symlink() else path
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        if error.filename is not None and os.fspath(error.filename) == os.fspath(part):
            error.filename = os.fspath(path)
        raise
    finally:
        with suppress(OSError):
            part.unlink()


def open_locked(path: Path, mode: int) -> int:
    """Opens a file to read and write, made if it is not there, for this process alone.

    The lock holds until the descriptor is closed.

    :param mode: of a file that is made
    :raises BlockingIOError: another process, or another part of this one, has it
    :raises OSError: it cannot be opened
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file
