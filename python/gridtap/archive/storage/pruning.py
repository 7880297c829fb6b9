"""Old points go, in whole windows, so that what is left of a summary is still right."""

from __future__ import annotations

import math
import sqlite3

from gridtap.archive import limits
from gridtap.archive.rollups import window_start

__all__ = ["prune_piece", "series_to_prune"]

#: Points removed at a time: a fraction of a second in which others cannot write.
_PIECE = 20_000


def series_to_prune(connection: sqlite3.Connection, before: int) -> list[tuple[int, list[int]]]:
    """Base data that begin before that time, and the windows kept of them."""
    windows: dict[int, list[int]] = {}
    for number, window in connection.execute(
        "SELECT base.id, other.window FROM series AS base"
        " JOIN series AS other ON other.metadata_id = base.metadata_id"
        "  AND other.event_type = base.event_type"
        " WHERE base.summary_type = 'base'"
        "  AND EXISTS (SELECT 1 FROM point WHERE series_id = base.id AND ts < ?)",
        (before,),
    ):
        windows.setdefault(number, []).append(window)
    return list(windows.items())


def prune_piece(
    connection: sqlite3.Connection, number: int, windows: list[int], before: int
) -> tuple[int, bool]:
    """Removes the oldest points, and rollups, of windows that ended before that time.

    :returns: how many points were removed, and whether there are more to be
    """
    # Seconds after which no window is cut in two.
    step = math.lcm(*filter(None, windows))
    last = max(window_start(before, step), limits.MIN_TS)
    end = min(last, _end_of_piece(connection, number, step, last))
    connection.execute("DELETE FROM rollup WHERE series_id = ? AND ts < ?", (number, end))
    removed = connection.execute(
        "DELETE FROM point WHERE series_id = ? AND ts < ?", (number, end)
    ).rowcount
    return removed, end < last


def _end_of_piece(connection: sqlite3.Connection, number: int, step: int, last: int) -> int:
    """Behind the window in which the piece is full"""
    row = connection.execute(
        "SELECT ts FROM point WHERE series_id = ? AND ts < ? ORDER BY ts LIMIT 1 OFFSET ?",
        (number, last, _PIECE),
    ).fetchone()
    return window_start(row[0], step) + step if row else last
