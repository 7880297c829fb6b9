"""Descriptions for tests of the storage, and rollups counted again from points."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gridtap.archive import limits, rollups
from gridtap.archive.description import Description, parse
from gridtap.archive.storage import Row, Series, SqliteStorage
from gridtap.archive.values import Stored
from gridtap.esmond.event_types import ALLOWED_SUMMARIES, EVENT_TYPES, DataType

REGISTRY = {name: each.data_type for name, each in EVENT_TYPES.items()}

#: Event type to the windows of its summaries; they do not divide each other.
WINDOWS: Mapping[str, tuple[int, ...]] = {
    "throughput": (60, 90),
    "ntp-delay": (70,),
    "packet-loss-rate": (60,),
    "histogram-owdelay": (0, 60, 100),
    "packet-trace": (),
}


def description(number: int) -> Description:
    event_types = [
        {
            "event-type": name,
            "summaries": [
                {"summary-type": kind, "summary-window": window}
                for window in windows
                for kind in ALLOWED_SUMMARIES[REGISTRY[name]]
            ],
        }
        for name, windows in WINDOWS.items()
    ]
    body = {
        "subject-type": "network-element",
        "source": f"192.0.2.{number}",
        "measurement-agent": "192.0.2.1",
        "tool-name": "test",
        "input-source": "here",
        "event-types": event_types,
    }
    return parse(body, REGISTRY)


def all_rows(storage: SqliteStorage, series: Series) -> list[Row]:
    return storage.rows(series, limits.MIN_TS, limits.MAX_TS, 10_000)


def compare(
    data_type: DataType, window: int, points: Mapping[int, Stored], rows: Sequence[Row]
) -> None:
    """Rollups are what is counted again from the points"""
    groups: dict[int, list[Stored]] = defaultdict(list)
    for ts in sorted(points):
        groups[ts - ts % window if window else ts].append(points[ts])
    assert [row[0] for row in rows] == sorted(groups)
    for start, val, den in rows:
        if data_type is DataType.HISTOGRAM:
            total: Counter[str] = Counter()
            for text, _ in groups[start]:
                total.update(json.loads(str(text)))
            assert json.loads(str(val)) == total
            continue
        parts = [rollups.contribution(data_type, value) for value in groups[start]]
        _compare_sum(val, [part[0] for part in parts])
        _compare_sum(den, [part[1] for part in parts])


def _compare_sum(found: Any, parts: Sequence[int | float]) -> None:
    """Exact, as long as no sum on the way needs more than 64 bits"""
    size = sum(map(abs, parts))
    if size <= limits.MAX_INTEGER:
        assert isinstance(found, int)
        assert found == sum(parts)
    else:
        assert found == pytest.approx(sum(parts), rel=1e-9, abs=1e-9 * size)
