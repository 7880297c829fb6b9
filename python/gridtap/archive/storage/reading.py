"""Points and summaries come out, in ascending order of time."""

from __future__ import annotations

import math
import sqlite3
from itertools import groupby

from gridtap.archive import rollups
from gridtap.archive.storage.records import Row, Series
from gridtap.esmond.event_types import DataType, SummaryType

__all__ = ["exact_sums", "has_more", "rows", "series"]


def series(
    connection: sqlite3.Connection,
    key: str,
    event_type: str,
    summary_type: SummaryType,
    window: int,
) -> Series | None:
    """The base data (window 0) or a summary, if it is kept."""
    found = connection.execute(
        "SELECT base.id, base.data_type FROM metadata AS m"
        " JOIN series AS base ON base.metadata_id = m.id AND base.event_type = ?"
        "  AND base.summary_type = 'base' AND base.window = 0"
        " JOIN series AS wanted ON wanted.metadata_id = m.id"
        "  AND wanted.event_type = base.event_type"
        "  AND wanted.summary_type = ? AND wanted.window = ?"
        " WHERE m.key = ?",
        (event_type, summary_type, window, key),
    ).fetchone()
    return Series(found[0], DataType(found[1]), summary_type, window) if found else None


def _source(series: Series) -> tuple[str, list[int]]:
    """Table and condition: a summary of window 0 is made from the points themselves"""
    if series.window:
        return "rollup WHERE series_id = ? AND window = ?", [series.number, series.window]
    return "point WHERE series_id = ?", [series.number]


def rows(
    connection: sqlite3.Connection, series: Series, begin: int, end: int, limit: int, offset: int
) -> list[Row]:
    """Rows of that time, ends included; of a window its start counts."""
    source, values = _source(series)
    statement = (
        f"SELECT ts, val, den FROM {source} AND ts BETWEEN ? AND ? ORDER BY ts LIMIT ? OFFSET ?"
    )
    found = connection.execute(statement, [*values, begin, end, limit, offset]).fetchall()
    if series.summary_type is not SummaryType.BASE and not series.window:
        return [_alone(series.data_type, row) for row in found]
    return found


def _alone(data_type: DataType, row: Row) -> Row:
    """The rollup of a single point"""
    ts, val, den = row
    if data_type is DataType.HISTOGRAM:
        return row
    return ts, *rollups.contribution(data_type, (val, den))


def has_more(
    connection: sqlite3.Connection, series: Series, begin: int, end: int, offset: int
) -> bool:
    """Whether there are more than ``offset`` rows of that time."""
    source, values = _source(series)
    statement = f"SELECT ts FROM {source} AND ts BETWEEN ? AND ? ORDER BY ts LIMIT 1 OFFSET ?"
    found = connection.execute(statement, [*values, begin, end, offset]).fetchone()
    return found is not None


def exact_sums(
    connection: sqlite3.Connection, series: Series, begin: int, end: int
) -> dict[int, tuple[float, int]]:
    """Sums of the numbers as posted, and their counts, by window.

    Correctly rounded, so that they do not depend on the order in which points came.
    """
    found = connection.execute(
        "SELECT ts, val FROM point WHERE series_id = ? AND ts BETWEEN ? AND ? ORDER BY ts",
        (series.number, begin, end + max(series.window - 1, 0)),
    )
    sums = {}
    for start, group in groupby(found, lambda row: rollups.window_start(row[0], series.window)):
        numbers = [row[1] for row in group]
        sums[start] = math.fsum(numbers), len(numbers)
    return sums
