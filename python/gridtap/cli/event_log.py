"""The log lines of the commands that load: ``ts=TIME event=EVENT id=SECONDS TEXT``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

__all__ = ["EventLog"]

#: Of one line: a server's answer, or input that is none, may have no end.
_MAX_CHARS = 2000


class EventLog:
    """Writes lines to standard error, or to the end of a file.

    :param command: that is to complain if the file cannot be written any more
    :param path: of the file
    :raises OSError: the file cannot be written
    """

    def __init__(self, command: str, path: Path | None = None) -> None:
        self._command = command
        self._path = path
        if path is not None:
            path.open("a").close()

    def __call__(self, event: str, text: str) -> None:
        """Writes one line; what would break it or act on a terminal is escaped."""
        self._write(_heading(event) + _printable(text[:_MAX_CHARS]))

    def dump(self, event: str, text: str) -> None:
        """Writes text as it is."""
        self._write(_heading(event) + text)

    def _write(self, line: str) -> None:
        data = f"{line}\n".encode(errors="backslashreplace")
        try:
            if self._path is not None:
                with self._path.open("ab") as file:
                    file.write(data)
                return
        except OSError as error:
            # A full disk is no reason to lose a measurement, nor to be silent.
            print(f"{self._command}: {self._path}: {error.strerror or error}", file=sys.stderr)
        if sys.stderr is not None:
            sys.stderr.buffer.write(data)
            sys.stderr.flush()


def _heading(event: str) -> str:
    now = time.time()
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    return f"ts={clock},{int(now % 1 * 1000):03d} event={event} id={int(now)} "


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
