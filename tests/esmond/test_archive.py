"""The client and the archive of this project, which know nothing of each other but the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridtap.esmond import ApiConnect, ApiFilters, fetch_many
from gridtap.esmond.errors import MetadataPostException
from gridtap.esmond.event_types import EVENT_TYPES, DataType
from gridtap.esmond.post import EventTypeBulkPost, MetadataPost
from tests.cli.command import run
from tests.esmond.conftest import Archive
from tests.esmond.server import DATA

SEED = json.loads((DATA / "seed.json").read_text())["metadata"]

SUBJECT_FIELDS = [
    "subject_type",
    "source",
    "destination",
    "tool_name",
    "measurement_agent",
    "input_source",
    "input_destination",
    "time_duration",
    "ip_transport_protocol",
]


@pytest.fixture
def database(database: Path) -> Path:
    """The file of the archive, with what the seed has"""
    run("archive", "import", DATA / "seed.json", "--db", database)
    return database


def shown(event_type: str, value: Any) -> Any:
    """A posted value as an archive shows it"""
    kind = EVENT_TYPES[event_type].data_type
    if kind is DataType.INTEGER:
        return float(int(value))
    if kind is DataType.FLOAT:
        return int(float(value) * 10_000) / 10_000
    if kind is DataType.PERCENTAGE:
        return int(value["numerator"]) / int(value["denominator"])
    return value


def expected() -> Iterator[tuple[str, str, list[tuple[int, Any]]]]:
    for one in sorted(SEED, key=lambda one: str(one["metadata-key"])):
        given = {part["event-type"]: part["points"] for part in one["data"]}
        for name in sorted({each["event-type"] for each in one["post"]["event-types"]}):
            points = {ts: shown(name, value) for ts, value in given.get(name, [])}
            yield one["metadata-key"], name, sorted(points.items())


@pytest.mark.parametrize("page_size", [50, 1000])
def test_all_of_it_is_read(archive: Archive, page_size: int) -> None:
    filters = ApiFilters()
    filters.strict = True
    filters.limit, filters.page_size = 4, page_size
    found = []
    for metadata in archive.connect(filters).get_metadata():
        fetched = fetch_many(metadata.get_all_event_types(), concurrency=3)
        for one in fetched:
            assert one.error is None
            points = [(point.ts_epoch, point.val) for point in one.result or ()]
            found.append((metadata.metadata_key, one.node.event_type, points))
    assert found == list(expected())


def test_summaries_are_read(archive: Archive) -> None:
    count = 0
    for metadata in archive.connect().get_metadata():
        for event_type in metadata.get_all_event_types():
            for kind, window in event_type.summaries:
                summary = event_type.get_summary(kind, int(window))
                assert summary is not None
                base, summed = event_type.get_data().data, summary.get_data().data
                width = int(window) or 1
                windows = {point.ts_epoch // width * width for point in base}
                assert {point.ts_epoch for point in summed} == windows
                assert summary.get_data().to_arrow().num_rows == len(summed)
                count += len(summed)
    assert count > 50


def test_a_window_of_time(archive: Archive) -> None:
    key, name, points = max(expected(), key=lambda one: len(one[2]))
    begin, end = points[100][0], points[-100][0]
    filters = ApiFilters()
    filters.metadata_key, filters.time_start, filters.time_end = key, begin, end
    filters.page_size = 50
    [metadata] = archive.connect(filters).get_metadata()
    event_type = metadata.get_event_type(name)
    assert event_type is not None
    found = [(point.ts_epoch, point.val) for point in event_type.iter_data()]
    assert found == points[100:-99]


def test_what_is_posted_is_read_back(archive: Archive) -> None:
    for one in SEED:
        post = dict(one["post"])
        kinds = post.pop("event-types")
        subject = {name: post.pop(name.replace("_", "-"), None) for name in SUBJECT_FIELDS}
        again = MetadataPost(archive.url, **archive.credentials, **subject)
        for each in kinds:
            again.add_event_type(each["event-type"])
            for summary in each.get("summaries", []):
                same = [
                    s for s in each["summaries"] if s["summary-type"] == summary["summary-type"]
                ]
                again.add_summary_type(
                    each["event-type"],
                    summary["summary-type"],
                    [s["summary-window"] for s in same],
                )
        for key, value in post.items():
            again.add_freeform_key_value(key, value)
        # The same description is the same metadata, whoever wrote it.
        assert again.post_metadata().metadata_key == one["metadata-key"]
        points = EventTypeBulkPost(
            archive.url, **archive.credentials, metadata_key=one["metadata-key"]
        )
        for part in one["data"]:
            for ts, value in part["points"]:
                points.add_data_point(part["event-type"], ts, value)
        points.post_data()
    test_all_of_it_is_read(archive, 1000)


def test_a_refusal_says_why(archive: Archive) -> None:
    post = MetadataPost(
        archive.url,
        **archive.credentials,
        subject_type="network-element",
        source="no-address",
        tool_name="ntp",
        measurement_agent="192.0.2.1",
        input_source="a",
    )
    post.add_event_type("ntp-offset")
    with pytest.raises(MetadataPostException) as got:
        post.post_metadata()
    assert got.value.status == 400
    assert "no-address" in got.value.detail


def test_a_network_element(archive: Archive) -> None:
    post = MetadataPost(
        archive.url,
        **archive.credentials,
        subject_type="network-element",
        source="192.0.2.1",
        tool_name="ntp",
        measurement_agent="192.0.2.1",
        input_source="a",
    )
    post.add_event_type("ntp-offset")
    new = post.post_metadata()
    assert (new.subject_type, new.destination) == ("network-element", None)
    filters = ApiFilters()
    filters.subject_type = "network-element"
    filters.event_type = "ntp-offset"
    found = [one.metadata_key for one in ApiConnect(archive.url, filters).get_metadata()]
    assert new.metadata_key in found
