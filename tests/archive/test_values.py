"""The six kinds of value: what is taken, what is shown, what is refused."""

from __future__ import annotations

import json

import pytest

from tests.archive.client import Client, with_summaries
from tests.archive.kinds import EVENT_TYPES, KINDS, Kind
from tests.archive.servers import Servers

T = 1600000000
NO_INTEGER = "Value must be an integer"
NO_FLOAT = "Value must be a floating point number"
NO_HISTOGRAM = "Invalid histogram provided"
NO_COUNT = "Value of histogram must be an integer"
NO_INTERVALS = "Invalid subintervals provided"
NO_TIMES = "Subinterval 'start' and 'duration' must be floating point numbers"


def store(archive: Client, event_type: str, value: object) -> object:
    """What base data shows of a value"""
    key = archive.key_of(event_type)
    answer = archive.post_point(key, event_type, T, value)
    assert answer.status == 201, answer
    ((ts, shown),) = archive.data(key, event_type)
    assert ts == T
    return shown


@pytest.mark.parametrize(("event_type", "kind"), EVENT_TYPES)
def test_every_event_type(archive: Client, event_type: str, kind: Kind) -> None:
    shown = store(archive, event_type, kind.posted)
    assert shown == kind.shown
    assert type(shown) is type(kind.shown)


@pytest.mark.parametrize(
    ("posted", "shown"),
    [
        (123.99, 123.0), (-1.9, -1.0), ("123", 123.0), (True, 1.0), (False, 0.0), (0, 0.0),
        ("-7", -7.0), ("+7", 7.0), (23, 23.0), (24.9, 24.0), (7016320000, 7016320000.0),
        (2**53 + 1, 9007199254740992.0), (2**63 - 1, 9223372036854775808.0),
        (-(2**63), -9223372036854775808.0), (1e15, 1e15),
    ],
)  # fmt: skip
def test_integers(archive: Client, posted: object, shown: float) -> None:
    value = store(archive, "throughput", posted)
    assert value == shown
    assert type(value) is float


@pytest.mark.parametrize(
    ("posted", "shown"),
    [
        (1.99999, 1.9999), (0.00123456, 0.0012), (-0.00019, -0.0001), (0.00019999, 0.0001),
        (-0.00019999, -0.0001), ("1.5", 1.5), ("-2", -2.0), (3, 3.0), (1e-9, 0.0), ("1e3", 1000.0),
        (True, 1.0), (123456789.12345678, 123456789.1234),
    ],
)  # fmt: skip
def test_floats(archive: Client, posted: object, shown: float) -> None:
    value = store(archive, "time-error-estimates", posted)
    assert value == shown
    assert type(value) is float


@pytest.mark.parametrize(
    ("numerator", "denominator", "shown"),
    [
        (11, 33, 0.3333333333333333), ("11", "33", 0.3333333333333333), (11.9, 33.2, 11 / 33),
        (0, 300, 0.0), (3, 2, 1.5), (1, 1, 1.0), (5, 200, 0.025),
    ],
)  # fmt: skip
def test_percentages(archive: Client, numerator: object, denominator: object, shown: float) -> None:
    posted = {"numerator": numerator, "denominator": denominator}
    value = store(archive, "packet-loss-rate", posted)
    assert value == shown
    assert type(value) is float


@pytest.mark.parametrize(
    ("posted", "shown"),
    [
        ({"10.0": 5, "10.5": 10, "11": 3}, {"10.0": 5, "10.5": 10, "11": 3}),
        ({"a": 2.9, "b": "3", "": 1}, {"a": 2, "b": 3, "": 1}),
        ({"41.0": 1, "41.00": 2}, {"41.0": 1, "41.00": 2}),
        ({"ü ✓": 1, "' OR 1": 2}, {"ü ✓": 1, "' OR 1": 2}),
        ({}, {}),
        ({"5": 0}, {"5": 0}),
    ],
)
def test_histograms(archive: Client, posted: object, shown: object) -> None:
    assert store(archive, "histogram-rtt", posted) == shown


@pytest.mark.parametrize(
    "value",
    [
        [{"start": "0.000000", "duration": "1.000000", "val": 0}],
        [{"start": 0, "duration": 1.5, "val": None}, {"start": "1.5", "duration": "1", "val": {}}],
        [{"val": [1, "x"], "duration": -1, "start": 5, "more": "kept"}],
    ],
)
def test_subintervals_are_kept_as_sent(archive: Client, value: object) -> None:
    shown = store(archive, "throughput-subintervals", value)
    assert json.dumps(shown) == json.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, 1.5, -1e-7, 12345678901234567890123, "", "text", "ü ✓ \u2028", [], {},
        {"z": 1, "a": {"y": [1, {"x": None}], "b": 2}, "": ""}, [[[]]], "' OR 1=1; --",
        [{"ttl": "1", "query": 1, "success": 1, "ip": "10.0.0.1", "rtt": "0.5", "mtu": None,
          "error_message": None}],
        {"data": "x" * 100_000}, {"numerator": 1}, "NaN", 1e300, 0.1 + 0.2,
    ],
)  # fmt: skip
def test_json_is_kept_with_its_order(archive: Client, value: object) -> None:
    assert json.dumps(store(archive, "failures", value)) == json.dumps(value)


#: Event type, text of the refusal (``None``: in any words), values
REFUSED: list[tuple[str, str | None, list[object]]] = [
    ("throughput", NO_INTEGER, ["x", "", "1.5", "1e3", None, [], [1], {}]),
    ("time-error-estimates", NO_FLOAT, ["x", "", "1,5", None, [], {}]),
    ("packet-loss-rate", "Missing required field 'numerator'", [{}, {"denominator": 1}]),
    ("packet-loss-rate", "Missing required field 'denominator'", [{"numerator": 1}]),
    ("packet-loss-rate", "The field 'numerator' must be an integer",
     [{"numerator": "x", "denominator": 1}]),
    ("packet-loss-rate", "The field 'denominator' must be an integer",
     [{"numerator": 1, "denominator": "1.5"}]),
    ("packet-loss-rate", "The field 'denominator' must be greater than 0",
     [{"numerator": 1, "denominator": 0}, {"numerator": 1, "denominator": -1}]),
    ("packet-loss-rate", "The field 'numerator' cannot be negative",
     [{"numerator": -1, "denominator": 1}]),
    # Server faults in esmond (S-04)
    ("packet-loss-rate", None,
     [0.5, None, "1/2", [], [1, 2], True, {"numerator": None, "denominator": 1},
      {"numerator": [], "denominator": 1}, {"numerator": 1, "denominator": {}}]),
    ("histogram-rtt", NO_COUNT, [{"1": "x"}]),
    ("histogram-rtt", None, [{"1": 1, "2": None}, {"1": []}, {"1": 2, "2": -1}]),
    ("histogram-rtt", NO_HISTOGRAM, [[], [1], "x", 5, None]),
    ("throughput-subintervals", NO_INTERVALS, [[], {}, "x", 5, None]),
    ("throughput-subintervals", "Interval must contain 'start' field at position 1",
     [[{"duration": 1, "val": 1}]]),
    ("throughput-subintervals", "Interval must contain 'duration' field at position 2",
     [[{"start": 0, "duration": 1, "val": 1}, {"start": 1, "val": 1}]]),
    ("throughput-subintervals", "Interval must contain 'val' field at position 1",
     [[{"start": 0, "duration": 1}]]),
    ("throughput-subintervals", NO_TIMES, [[{"start": "x", "duration": 1, "val": 1}]]),
    ("throughput-subintervals", None, [[{"start": 0, "duration": None, "val": 1}], [5], [None]]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("event_type", "detail", "value"),
    [(event_type, detail, value) for event_type, detail, values in REFUSED for value in values],
)
def test_refused(archive: Client, event_type: str, detail: str | None, value: object) -> None:
    key = archive.key_of(event_type)
    for answer in (
        archive.post_point(key, event_type, T, value),
        archive.put(key, (event_type, T, value)),
    ):
        assert answer.status == 400
        assert answer.detail == detail if detail else answer.detail
    assert archive.data(key, event_type) == []


@pytest.mark.parametrize("value", [{}, {"5": 0}, {"5": 0, "6": 0}])
def test_empty_histograms_have_no_statistics(archive: Client, value: object) -> None:
    for window in (0, 3600):
        key = archive.key_of(with_summaries("histogram-rtt", ("statistics", window)))
        answer = archive.post_point(key, "histogram-rtt", T, value)
        assert answer.status == 400
        assert answer.detail
        assert archive.data(key, "histogram-rtt") == []


def test_numbers_in_full(servers: Servers) -> None:
    """``--values exact``: what esmond cut is kept (S-09)"""
    exact = servers.get("--private", "--values", "exact")
    whole = store(exact, "throughput", 2**53 + 1)
    assert (whole, type(whole)) == (2**53 + 1, int)
    assert store(exact, "throughput", "123") == 123
    for value in (1.99999, 0.00123456, -0.00019999, 1e-9, 0.1 + 0.2):
        assert store(exact, "time-error-estimates", value) == value
    for kind in ("histogram", "subinterval", "json"):
        assert store(exact, KINDS[kind].event_types[0], KINDS[kind].posted) == KINDS[kind].shown
    key = exact.key_of(
        with_summaries("time-error-estimates", ("aggregation", 60), ("average", 60)),
        with_summaries("throughput", ("aggregation", 60)),
    )
    for ts in (0, 1):
        point = ("time-error-estimates", ts, 1.99999)
        assert exact.put(key, point, ("throughput", ts, 2**53 + 1)).status == 201
    ((_, total),) = exact.data(key, "time-error-estimates", "aggregations/60")
    ((_, mean),) = exact.data(key, "time-error-estimates", "averages/60")
    assert total == pytest.approx(3.99998, abs=1e-12)
    assert mean == pytest.approx(1.99999, abs=1e-12)
    assert exact.data(key, "throughput", "aggregations/60") == [(0, 2**54 + 2)]


def test_sums_are_those_of_the_numbers_shown(archive: Client) -> None:
    """Compatible: floats are cut before they are added"""
    key = archive.key_of(
        with_summaries("time-error-estimates", ("aggregation", 60), ("average", 60))
    )
    for ts in (0, 1):
        assert archive.post_point(key, "time-error-estimates", ts, 1.99999).status == 201
    ((_, total),) = archive.data(key, "time-error-estimates", "aggregations/60")
    ((_, mean),) = archive.data(key, "time-error-estimates", "averages/60")
    assert total == pytest.approx(3.9998, abs=1e-12)
    assert mean == pytest.approx(1.9999, abs=1e-12)
