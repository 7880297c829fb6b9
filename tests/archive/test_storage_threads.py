"""Threads on one storage, work that takes too long, and old points that go piece by piece."""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gridtap.archive import limits
from gridtap.archive.description import parse
from gridtap.archive.refusal import UnavailableError
from gridtap.archive.storage import Point, SqliteStorage
from gridtap.archive.storage import pruning as pruning_module
from gridtap.esmond.event_types import DataType, SummaryType
from tests.archive.recount import REGISTRY, all_rows, compare, description


@pytest.fixture
def storage(tmp_path: Path) -> Any:
    with closing(SqliteStorage(tmp_path / "archive.db")) as storage:
        storage.create(description(1), "a")
        yield storage


def test_readers_see_whole_writes(storage: SqliteStorage) -> None:
    """Four threads read while two write; what they see is one write or another, and never older"""
    series = storage.series("a", "packet-trace", SummaryType.BASE, 0)
    sums = storage.series("a", "histogram-owdelay", SummaryType.AGGREGATION, 60)
    assert series is not None
    assert sums is not None
    end = time.monotonic() + 1.2
    turn = threading.Lock()
    written = [0]
    faults: list[str] = []
    seen: list[set[str]] = []

    def write() -> None:
        while time.monotonic() < end:
            with turn:
                written[0] += 1
                number = written[0]
                points = [Point("packet-trace", ts, (str(number), None)) for ts in range(50)]
                points += [
                    Point("histogram-owdelay", ts, (f'{{"1":{number}}}', None)) for ts in range(60)
                ]
                storage.write("a", points)

    def read() -> None:
        last = 0
        mine = set()
        while time.monotonic() < end:
            before = written[0] - 1
            rows = storage.rows(series, 0, 100, 100)
            total = storage.rows(sums, 0, 100, 100)
            values = {str(val) for _, val, _ in rows}
            mine |= values
            if len(rows) not in (0, 50) or len(values) > 1:
                faults.append(f"half: {values}")
            number = int(max(values, default="0"))
            if number < max(last, before):
                faults.append(f"{number} after {last}, {before} was written")
            if total and json.loads(str(total[0][1]))["1"] % 60:
                faults.append(f"half a window: {total}")
            last = number
        seen.append(mine)

    threads = [threading.Thread(target=read) for _ in range(4)]
    threads += [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:5]
    assert len(seen) == 4
    assert all(len(values) > 3 for values in seen)
    assert written[0] > 3


def test_work_that_takes_too_long(tmp_path: Path) -> None:
    """It ends, changes nothing, and the next may go on"""
    path = tmp_path / "archive.db"
    points = [Point("throughput", ts, (ts, None)) for ts in range(60_000)]
    with closing(SqliteStorage(path)) as storage:
        storage.create(description(1), "a")
        storage.create(description(2), "b")
        storage.write("a", points)
    with closing(SqliteStorage(path, seconds=0.0)) as storage:
        series = storage.series("a", "throughput", SummaryType.BASE, 0)
        assert series is not None
        for _ in range(6):
            with pytest.raises(UnavailableError, match="The request takes too long"):
                storage.rows(series, 0, 100_000, 100_000)
        with pytest.raises(UnavailableError, match="The request takes too long"):
            storage.write("b", points)
        other = storage.series("b", "throughput", SummaryType.BASE, 0)
        assert other is not None
        assert storage.rows(other, 0, 100_000, 10) == []
        storage.write("b", points[:3])
        assert len(storage.rows(other, 0, 100_000, 10)) == 3


def test_others_may_write_between_pieces(storage: SqliteStorage, tmp_path: Path) -> None:
    """Old points of a long series go in several transactions, each with its summaries"""
    points = [Point("throughput", 30 * number, (number, None)) for number in range(50_000)]
    storage.write("a", points)
    longest = [0.0]
    is_over = threading.Event()

    def write() -> None:
        with closing(SqliteStorage(tmp_path / "archive.db")) as other:
            number = 0
            while not is_over.is_set():
                number += 1
                begin = time.monotonic()
                other.write("a", [Point("ntp-delay", number, (1.0, None))])
                longest[0] = max(longest[0], time.monotonic() - begin)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert storage.prune(40_000 * 30 + 45) == 40_000 - 40_000 % 6
    finally:
        is_over.set()
        writer.join()
    for window in (60, 90):
        series = storage.series("a", "throughput", SummaryType.AGGREGATION, window)
        assert series is not None
        left = {point.ts: point.value for point in points[40_000 - 40_000 % 6 :]}
        rows = storage.rows(series, limits.MIN_TS, limits.MAX_TS, 100_000)
        compare(DataType.INTEGER, window, left, rows)
    assert longest[0] < 1.0


def test_every_piece_leaves_summaries_right(
    storage: SqliteStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No window is cut in two, whatever the size of the pieces"""
    monkeypatch.setattr(pruning_module, "_PIECE", 7)
    points = {31 * number: (number, None) for number in range(100)}
    storage.write("a", [Point("throughput", ts, value) for ts, value in points.items()])
    base = storage.series("a", "throughput", SummaryType.BASE, 0)
    assert base is not None
    has_more = True
    pieces = 0
    with closing(sqlite3.connect(tmp_path / "archive.db")) as connection:
        while has_more:
            _, has_more = pruning_module.prune_piece(connection, base.number, [0, 60, 90], 2_000)
            connection.commit()
            pieces += 1
            left = {ts: points[ts] for ts, _, _ in all_rows(storage, base)}
            for window in (60, 90):
                series = storage.series("a", "throughput", SummaryType.AGGREGATION, window)
                assert series is not None
                compare(DataType.INTEGER, window, left, all_rows(storage, series))
    assert pieces > 5
    assert min(left) == 31 * math.ceil(1_980 / 31)


def test_windows_whose_common_multiple_is_huge(tmp_path: Path) -> None:
    """Then no window is over, except where time begins"""
    windows = [limits.MAX_WINDOW - number for number in range(3)]
    body = {
        "subject-type": "network-element",
        "source": "192.0.2.1",
        "measurement-agent": "192.0.2.1",
        "event-types": [
            {
                "event-type": "throughput",
                "summaries": [
                    {"summary-type": "average", "summary-window": window} for window in windows
                ],
            }
        ],
    }
    with closing(SqliteStorage(tmp_path / "archive.db")) as storage:
        storage.create(parse(body, REGISTRY), "a")
        storage.write("a", [Point("throughput", ts, (1, None)) for ts in (limits.MIN_TS, 1)])
        assert [storage.prune(before) for before in (-1, 0, int(time.time()))] == [0, 1, 0]
