"""The calls of the public esmond clients, in the form in which they make them.

Those on PyPI are for Python 2; what they send is in ``esmond_client/perfsonar/query.py`` and
``post.py`` of https://github.com/esnet/esmond. Like them, these tests use ``requests``.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.archive.client import Client

PAGE = 1000
T = 1600000000


def read(url: str, **params: object) -> Any:
    """A GET as the query classes make it; anything but 200 and exactly this type is an alert"""
    headers = {"Content-Type": "application/json", "Accept": "*/*"}
    given: Any = params
    got = requests.get(url, params=given, headers=headers, timeout=20)
    assert got.status_code == 200
    assert got.headers["content-type"] == "application/json"
    return got.json()


def write(archive: Client, method: str, path: str, payload: object) -> requests.Response:
    """What every post class does with its payload"""
    headers = {"content-type": "application/json", "Authorization": f"Token {archive.key}"}
    url = f"{archive.origin}/esmond/perfsonar/archive/{path}"
    return requests.request(method, url, data=json.dumps(payload), headers=headers, timeout=20)


def metadata_payload(archive: Client, **more: object) -> dict[str, Any]:
    """``MetadataPost`` with event types and summaries; its windows are numbers"""
    body = archive.body(time_duration=30, ip_transport_protocol="tcp")
    body["event-types"] = [
        {"event-type": "throughput",
         "summaries": [{"summary-type": "aggregation", "summary-window": window}
                       for window in (3600, 86400)]},
        {"event-type": "histogram-owdelay",
         "summaries": [{"summary-type": "statistics", "summary-window": 0}]},
        {"event-type": "failures"},
    ]  # fmt: skip
    return body | more


def get_metadata(archive: Client, **filters: object) -> Iterator[dict[str, Any]]:
    """``ApiConnect.get_metadata``: totals from the first record, then pages by offset alone"""
    url = f"{archive.origin}/esmond/perfsonar/archive/"
    first = read(url, **filters)
    yield from first
    if not first:
        return
    size, total = len(first), first[0]["metadata-count-total"]
    offset = size
    while offset < total:
        yield from read(url, offset=offset, **filters)
        offset += size


def get_data(archive: Client, uri: str, **times: int) -> list[dict[str, Any]]:
    """``_query_with_limit``: 1,000 at a time, on with the last time stamp and one second"""
    url, points = archive.origin + uri, []
    while True:
        page = read(url, limit=PAGE, **{k.replace("_", "-"): times[k] for k in times})
        points += page
        if len(page) < PAGE:
            return points
        times["time_start"] = page[-1]["ts"] + 1
        if "time_end" in times and times["time_start"] >= times["time_end"]:
            warnings.warn("time start >= time end - exiting query loop", stacklevel=2)
            return points


@pytest.fixture(scope="module")
def posted(archive: Client) -> dict[str, Any]:
    """A metadata with 2,500 points, as ``EventTypeBulkPost`` sends them"""
    answer = write(archive, "POST", "", metadata_payload(archive))
    assert answer.status_code == 201
    metadata = answer.json()
    data = [
        {"ts": T + 60 * number,
         "val": [{"event-type": "throughput", "val": number},
                 {"event-type": "histogram-owdelay", "val": {str(number): 2, "5": 1}}]}
        for number in range(2500)
    ]  # fmt: skip
    bulk = write(archive, "PUT", f"{metadata['metadata-key']}/", {"data": data})
    assert (bulk.status_code, bulk.text) == (201, '""')
    return dict(metadata)


def test_event_type_post_is_one_post_for_each_point(archive: Client) -> None:
    key = write(archive, "POST", "", metadata_payload(archive)).json()["metadata-key"]
    points = [{"ts": int(time.time()) - 10, "val": 23}, {"ts": int(time.time()), "val": 24.9}]
    for point in points:
        answer = write(archive, "POST", f"{key}/throughput/base", point)
        assert (answer.status_code, answer.text) == (201, '""')
    # Calling post_data() a second time sends everything again.
    assert write(archive, "POST", f"{key}/throughput/base", points[0]).status_code == 201
    # Keys that are numbers became texts on the way: {28: 33} is {"28": 33}.
    histogram = json.loads(json.dumps({28: 33, 29: 1}))
    answer = write(archive, "POST", f"{key}/histogram-owdelay/base", {"ts": T, "val": histogram})
    assert answer.status_code == 201
    uri = f"/esmond/perfsonar/archive/{key}"
    assert [point["val"] for point in get_data(archive, f"{uri}/throughput/base")] == [23.0, 24.0]
    (point,) = get_data(archive, f"{uri}/histogram-owdelay/base")
    assert point == {"ts": T, "val": {"28": 33, "29": 1}}


def test_searching_and_following(archive: Client, posted: dict[str, Any]) -> None:
    now = int(time.time())
    filters = {
        "source": posted["source"], "destination": posted["destination"],
        "tool-name": "bwctl/iperf3", "event-type": "throughput", "time-duration": "30",
        "time-start": now - 3600, "time-end": now + 60,
    }  # fmt: skip
    (metadata,) = get_metadata(archive, **filters)
    assert metadata["metadata-key"] == posted["metadata-key"]
    assert metadata["metadata-count-total"] == 1
    (throughput,) = (each for each in metadata["event-types"] if each["event-type"] == "throughput")
    # base-uri carries the alias: it is joined to the host alone.
    points = get_data(archive, throughput["base-uri"], time_start=T, time_end=T + 60 * 2499)
    assert [point["val"] for point in points] == [float(number) for number in range(2500)]
    assert get_data(archive, throughput["base-uri"], time_start=T + 1) == points[1:]
    # get_summary() compares windows as texts.
    (daily,) = (each for each in throughput["summaries"] if each["summary-window"] == "86400")
    assert daily["summary-type"] == "aggregation"
    days = get_data(archive, daily["uri"])
    assert sum(point["val"] for point in days) == sum(range(2500))
    assert all(point["ts"] % 86400 == 0 for point in days)


def test_a_histogram_and_its_statistics(archive: Client, posted: dict[str, Any]) -> None:
    histogram = posted["event-types"][1]
    assert histogram["event-type"] == "histogram-owdelay"
    points = get_data(archive, histogram["base-uri"])
    assert len(points) == 2500
    assert points[7] == {"ts": T + 420, "val": {"7": 2, "5": 1}}
    statistics = get_data(archive, histogram["summaries"][0]["uri"])
    assert len(statistics) == 2500
    assert statistics[7]["ts"] == T + 420
    assert statistics[7]["val"]["median"] == 7.0


def test_a_loop_that_ends_on_a_full_page(archive: Client, posted: dict[str, Any]) -> None:
    uri = posted["event-types"][2]["base-uri"]
    assert len(get_data(archive, uri, time_start=T, time_end=T + 60 * 1999 + 30)) == 2000
    with pytest.warns(UserWarning, match="exiting query loop"):
        # The original's own fault; what the archive must do is give the two pages.
        assert len(get_data(archive, uri, time_start=T, time_end=T + 60 * 1999)) == 2000


def test_pages_by_offset_alone(archive: Client) -> None:
    for _ in range(4):
        write(archive, "POST", "", metadata_payload(archive, **{"tool-name": "by-offset"}))
    mine = {"tool-name": "by-offset"}
    keys = [metadata["metadata-key"] for metadata in get_metadata(archive, **mine)]
    assert len(keys) == len(set(keys)) == 4
    # A filter like any other: put among the metadata filters it goes with every page.
    pages = [metadata["metadata-key"] for metadata in get_metadata(archive, limit=3, **mine)]
    assert pages == keys


def test_nothing_found_is_an_empty_list(archive: Client) -> None:
    assert list(get_metadata(archive, **{"tool-name": "nobody's"})) == []


def test_a_post_without_the_slash_becomes_a_get(archive: Client) -> None:
    """What a user of ``requests`` sees who forgets it: the list, not a creation"""
    payload = metadata_payload(archive)
    answer = write(archive, "POST", "", payload)
    wrong = requests.post(
        f"{archive.origin}/esmond/perfsonar/archive",
        data=json.dumps(payload),
        headers={"content-type": "application/json", "Authorization": f"Token {archive.key}"},
        timeout=20,
        params={"limit": 1},
    )
    assert answer.status_code == 201
    assert [response.status_code for response in wrong.history] == [301]
    assert isinstance(wrong.json(), list)
