"""Bodies and addresses made to hurt: refused in words, nothing stored, never a server fault.

:class:`Client` lets no server fault pass in any test.
"""

from __future__ import annotations

import json

import pytest

from tests.archive.client import Answer, Client, segment, with_summaries

JSON = {"Content-Type": "application/json"}
T = 1600000000
SQL = "'; DROP TABLE metadata; --"
MANY = 10_000


@pytest.fixture
def key(archive: Client) -> str:
    kept = with_summaries("throughput", ("average", 3600))
    return archive.key_of(kept, "time-error-estimates", "histogram-rtt", "failures")


def assert_refused(answer: Answer) -> None:
    assert answer.status in (400, 413)
    assert answer.detail


def assert_untouched(archive: Client, key: str) -> None:
    event_types = archive.get(f"{key}/").json()["event-types"]
    assert {each["time-updated"] for each in event_types} == {None}
    for each in event_types:
        assert archive.get(f"{key}/{each['event-type']}/base").json() == []


#: Texts where a value of a point belongs
VALUES = [
    b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"[NaN]", b'{"a": Infinity}',
    b'"\\ud800"', b'{"\\udfff": 1}', b'["\\ud800x"]',
    b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b"9" * 5000, b"-" + b"9" * 100_000, b"", b"5,", b"'5'", b"0x10", b"01", b"+5", b".5", b"nul",
    b'"\xff\xfe"', b'"\x00"', b'"\n"', b"\xed\xa0\x80",
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value[:20]))
@pytest.mark.parametrize("event_type", ["throughput", "time-error-estimates", "failures"])
def test_values_that_are_no_json(archive: Client, key: str, event_type: str, value: bytes) -> None:
    point = b'{"ts": 1600000000, "val": ' + value + b"}"
    assert_refused(archive.send("POST", f"{key}/{event_type}/base", point, JSON))
    inner = b'[{"event-type": "' + event_type.encode() + b'", "val": ' + value + b"}]"
    good = b'{"ts": 1600000000, "val": [{"event-type": "failures", "val": 1}]}'
    bulk = b'{"data": [' + good + b', {"ts": 1600000001, "val": ' + inner + b"}]}"
    assert_refused(archive.send("PUT", f"{key}/", bulk, JSON))
    assert_untouched(archive, key)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value[:20]))
def test_parameters_that_are_no_json(archive: Client, value: bytes) -> None:
    body = archive.body("failures", hostile="parameter")
    text = json.dumps(body)[:-1].encode() + b', "parameter": ' + value + b"}"
    assert_refused(archive.send("POST", "", text, JSON))
    assert archive.found(hostile="parameter") == archive.found(source=body["source"]) == []


@pytest.mark.parametrize(
    ("event_type", "value"),
    [
        ("throughput", 10**30), ("throughput", -(10**30)), ("throughput", "9" * 40),
        ("throughput", 1e300), ("throughput", "9" * 5000), ("throughput", 2**63),
        ("time-error-estimates", 1e300), ("time-error-estimates", -922337203685478),
        ("time-error-estimates", 10**400), ("time-error-estimates", "nan"),
        ("time-error-estimates", "inf"), ("time-error-estimates", "-Infinity"),
        ("time-error-estimates", "1e999"), ("time-error-estimates", "9" * 5000),
        ("histogram-rtt", {"1": 10**400}), ("histogram-rtt", {"1": "9" * 5000}),
        ("histogram-rtt", {"1": "nan"}), ("histogram-rtt", {"1": 1e300}),
    ],
)  # fmt: skip
def test_numbers_beyond_all_measure(
    archive: Client, key: str, event_type: str, value: object
) -> None:
    assert_refused(archive.post_point(key, event_type, T, value))
    assert_refused(archive.put(key, ("failures", T, 1), (event_type, T, value)))
    assert_untouched(archive, key)


def test_percentages_beyond_all_measure(archive: Client) -> None:
    key = archive.key_of("packet-loss-rate")
    for pair in ((10**400, 1), (1, 10**400), ("9" * 5000, 1), (1e300, 1), (1, 1e300)):
        value = dict(zip(("numerator", "denominator"), pair, strict=True))
        assert_refused(archive.post_point(key, "packet-loss-rate", T, value))
    assert_untouched(archive, key)


def test_sums_beyond_an_integer(archive: Client, key: str) -> None:
    """Each is fine, and so is their sum"""
    largest = 2**63 - 1
    points = [("throughput", T + number, largest) for number in range(4)]
    assert archive.put(key, *points).status == 201
    assert archive.data(key, "throughput", "averages/3600") == [(T // 3600 * 3600, float(largest))]


@pytest.mark.parametrize("label", ["nan", "inf", "-inf", "1e400", "NaN", "1e200", "-1e308"])
def test_buckets_beyond_all_measure(archive: Client, label: str) -> None:
    kept = with_summaries("histogram-rtt", ("statistics", 0), ("statistics", 60))
    key = archive.key_of(kept)
    answer = archive.post_point(key, "histogram-rtt", T, {label: 1, "5": 1})
    # Not a number that one can reckon with: as good as any other text.
    assert answer.status in (201, 400)
    for window in (0, 60):
        shown = archive.data(key, "histogram-rtt", f"statistics/{window}")
        assert [value for _, value in shown] == ([{}] if answer.status == 201 else [])


@pytest.mark.parametrize(
    "event_types",
    [
        [{"event-type": f"made-up-{number}"} for number in range(MANY)],
        [{"event-type": "failures"}] * MANY + [{"event-type": "nonesuch"}],
        [with_summaries("throughput", *(("average", f"x{number}") for number in range(MANY)))],
        [{"event-type": "x" * 1_000_000}],
        [{"event-type": SQL}],
        [{"event-type": "failures", "summaries": [[]] * MANY}],
    ],
    ids=lambda value: f"{len(value)} entries",
)
def test_ten_thousand_event_types(archive: Client, event_types: object) -> None:
    body = archive.body() | {"event-types": event_types}
    assert_refused(archive.post("", body))
    assert archive.found(source=body["source"]) == []


def test_many_of_what_is_known(archive: Client) -> None:
    """Folded or refused, and quickly either way"""
    body = archive.body(*["failures"] * MANY)
    answer = archive.post("", body)
    assert answer.status in (201, 400)
    assert len(archive.found(source=body["source"])) == (answer.status == 201)


def test_many_parameters(archive: Client) -> None:
    body = archive.body("failures") | {f"parameter-{n}": "x" for n in range(MANY)}
    answer = archive.post("", body)
    assert answer.status in (201, 400)
    assert len(archive.found(source=body["source"])) == (answer.status == 201)


def test_a_nested_parameter(archive: Client) -> None:
    nested: object = "x"
    for _ in range(300):
        nested = [nested]
    body = archive.body("failures", parameter=nested)
    answer = archive.post("", body)
    assert answer.status in (201, 400)
    if answer.status == 201:
        assert answer.json()["parameter"] == str(nested)


@pytest.mark.parametrize(
    "text", [SQL, "1' OR '1'='1", '"; SELECT 1; --', "%", "_", "\\", "?", ":x"]
)
def test_sql_in_every_field(archive: Client, text: str) -> None:
    """It is text like any other: stored, shown, found and nothing else"""
    before = archive.get(limit=1).json()[0]["metadata-count-total"]
    fields = {"tool-name": text, "input-source": text, "input-destination": text, text: text}
    created = archive.create_as(archive.body("failures", "histogram-rtt") | fields)
    key, shown = created["metadata-key"], text.replace("_", "-")
    assert {created[name] for name in ("tool-name", "input-source", shown)} == {text}
    for name in fields:
        found = archive.send("GET", query={name: text, "source": created["source"]}).json()
        assert [each["metadata-key"] for each in found] == [key]
    assert archive.post_point(key, "failures", T, text).status == 201
    assert archive.post_point(key, "histogram-rtt", T, {text: 1}).status == 201
    assert archive.data(key, "failures") == [(T, text)]
    assert archive.data(key, "histogram-rtt") == [(T, {text: 1})]
    for body in (
        archive.body("failures") | {"source": text},
        archive.body("failures") | {"subject-type": text},
        archive.body(text),
        archive.body(with_summaries("throughput", (text, 60))),
        archive.body(with_summaries("throughput", ("average", text))),
    ):
        assert_refused(archive.post("", body))
    for ts, event_type in ((text, "failures"), (T, text)):
        assert_refused(archive.put(key, (event_type, ts, 1)))
    assert archive.get(limit=1).json()[0]["metadata-count-total"] == before + 1
    assert archive.data(key, "failures") == [(T, text)]


FIELDS = (
    "source", "destination", "measurement-agent", "tool-name", "input-source", "input-destination",
    "event-type", "summary-type", "summary-window", "subject-type", "metadata-key", "time",
    "time-start", "time-end", "time-range", "limit", "offset", "dns-match-rule", "format", SQL,
)  # fmt: skip


@pytest.mark.parametrize("value", [SQL, "\0", "\x01\x7f", "\U0010ffff", "9" * 5000, "x" * 20_000])
@pytest.mark.parametrize("field", FIELDS)
def test_every_parameter_of_a_search(archive: Client, key: str, field: str, value: str) -> None:
    for path in ("", f"{key}/", f"{key}/throughput/base", f"{key}/throughput/averages/3600"):
        answer = archive.send("GET", path, query=[(field, value)])
        assert answer.status in (200, 400, 404, 414)
        if answer.status != 200:
            assert answer.detail


@pytest.mark.parametrize(
    "part",
    [segment(SQL), "%00", "%ff", "%ed%a0%80", "%2e%2e", "..", "%2F", "%252F", "x" * 5000, "%",
     "%zz", "%0a", "9" * 5000, segment("ü"), "a;b", "a+b", "@", "~", "*"],
)  # fmt: skip
def test_every_part_of_an_address(archive: Client, key: str, part: str) -> None:
    point = b'{"ts": 5, "val": 5}'
    for path in (f"{part}/", f"{key}/{part}", f"{key}/throughput/{part}", f"{part}/throughput/base",
                 f"{key}/{part}/base", f"{key}/throughput/averages/{part}"):  # fmt: skip
        for method in ("GET", "POST", "PUT"):
            body = None if method == "GET" else point
            answer = archive.send(method, path, body, JSON)
            assert answer.status in (200, 301, 400, 404, 405, 414)
            if answer.status == 200:
                assert answer.json() == []
    assert_untouched(archive, key)


def test_many_parameters_of_a_search(archive: Client) -> None:
    answer = archive.send("GET", query=[(f"p{number}", "x") for number in range(3000)])
    assert answer.status in (200, 400, 414, 431)
    if answer.status == 200:
        assert answer.json() == []
