"""Summaries in numbers: the values that a real server computed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.archive.client import Client, with_summaries

HOUR = 3600
FIRST, SECOND = 1600002000, 1600005600
STAMPS = (FIRST, FIRST + 60, FIRST + 3599, SECOND)
NAMES = (
    "minimum", "maximum", "mean", "median", "mode", "percentile-25", "percentile-75",
    "percentile-95", "variance", "standard-deviation",
)  # fmt: skip

HISTOGRAMS = (
    {"10.0": 5, "10.5": 10, "11": 3, "20.25": 1},
    {"10": 4, "10.5": 2, "-1.5": 1},
    {"10.5": 7, "10.0": 7},
    {"3": 1},
)
MERGED = {"10.0": 12, "10.5": 19, "11": 3, "20.25": 1, "10": 4, "-1.5": 1}


def percentage(numerator: int, denominator: int) -> dict[str, int]:
    return {"numerator": numerator, "denominator": denominator}


#: Event type, points, base data, and of each summary the values of both windows
OBSERVED: list[tuple[str, tuple[object, ...], tuple[object, ...], dict[str, tuple[Any, Any]]]] = [
    ("throughput", (10, 20, 45, 100), (10.0, 20.0, 45.0, 100.0),
     {"average": (25.0, 100.0), "aggregation": (75.0, 100.0)}),
    ("packet-loss-rate",
     (percentage(1, 100), percentage(0, 300), percentage(5, 200), percentage(1, 3)),
     (0.01, 0.0, 0.025, 0.3333333333333333),
     {"aggregation": (0.01, 0.3333333333333333)}),
    ("time-error-estimates", (1.5, 2.25, 0.25, 7.5), (1.5, 2.25, 0.25, 7.5),
     {"average": (1.3333333333333333, 7.5), "aggregation": (4.0, 7.5)}),
    ("histogram-owdelay", HISTOGRAMS, HISTOGRAMS, {"aggregation": (MERGED, {"3": 1})}),
]  # fmt: skip


@pytest.mark.parametrize(("event_type", "posted", "base", "summaries"), OBSERVED)
@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_two_windows(
    archive: Client,
    event_type: str,
    posted: tuple[object, ...],
    base: tuple[object, ...],
    summaries: dict[str, tuple[Any, Any]],
    together: bool,
    backwards: bool,
) -> None:
    """Each point its own POST, as observed, or all in one PUT, in either order of time"""
    kept = with_summaries(event_type, *((name, HOUR) for name in summaries))
    key = archive.key_of(kept)
    points = [(event_type, ts, value) for ts, value in zip(STAMPS, posted, strict=True)]
    if backwards:
        points.reverse()
    if together:
        assert archive.put(key, *points).status == 201
    else:
        for point in points:
            assert archive.post_point(key, *point).status == 201
    assert archive.data(key, event_type) == list(zip(STAMPS, base, strict=True))
    for name, (first, second) in summaries.items():
        expected = [(FIRST, first), (SECOND, second)]
        assert archive.data(key, event_type, f"{name}s/{HOUR}") == expected


STATISTICS = {
    "minimum": -1.5, "maximum": 20.25, "mean": 10.28125, "mode": [10.5], "percentile-25": 10.0,
    "median": 10.5, "percentile-75": 10.5, "percentile-95": 11.0, "variance": 6.0474609375,
    "standard-deviation": 2.459158583235331,
}  # fmt: skip


def assert_statistics(value: Any, expected: dict[str, Any]) -> None:
    assert set(value) == set(NAMES)
    assert value["mode"] == expected["mode"]
    for name in set(NAMES) - {"mode"}:
        assert value[name] == pytest.approx(expected[name], rel=1e-9), name


@pytest.mark.parametrize("aggregated", [False, True])
def test_statistics_of_a_window(archive: Client, aggregated: bool) -> None:
    """Whether or not an aggregation is kept as well, without which esmond was wrong (S-07)"""
    summaries = [("statistics", HOUR), ("aggregation", HOUR)]
    key = archive.key_of(with_summaries("histogram-owdelay", *summaries[: 1 + aggregated]))
    for ts, histogram in zip(STAMPS, HISTOGRAMS, strict=True):
        assert archive.post_point(key, "histogram-owdelay", ts, histogram).status == 201
    first, second = archive.data(key, "histogram-owdelay", "statistics/3600")
    assert (first[0], second[0]) == (FIRST, SECOND)
    assert_statistics(first[1], STATISTICS)
    assert second[1]["mean"] == second[1]["minimum"] == 3.0
    if not aggregated:
        assert archive.data(key, "histogram-owdelay", "aggregations/3600") == []


def statistics_of(archive: Client, histogram: object) -> Any:
    """The statistics of one histogram, both as its own window and in an hour"""
    kept = with_summaries("histogram-rtt", ("statistics", 0), ("statistics", HOUR))
    key = archive.key_of(kept)
    assert archive.post_point(key, "histogram-rtt", FIRST + 7, histogram).status == 201
    ((ts, value),) = archive.data(key, "histogram-rtt", "statistics/0")
    assert ts == FIRST + 7
    assert archive.data(key, "histogram-rtt", "statistics/3600") == [(FIRST, value)]
    return value


@pytest.mark.parametrize(
    ("histogram", "expected"),
    [
        ({"10": 1, "20": 2, "40": 1},
         (10, 40, 22.5, 20, [20], 12.5, 35, 40, 118.75, 10.897247358851684)),
        ({"5": 3, "7": 3}, (5, 7, 6, 6, [5, 7], 5, 7, 7, 1, 1)),
        ({"5": 1}, (5, 5, 5, 5, [5], 5, 5, 5, 0, 0)),
        ({"5": 2}, (5, 5, 5, 5, [5], 5, 5, 5, 0, 0)),
        ({"34.4": 506, "34.5": 85},
         (34.4, 34.5, 34.414382402707275, 34.4, [34.4], 34.4, 34.4, 34.5, 0.0012313867630933607,
          0.03509112085832199)),
    ],
)  # fmt: skip
def test_statistics(archive: Client, histogram: object, expected: tuple[Any, ...]) -> None:
    value = statistics_of(archive, histogram)
    assert_statistics(value, dict(zip(NAMES, expected, strict=True)))
    # Floats, every one: the guides' older server had texts.
    assert {type(number) for name, number in value.items() if name != "mode"} == {float}
    assert {type(number) for number in value["mode"]} == {float}


@pytest.mark.parametrize(
    ("histogram", "percentiles"),
    [
        ({"1": 1, "2": 1}, (1.0, 1.5, 2.0, 2.0)),
        ({"1": 1, "2": 1, "3": 1}, (1.0, 2.0, 3.0, 3.0)),
        ({"1": 2, "2": 2, "3": 2, "4": 2}, (1.25, 2.5, 3.75, 4.0)),
        ({"1": 10, "2": 20, "3": 30, "4": 40}, (2.0, 3.0, 4.0, 4.0)),
        ({str(bucket): 1 for bucket in range(1, 101)}, (25.25, 50.5, 75.75, 95.94999999999999)),
        # Numbers, not texts, are put in order.
        ({"10": 1, "9": 1, "100": 1}, (9.0, 10.0, 100.0, 100.0)),
    ],
)
def test_percentiles(archive: Client, histogram: object, percentiles: tuple[float, ...]) -> None:
    value = statistics_of(archive, histogram)
    names = ("percentile-25", "median", "percentile-75", "percentile-95")
    assert [value[name] for name in names] == pytest.approx(percentiles, rel=1e-14)


@pytest.mark.parametrize("label", ["x", "", "1,5", "10 ms"])
def test_a_bucket_that_is_no_number(archive: Client, label: str) -> None:
    assert statistics_of(archive, {"1": 1, label: 2}) == {}


def test_modes_are_in_the_order_of_buckets(archive: Client) -> None:
    assert statistics_of(archive, {"41.1": 3, "41.0": 3, "50": 1})["mode"] == [41.1, 41.0]


def test_numeric_vectors(archive: Client) -> None:
    kept = with_summaries("throughput", ("aggregation", HOUR), ("average", 86400))
    key = archive.key_of(kept)
    for ts, value in zip(range(1397075053, 1397075057), (23, 24.9, "77", 77), strict=True):
        assert archive.post_point(key, "throughput", ts, value).status == 201
    assert [value for _, value in archive.data(key, "throughput")] == [23.0, 24.0, 77.0, 77.0]
    assert archive.data(key, "throughput", "aggregations/3600") == [(1397073600, 201.0)]
    assert archive.data(key, "throughput", "averages/86400") == [(1397001600, 50.25)]


def test_losses_are_added_before_they_are_divided(archive: Client) -> None:
    key = archive.key_of(with_summaries("packet-loss-rate", ("aggregation", HOUR)))
    for ts, loss in ((0, percentage(4, 100)), (1, percentage(50, 200))):
        assert archive.post_point(key, "packet-loss-rate", ts, loss).status == 201
    assert archive.data(key, "packet-loss-rate", "aggregations/3600") == [(0, 0.18)]


@pytest.mark.parametrize("window", [1, 7, 60, 3600, 86400, 604800, 2_678_401])
def test_windows_begin_at_the_epoch(archive: Client, window: int) -> None:
    key = archive.key_of(with_summaries("throughput", ("aggregation", window)))
    stamps = (-1, 0, 6, 7, FIRST - 1, FIRST, FIRST + 1)
    assert archive.put(key, *(("throughput", ts, 1) for ts in stamps)).status == 201
    starts = [ts // window * window for ts in stamps]
    expected = [(start, float(starts.count(start))) for start in sorted(set(starts))]
    found = archive.data(key, "throughput", f"aggregations/{window}", time_start=-window)
    assert found == expected


def test_window_0_of_sums_is_every_point(archive: Client) -> None:
    kept = with_summaries("throughput", ("aggregation", 0), ("average", 0))
    key = archive.key_of(kept)
    assert archive.put(key, ("throughput", 5, 7), ("throughput", 6, 9)).status == 201
    for words in ("aggregations", "averages"):
        assert archive.data(key, "throughput", f"{words}/0") == [(5, 7.0), (6, 9.0)]
