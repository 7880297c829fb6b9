"""Whatever is written, in whatever order and batches: summaries are those of the base data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive.client import Client, with_summaries
from tests.archive.kinds import IN_ADDRESS
from tests.archive.oracle import Oracle, Point, statistics

EPOCH = 1600002000

#: Few time stamps, so that points meet: over an hour's end, a year's end, and before 1970
STAMPS = st.one_of(
    st.integers(EPOCH - 60, EPOCH + 60),
    st.integers(0, 12).map(lambda number: EPOCH + 607 * number),
    st.sampled_from([1609459199, 1609459200, -1, 0, -3601]),
)
HISTOGRAMS = st.dictionaries(
    st.sampled_from(["1.0", "2", "2.5", "-3", "10", "9", "1e2"]),
    st.integers(1, 4),
    min_size=1,
)
VALUES = {
    "throughput": st.integers(-3, 3),
    "time-error-estimates": st.integers(-40, 40).map(lambda sixteenths: sixteenths / 16),
    "packet-loss-rate": st.fixed_dictionaries(
        {"numerator": st.integers(0, 2), "denominator": st.just(5)}
    ),
    "histogram-owdelay": HISTOGRAMS,
}
POINT = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.tuples(st.just(name), STAMPS, VALUES[name])
)
#: One point alone is a POST; more are a PUT.
BATCHES = st.lists(st.lists(POINT, min_size=1, max_size=9), min_size=1, max_size=8)

SUMMARIES = [
    ("throughput", "aggregation"),
    ("throughput", "average"),
    ("time-error-estimates", "aggregation"),
    ("time-error-estimates", "average"),
    ("packet-loss-rate", "aggregation"),
    ("histogram-owdelay", "aggregation"),
    ("histogram-owdelay", "statistics"),
]


def assert_equal(shown: Any, expected: Any) -> None:
    """Equal, floats nearly so"""
    if isinstance(expected, dict) and "mode" in expected:
        # In the order of the buckets, which merged histograms have from whichever came first.
        assert sorted(shown.pop("mode")) == sorted(expected.pop("mode"))
        # The digits that two ways of adding lose are those of the values, not of the difference.
        assert shown == pytest.approx(expected, rel=1e-9, abs=1e-9)
    elif isinstance(expected, float):
        assert shown == pytest.approx(expected, rel=1e-12, abs=1e-12)
    else:
        assert shown == expected


def check(
    archive: Client, batches: list[list[Point]], windows: set[int], bounds: list[int]
) -> None:
    """Writes everything, and compares every summary"""
    kept: dict[str, list[tuple[str, object]]] = {}
    for event_type, kind in SUMMARIES:
        kept.setdefault(event_type, []).extend((kind, window) for window in windows)
    kept["histogram-owdelay"].append(("statistics", 0))
    key = archive.key_of(*(with_summaries(name, *pairs) for name, pairs in kept.items()))

    oracle = Oracle()
    for batch in batches:
        alone = len(batch) == 1
        answer = archive.post_point(key, *batch[0]) if alone else archive.put(key, *batch)
        assert answer.status == oracle.write(batch), answer

    everything = -(10**9), 4 * 10**9
    for event_type in VALUES:
        start, end = everything
        shown = archive.data(key, event_type, time_start=start, time_end=end)
        assert shown == oracle.shown(event_type)
    for event_type, pairs in kept.items():
        for kind, window in pairs:
            assert isinstance(window, int)
            for start, end in (everything, bounds):
                path = f"{IN_ADDRESS[kind]}/{window}"
                shown = archive.data(key, event_type, path, time_start=start, time_end=end)
                expected = oracle.summary(event_type, kind, window, start, end)
                assert [ts for ts, _ in shown] == [ts for ts, _ in expected]
                for (_, value), (_, right) in zip(shown, expected, strict=True):
                    assert_equal(value, right)


@settings(max_examples=30, deadline=None)
@given(
    batches=BATCHES,
    windows=st.sets(st.integers(1, 100_000), min_size=1, max_size=3),
    bounds=st.tuples(STAMPS, STAMPS).map(sorted),
)
def test_summaries_are_those_of_the_base_data(
    archive: Client, batches: list[list[Point]], windows: set[int], bounds: list[int]
) -> None:
    check(archive, batches, windows, bounds)


#: Seconds in which whole windows begin and end, so that every point lies on an edge
EDGES = st.integers(-3, 3).map(lambda number: EPOCH + 10 * number)


@settings(max_examples=30, deadline=None)
@given(
    batches=st.lists(
        st.lists(st.tuples(st.just("histogram-owdelay"), EDGES, HISTOGRAMS), min_size=1,
                 max_size=4),
        min_size=3, max_size=8,
    ),
    windows=st.sets(st.sampled_from([10, 20, 60]), min_size=1),
    bounds=st.tuples(EDGES, EDGES).map(sorted),
)  # fmt: skip
def test_histograms_that_are_replaced_at_the_edges_of_windows(
    archive: Client, batches: list[list[Point]], windows: set[int], bounds: list[int]
) -> None:
    check(archive, batches, windows, bounds)


@settings(max_examples=40, deadline=None)
@given(
    histogram=st.dictionaries(
        st.floats(-1e6, 1e6, allow_nan=False).map(str), st.integers(1, 300), min_size=1, max_size=20
    )
)
def test_statistics_of_any_histogram(archive: Client, histogram: dict[str, int]) -> None:
    key = archive.key_of(with_summaries("histogram-rtt", ("statistics", 0)))
    assert archive.post_point(key, "histogram-rtt", EPOCH, histogram).status == 201
    ((_, shown),) = archive.data(key, "histogram-rtt", "statistics/0")
    expected = statistics(histogram)
    assert shown.pop("mode") == expected.pop("mode")
    spread = max(abs(expected["minimum"]), abs(expected["maximum"]))
    variance = expected["variance"]
    assert shown.pop("variance") == pytest.approx(variance, rel=1e-6, abs=1e-9 * spread**2 + 1e-300)
    deviation = expected.pop("standard-deviation")
    del expected["variance"]
    assert shown.pop("standard-deviation") == pytest.approx(deviation, rel=1e-6, abs=1e-4 * spread)
    assert shown == pytest.approx(expected, rel=1e-9, abs=1e-9 * spread + 1e-300)
