"""The loop that fills a board and draws it."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gridtap.errors import MissingExtraError
from gridtap.top.board import SORTS, Board
from gridtap.top.keys import keys
from gridtap.top.screen import screen
from gridtap.top.sources import TopSource

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["demand_rich", "show"]

#: How long what is printed once gathers, seconds.
_ONCE_S = 5.0

#: Between two looks at records and keys, seconds.
_LOOK_S = 0.1

#: Columns and lines of what is printed once, where there is no terminal to ask.
_PLAIN = (100, 40)

_FOOT = "q quit   s sort servers by another column"


def demand_rich() -> None:
    """Asks early for what drawing needs.

    :raises MissingExtraError: rich is not installed
    """
    try:
        import rich  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("gridtap top", "top") from error


def show(
    source: TopSource, board: Board, sort: str, interval: float, seconds: float | None
) -> None:
    """Draws until q, Ctrl-C or the end of the time; what was drawn last stays on the terminal.

    :param interval: seconds between two screens
    :param seconds: how long; None: without end, on what is no terminal a few seconds
    :raises TopSourceError: there are no numbers to be had
    :raises OSError: the capture cannot be read
    """
    from rich.console import Console

    shower = _Shower(source, board, sort)
    if sys.stdout is not None and sys.stdout.isatty():
        console = Console()
        shower.live(console, interval, seconds)
        width, height = shutil.get_terminal_size()
    else:
        console = Console(width=_PLAIN[0], no_color=True)
        for _ in shower.turns(interval, _ONCE_S if seconds is None else seconds, _sleep):
            pass
        width, height = _PLAIN
    console.print(shower.drawn(width, height, ""))


def _sleep(seconds: float) -> str:
    time.sleep(seconds)
    return ""


class _Shower:
    def __init__(self, source: TopSource, board: Board, sort: str) -> None:
        self._source = source
        self._board = board
        self._sort = sort

    def live(self, console: object, interval: float, seconds: float | None) -> None:
        """Draws again and again, on a screen of its own."""
        from rich.live import Live

        with Live(console=console, screen=True, auto_refresh=False) as live, keys() as key:  # type: ignore[arg-type]
            for _ in self.turns(interval, seconds, key):
                size = shutil.get_terminal_size()
                live.update(self.drawn(size.columns, size.lines, _FOOT), refresh=True)

    def drawn(self, width: int, height: int, foot: str) -> RenderableType:
        """The board as it is now."""
        source = self._source
        return screen(
            self._board,
            source.name,
            self._sort,
            width,
            height,
            has_accesses=source.has_accesses,
            foot=foot,
        )

    def turns(
        self, interval: float, seconds: float | None, key: Callable[[float], str]
    ) -> Iterator[None]:
        """Keeps the board filled; each turn is time for a screen."""
        began = time.monotonic()
        drawn = float("-inf")
        try:
            while True:
                now = time.monotonic()
                self._board.add(self._source.accesses())
                is_late = seconds is not None and now - began >= seconds
                # What does not change any more is still looked at, until somebody has seen enough.
                is_over = is_late or (self._source.is_over and seconds is not None)
                if now - drawn >= interval or is_over:
                    self._board.update(now, self._source.status())
                    drawn = now
                    yield
                if is_over:
                    return
                pressed = key(_LOOK_S)
                if pressed == "q":
                    return
                if pressed == "s":
                    self._sort = SORTS[(SORTS.index(self._sort) + 1) % len(SORTS)]
                    drawn = float("-inf")
        except KeyboardInterrupt:
            return
