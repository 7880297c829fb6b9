"""Which files hold what is still to be loaded, in which order.

A log is rotated by renaming it, or by copying it and cutting it off; later it is packed. It is
known again by its content, so that none of this matters; its inode only tells where to look first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gridtap.loader.sources import Source
from gridtap.loader.state import Position

__all__ = ["Part", "plan", "rotated"]

#: ``.1``, ``-20240312``, ``.20240312-0815``, and what packs them
_SUFFIX = re.compile(r"[.-](\d[\d.\-]*)(\.(?:gz|xz|zst))?", re.ASCII)

#: Fewer digits are a number, which grows as the log gets older; more are a date.
_DATE_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A file to be loaded.

    :param position: from where; None for the beginning
    """

    path: Path
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class _Rotated:
    path: Path
    mark: str
    is_packed: bool

    @property
    def is_numbered(self) -> bool:
        return self.mark.isdecimal() and len(self.mark) < _DATE_DIGITS


def rotated(log: Path) -> list[Path]:
    """The files that a log was rotated to, oldest first; of one that is being packed, the plain one

    :raises OSError: the folder can not be read
    """
    found: dict[str, _Rotated] = {}
    for path in log.parent.iterdir():
        if path.name.startswith(log.name):
            suffix = _SUFFIX.fullmatch(path.name, len(log.name))
            if suffix is not None and path.is_file():
                one = _Rotated(path, suffix[1], suffix[2] is not None)
                if suffix[1] not in found or not one.is_packed:
                    found[suffix[1]] = one
    files = list(found.values())
    if all(one.is_numbered for one in files):
        files.sort(key=lambda one: -int(one.mark))
    elif not any(one.is_numbered for one in files):
        files.sort(key=lambda one: one.mark)
    else:
        files.sort(key=lambda one: one.path.stat().st_mtime_ns)
    return [one.path for one in files]


def plan(log: Path, known: Sequence[Position], is_same: bool) -> tuple[list[Part], bool]:
    """What to load, oldest first, and whether the last known position was found.

    :param known: positions, oldest first
    :param is_same: whether they are of this log; of another one only this file is of interest
    :raises OSError: the log, or its folder, can not be read
    """
    if not known:
        return [Part(log)], True
    if (len(known) == 1 or not is_same) and _is_at(log, known[-1]):
        return [Part(log, known[-1])], True
    if not is_same:
        return [Part(log)], False
    files = [*rotated(log), log]
    places = {each: _find(each, files, log.parent) for each in known}
    parts = [Part(path, each) for each, path in places.items() if path is not None]
    newest = places[known[-1]]
    if newest is None:
        taken = {part.path for part in parts}
        return [*parts, *([] if log in taken else [Part(log)])], False
    behind = files[files.index(newest) + 1 :] if newest in files else files[-1:]
    taken = {part.path for part in parts}
    return [*parts, *(Part(path) for path in behind if path not in taken)], True


def _find(position: Position, files: Sequence[Path], folder: Path) -> Path | None:
    """The file that has a position: the one that had it, or whichever has its content."""
    same = [path for path in _with_inode(folder, position) if _is_at(path, position)]
    if same:
        return same[0]
    return next((path for path in reversed(files) if _is_at(path, position)), None)


def _with_inode(folder: Path, position: Position) -> list[Path]:
    found = []
    for path in folder.iterdir():
        with suppress(OSError):
            status = path.lstat()
            if (status.st_dev, status.st_ino) == (position.device, position.inode):
                found.append(path)
    return found


def _is_at(path: Path, position: Position) -> bool:
    try:
        with Source(path) as source:
            return source.resume(position)
    except FileNotFoundError:
        # Gone in the meantime. One that may not be read, though, may be the one.
        return False
