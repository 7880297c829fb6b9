"""What an archive's file holds, beside what it has to hold."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from gridtap.archive import limits
from gridtap.archive.storage import MetadataRecord, Row, Storage
from gridtap.esmond.event_types import DataType, SummaryType
from tests.archive import samples
from tests.archive.loading import Loader, Points

_ALL = 10_000_000


def check_whole(db: Path) -> None:
    """SQLite's own look at the file"""
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def check_summaries(storage: Storage, keys: Iterable[str]) -> Points:
    """Compares every summary with its base data, which are returned"""
    found: Points = {}
    for key in keys:
        record = storage.get(key)
        assert record is not None, key
        for event in record.events:
            base = _values(event.data_type, _rows(storage, record, event.event_type))
            found[key, event.event_type] = base
            for each in event.summaries:
                rows = _rows(storage, record, event.event_type, each.summary_type, each.window)
                wanted = samples.summed(event.data_type, each.window, base)
                assert _sums(event.data_type, rows) == wanted, (key, event.event_type, each)
    return found


def _rows(
    storage: Storage,
    record: MetadataRecord,
    event_type: str,
    kind: SummaryType = SummaryType.BASE,
    window: int = 0,
) -> list[Row]:
    series = storage.series(record.key, event_type, kind, window)
    assert series is not None
    return storage.rows(series, limits.MIN_TS, limits.MAX_TS, _ALL)


def _values(data_type: DataType, rows: Sequence[Row]) -> dict[int, Any]:
    if data_type is DataType.PERCENTAGE:
        return {ts: {"numerator": val, "denominator": den} for ts, val, den in rows}
    return {ts: json.loads(val) if isinstance(val, str) else val for ts, val, _ in rows}


def _sums(data_type: DataType, rows: Sequence[Row]) -> dict[int, Any]:
    if data_type is DataType.HISTOGRAM:
        return {ts: json.loads(str(val)) for ts, val, _ in rows}
    return {ts: (val, den) for ts, val, den in rows}


def check_acknowledged(found: Points, loaders: Sequence[Loader]) -> Points:
    """Everything acknowledged is there; of the rest whole requests or nothing

    :returns: what has to be there from now on
    """
    wanted: Points = defaultdict(dict)
    for loader in loaders:
        for series, values in loader.acknowledged.items():
            wanted[series].update(values)
    for loader in loaders:
        if _is_there(found, loader.under_way):
            for series, values in loader.under_way.items():
                wanted[series].update(values)
    for series in found.keys() | wanted.keys():
        _compare(series, found.get(series, {}), wanted.get(series, {}))
    return wanted


def _is_there(found: Points, points: Points) -> bool:
    return all(
        found.get(series, {}).get(ts) == value
        for series, values in points.items()
        for ts, value in values.items()
    )


def _compare(series: tuple[str, str], found: Mapping[int, Any], wanted: Mapping[int, Any]) -> None:
    lost = sorted(wanted.keys() - found.keys())
    half = sorted(found.keys() - wanted.keys())
    other = sorted(ts for ts in found.keys() & wanted.keys() if found[ts] != wanted[ts])
    faults = lost + half + other
    assert not faults, (
        f"{series}: {len(lost)} of {len(wanted)} points lost {lost[:3]},"
        f" {len(half)} half-written {half[:3]}, {len(other)} with another value {other[:3]}"
    )
