"""The storage beside a dict: whatever is written, overwritten and removed, in whatever order."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gridtap.archive import limits
from gridtap.archive.refusal import ConflictError
from gridtap.archive.storage import Point, SqliteStorage
from gridtap.archive.storage import pruning as pruning_module
from gridtap.archive.values import REPLACEABLE, Stored
from gridtap.esmond.event_types import ALLOWED_SUMMARIES, DataType, SummaryType
from tests.archive.recount import REGISTRY, WINDOWS, all_rows, compare, description

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
    names = draw(st.lists(st.sampled_from(list(WINDOWS)), min_size=8, max_size=25))
    return [Point(name, draw(_TIMES), draw(_VALUES[REGISTRY[name]])) for name in names]


def _fits(model: Mapping[tuple[str, str], Mapping[int, Stored]], point: Point) -> bool:
    is_replaceable = REGISTRY[point.event_type] in REPLACEABLE
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
        record = self._storage.create(description(_KEYS.index(key) + 1), wanted)
        assert record.key == key
        for name in WINDOWS:
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
            REGISTRY[name] not in REPLACEABLE and self._model[key, name].get(ts, value) != value
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
            step = math.lcm(*(window for window in WINDOWS[name] if window))
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
        name=st.sampled_from(list(WINDOWS)),
        begin=_TIMES,
        length=st.integers(0, 500),
        limit=st.integers(0, 10),
        offset=st.integers(0, 10),
    )
    def page(self, key: str, name: str, begin: int, length: int, limit: int, offset: int) -> None:
        for window in (0, *WINDOWS[name]):
            kind = SummaryType.AGGREGATION if window else SummaryType.BASE
            series = self._storage.series(key, name, kind, window)
            if series is None:
                assert (key, name) not in self._model
                continue
            end = begin + length
            rows = [row for row in all_rows(self._storage, series) if begin <= row[0] <= end]
            found = self._storage.rows(series, begin, end, limit, offset)
            assert found == rows[offset : offset + limit]
            assert self._storage.has_more(series, begin, end, offset) == (len(rows) > offset)

    @invariant()
    def everything_agrees(self) -> None:
        assert list(self._storage.keys()) == sorted({key for key, _ in self._model})
        for (key, name), points in self._model.items():
            base = self._storage.series(key, name, SummaryType.BASE, 0)
            assert base is not None
            assert all_rows(self._storage, base) == [(ts, *points[ts]) for ts in sorted(points)]
            data_type = REGISTRY[name]
            for window in WINDOWS[name]:
                for kind in ALLOWED_SUMMARIES[data_type]:
                    series = self._storage.series(key, name, kind, window)
                    assert series is not None
                    compare(data_type, window, points, all_rows(self._storage, series))


StorageBesideADict.TestCase.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None
)
TestStorageBesideADict = StorageBesideADict.TestCase
