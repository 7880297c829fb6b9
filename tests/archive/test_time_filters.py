"""The time parameters: on the clock of the last write for metadata, on the data's own for data."""

from __future__ import annotations

import time

import pytest

from tests.archive.client import Client, with_summaries

NOT_AN_INTEGER = "Time parameter must be an integer"
WRONG_ORDER = "Requested start time must be less than end time"

#: Minutes of a morning
POINTS = [1600000000 + 60 * minute for minute in range(6)]
T = POINTS


@pytest.fixture(scope="module")
def key(archive: Client) -> str:
    key = archive.key_of(with_summaries("throughput", ("average", 60)))
    assert archive.put(key, *(("throughput", ts, ts) for ts in POINTS)).status == 201
    return key


#: Which line of the table decides: parameters, and the points that are in
WINDOWS: list[tuple[dict[str, int], list[int]]] = [
    ({"time": T[2]}, T[2:3]),
    ({"time": T[2] + 1}, []),
    ({"time": T[2], "time-start": T[4], "time-end": T[5], "time-range": 1}, T[2:3]),
    ({"time": T[2], "time-start": T[4], "time-end": T[3]}, T[2:3]),
    ({"time-start": T[1], "time-end": T[3]}, T[1:4]),
    ({"time-start": T[1] + 1, "time-end": T[3] - 1}, T[2:3]),
    ({"time-start": T[1], "time-end": T[3], "time-range": 1}, T[1:4]),
    ({"time-start": T[3], "time-end": T[3]}, T[3:4]),
    ({"time-start": T[1], "time-range": 60}, T[1:3]),
    ({"time-start": T[1], "time-range": 0}, T[1:2]),
    ({"time-end": T[4], "time-range": 120}, T[2:5]),
    ({"time-end": T[4], "time-range": 119}, T[3:5]),
    ({"time-start": T[4]}, T[4:]),
    ({"time-start": T[4] + 1}, T[5:]),
    ({"time-end": T[1]}, T[:2]),
    ({"time-end": T[0] - 1}, []),
    ({"time-range": 10}, []),
    ({"time-range": 10**9}, T),
    ({}, T),
]


@pytest.mark.parametrize(("query", "expected"), WINDOWS)
@pytest.mark.parametrize("summary", ["base", "averages/60"])
def test_data(
    archive: Client, key: str, summary: str, query: dict[str, int], expected: list[int]
) -> None:
    """A summary is in when its window's start is"""
    shift = 0
    if summary != "base":
        # All its windows begin 40 seconds before a point.
        shift = 40
        query = {n: v if n == "time-range" else v - shift for n, v in query.items()}
    answer = archive.send("GET", f"{key}/throughput/{summary}", query=query)
    assert answer.status == 200
    points = [point["ts"] for point in answer.json()]
    assert points == [ts - shift for ts in expected]


def test_the_window_of_a_summary_is_compared_with_its_start(archive: Client, key: str) -> None:
    start = T[2] - 40
    found = archive.data(key, "throughput", "averages/60", time_start=start, time_end=start)
    assert found == [(start, float(T[2]))]
    assert archive.data(key, "throughput", "averages/60", time=T[2]) == []


def test_future_and_negative_points(archive: Client) -> None:
    """Without any parameter: from the epoch until now"""
    key = archive.key_of("throughput")
    future = int(time.time()) + 100_000
    for ts in (-100, 0, 5, future):
        assert archive.post_point(key, "throughput", ts, 1).status == 201
    stamps = {
        (): [0, 5],
        (("time-start", 1),): [5, future],
        (("time-start", 0), ("time-end", future)): [0, 5, future],
        (("time-start", -100), ("time-end", 0)): [-100, 0],
        (("time-end", 5),): [0, 5],
        (("time-start", -1000),): [-100, 0, 5, future],
        (("time", future),): [future],
    }
    for query, expected in stamps.items():
        answer = archive.send("GET", f"{key}/throughput/base", query=query)
        assert [point["ts"] for point in answer.json()] == expected


@pytest.fixture(scope="module")
def updated(archive: Client) -> tuple[str, str, int]:
    """A metadata with data, one without, and the time of the first one's update"""
    with_data = archive.key_of(with_summaries("throughput", ("average", 60)), "failures", clock=1)
    without = archive.key_of("throughput", clock=1)
    assert archive.post_point(with_data, "throughput", 1600000000, 5).status == 201
    shown = archive.get(f"{with_data}/throughput").json()
    return with_data, without, int(shown[0]["time-updated"])


#: Parameters relative to the update, and whether it is in
UPDATES: list[tuple[dict[str, int], bool]] = [
    # esmond compared microseconds, so that this never matched (S-14).
    ({"time": 0}, True),
    ({"time": -1}, False),
    ({"time": 1}, False),
    ({"time": -1, "time-start": 0}, False),
    ({"time-start": 0, "time-end": 0}, True),
    ({"time-start": -1, "time-end": 1}, True),
    ({"time-start": 1, "time-end": 2}, False),
    ({"time-start": -2, "time-end": -1}, False),
    ({"time-start": -2, "time-end": -1, "time-range": 10}, False),
    ({"time-start": -5, "time-range": 5}, True),
    ({"time-start": -5, "time-range": 4}, False),
    ({"time-end": 5, "time-range": 5}, True),
    ({"time-end": 5, "time-range": 4}, False),
    ({"time-start": 0}, True),
    ({"time-start": 1}, False),
    ({"time-end": 0}, True),
    ({"time-end": -1}, False),
    ({"time-range": 3600}, True),
]


@pytest.mark.parametrize(("query", "expected"), UPDATES)
@pytest.mark.parametrize("event_type", [None, "throughput"])
def test_metadata(
    archive: Client,
    updated: tuple[str, str, int],
    event_type: str | None,
    query: dict[str, int],
    expected: bool,
) -> None:
    key, _, at = updated
    asked: dict[str, object] = {"clock": 1}
    asked |= {name: n if name == "time-range" else at + n for name, n in query.items()}
    if event_type is not None:
        asked["event-type"] = event_type
    found = archive.send("GET", query=asked).json()
    assert [metadata["metadata-key"] for metadata in found] == ([key] if expected else [])
    assert archive.send("GET", f"{key}/", query=asked).status == (200 if expected else 404)


def test_never_updated_is_never_in_time(archive: Client, updated: tuple[str, str, int]) -> None:
    key, without, _ = updated
    assert archive.found(clock=1) == sorted([key, without])
    for query in ({"time_start": 0}, {"time_end": 4_000_000_000}, {"time_start": 0, "time_end": 9}):
        assert without not in archive.found(clock=1, **query)
    # The condition must hold for the very event type that is asked for.
    assert archive.found(clock=1, time_start=0, event_type="failures") == []
    summaries = {"summary_type": "average", "summary_window": 60}
    assert archive.found(clock=1, time_start=0, **summaries) == [key]
    assert archive.found(clock=1, time_start=0, event_type="failures", **summaries) == []


@pytest.mark.parametrize(
    "query",
    [{name: value} for name in ("time", "time-start", "time-end", "time-range")
     for value in ("x", "1.5", "", "1e9", "0x10", "9" * 5000)],
)  # fmt: skip
def test_times_must_be_integers(archive: Client, key: str, query: dict[str, str]) -> None:
    for path in ("", f"{key}/", f"{key}/throughput/base", f"{key}/throughput/averages/60"):
        answer = archive.send("GET", path, query=query)
        assert answer.status == 400
        if len(next(iter(query.values()))) < 100:
            assert answer.detail == NOT_AN_INTEGER
        else:
            assert answer.detail


def test_the_end_is_not_before_the_start(archive: Client, key: str) -> None:
    for query in (
        {"time-start": 10, "time-end": 9},
        {"time-start": 10, "time-range": -1},
        {"time-end": 10, "time-range": -1},
    ):
        for path in ("", f"{key}/throughput/base", f"{key}/throughput/averages/60"):
            answer = archive.send("GET", path, query=query)
            assert (answer.status, answer.detail) == (400, WRONG_ORDER)


@pytest.mark.parametrize("name", ["time", "time-start", "time-end"])
@pytest.mark.parametrize("value", [1600000000000, 10**18, 10**30, -(10**15)])
def test_times_outside_the_calendar(archive: Client, key: str, name: str, value: int) -> None:
    for path in ("", f"{key}/", f"{key}/throughput/base"):
        answer = archive.send("GET", path, query={name: value})
        assert answer.status == 400
        assert answer.detail
