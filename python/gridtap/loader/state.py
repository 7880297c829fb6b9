"""How far logs are loaded: a small JSON file, and the lock that keeps other runs out.

::

    {"version": 1,
     "log": "/var/log/gridftp-transfer.log",
     "updated_at": 1710231310.25,
     "files": [{"name": "gridftp-transfer.log", "device": 64769, "inode": 1317,
                "offset_bytes": 94213, "line": 218, "head_bytes": 1024, "head_sha256": "...",
                "tail_bytes": 1024, "tail_sha256": "..."}]}

The file of the log is the last one; those before it were rotated away and may still grow.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from gridtap.files import open_locked
from gridtap.loader import limits
from gridtap.loader.errors import StateError

__all__ = ["Position", "State", "digest", "locked", "read_bytes", "save", "state_of"]

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Position:
    """How far one file is loaded.

    :param name: of the file, without its folder; only for people
    :param offset_bytes: of the first byte that is still to be loaded, in the unpacked log
    :param line: number of the line that begins there
    :param head_bytes: how many of the first bytes are hashed
    :param tail_bytes: how many of the bytes before the offset are hashed; the last record is, or
        ends, there
    """

    name: str
    device: int
    inode: int
    offset_bytes: int
    line: int
    head_bytes: int
    head_sha256: str
    tail_bytes: int
    tail_sha256: str


@dataclass(frozen=True, slots=True)
class State:
    """What a state file says.

    :param log: its absolute path
    :param files: oldest first
    :param updated_at: UTC epoch seconds
    """

    log: str
    files: Sequence[Position] = ()
    updated_at: float = field(default=0.0, compare=False)


def digest(data: bytes) -> str:
    """What is kept of bytes to know them again"""
    return hashlib.sha256(data).hexdigest()


def state_of(data: bytes, path: Path) -> State:
    """What the bytes of a state file say.

    :raises StateError: they are none
    """
    try:
        content = json.loads(data)
        version = content["version"]
        if version == _VERSION:
            files = tuple(_position(each) for each in content["files"])
            return State(str(content["log"]), files, float(content["updated_at"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StateError(f"{path}: not a state file of this command") from error
    raise StateError(f"{path}: state of version {version}, which only a later gridtap knows")


def _position(content: Any) -> Position:
    position = Position(**{each.name: content[each.name] for each in fields(Position)})
    for each in fields(Position):
        value = getattr(position, each.name)
        if type(value) is not (str if each.type == "str" else int):
            raise ValueError(each.name)
        if isinstance(value, int) and value < 0:
            raise ValueError(each.name)
    return position


def save(state: State, path: Path) -> None:
    """Writes a state file: whole or not at all, for its owner only, on the disk when this returns.

    :raises StateError: it can not be written
    """
    content = {
        "version": _VERSION,
        "log": state.log,
        "updated_at": state.updated_at,
        "files": [asdict(each) for each in state.files],
    }
    part = path.with_name(f".{path.name}.part")
    try:
        # Nobody else does: the lock is held.
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise StateError(f"{path}: {error.strerror or error}") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other runs away from a state file, until the block or the process ends.

    :raises StateError: another run has it, or there can be no lock
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        descriptor = open_locked(lock, 0o600)
    except BlockingIOError as error:
        raise StateError(f"{path}: another run is using it (it holds {lock.name})") from error
    except OSError as error:
        raise StateError(f"{lock}: {error.strerror}") from error
    try:
        yield
    finally:
        os.close(descriptor)


def read_bytes(path: Path) -> bytes | None:
    """What a state file holds; None if there is none.

    :raises StateError: it can not be read, or is larger than any
    """
    try:
        with path.open("rb") as file:
            data = file.read(limits.STATE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from error
    if len(data) > limits.STATE_BYTES:
        raise StateError(f"{path}: not a state file of this command")
    return data
