"""Two descriptions, one metadata or two."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.archive.client import Client, with_summaries

Body = dict[str, Any]


def first(archive: Client) -> Body:
    return archive.body(
        with_summaries("throughput", ("average", 3600), ("aggregation", 3600)),
        {"event-type": "failures"},
        time_duration=30,
        note="Some Text",
    )


def reverse_everything(body: Body) -> Body:
    event_types = [
        {name: value[::-1] if name == "summaries" else value for name, value in each.items()}
        for each in body["event-types"][::-1]
    ]
    return dict(reversed((body | {"event-types": event_types}).items()))


def summaries(*pairs: tuple[str, object]) -> Callable[[Body], Body]:
    """Other summaries of the throughput"""
    event_types = [with_summaries("throughput", *pairs), {"event-type": "failures"}]
    return lambda body: body | {"event-types": event_types}


def change(**fields: object) -> Callable[[Body], Body]:
    dashed = {name.replace("_", "-"): value for name, value in fields.items()}
    return lambda body: body | dashed


def event_types(*more: object) -> Callable[[Body], Body]:
    return lambda body: body | {"event-types": [*body["event-types"], *more]}


def empty_summaries(body: Body) -> Body:
    throughput, failures = body["event-types"]
    return body | {"event-types": [throughput, failures | {"summaries": []}]}


def without(name: str) -> Callable[[Body], Body]:
    return lambda body: {each: body[each] for each in body if each != name}


def rename_note(body: Body) -> Body:
    return {"notes" if name == "note" else name: value for name, value in body.items()}


SAME: dict[str, Callable[[Body], Body]] = {
    "again": change(),
    "order": reverse_everything,
    "case of a name": change(input_source="DTN1.Example.NET"),
    "case of a tool": change(tool_name="BWCTL/iperf3"),
    "case of a parameter": change(note="sOME tEXT"),
    "30 and '30'": change(time_duration="30"),
    "window as text": summaries(("average", "3600"), ("aggregation", "3600")),
    "base given": summaries(("average", 3600), ("aggregation", 3600), ("base", 0)),
    "summaries empty": empty_summaries,
    # Two metadata in esmond (S-10).
    "an event type twice": event_types({"event-type": "failures"}),
    "a summary twice": summaries(("average", 3600), ("aggregation", 3600), ("average", 3600)),
}

OTHER: dict[str, Callable[[Body], Body]] = {
    "30 and 30.0": change(time_duration=30.0),
    "value": change(time_duration=31),
    "parameter more": change(other="x"),
    "parameter less": without("note"),
    "event type more": event_types({"event-type": "path-mtu"}),
    "event type less": lambda body: body | {"event-types": body["event-types"][:1]},
    "summary more": summaries(("average", 3600), ("aggregation", 3600), ("average", 60)),
    "summary less": summaries(("average", 3600)),
    "window": summaries(("average", 3600), ("aggregation", 3601)),
    "no summary": summaries(),
    "no event type": change(event_types=[]),
    "destination": change(destination="203.0.113.26"),
    "agent": change(measurement_agent="198.51.100.11"),
    "tool": change(tool_name="bwctl/iperf"),
    "no tool": change(tool_name=""),
    "input": change(input_destination="dtn8.example.com"),
    "space": change(note="Some Text "),
    "parameter's name": rename_note,
}


@pytest.mark.parametrize("how", SAME)
def test_the_same(archive: Client, how: str) -> None:
    body = first(archive)
    created = archive.create_as(body)
    # The spelling of who came first stays.
    assert archive.create_as(SAME[how](body)) == created
    assert archive.found(source=body["source"]) == [created["metadata-key"]]


@pytest.mark.parametrize("how", OTHER)
def test_another(archive: Client, how: str) -> None:
    body = first(archive)
    created, changed = archive.create_as(body), OTHER[how](body)
    other = archive.create_as(changed)
    assert other["metadata-key"] != created["metadata-key"]
    both = sorted({created["metadata-key"], other["metadata-key"]})
    assert archive.found(source=body["source"]) == both
    # And each is still found again.
    assert archive.create_as(body) == created
    assert archive.create_as(changed) == other


def test_another_subject_type(archive: Client) -> None:
    body = first(archive)
    for name in ("destination", "input-destination"):
        del body[name]
    element = archive.create_as(body | {"subject-type": "network-element"})
    pair = archive.create_as(body | {"destination": "203.0.113.25"})
    assert element["metadata-key"] != pair["metadata-key"]


def test_no_event_types_two_ways(archive: Client) -> None:
    body = archive.body()
    empty, null = (archive.create_as(body | {"event-types": none}) for none in (list[str](), None))
    assert empty["metadata-key"] == null["metadata-key"]


def test_spellings_of_an_address(archive: Client) -> None:
    """One metadata, two in esmond (S-10)"""
    number = f"{next(archive.serial):x}"
    spellings = (f"2001:db8::{number}", f"2001:0DB8:0:0:0:0:0:{number}", f"2001:DB8:0::{number}")
    created = [archive.create("failures", source=spelling) for spelling in spellings]
    assert created[0] == created[1] == created[2]
    assert archive.found(source=spellings[1]) == [created[0]["metadata-key"]]


def test_one_winner_of_a_race(archive: Client) -> None:
    body, keys = archive.body("failures"), []
    start = threading.Barrier(8)

    def create() -> None:
        client = archive.with_key(archive.key)
        start.wait()
        keys.append(client.create_as(body)["metadata-key"])

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert archive.found(source=body["source"]) == keys[:1]
