"""The storage beside a dict: whatever is written, overwritten and removed, in whatever order."""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gridtap.archive import limits, rollups
from gridtap.archive.description import Description, parse
from gridtap.archive.refusal import ConflictError, UnavailableError
from gridtap.archive.storage import Point, Row, Series, SqliteStorage
from gridtap.archive.storage import pruning as pruning_module
from gridtap.archive.values import REPLACEABLE, Stored
from gridtap.esmond.event_types import ALLOWED_SUMMARIES, EVENT_TYPES, DataType, SummaryType

_REGISTRY = {name: each.data_type for name, each in EVENT_TYPES.items()}

#: Event type to the windows of its summaries; they do not divide each other.
_WINDOWS: Mapping[str, tuple[int, ...]] = {
    "throughput": (60, 90),
    "ntp-delay": (70,),
    "packet-loss-rate": (60,),
    "histogram-owdelay": (0, 60, 100),
    "packet-trace": (),
}

_KEYS = ("a", "b")
_SIGNED = st.integers(-limits.MAX_INTEGER, limits.MAX_INTEGER)
_POSITIVE = st.integers(1, 1_000) | st.integers(1, limits.MAX_INTEGER)
_HISTOGRAM = st.dictionaries(st.sampled_from(["1", "2.5", "x"]), _POSITIVE)
_MAX_FLOAT = 9e14

_VALUES: Mapping[DataType, st.SearchStrategy[Stored]] = {
    DataType.INTEGER: st.tuples(st.integers(-9, 9) | _SIGNED, st.none()),
    DataType.FLOAT: st.tuples(st.floats(-_MAX_FLOAT, _MAX_FLOAT), st.none()),
    DataType.PERCENTAGE: st.tuples(st.integers(0, 9) | _POSITIVE, _POSITIVE),
    DataType.HISTOGRAM: st.tuples(_HISTOGRAM.map(json.dumps), st.none()),
    DataType.JSON: st.tuples(st.text(max_size=3).map(json.dumps), st.none()),
}

#: Few, so that they are met again.
_TIMES = st.integers(-12, 12).map(lambda number: 31 * number)


@st.composite
def _points(draw: st.DrawFn) -> list[Point]:
    names = draw(st.lists(st.sampled_from(list(_WINDOWS)), min_size=8, max_size=25))
    return [Point(name, draw(_TIMES), draw(_VALUES[_REGISTRY[name]])) for name in names]


def _description(number: int) -> Description:
    event_types = [
        {
            "event-type": name,
            "summaries": [
                {"summary-type": kind, "summary-window": window}
                for window in windows
                for kind in ALLOWED_SUMMARIES[_REGISTRY[name]]
            ],
        }
        for name, windows in _WINDOWS.items()
    ]
    body = {
        "subject-type": "network-element",
        "source": f"192.0.2.{number}",
        "measurement-agent": "192.0.2.1",
        "tool-name": "test",
        "input-source": "here",
        "event-types": event_types,
    }
    return parse(body, _REGISTRY)


def _fits(model: Mapping[tuple[str, str], Mapping[int, Stored]], point: Point) -> bool:
    is_replaceable = _REGISTRY[point.event_type] in REPLACEABLE
    return is_replaceable or point.ts not in model[_KEYS[0], point.event_type]


class StorageBesideADict(RuleBasedStateMachine):
    """Random interleavings of what may be done to a storage."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._path = Path(self._folder.name) / "archive.db"
        self._storage = SqliteStorage(self._path)
        self._model: dict[tuple[str, str], dict[int, Stored]] = {}

    def teardown(self) -> None:
        self._storage.close()
        self._folder.cleanup()

    @initialize()
    def create_one(self) -> None:
        self.create(_KEYS[0])

    @rule(key=st.sampled_from(_KEYS))
    def create(self, key: str) -> None:
        # Once it is there, its key stays.
        wanted = f"{key}?" if (key, "throughput") in self._model else key
        record = self._storage.create(_description(_KEYS.index(key) + 1), wanted)
        assert record.key == key
        for name in _WINDOWS:
            self._model.setdefault((key, name), {})

    @rule(points=_points(), is_fitting=st.booleans())
    def write_one(self, points: list[Point], is_fitting: bool) -> None:
        known = self._model[_KEYS[0], "throughput"]
        # Numbers drawn at random hardly ever repeat what is there.
        kept = [point for point in points if not is_fitting or _fits(self._model, point)]
        self.write(_KEYS[0], kept + [Point("throughput", *row) for row in known.items()])

    @rule(key=st.sampled_from(_KEYS), points=_points())
    def write(self, key: str, points: list[Point]) -> None:
        if (key, "throughput") not in self._model:
            return
        # Of points at the same time the last counts.
        last = {(point.event_type, point.ts): point.value for point in points}
        has_conflict = any(
            _REGISTRY[name] not in REPLACEABLE and self._model[key, name].get(ts, value) != value
            for (name, ts), value in last.items()
        )
        if has_conflict:
            with pytest.raises(ConflictError):
                self._storage.write(key, points)
            return
        self._storage.write(key, points)
        for (name, ts), value in last.items():
            self._model[key, name][ts] = value

    @rule(before=_TIMES, piece=st.integers(0, 3))
    def prune(self, before: int, piece: int) -> None:
        expected = 0
        for (_, name), points in self._model.items():
            step = math.lcm(*(window for window in _WINDOWS[name] if window))
            for ts in [ts for ts in points if ts < before - before % step]:
                del points[ts]
                expected += 1
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pruning_module, "_PIECE", piece)
            assert self._storage.prune(before) == expected

    @rule()
    def open_again(self) -> None:
        self._storage.close()
        self._storage = SqliteStorage(self._path)

    @rule(
        key=st.sampled_from(_KEYS),
        name=st.sampled_from(list(_WINDOWS)),
        begin=_TIMES,
        length=st.integers(0, 500),
        limit=st.integers(0, 10),
        offset=st.integers(0, 10),
    )
    def page(self, key: str, name: str, begin: int, length: int, limit: int, offset: int) -> None:
        for window in (0, *_WINDOWS[name]):
            kind = SummaryType.AGGREGATION if window else SummaryType.BASE
            series = self._storage.series(key, name, kind, window)
            if series is None:
                assert (key, name) not in self._model
                continue
            end = begin + length
            rows = [row for row in _all(self._storage, series) if begin <= row[0] <= end]
            found = self._storage.rows(series, begin, end, limit, offset)
            assert found == rows[offset : offset + limit]
            assert self._storage.has_more(series, begin, end, offset) == (len(rows) > offset)

    @invariant()
    def everything_agrees(self) -> None:
        assert list(self._storage.keys()) == sorted({key for key, _ in self._model})
        for (key, name), points in self._model.items():
            base = self._storage.series(key, name, SummaryType.BASE, 0)
            assert base is not None
            assert _all(self._storage, base) == [(ts, *points[ts]) for ts in sorted(points)]
            data_type = _REGISTRY[name]
            for window in _WINDOWS[name]:
                for kind in ALLOWED_SUMMARIES[data_type]:
                    series = self._storage.series(key, name, kind, window)
                    assert series is not None
                    _compare(data_type, window, points, _all(self._storage, series))


StorageBesideADict.TestCase.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None
)
TestStorageBesideADict = StorageBesideADict.TestCase


def _all(storage: SqliteStorage, series: Series) -> list[Row]:
    return storage.rows(series, limits.MIN_TS, limits.MAX_TS, 10_000)


def _compare(
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


@pytest.fixture
def storage(tmp_path: Path) -> Any:
    with closing(SqliteStorage(tmp_path / "archive.db")) as storage:
        storage.create(_description(1), "a")
        yield storage


def test_readers_see_whole_writes(storage: SqliteStorage) -> None:
    """Four threads read while two write; what they see is one write or another, and never older"""
    series = storage.series("a", "packet-trace", SummaryType.BASE, 0)
    sums = storage.series("a", "histogram-owdelay", SummaryType.AGGREGATION, 60)
    assert series is not None
    assert sums is not None
    end = time.monotonic() + 2.0
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
        storage.create(_description(1), "a")
        storage.create(_description(2), "b")
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
        _compare(DataType.INTEGER, window, left, rows)
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
            left = {ts: points[ts] for ts, _, _ in _all(storage, base)}
            for window in (60, 90):
                series = storage.series("a", "throughput", SummaryType.AGGREGATION, window)
                assert series is not None
                _compare(DataType.INTEGER, window, left, _all(storage, series))
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
        storage.create(parse(body, _REGISTRY), "a")
        storage.write("a", [Point("throughput", ts, (1, None)) for ts in (limits.MIN_TS, 1)])
        assert [storage.prune(before) for before in (-1, 0, int(time.time()))] == [0, 1, 0]
