"""Writing one point at a time, and every text of a refusal."""

from __future__ import annotations

import time

import pytest

from tests.archive.client import Client, with_summaries

JSON = {"Content-Type": "application/json"}
T = 1600000000
MUST_BE_JSON = "Must post content-type: application/json header and json-formatted payload."
NOT_JSON = "POST data payload could not be decoded to a JSON object - given: "
NO_TS = "Required field ts not provided in request"
NO_VAL = "Required field val not provided in request"
BAD_TS = "Time must be a unix timestamp"


@pytest.fixture
def key(archive: Client) -> str:
    return archive.key_of(
        with_summaries("throughput", ("average", 3600)), "failures", "packet-loss-rate",
        "time-error-estimates", "histogram-rtt", "throughput-subintervals",
    )  # fmt: skip


def test_one_point(archive: Client, key: str) -> None:
    answer = archive.post_point(key, "throughput", T, 5)
    assert answer.status == 201
    assert answer.body == b'""'
    assert answer.json() == ""
    assert archive.data(key, "throughput") == [(T, 5.0)]


@pytest.mark.parametrize("path", ["base", "base/", "base/0", "base/0/"])
def test_spellings_of_the_address(archive: Client, key: str, path: str) -> None:
    assert archive.post(f"{key}/throughput/{path}", {"ts": T, "val": 5}).status == 201
    assert archive.data(key, "throughput") == [(T, 5.0)]


def test_it_is_updated_now(archive: Client, key: str) -> None:
    before = int(time.time())
    assert archive.post_point(key, "throughput", T, 5).status == 201
    (shown,) = archive.get(f"{key}/throughput").json()
    assert before <= shown["time-updated"] <= time.time()
    assert shown["summaries"][0]["time-updated"] == shown["time-updated"]
    assert archive.get(f"{key}/failures").json()[0]["time-updated"] is None


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/json;x"])
def test_content_types_with_parameters(archive: Client, key: str, content_type: str) -> None:
    body, headers = b'{"ts": 5, "val": 5}', {"Content-Type": content_type}
    assert archive.send("POST", f"{key}/throughput/base", body, headers).status == 201


@pytest.mark.parametrize(
    ("ts", "stored"),
    [
        (T, T),
        ("1610000100", 1610000100),
        (1610000200.75, 1610000200),
        (0, 0),
        (-5, -5),
        (-5.9, -5),
        ("-7", -7),
        (-62135596800, -62135596800),
        (253402300799, 253402300799),
    ],
)
def test_time_stamps(archive: Client, key: str, ts: object, stored: int) -> None:
    assert archive.post_point(key, "throughput", ts, 5).status == 201
    window = {"time_start": stored, "time_end": stored}
    assert archive.data(key, "throughput", **window) == [(stored, 5.0)]


@pytest.mark.parametrize("ts", ["x", "", "1.5", None, [], {}, "0x10"])
def test_time_stamps_that_are_none(archive: Client, key: str, ts: object) -> None:
    answer = archive.post_point(key, "throughput", ts, 5)
    assert (answer.status, answer.detail) == (400, BAD_TS)


@pytest.mark.parametrize(
    "ts", [1600000000000, 253402300800, -62135596801, 10**18, 2**63, 10**100, 1e300, "9" * 5000]
)
def test_time_stamps_outside_the_calendar(archive: Client, key: str, ts: object) -> None:
    answer = archive.post_point(key, "throughput", ts, 5)
    assert answer.status == 400
    assert answer.detail
    assert archive.get(f"{key}/throughput").json()[0]["time-updated"] is None


#: Path below the key, headers, body. Each has the faults of those below it too, where it can.
REFUSED = [
    ("nonesuch/averages", {}, b"", MUST_BE_JSON),
    ("nonesuch/averages", {"Content-Type": "text/plain"}, b"x", MUST_BE_JSON),
    ("throughput/base", {"Content-Type": "text/json"}, b'{"ts": 5, "val": 5}', MUST_BE_JSON),
    ("nonesuch/averages", JSON, b"", "No data payload POSTed."),
    ("nonesuch/averages", JSON, b"x", NOT_JSON + "b'x'"),
    ("nonesuch/averages", JSON, b"{'ts': 1}", NOT_JSON + "b\"{'ts': 1}\""),
    ("throughput/base", JSON, b'{"ts": 1', NOT_JSON + "b'{\"ts\": 1'"),
    ("throughput/base", JSON, b"\xff", NOT_JSON + r"b'\xff'"),
    ("nonesuch/averages", JSON, b"{}", NO_TS),
    ("nonesuch/averages", JSON, b'{"val": 5}', NO_TS),
    ("nonesuch/averages", JSON, b'{"ts": "x"}', BAD_TS),
    ("nonesuch/averages", JSON, b'{"ts": 5}', NO_VAL),
    ("nonesuch/averages", JSON, b'{"ts": 5, "val": "x"}', "Invalid event type nonesuch"),
    ("nonesuch/base", JSON, b'{"ts": 5, "val": "x"}', "Invalid event type nonesuch"),
    ("throughput/averages", JSON, b'{"ts": 5, "val": "x"}',
     "Only base summary-type allowed for writing. Cannot use averages"),
    ("throughput/averages/3600", JSON, b'{"ts": 5, "val": 5}',
     "Only base summary-type allowed for writing. Cannot use averages"),
    ("throughput/aggregations/60", JSON, b'{"ts": 5, "val": 5}',
     "Only base summary-type allowed for writing. Cannot use aggregations"),
    ("throughput/base", JSON, b'{"ts": 5, "val": "x"}', "Value must be an integer"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "headers", "body", "detail"), REFUSED)
def test_refused_in_this_order(
    archive: Client, key: str, path: str, headers: dict[str, str], body: bytes, detail: str
) -> None:
    answer = archive.send("POST", f"{key}/{path}", body, headers)
    assert (answer.status, answer.detail) == (400, detail)
    assert archive.data(key, "throughput") == []


@pytest.mark.parametrize("word", ["average", "nonesuch"])
def test_unknown_summary_words(archive: Client, key: str, word: str) -> None:
    answer = archive.post(f"{key}/throughput/{word}", {"ts": 5, "val": 5})
    assert answer.status == 400
    # The original has quotes around the word when it reads, and none when it writes.
    assert answer.detail.replace("'", "") == f"Invalid summary type {word}"


@pytest.mark.parametrize("body", [b"[]", b"5", b'"x"', b"null", b"true", b'["ts", "val"]'])
def test_json_that_is_no_object(archive: Client, key: str, body: bytes) -> None:
    answer = archive.send("POST", f"{key}/throughput/base", body, JSON)
    assert answer.status == 400
    assert answer.detail


@pytest.mark.parametrize(
    ("event_type", "first", "same", "other", "shown"),
    [
        ("throughput", 5, [5, "5", 5.9], 6, 5.0),
        ("time-error-estimates", 1.5, [1.5, "1.5"], 1.6, 1.5),
        ("packet-loss-rate", {"numerator": 1, "denominator": 2},
         [{"numerator": "1", "denominator": 2.0}], {"numerator": 1, "denominator": 3}, 0.5),
    ],
)  # fmt: skip
def test_numbers_are_never_replaced(
    archive: Client,
    key: str,
    event_type: str,
    first: object,
    same: list[object],
    other: object,
    shown: float,
) -> None:
    for value in (first, *same):
        # Harmless: a loader that starts again loses nothing (409 in esmond).
        assert archive.post_point(key, event_type, T, value).status == 201
    answer = archive.post_point(key, event_type, T, other)
    assert answer.status == 409
    text = f"Time series value already exists with event type {event_type} at time {T}"
    assert answer.detail == text
    assert archive.data(key, event_type) == [(T, shown)]


def test_a_value_that_is_none_is_no_conflict(archive: Client, key: str) -> None:
    """esmond looked for a conflict first"""
    assert archive.post_point(key, "throughput", T, 5).status == 201
    answer = archive.post_point(key, "throughput", T, "x")
    assert (answer.status, answer.detail) == (400, "Value must be an integer")


@pytest.mark.parametrize(
    ("event_type", "first", "second"),
    [
        ("histogram-rtt", {"1": 1}, {"2": 2}),
        ("throughput-subintervals", [{"start": 0, "duration": 1, "val": 1}],
         [{"start": 1, "duration": 1, "val": 2}]),
        ("failures", {"error": "one"}, ["two"]),
    ],
)  # fmt: skip
def test_other_kinds_are_replaced(
    archive: Client, key: str, event_type: str, first: object, second: object
) -> None:
    for value in (first, second, second):
        assert archive.post_point(key, event_type, T, value).status == 201
        assert archive.data(key, event_type) == [(T, value)]


def test_unknown_and_unregistered(archive: Client, key: str) -> None:
    unknown = archive.post_point("0" * 32, "throughput", T, 5)
    assert (unknown.status, unknown.detail) == (404, "Not found.")
    unregistered = archive.post_point(key, "path-mtu", T, 1500)
    assert unregistered.status == 400
    assert "path-mtu" in unregistered.detail
    assert archive.data(key, "path-mtu") == []
