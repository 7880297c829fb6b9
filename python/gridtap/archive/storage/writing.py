"""Points go in, and the rollups of their windows with them."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from gridtap.archive import rollups
from gridtap.archive.refusal import ConflictError
from gridtap.archive.storage.records import Point
from gridtap.archive.values import REPLACEABLE, Stored
from gridtap.esmond.event_types import DataType, SummaryType

__all__ = ["write"]


@dataclass(slots=True)
class _Target:
    """An event type of the metadata written to: its base data and the windows kept of it"""

    number: int
    data_type: DataType
    windows: list[int]


def write(
    connection: sqlite3.Connection,
    key: str,
    points: Sequence[Point],
    updated: Mapping[str, int | None],
) -> None:
    """Stores points of one metadata, inside the caller's transaction.

    :param updated: what the event types' times of update become
    :raises ConflictError: a number is there already, with another value
    """
    targets = _targets(connection, key)
    by_event: dict[str, dict[int, Stored]] = defaultdict(dict)
    for point in points:
        by_event[point.event_type][point.ts] = point.value
    for event_type, values in by_event.items():
        target = targets[event_type]
        old = _existing(connection, target.number, values)
        is_replaceable = target.data_type in REPLACEABLE
        for ts, value in old.items():
            if values[ts] == value:
                # A repetition changes nothing.
                del values[ts]
            elif not is_replaceable:
                raise ConflictError(event_type, ts)
        if not values and not is_replaceable:
            continue
        _store(connection, target, values, old)
        connection.execute(
            "UPDATE series SET time_updated = ? WHERE event_type = ?"
            " AND metadata_id = (SELECT id FROM metadata WHERE key = ?)",
            (updated[event_type], event_type, key),
        )


def _targets(connection: sqlite3.Connection, key: str) -> dict[str, _Target]:
    rows = connection.execute(
        "SELECT id, event_type, data_type, summary_type, window FROM series"
        " WHERE metadata_id = (SELECT id FROM metadata WHERE key = ?)"
        " ORDER BY event_type",
        (key,),
    )
    targets = {}
    for event_type, group in groupby(rows.fetchall(), lambda row: row[1]):
        series = list(group)
        base = next(row for row in series if row[3] == SummaryType.BASE)
        # Windows of 0 are the points themselves.
        windows = sorted({row[4] for row in series if row[4] > 0})
        targets[event_type] = _Target(base[0], DataType(base[2]), windows)
    return targets


def _existing(
    connection: sqlite3.Connection, series: int, times: Iterable[int]
) -> dict[int, Stored]:
    rows = connection.execute(
        "SELECT ts, val, den FROM point"
        " WHERE series_id = ? AND ts IN (SELECT value FROM json_each(?))",
        (series, json.dumps(list(times))),
    )
    return {ts: (val, den) for ts, val, den in rows}


def _store(
    connection: sqlite3.Connection,
    target: _Target,
    values: Mapping[int, Stored],
    old: Mapping[int, Stored],
) -> None:
    connection.executemany(
        "INSERT INTO point VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET val = excluded.val, den = excluded.den",
        [(target.number, ts, val, den) for ts, (val, den) in values.items()],
    )
    for window in target.windows:
        windows: dict[int, list[int]] = defaultdict(list)
        for ts in values:
            windows[rollups.window_start(ts, window)].append(ts)
        if target.data_type is DataType.HISTOGRAM:
            for start, times in windows.items():
                _merge_window(connection, target.number, window, start, times, values, old)
        else:
            _add_windows(connection, target, window, windows, values)


def _add_windows(
    connection: sqlite3.Connection,
    target: _Target,
    window: int,
    windows: Mapping[int, Sequence[int]],
    values: Mapping[int, Stored],
) -> None:
    rows = []
    for start, times in windows.items():
        total: tuple[int | float, int] = (0, 0)
        for ts in times:
            total = rollups.add(total, rollups.contribution(target.data_type, values[ts]))
        rows.append((target.number, window, start, *_fitting(total)))
    connection.executemany(
        "INSERT INTO rollup VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET val = val + excluded.val, den = den + excluded.den",
        rows,
    )


def _fitting(total: tuple[int | float, int]) -> tuple[int | float, int | float]:
    """Sums that the database's integers cannot hold become floats, as its own sums do"""
    limit = 1 << 63
    val, den = (part if abs(part) < limit else float(part) for part in total)
    return val, den


def _merge_window(
    connection: sqlite3.Connection,
    series: int,
    window: int,
    start: int,
    times: Sequence[int],
    values: Mapping[int, Stored],
    old: Mapping[int, Stored],
) -> None:
    if any(ts in old for ts in times):
        # What a replaced histogram had added cannot be taken out by label: count again.
        rows = connection.execute(
            "SELECT val FROM point WHERE series_id = ? AND ts BETWEEN ? AND ? ORDER BY ts",
            (series, start, start + window - 1),
        )
        parts = [row[0] for row in rows]
    else:
        row = connection.execute(
            "SELECT val FROM rollup WHERE series_id = ? AND window = ? AND ts = ?",
            (series, window, start),
        ).fetchone()
        parts = [row[0]] if row else []
        parts += [str(values[ts][0]) for ts in times]
    connection.execute(
        "INSERT INTO rollup VALUES (?, ?, ?, ?, NULL) ON CONFLICT DO UPDATE SET val = excluded.val",
        (series, window, start, rollups.merge(parts)),
    )
