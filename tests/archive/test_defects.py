"""Defects of esmond 4.4 that are not repeated: one test for each, by its number in our list.

What each was stands in the test; the full tables are in the modules of their topics.
"""

from __future__ import annotations

import json

import pytest

from tests.archive.client import Client, with_summaries
from tests.archive.servers import Servers, add_user

T, HOUR = 1600002000, 3600


def test_s01_no_orphan(archive: Client) -> None:
    """A refused metadata stayed half stored, and the second POST of it said 201"""
    body = archive.body("throughput", orphan="yes") | {"source": "dtn1.example.net"}
    for _ in range(3):
        answer = archive.post("", body)
        assert answer.status == 400
        assert "source" in answer.detail
    assert archive.found(orphan="yes") == []
    created = archive.create_as(body | {"source": archive.body()["source"]})
    assert archive.found(orphan="yes") == [created["metadata-key"]]
    assert [each["event-type"] for each in created["event-types"]] == ["throughput"]


def test_s02_no_silent_loss(archive: Client) -> None:
    """Writes to an unknown key, or of an undeclared event type, vanished with 201"""
    key = archive.key_of("throughput")
    assert archive.post_point("f" * 32, "throughput", T, 5).status == 404
    assert archive.put("f" * 32, ("throughput", T, 5)).status == 404
    assert archive.post_point(key, "path-mtu", T, 5).status == 400
    assert archive.put(key, ("throughput", T, 5), ("path-mtu", T, 5)).status == 400
    assert archive.data(key, "throughput") == []


def test_s03_all_or_nothing(archive: Client) -> None:
    """Points before a fault appeared with the next write of anybody; duplicates were added up"""
    key, other = archive.key_of("throughput"), archive.key_of("throughput")
    refused = archive.put(key, ("throughput", T, 5), ("throughput", T + 1, "x"))
    assert refused.status == 400
    assert archive.put(other, ("throughput", T, 5), ("throughput", T, 7)).status == 201
    assert archive.data(key, "throughput") == []
    assert archive.data(other, "throughput") == [(T, 7.0)]


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "", {"source": "host"}),
        ("POST", "", {"measurement-agent": None}),
        ("POST", "", {"parameter": None}),
        ("POST", "", {"tool-name": "x" * 129}),
        ("POST", "{key}/throughput/base", {"ts": T * 1000, "val": 5}),
        ("POST", "{key}/throughput/base", {"ts": T, "val": None}),
        ("POST", "{key}/packet-loss-rate/base", {"ts": T, "val": 0.5}),
        ("POST", "{key}/histogram-rtt/base", {"ts": T, "val": {}}),
        ("PUT", "{key}/", {"data": [{"ts": T, "val": [{"event-type": "nonesuch", "val": 1}]}]}),
        ("PUT", "{key}/", {"data": [{"ts": "x", "val": []}]}),
        ("GET", "{key}/throughput/base?limit=x", None),
        ("GET", "{key}/throughput/base?offset=x", None),
        ("GET", "{key}/throughput/base?limit=-1", None),
        ("GET", "?summary-window=x", None),
        ("GET", "?time-start=1600000000000", None),
    ],
)
def test_s04_what_was_a_server_fault(
    archive: Client, method: str, path: str, content: dict[str, object] | None
) -> None:
    kept = with_summaries("histogram-rtt", ("statistics", HOUR))
    key = archive.key_of("throughput", "packet-loss-rate", kept)
    if path == "":
        content = archive.body("throughput") | (content or {})
    body = None if content is None else json.dumps(content).encode()
    headers = {"Content-Type": "application/json"}
    answer = archive.send(method, path.format(key=key), body, headers)
    assert answer.status == 400
    assert answer.detail


def test_s04_windows_as_numbers_and_texts_mixed(archive: Client) -> None:
    """Sorting them was a server fault; they are the same windows"""
    windows = (3600, "600", "3600", 60, 600)
    kept = with_summaries("throughput", *(("average", window) for window in windows))
    (shown,) = archive.create(kept)["event-types"]
    assert [each["summary-window"] for each in shown["summaries"]] == ["60", "600", "3600"]


def test_s05_methods_that_did_nothing(archive: Client) -> None:
    """PATCH was a server fault, POST to an event type said 201 and did nothing"""
    key = archive.key_of("throughput")
    headers = {"Content-Type": "application/json"}
    for method, path in (("PATCH", f"{key}/"), ("POST", f"{key}/throughput")):
        answer = archive.send(method, path, b'{"ts": 5, "val": 5}', headers)
        assert (answer.status, answer.detail) == (405, f'Method "{method}" not allowed.')


def test_s06_forged_and_listed_callers(servers: Servers) -> None:
    """``X-Forwarded-For`` was believed from anybody, and a list of two was a server fault"""
    archive = servers.archive()
    add_user(archive.db, "s06", "--network", "172.16.0.0/12")
    anonymous = archive.client.anonymous()
    for forwarded in ("172.16.0.1", "172.16.0.1, 172.16.0.2", ",", "x"):
        answer = anonymous.send("POST", "", b"{}", {"X-Forwarded-For": forwarded})
        assert answer.status == 401
        assert anonymous.send("GET", "?limit=1", None, {"X-Forwarded-For": forwarded}).status == 200


def test_s07_statistics_without_an_aggregation(archive: Client) -> None:
    """They then described the newest histogram alone"""
    key = archive.key_of(with_summaries("histogram-rtt", ("statistics", HOUR)))
    for ts, histogram in ((T, {"10": 3}), (T + 1, {"20": 1})):
        assert archive.post_point(key, "histogram-rtt", ts, histogram).status == 201
    ((_, value),) = archive.data(key, "histogram-rtt", "statistics/3600")
    assert (value["minimum"], value["maximum"], value["mean"]) == (10.0, 20.0, 12.5)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_s08_a_replaced_histogram_counts_once(archive: Client, method: str) -> None:
    """Its counts were added again to every aggregation"""
    summaries = ("aggregation", HOUR), ("statistics", HOUR), ("aggregation", 86400)
    key = archive.key_of(with_summaries("histogram-rtt", *summaries))
    writes = [(T, {"1": 1}), (T + 1, {"1": 1}), (T, {"1": 1}), (T, {"2": 5}), (T, {"2": 4})]
    for ts, histogram in writes:
        point = "histogram-rtt", ts, histogram
        answer = archive.put(key, point) if method == "PUT" else archive.post_point(key, *point)
        assert answer.status == 201
    # Neighbours, by a second each
    edges = ("histogram-rtt", T - 1, {"7": 1}), ("histogram-rtt", T + HOUR, {"8": 1})
    assert archive.put(key, *edges).status == 201
    assert archive.post_point(key, "histogram-rtt", T, {"2": 3}).status == 201
    assert archive.post_point(key, "histogram-rtt", T, {"2": 4}).status == 201
    merged = {"1": 1, "2": 4}
    hours = [(T - HOUR, {"7": 1}), (T, merged), (T + HOUR, {"8": 1})]
    assert archive.data(key, "histogram-rtt", "aggregations/3600") == hours
    day = T // 86400 * 86400
    whole = merged | {"7": 1, "8": 1}
    assert archive.data(key, "histogram-rtt", "aggregations/86400") == [(day, whole)]
    _, (_, value), _ = archive.data(key, "histogram-rtt", "statistics/3600")
    assert (value["minimum"], value["maximum"], value["mean"]) == (1.0, 2.0, 1.8)


def test_s09_full_precision(servers: Servers, archive: Client) -> None:
    """Floats were cut to four decimals and integers shown as floats; asked for, that ends"""
    exact = servers.get("--private", "--values", "exact")
    expected = (archive, 0.1234, 5.0, float), (exact, 0.12345678901234568, 5, int)
    for client, precise, whole, kind in expected:
        key = client.key_of("ntp-offset", "throughput")
        points = ("ntp-offset", T, 0.12345678901234568), ("throughput", T, 5)
        assert client.put(key, *points).status == 201
        assert client.data(key, "ntp-offset") == [(T, precise)]
        ((_, shown),) = client.data(key, "throughput")
        assert (shown, type(shown)) == (whole, kind)


def test_s10_one_metadata_for_one_address(archive: Client) -> None:
    """The text of an address and a repeated event type made another metadata"""
    once = archive.body("throughput", destination="2001:db8::a:1")
    again = once | {"destination": "2001:0DB8:0::A:1", "event-types": once["event-types"] * 2}
    assert archive.create_as(once) == archive.create_as(again)


def test_s11_a_link_to_the_next_page(archive: Client) -> None:
    """With a limit there was none although more data existed"""
    key = archive.key_of("throughput")
    assert archive.put(key, *(("throughput", T + n, n) for n in range(25))).status == 201
    answer = archive.get(f"{key}/throughput/base", limit=10)
    assert len(answer.json()) == 10
    assert answer.links["next"].endswith(f"{key}/throughput/base?limit=10&offset=10")
    assert "next" not in archive.get(f"{key}/throughput/base", limit=25).links
    assert "next" not in archive.get(f"{key}/throughput/base", limit=15, offset=10).links


# S-12, all addresses of a name: test_names.py, on a server with names of its own.


def test_s13_types_of_parameters(servers: Servers, archive: Client) -> None:
    """Lost in esmond; the texts stay, as every client of today reads them"""
    parameters = {"number": 30, "flag": True, "several": [1, "x"], "text": "30"}
    exact = servers.get("--private", "--values", "exact")
    for client in (archive, exact):
        created = client.create("throughput", **parameters)
        assert [created[name] for name in parameters] == ["30", "True", "[1, 'x']", "30"]
        assert ("typed-parameters" in created) == (client is exact)
        shown = client.get(f"{created['metadata-key']}/").json()
        assert shown == created
        assert list(shown)[-1] == "uri"
    assert json.dumps(created["typed-parameters"], sort_keys=True) == json.dumps(
        parameters, sort_keys=True
    )


def test_s14_the_second_of_an_update(archive: Client) -> None:
    """``time`` was compared with microseconds and never matched"""
    key = archive.key_of("throughput")
    assert archive.post_point(key, "throughput", T, 5).status == 201
    updated = archive.get(f"{key}/throughput").json()[0]["time-updated"]
    assert archive.found(metadata_key=key, time=updated) == [key]
    assert archive.found(metadata_key=key, time=updated - 1) == []
