"""Metadata that are refused, in the order in which their faults are looked for."""

from __future__ import annotations

import json

import pytest

from tests.archive.client import Client, summary, with_summaries

JSON = {"Content-Type": "application/json"}
MISSING_TYPE = "Missing subject-type field in request"
NO_ADDRESS = object()


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", MISSING_TYPE),
        (b"[]", MISSING_TYPE),
        (b"[1, 2]", MISSING_TYPE),
        (b'"text"', MISSING_TYPE),
        (b"x", "JSON parse error - Expecting value: line 1 column 1 (char 0)"),
        (b'{"a": ', "JSON parse error - Expecting value: line 1 column 7 (char 6)"),
        (b"{}", MISSING_TYPE),
        (b"null", None),
        (b"5", None),
        (b"{'a': 1}", None),
        (b"\xff\xfe", None),
        (b'{"a": 1} x', None),
    ],
)
def test_bodies_that_are_no_metadata(archive: Client, body: bytes, detail: str | None) -> None:
    answer = archive.send("POST", "", body, JSON)
    assert answer.status == 400
    assert answer.detail == detail if detail else answer.detail


#: Every row has, besides its own fault, those of all rows below it, as far as a body can.
IN_ORDER = [
    ({"metadata-key": "k"}, MISSING_TYPE),
    ({"subject-type": "interface", "metadata-key": "k"}, "Missing event-types field in request"),
    ({"subject-type": "interface", "metadata-key": "k", "event-types": {}},
     "Invalid subject type interface"),
    ({"subject-type": "point-to-point", "metadata-key": "k", "event-types": {}},
     "metadata-key is not allowed to be specified"),
    ({"subject-type": "point-to-point", "event-types": {}}, "event_types must be a list"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "detail"), IN_ORDER)
def test_the_frame_is_looked_at_first(archive: Client, body: object, detail: str) -> None:
    answer = archive.post("", body)
    assert (answer.status, answer.detail) == (400, detail)


#: As above, inside ``event-types``; no body here has an address either.
EVENT_TYPES_IN_ORDER = [
    ({}, "No event-type defined"),
    ({"summaries": [{}]}, "No event-type defined"),
    ({"event-type": "nonesuch", "summaries": [{}]}, "Invalid event-type nonesuch"),
    ({"event-type": "throughput", "summaries": [{}]}, "Summary must contain summary-type"),
    ({"event-type": "throughput", "summaries": [{"summary-window": "x"}]},
     "Summary must contain summary-type"),
    ({"event-type": "throughput", "summaries": [{"summary-type": "averages"}]},
     "Invalid summary type 'averages'"),
    ({"event-type": "throughput", "summaries": [summary("nonesuch", "x")]},
     "Invalid summary type 'nonesuch'"),
    ({"event-type": "throughput", "summaries": [{"summary-type": "statistics"}]},
     "Summary type statistics not allowed for event-type throughput"),
    ({"event-type": "throughput", "summaries": [summary("statistics", "x")]},
     "Summary type statistics not allowed for event-type throughput"),
    ({"event-type": "throughput", "summaries": [{"summary-type": "average"}]},
     "Summary must contain summary-window"),
    ({"event-type": "throughput", "summaries": [summary("average", "x")]},
     "Summary window must be an integer"),
    ({"event-type": "throughput", "summaries": [summary("average", "60.5")]},
     "Summary window must be an integer"),
]  # fmt: skip


@pytest.mark.parametrize(("event_type", "detail"), EVENT_TYPES_IN_ORDER)
def test_event_types_are_looked_at_next(archive: Client, event_type: object, detail: str) -> None:
    event_types = [{"event-type": "failures"}, event_type]
    body = {"subject-type": "point-to-point", "event-types": event_types}
    answer = archive.post("", body)
    assert (answer.status, answer.detail) == (400, detail)


@pytest.mark.parametrize("window", [None, [], {}, -1, -3600, "-60", 3_170_000_000, 10**400])
def test_windows_without_sense(archive: Client, window: object) -> None:
    answer = archive.post("", archive.body(with_summaries("throughput", ("average", window))))
    assert answer.status == 400
    assert answer.detail


def test_a_window_of_100_years(archive: Client) -> None:
    century = 100 * 365 * 86400
    assert archive.create(with_summaries("throughput", ("average", century)))


@pytest.mark.parametrize("name", ["source", "destination", "measurement-agent"])
@pytest.mark.parametrize(
    "value",
    [NO_ADDRESS, None, "", "host.example.org", "10.0.0", "10.0.0.256", "2001:db8::g", "10.0.0.1/8",
     167772161, ["10.0.0.1"], {}, True, " "],
)  # fmt: skip
def test_addresses_must_be_addresses(archive: Client, name: str, value: object) -> None:
    body = archive.body("failures") | {"tool-name": "refused"}
    del body[name]
    if value is not NO_ADDRESS:
        body[name] = value
    for _ in range(2):
        # The second time too: esmond kept half of it and then said 201 (S-01).
        answer = archive.post("", body)
        assert answer.status == 400
        assert answer.detail
    assert archive.found(tool_name="refused") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"tool-name": "x" * 129},
        {"input-source": "x" * 129},
        {"input-destination": "x" * 129},
        {"tool-name": None},
        {"parameter": None},
        {"x" * 129: "name too long"},
        {"event-types": [{"event-type": "failures", "summaries": None}]},
        {"event-types": [{"event-type": "throughput", "summaries": {}}]},
        {"event-types": [{"event-type": "throughput", "summaries": ["average"]}]},
        {"event-types": [{"event-type": None}]},
        {"event-types": [{"event-type": ["failures"]}]},
        {"event-types": ["failures"]},
        {"event-types": [None]},
        {"event-types": "failures"},
        {"event-types": 5},
        {"subject-type": None},
        {"subject-type": ["point-to-point"]},
        {"subject-type": ""},
        {"nul": "a\0b"},
        {"nul\0name": "x"},
        {"tool-name": "a\0b"},
        {"input-source": "a\0b"},
        {"surrogate": "\ud800"},
        {"tool-name": "\udfff"},
        {"\ud800": "x"},
    ],
)
def test_other_refusals(archive: Client, fields: dict[str, object]) -> None:
    body = archive.body("failures", marked="refused-too") | fields
    for _ in range(2):
        answer = archive.post("", body)
        assert answer.status == 400
        assert answer.detail
    assert archive.found(marked="refused-too") == []
    assert archive.found(source=body["source"]) == []


def test_longest_texts(archive: Client) -> None:
    created = archive.create("failures", **{"tool-name": "t" * 128, "n" * 128: "v"})
    assert created["tool-name"] == "t" * 128
    assert created["n" * 128] == "v"


@pytest.mark.parametrize(
    "name",
    ["url", "uri", "event_types", "metadata_key", "subject_type", "tool_name", "measurement_agent",
     "metadata-count-total", "metadata-previous-page", "metadata-next-page"],
)  # fmt: skip
def test_parameters_that_would_hide_what_is_shown(archive: Client, name: str) -> None:
    answer = archive.post("", archive.body("failures") | {name: "x"})
    assert answer.status == 400
    assert answer.detail


def test_an_element_has_no_destination(archive: Client) -> None:
    body = archive.body("failures", subject_type="network-element")
    del body["input-destination"]
    answer = archive.post("", body)
    assert answer.status == 400
    assert "destination" in answer.detail
    del body["destination"]
    assert archive.post("", body).status == 201


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "text/json"])
def test_other_content_types(archive: Client, content_type: str) -> None:
    body = json.dumps(archive.body("failures")).encode()
    answer = archive.send("POST", "", body, {"Content-Type": content_type})
    assert answer.status == 415
    assert answer.detail


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_forms(archive: Client, content_type: str) -> None:
    form = b"subject-type=point-to-point"
    answer = archive.send("POST", "", form, {"Content-Type": content_type})
    assert answer.status == 400
    assert answer.detail
