"""Old points go, in whole windows, so that what is left of a summary is still right."""

from __future__ import annotations

import math
import sqlite3

from gridtap.archive.rollups import window_start

__all__ = ["prune_series", "series_to_prune"]


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


def prune_series(
    connection: sqlite3.Connection, number: int, windows: list[int], before: int
) -> int:
    """Removes points, and rollups, of windows that ended before that time.

    :returns: how many points were removed
    """
    # The newest second, not after that time, at which no window is cut in two.
    end = window_start(before, math.lcm(*filter(None, windows)))
    connection.execute("DELETE FROM rollup WHERE series_id = ? AND ts < ?", (number, end))
    return connection.execute(
        "DELETE FROM point WHERE series_id = ? AND ts < ?", (number, end)
    ).rowcount
