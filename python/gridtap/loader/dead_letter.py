"""A file of what could not be stored, with the reason, to be looked at and loaded again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gridtap.loader.errors import LoadError

__all__ = ["DeadLetter", "bury"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that is not stored.

    :param log: the file that it is from
    :param line: from 1
    :param offset_bytes: of its first byte, in the unpacked log
    :param record: as logged; None where it is too far behind
    """

    reason: str
    log: str
    line: int
    offset_bytes: int
    record: str | None


def bury(letters: Iterable[DeadLetter], path: Path) -> None:
    """Appends to the file, one JSON object a line; when this returns they are on the disk.

    Records name users and files: the file is for its owner only.

    :raises LoadError: it can not be written
    """
    lines = [
        {
            "reason": each.reason,
            "log": each.log,
            "line": each.line,
            "offset_bytes": each.offset_bytes,
            "record": each.record,
        }
        for each in letters
    ]
    if not lines:
        return
    data = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with open(descriptor, "ab") as file:
            file.write(data)
            file.flush()
            if path.is_file():
                os.fsync(file.fileno())
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror or error}") from error
