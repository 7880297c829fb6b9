"""JSON or a page for people, and what is refused."""

from __future__ import annotations

import pytest

from tests.archive.client import Client

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def key(archive: Client) -> str:
    key = archive.key_of("throughput")
    assert archive.post_point(key, "throughput", 1600000000, 5).status == 201
    return key


def everywhere(key: str) -> tuple[str, ...]:
    return "", f"{key}/", f"{key}/throughput", f"{key}/throughput/base"


@pytest.mark.parametrize(
    "accept",
    [None, "", "*/*", "application/*", "application/json", "application/json;q=0.5",
     "application/xml, application/json", "application/json, text/html;q=0.5"],
)  # fmt: skip
def test_json_is_the_default(archive: Client, key: str, accept: str | None) -> None:
    for path in everywhere(key):
        headers = {} if accept is None else {"Accept": accept}
        answer = archive.send("GET", path, None, headers, {"limit": 2})
        assert answer.status == 200
        # Without a charset: the original client compares the whole text.
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()
        assert "accept" in answer.headers["Vary"].lower()


def test_format_json(archive: Client, key: str) -> None:
    for path in everywhere(key):
        answer = archive.send("GET", path, None, {"Accept": "text/html"}, {"format": "json"})
        assert answer.status == 200
        assert answer.json()


def test_format_is_repeated_inside_url_alone(archive: Client, key: str) -> None:
    plain = archive.get(f"{key}/").json()
    (listed,) = archive.get("", metadata_key=key, format="json").json()
    for asked in (listed, archive.get(f"{key}/", format="json").json()):
        assert asked["url"] == plain["url"] + "?format=json"
        assert asked["uri"] == plain["uri"]
        assert asked["event-types"] == plain["event-types"]
    assert archive.send("GET", listed["url"].removeprefix(archive.origin)).status == 200


@pytest.mark.parametrize("accept", ["text/html", BROWSER])
def test_html_by_accept(archive: Client, key: str, accept: str) -> None:
    for path in everywhere(key):
        answer = archive.send("GET", path, None, {"Accept": accept}, {"limit": 2})
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        assert b"<html" in answer.body.lower()


def test_html_by_format(archive: Client, key: str) -> None:
    for path in everywhere(key):
        answer = archive.get(path, format="api", limit=2)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        assert b"<html" in answer.body.lower()


def test_html_escapes_what_was_posted(archive: Client) -> None:
    created = archive.create("failures", note="<script>alert(1)</script>")
    key = created["metadata-key"]
    written = archive.post_point(key, "failures", 1600000000, "<script>alert(2)</script>")
    assert written.status == 201
    for path in everywhere(key)[:2]:
        page = archive.get(path, format="api", metadata_key=key).body
        assert b"<script>alert" not in page
    assert b"<script>alert" not in archive.get(f"{key}/failures/base", format="api").body


@pytest.mark.parametrize("word", ["xml", "html", "JSON"])
def test_other_formats(archive: Client, key: str, word: str) -> None:
    for path in everywhere(key):
        answer = archive.get(path, format=word)
        assert answer.status == 404
        assert answer.detail == "Not found."


@pytest.mark.parametrize("accept", ["application/xml", "image/png, text/plain", "application/jso"])
def test_accept_that_cannot_be_met(archive: Client, key: str, accept: str) -> None:
    for path in everywhere(key):
        answer = archive.send("GET", path, None, {"Accept": accept})
        assert answer.status == 406
        assert answer.detail == "Could not satisfy the request Accept header."


def test_errors_are_json_too(archive: Client, key: str) -> None:
    for answer in (
        archive.get("0" * 32 + "/"),
        archive.get("", time="x"),
        archive.anonymous().post("", {}),
        archive.send("DELETE", f"{key}/"),
    ):
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.detail


def test_writes_are_negotiated_before_anything_is_stored(archive: Client) -> None:
    key = archive.key_of("throughput")
    headers = {"Content-Type": "application/json", "Accept": "application/xml"}
    body = b'{"ts": 1600000000, "val": 5}'
    assert archive.send("POST", f"{key}/throughput/base", body, headers).status == 406
    assert archive.data(key, "throughput") == []
