"""Creating metadata: what comes back, in which order and in which words."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.archive.client import Client, summary, with_summaries
from tests.archive.kinds import EVENT_TYPES, SUMMARY_TYPES, Kind

POINT_TO_POINT = (
    "source", "destination", "measurement-agent", "tool-name", "input-source", "input-destination",
)  # fmt: skip
NETWORK_ELEMENT = ("source", "measurement-agent", "tool-name", "input-source")


def element(archive: Client, *event_types: object, **fields: object) -> dict[str, object]:
    """A body about a network element"""
    body = archive.body(*event_types, subject_type="network-element", **fields)
    return {name: body[name] for name in body if "destination" not in name}


def test_the_whole_shape(archive: Client) -> None:
    body = archive.body(
        with_summaries("throughput", ("average", 86400), ("aggregation", "3600"),
                       ("average", 3600), ("average", 600)),
        "failures",
        time_duration=30, ip_transport_protocol="tcp",
    )  # fmt: skip
    answer = archive.post("", body)
    assert answer.status == 201
    created = answer.json()
    key = created["metadata-key"]
    assert re.fullmatch("[0-9a-f]{32}", key)
    uri = f"/esmond/perfsonar/archive/{key}/"
    expected = {
        "url": archive.origin + uri,
        "metadata-key": key,
        "subject-type": "point-to-point",
        "event-types": [
            {"base-uri": f"{uri}failures/base", "event-type": "failures",
             "time-updated": None, "summaries": []},
            {"base-uri": f"{uri}throughput/base", "event-type": "throughput",
             "time-updated": None,
             # By type, then by window as a number: as text, 86400 would not be the last.
             "summaries": [
                 {"uri": f"{uri}throughput/{words}s/{window}", "summary-type": words,
                  "summary-window": window, "time-updated": None}
                 for words, window in (("aggregation", "3600"), ("average", "600"),
                                       ("average", "3600"), ("average", "86400"))
             ]},
        ],
        "source": body["source"],
        "destination": "203.0.113.25",
        "measurement-agent": "198.51.100.10",
        "tool-name": "bwctl/iperf3",
        "input-source": "dtn1.example.net",
        "input-destination": "dtn9.example.com",
        "ip-transport-protocol": "tcp",
        "time-duration": "30",
        "uri": uri,
    }  # fmt: skip
    assert created == expected
    # The order of keys is part of what is shown.
    assert json.dumps(created) == json.dumps(expected)
    assert answer.headers["Location"] == created["url"]
    assert archive.get(f"{key}/").json() == created


def test_a_network_element(archive: Client) -> None:
    body = element(archive, "failures", zebra=1, apple=2)
    created = archive.create_as(body)
    assert list(created) == [
        "url", "metadata-key", "subject-type", "event-types", *NETWORK_ELEMENT,
        "apple", "zebra", "uri",
    ]  # fmt: skip
    assert created["subject-type"] == "network-element"
    assert archive.get(f"{created['metadata-key']}/").json() == created


@pytest.mark.parametrize("subject_type", ["point-to-point", "network-element"])
def test_fields_that_may_be_missing(archive: Client, subject_type: str) -> None:
    body = archive.body("failures")
    if subject_type == "network-element":
        body = element(archive, "failures")
    optional = {"tool-name", "input-source", "input-destination"}
    created = archive.create_as({name: body[name] for name in body if name not in optional})
    fields = NETWORK_ELEMENT if subject_type == "network-element" else POINT_TO_POINT
    assert list(created)[4:-1] == list(fields)
    assert {created[name] for name in optional & set(fields)} == {""}


@pytest.mark.parametrize(
    ("posted", "shown"),
    [
        (30, "30"), (1.5, "1.5"), (True, "True"), (False, "False"), ([1, 2], "[1, 2]"),
        ({"a": 1}, "{'a': 1}"), ("", ""), ("text", "text"), ("  x ", "  x "), (30.0, "30.0"),
        ("Größe ✓", "Größe ✓"), (-1, "-1"), (2**70, str(2**70)), ([], "[]"), ([True, "x"],
        "[True, 'x']"), ("x" * 10_000, "x" * 10_000),
    ],
)  # fmt: skip
def test_parameters_come_back_as_text(archive: Client, posted: object, shown: str) -> None:
    created = archive.create("failures", parameter=posted)
    assert created["parameter"] == shown
    assert archive.get(f"{created['metadata-key']}/").json() == created


def test_underscores_of_names_are_shown_as_dashes(archive: Client) -> None:
    body = archive.body("failures") | {"bw_ignore_first_seconds": 2}
    created = archive.create_as(body)
    assert created["bw-ignore-first-seconds"] == "2"
    assert "bw_ignore_first_seconds" not in created


@pytest.mark.parametrize(
    ("event_types", "shown"),
    [
        ([], []),
        (None, []),
        ([{"event-type": "failures"}], [("failures", [])]),
        ([with_summaries("throughput", ("base", 0))], [("throughput", [])]),
        ([with_summaries("throughput", ("base", 0), ("average", 60.5))],
         [("throughput", [("average", "60")])]),
        ([with_summaries("throughput", ("average", 0))], [("throughput", [("average", "0")])]),
        # Given twice, kept once.
        ([{"event-type": "failures"}] * 3, [("failures", [])]),
        ([with_summaries("throughput", ("average", 60), ("average", "60"))],
         [("throughput", [("average", "60")])]),
        ([with_summaries("throughput", ("average", 60)),
          with_summaries("throughput", ("average", 300), ("average", 60))],
         [("throughput", [("average", "60"), ("average", "300")])]),
    ],
)  # fmt: skip
def test_event_types_taken(archive: Client, event_types: object, shown: object) -> None:
    created = archive.create(event_types=event_types)
    assert [
        (each["event-type"], [(s["summary-type"], s["summary-window"]) for s in each["summaries"]])
        for each in created["event-types"]
    ] == shown
    assert archive.get(f"{created['metadata-key']}/").json() == created


@pytest.mark.parametrize(("event_type", "kind"), EVENT_TYPES)
def test_every_event_type_and_its_summaries(archive: Client, event_type: str, kind: Kind) -> None:
    for summary_type in SUMMARY_TYPES:
        answer = archive.post("", archive.body(with_summaries(event_type, (summary_type, 3600))))
        if summary_type in kind.summaries:
            assert answer.status == 201
            (shown,) = answer.json()["event-types"]
            assert shown["event-type"] == event_type
            assert [each["summary-type"] for each in shown["summaries"]] == [summary_type]
        else:
            assert answer.status == 400
            text = f"Summary type {summary_type} not allowed for event-type {event_type}"
            assert answer.detail == text


def test_addresses_are_shown_in_their_shortest_form(archive: Client) -> None:
    """Already in the answer to the POST, other than esmond's (S-10)"""
    number = f"{next(archive.serial):04X}"
    created = archive.create(
        "failures",
        source=f"2001:0DB8:0:0:0:0:0:1{number[1:]}",
        destination="2001:DB8:0::1",
        measurement_agent="2001:db8::0:0:2",
    )
    assert created["source"] == f"2001:db8::1{number[1:].lower()}"
    assert created["destination"] == "2001:db8::1"
    assert created["measurement-agent"] == "2001:db8::2"
    assert archive.get(f"{created['metadata-key']}/").json() == created


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "application/json;x=y",
     "Application/JSON"],
)  # fmt: skip
def test_content_types_taken(archive: Client, content_type: str) -> None:
    body = json.dumps(archive.body("failures")).encode()
    assert archive.send("POST", "", body, {"Content-Type": content_type}).status == 201


def test_a_metadata_that_exists_comes_back_as_it_is_stored(archive: Client) -> None:
    body = archive.body(with_summaries("throughput", ("average", 3600)), "failures")
    first = archive.create_as(body)
    before = int(time.time())
    assert archive.post_point(first["metadata-key"], "throughput", 1600000000, 5).status == 201
    answer = archive.post("", body)
    # Nothing tells new from known.
    assert answer.status == 201
    assert answer.headers["Location"] == first["url"]
    again = answer.json()
    failures, throughput = again["event-types"]
    assert failures["time-updated"] is None
    assert before <= throughput["time-updated"] <= time.time()
    assert throughput["summaries"][0]["time-updated"] == throughput["time-updated"]
    assert again | {"event-types": 0} == first | {"event-types": 0}
    assert again == archive.get(f"{first['metadata-key']}/").json()


def test_summary_texts_are_accepted_as_in_guides(archive: Client) -> None:
    spec = {"event-type": "throughput", "summaries": [summary("aggregation", "86400")]}
    (shown,) = archive.create(spec)["event-types"]
    assert shown["summaries"][0]["summary-window"] == "86400"
