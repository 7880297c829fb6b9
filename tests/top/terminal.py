"""A command on a terminal that remembers what it shows."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import pyte

from tests.cli.command import GRIDTAP


class Terminal:
    """Runs ``gridtap`` on a pseudo terminal of a size that can change"""

    def __init__(self, *arguments: str, columns: int = 80, lines: int = 24, **more: str) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        kept = {
            name: value for name, value in os.environ.items() if name not in ("LINES", "COLUMNS")
        }
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            environment = {**kept, "TERM": "xterm-256color", **more}
            os.execve(sys.executable, [*GRIDTAP, *arguments], environment)
        self.resize(columns, lines)
        self.exit_code: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.exit_code is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._fd)

    @property
    def text(self) -> str:
        """The screen as it is now"""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def resize(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, size)
        self._screen.resize(lines, columns)

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def wait_for(self, shown: Callable[[str], object], seconds: float = 20) -> str:
        """Reads on until the screen is as wanted"""
        deadline = time.monotonic() + seconds
        while not shown(self.text):
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text
        return self.text

    def end(self, seconds: float = 20) -> int:
        """Reads on to the end of the command"""
        deadline = time.monotonic() + seconds
        while self._read():
            assert time.monotonic() < deadline, self.text
        self.exit_code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self.exit_code

    def _read(self) -> bool:
        if not select.select([self._fd], [], [], 0.1)[0]:
            return True
        try:
            data = os.read(self._fd, 65_536)
        except OSError:
            # Linux says so when the other side has closed.
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)
