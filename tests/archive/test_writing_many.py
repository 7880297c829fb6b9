"""The bulk PUT: its texts, and all or nothing (S-03)."""

from __future__ import annotations

import time

import pytest

from tests.archive.client import Client, with_summaries
from tests.archive.servers import Servers

JSON = {"Content-Type": "application/json"}
T = 1600002000
HOUR = 3600
NOT_JSON = "POST data payload could not be decoded to a JSON object - given: "
NO_DATA = "Request must contain 'data' element"


@pytest.fixture
def key(archive: Client) -> str:
    return archive.key_of(
        with_summaries("throughput", ("average", HOUR), ("aggregation", HOUR)),
        with_summaries("histogram-rtt", ("aggregation", HOUR), ("statistics", HOUR)),
        with_summaries("time-error-estimates", ("aggregation", HOUR)),
        "packet-retransmits", "failures",
    )  # fmt: skip


def val(event_type: str, value: object) -> dict[str, object]:
    return {"event-type": event_type, "val": value}


def test_many_points_of_many_event_types(archive: Client, key: str) -> None:
    data = [
        {"ts": T + 60, "val": [val("throughput", 10), val("packet-retransmits", 1)]},
        {"ts": str(T), "val": [val("throughput", 20), val("failures", None)]},
        {"ts": T + 120.9, "val": []},
    ]
    answer = archive.write("PUT", f"{key}/", {"data": data})
    assert answer.status == 201
    assert answer.body == b'""'
    assert archive.data(key, "throughput") == [(T, 20.0), (T + 60, 10.0)]
    assert archive.data(key, "packet-retransmits") == [(T + 60, 1.0)]
    assert archive.data(key, "failures") == [(T, None)]
    assert archive.data(key, "throughput", "averages/3600") == [(T, 15.0)]


def test_what_is_updated(archive: Client, key: str) -> None:
    before = int(time.time())
    assert archive.put(key, ("throughput", T, 5), ("failures", T, 5)).status == 201
    shown = {each["event-type"]: each for each in archive.get(f"{key}/").json()["event-types"]}
    for name in ("throughput", "failures"):
        assert before <= shown[name]["time-updated"] <= time.time()
    assert {each["time-updated"] for each in shown["throughput"]["summaries"]} == {
        shown["throughput"]["time-updated"]
    }
    assert shown["histogram-rtt"]["time-updated"] is None


@pytest.mark.parametrize("body", [b'{"data": []}', b'{"data": [], "more": 1}'])
def test_nothing_is_fine(archive: Client, key: str, body: bytes) -> None:
    answer = archive.send("PUT", f"{key}/", body, JSON)
    assert (answer.status, answer.body) == (201, b'""')
    assert {each["time-updated"] for each in archive.get(f"{key}/").json()["event-types"]} == {None}


@pytest.mark.parametrize(
    ("headers", "body", "detail"),
    [
        ({}, b"",
         "Must post content-type: application/json header and json-formatted payload."),
        (JSON, b"", "No data payload POSTed."),
        (JSON, b"x", NOT_JSON + "b'x'"),
        (JSON, b"{}", NO_DATA),
        (JSON, b'{"ts": 5, "val": []}', NO_DATA),
        (JSON, b"[]", NO_DATA),
    ],
)  # fmt: skip
def test_bodies_that_are_no_bulk(
    archive: Client, key: str, headers: dict[str, str], body: bytes, detail: str
) -> None:
    answer = archive.send("PUT", f"{key}/", body, headers)
    assert (answer.status, answer.detail) == (400, detail)


GOOD = {"ts": T, "val": [val("throughput", 1), val("packet-retransmits", 2)]}
BAD_PERCENTAGE = "Missing required field 'denominator'"


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        ({}, "The 'data' element must be an array"),
        ("x", "The 'data' element must be an array"),
        (None, "The 'data' element must be an array"),
        ([{"val": []}], "Missing ts field in provided data list at position 1"),
        ([GOOD, {}], "Missing ts field in provided data list at position 2"),
        ([GOOD, GOOD, {"ts": T}], "Missing val field in provided data list at position 3"),
        ([{"ts": T, "val": 5}], "'val' field must be an array in provided data list at position 1"),
        ([GOOD, {"ts": T, "val": {}}],
         "'val' field must be an array in provided data list at position 2"),
        ([GOOD, {"ts": T, "val": [val("throughput", 1), {}]}],
         "Missing event-type field at data item 2 in value 2 "),
        ([{"ts": T, "val": [val("throughput", 1), {"val": 1}]}],
         "Missing event-type field at data item 1 in value 2 "),
        ([GOOD, {"ts": T, "val": [{"event-type": "throughput"}]}],
         "Missing val field at data item 2 in value 1 "),
        ([GOOD, {"ts": T + 1, "val": [val("throughput", "x")]}], "Value must be an integer"),
        ([GOOD, {"ts": T, "val": [val("time-error-estimates", "x")]}],
         "Value must be a floating point number"),
        ([GOOD, {"ts": T, "val": [val("histogram-rtt", {"1": "x"})]}],
         "Value of histogram must be an integer"),
        ([GOOD, {"ts": T, "val": [val("histogram-rtt", [])]}], "Invalid histogram provided"),
        # Server faults in esmond (S-04)
        ([GOOD, {"ts": T, "val": [val("nonesuch", 1)]}], "Invalid event type nonesuch"),
        ([GOOD, {"ts": "x", "val": []}], "Time must be a unix timestamp"),
        ([GOOD, {"ts": None, "val": [val("throughput", 1)]}], "Time must be a unix timestamp"),
        ([GOOD, {"ts": T * 1000, "val": [val("throughput", 1)]}], None),
        ([GOOD, {"ts": T, "val": [val("throughput", None)]}], None),
        ([GOOD, None], None),
        ([GOOD, 5], None),
        ([GOOD, "x"], None),
        ([GOOD, []], None),
        ([GOOD, {"ts": T, "val": [None]}], None),
        ([GOOD, {"ts": T, "val": [5]}], None),
        ([GOOD, {"ts": T, "val": ["throughput"]}], None),
        ([GOOD, {"ts": T, "val": [val("throughput", 1) | {"event-type": None}]}], None),
        ([GOOD, {"ts": T, "val": [val("throughput", 1) | {"event-type": []}]}], None),
        # No silent loss (S-02)
        ([GOOD, {"ts": T, "val": [val("path-mtu", 1)]}], None),
    ],
)  # fmt: skip
def test_refused_whole(archive: Client, key: str, data: object, detail: str | None) -> None:
    answer = archive.write("PUT", f"{key}/", {"data": data})
    assert answer.status == 400
    assert answer.detail == detail if detail else answer.detail
    assert {each["time-updated"] for each in archive.get(f"{key}/").json()["event-types"]} == {None}
    # esmond let the points before the fault appear with the next write.
    assert archive.put(key, ("failures", T, "after")).status == 201
    for path in ("base", "averages/3600", "aggregations/3600"):
        assert archive.data(key, "throughput", path) == []
    assert archive.data(key, "packet-retransmits") == []


def test_the_unregistered_event_type_is_named(archive: Client, key: str) -> None:
    answer = archive.put(key, ("throughput", T, 5), ("path-mtu", T, 1500))
    assert answer.status == 400
    assert "path-mtu" in answer.detail


def test_a_conflict_refuses_all(archive: Client, key: str) -> None:
    assert archive.put(key, ("throughput", T + 5, 5)).status == 201
    points = [("throughput", T + number, number + 1) for number in range(10)]
    others = [("histogram-rtt", T, {"1": 1}), ("failures", T, {})]
    answer = archive.put(key, *others, *points, ("packet-retransmits", T, 1))
    assert answer.status == 409
    text = f"Time series value already exists with event type throughput at time {T + 5}"
    assert answer.detail == text
    assert archive.put(key, ("failures", T + 1, "after")).status == 201
    assert archive.data(key, "throughput") == [(T + 5, 5.0)]
    assert archive.data(key, "throughput", "averages/3600") == [(T, 5.0)]
    assert archive.data(key, "histogram-rtt") == []
    assert archive.data(key, "histogram-rtt", "aggregations/3600") == []
    assert archive.data(key, "packet-retransmits") == []
    assert archive.data(key, "failures") == [(T + 1, "after")]
    # Put right, the same bulk goes through: no 409 on points that were never seen.
    points[5] = ("throughput", T + 5, 5)
    assert archive.put(key, *others, *points).status == 201
    assert len(archive.data(key, "throughput")) == 10


def test_the_same_bulk_again_is_harmless(archive: Client, key: str) -> None:
    points: list[tuple[str, int, float]]
    points = [("throughput", T + number, number) for number in range(20)]
    points += [("time-error-estimates", T + number, number / 4) for number in range(20)]
    more = [("histogram-rtt", T, {"1": 2}), ("failures", T, {"error": "x"})]
    seen = []
    for _ in range(3):
        assert archive.put(key, *points, *more).status == 201
        seen.append([
            archive.data(key, *path.split(" ")) for path in (
                "throughput", "throughput averages/3600", "throughput aggregations/3600",
                "time-error-estimates aggregations/3600", "histogram-rtt aggregations/3600",
                "histogram-rtt statistics/3600", "failures",
            )
        ])  # fmt: skip
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][2] == [(T, 190.0)]


@pytest.mark.parametrize("again", [T, str(T), T + 0.75])
def test_of_the_same_point_twice_the_last_wins(archive: Client, key: str, again: object) -> None:
    """esmond added integers and averaged floats, and kept the last histogram alone"""
    answer = archive.put(
        key,
        ("throughput", T, 5), ("time-error-estimates", T, 5), ("histogram-rtt", T, {"1": 1}),
        ("throughput", again, 7), ("time-error-estimates", again, 7),
        ("histogram-rtt", again, {"2": 2}),
        ("histogram-rtt", T + 1, {"3": 3}),
    )  # fmt: skip
    assert answer.status == 201
    assert archive.data(key, "throughput") == [(T, 7.0)]
    assert archive.data(key, "time-error-estimates") == [(T, 7.0)]
    assert archive.data(key, "histogram-rtt") == [(T, {"2": 2}), (T + 1, {"3": 3})]
    assert archive.data(key, "throughput", "averages/3600") == [(T, 7.0)]
    assert archive.data(key, "throughput", "aggregations/3600") == [(T, 7.0)]
    assert archive.data(key, "time-error-estimates", "aggregations/3600") == [(T, 7.0)]
    assert archive.data(key, "histogram-rtt", "aggregations/3600") == [(T, {"2": 2, "3": 3})]


def test_unknown_key(archive: Client) -> None:
    for points in ([("throughput", T, 5)], []):
        answer = archive.put("0" * 32, *points)
        assert (answer.status, answer.detail) == (404, "Not found.")


def test_ten_thousand_points(archive: Client, key: str) -> None:
    points = [("throughput", T + number, number) for number in range(10_000)]
    assert archive.put(key, *points).status == 201
    assert archive.data(key, "throughput", limit=10_000) == [(t, float(v)) for _, t, v in points]
    sums = dict(archive.data(key, "throughput", "aggregations/3600"))
    assert sum(sums.values()) == sum(range(10_000))
    assert sums[T] == sum(range(3600))


def test_lenient_writes_drop_as_esmond_did(servers: Servers) -> None:
    lenient = servers.get("--lenient-writes")
    unknown, key = "0" * 32, lenient.key_of("throughput", "failures")
    for answer in (
        lenient.post_point(unknown, "throughput", T, 5),
        lenient.put(unknown, ("throughput", T, 5)),
        lenient.post_point(key, "path-mtu", T, 1500),
        lenient.put(key, ("path-mtu", T, 1500), ("throughput", T, 5)),
    ):
        assert (answer.status, answer.body) == (201, b'""')
    assert lenient.get(f"{unknown}/").status == 404
    assert lenient.data(unknown, "throughput") == lenient.data(key, "path-mtu") == []
    # What is registered is kept all the same, and other faults stay faults.
    assert lenient.data(key, "throughput") == [(T, 5.0)]
    assert lenient.post_point(key, "nonesuch", T, 5).status == 400
    assert lenient.post_point(key, "throughput", T, "x").status == 400
    assert lenient.post_point(key, "throughput", T, 6).status == 409
