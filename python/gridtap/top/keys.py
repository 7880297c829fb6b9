"""Keys of a terminal, one by one, without waiting for a line."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["keys"]


@contextmanager
def keys() -> Iterator[Callable[[float], str]]:
    """A function that waits for a key, so many seconds at most, and answers it or nothing.

    Without a terminal it only waits. At the end the terminal is as it was.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        yield _no_key
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield _key
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _no_key(seconds: float) -> str:
    time.sleep(seconds)
    return ""


def _key(seconds: float) -> str:
    if not select.select([sys.stdin], [], [], seconds)[0]:
        return ""
    pressed = os.read(sys.stdin.fileno(), 1)
    # Nothing: the terminal has gone, and so does the screen.
    return pressed.decode("ascii", "replace") if pressed else "q"
