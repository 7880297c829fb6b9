"""The progress bar of a bulk pull."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING

import click

from gridtap.esmond.querying.bulk import Saved, Task

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

__all__ = ["BulkProgress"]

_CLEAR_LINE = "\r\033[K"


class BulkProgress:
    """Tests, points, bytes and time left, on standard error if that is a terminal."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._total = len(tasks)
        #: What is left to do of each test
        self._left = Counter(id(task.metadata) for task in tasks)
        self._points = self._bytes = 0
        self._stack = ExitStack()
        self._bar: ProgressBar[int] | None = None

    def __enter__(self) -> BulkProgress:
        if self._total and sys.stderr.isatty():
            bar: ProgressBar[int] = click.progressbar(
                length=self._total,
                label="pulling",
                # As wide as the terminal: a line that wraps can not be drawn over.
                width=0,
                item_show_func=lambda _: self._counts(),
                file=sys.stderr,
            )
            self._bar = self._stack.enter_context(bar)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def advance(self, saved: Saved) -> None:
        """One task is done, or given up."""
        self._left[id(saved.task.metadata)] -= 1
        if saved.done is not None:
            self._points += saved.done.points
            self._bytes += saved.done.bytes
        if self._bar is not None:
            self._bar.update(1, 1)

    def clear(self) -> None:
        """Makes room for lines; the next step draws the bar below them."""
        if self._bar is not None:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()

    def _counts(self) -> str:
        done = sum(left == 0 for left in self._left.values())
        size = _size(self._bytes)
        return f"{done}/{len(self._left)} tests, {self._points:,} points, {size}"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
