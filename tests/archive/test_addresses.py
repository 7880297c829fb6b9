"""Which addresses exist, in which spelling, and which methods each takes."""

from __future__ import annotations

import json

import pytest

from tests.archive.client import Client, with_summaries
from tests.archive.servers import Servers

HOUR = 3600
START = 1600002000


@pytest.fixture(scope="module")
def key(archive: Client) -> str:
    """A metadata with data under every kind of address"""
    key = archive.key_of(
        with_summaries("throughput", ("aggregation", HOUR), ("average", HOUR)),
        with_summaries("histogram-rtt", ("statistics", 0)),
    )
    points = ("throughput", START, 5), ("histogram-rtt", START, {"5": 2})
    assert archive.put(key, *points).status == 201
    return key


#: Path below ``A/KEY/``, and what the first element of the answer has
READABLE = [
    ("throughput", "base-uri"),
    ("throughput/base", "ts"),
    ("throughput/base/0", "ts"),
    ("throughput/aggregations", "summary-window"),
    ("throughput/aggregations/3600", "ts"),
    ("throughput/averages", "summary-window"),
    ("throughput/averages/3600", "ts"),
    ("histogram-rtt/statistics", "summary-window"),
    ("histogram-rtt/statistics/0", "ts"),
]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("path", "has"), READABLE)
def test_event_and_data_addresses_take_or_leave_the_slash(
    archive: Client, key: str, path: str, has: str, slash: str
) -> None:
    answer = archive.get(f"{key}/{path}{slash}")
    assert answer.status == 200
    (element,) = answer.json()
    assert has in element


@pytest.mark.parametrize(("path", "has"), READABLE)
def test_addresses_without_the_alias(archive: Client, key: str, path: str, has: str) -> None:
    bare = archive.get(f"/perfsonar/archive/{key}/{path}")
    assert bare.status == 200
    assert bare.body == archive.get(f"{key}/{path}").body
    assert has in bare.json()[0]


def test_list_and_metadata_without_the_alias(archive: Client, key: str) -> None:
    (listed,) = archive.get("/perfsonar/archive/", metadata_key=key).json()
    detail = archive.get(f"/perfsonar/archive/{key}/").json()
    assert listed["uri"] == detail["uri"] == f"/esmond/perfsonar/archive/{key}/"
    assert detail["url"] == f"{archive.origin}/esmond/perfsonar/archive/{key}/"
    assert detail["event-types"][0]["base-uri"].startswith("/esmond/perfsonar/archive/")
    written = archive.post(f"/perfsonar/archive/{key}/throughput/base", {"ts": START, "val": 5})
    assert written.status == 201


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD"])
def test_list_and_metadata_require_the_slash(archive: Client, key: str, method: str) -> None:
    for path in (archive.root.rstrip("/"), f"{archive.root}{key}"):
        answer = archive.send(method, path, b"{}" if method[0] == "P" else None)
        assert answer.status == 301
        assert answer.headers["Location"] == path + "/"
        assert answer.body == b""


def test_redirect_without_the_alias_leads_to_the_archive(archive: Client, key: str) -> None:
    for path in ("/perfsonar/archive", f"/perfsonar/archive/{key}"):
        answer = archive.send("GET", path)
        assert answer.status == 301
        assert archive.send("GET", answer.headers["Location"]).status == 200


def test_redirect_keeps_the_query(archive: Client, key: str) -> None:
    answer = archive.send("GET", archive.root.rstrip("/"), query={"metadata-key": key})
    assert answer.status == 301
    assert answer.headers["Location"] == f"{archive.root}?metadata-key={key}"


@pytest.mark.parametrize(
    "path",
    [
        "/esmond/perfsonar/",
        "/perfsonar/",
        "/esmond/any/thing/perfsonar/archive/",
        "/any/perfsonar/archive/",
        "/esmond/esmond/perfsonar/archive/",
        "//esmond/perfsonar/archive/",
        "/esmond//perfsonar/archive/",
        "/esmond/perfsonar//archive/",
        "/esmond/perfsonar/archive//",
        "/esmond/perfsonar/archive//{key}/",
        "/esmond/perfsonar/archive/{key}//",
        "/esmond/perfsonar/archive/{key}//throughput/base",
        "/esmond/perfsonar/archive/{key}/throughput//base",
        "/esmond/perfsonar/archive/{key}/throughput/base//",
        "/esmond/perfsonar/archive.json",
        "/esmond/perfsonar/archive/.json",
        "/esmond/perfsonar/archive/{key}.json",
        "/esmond/perfsonar/archive/{key}.json/",
        "/esmond/perfsonar/archive/{key}/throughput/averages/3600/more",
        "/esmond/perfsonar/archive/{key}/throughput/averages/3600/more/",
        "/ESMOND/perfsonar/archive/",
        "/esmond/perfsonar/Archive/",
        "/nothing",
    ],
)
def test_no_other_address(archive: Client, key: str, path: str) -> None:
    answer = archive.send("GET", path.format(key=key))
    assert answer.status == 404
    assert answer.detail


@pytest.mark.parametrize("alias", ["/ma", ""])
def test_script_alias(servers: Servers, alias: str) -> None:
    elsewhere = servers.get("--script-alias", alias or "/", alias=alias)
    created = elsewhere.create("throughput")
    key = created["metadata-key"]
    assert created["uri"] == f"{alias}/perfsonar/archive/{key}/"
    assert created["url"] == f"{elsewhere.origin}{alias}/perfsonar/archive/{key}/"
    assert created["event-types"][0]["base-uri"] == (
        f"{alias}/perfsonar/archive/{key}/throughput/base"
    )
    assert elsewhere.send("GET", created["uri"]).status == 200
    assert elsewhere.send("GET", f"/perfsonar/archive/{key}/").status == 200
    assert elsewhere.send("GET", f"/esmond/perfsonar/archive/{key}/").status == 404


def test_addresses_have_the_host_that_was_asked(archive: Client) -> None:
    body = archive.body("throughput")
    headers = {"Host": "ma.example.org:8443", "Content-Type": "application/json"}
    answer = archive.send("POST", "", json.dumps(body).encode(), headers)
    created = answer.json()
    expected = f"http://ma.example.org:8443{created['uri']}"
    assert created["url"] == answer.headers["Location"] == expected
    listed = archive.send("GET", "", None, headers, {"limit": 1})
    assert listed.json()[0]["metadata-next-page"].startswith("http://ma.example.org:8443/esmond/")
    assert listed.links["next"] == listed.json()[0]["metadata-next-page"]
    found = archive.get(f"{created['metadata-key']}/").json()
    assert found["url"] == f"{archive.origin}{created['uri']}"


@pytest.mark.parametrize(
    ("event_type", "word"),
    [
        ("throughput", "average"),
        ("throughput", "aggregation"),
        ("histogram-rtt", "statistic"),
        ("throughput", "Averages"),
        ("throughput", "nonesuch"),
    ],
)
@pytest.mark.parametrize("window", ["", "/3600"])
def test_summary_words_of_addresses_are_plural(
    archive: Client, key: str, event_type: str, word: str, window: str
) -> None:
    answer = archive.get(f"{key}/{event_type}/{word}{window}")
    assert answer.status == 400
    assert answer.detail == f"Invalid summary type '{word}'"


def test_base_of_another_window_is_empty(archive: Client, key: str) -> None:
    assert archive.data(key, "throughput", "base/0") == archive.data(key, "throughput") != []
    assert archive.data(key, "throughput", "base/300") == []
