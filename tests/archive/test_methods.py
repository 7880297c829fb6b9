"""The methods that each address takes, for callers with and without a key."""

from __future__ import annotations

import pytest

from tests.archive.client import Client, with_summaries

NOT_ALLOWED = 405
POINT = b'{"ts": 1600000000, "val": 5}'

LIST, METADATA, EVENT = "", "{key}/", "{key}/throughput"
BASE, SUMMARIES, SUMMARY = f"{EVENT}/base", f"{EVENT}/averages", f"{EVENT}/averages/3600"
EVERYWHERE = (LIST, METADATA, EVENT, BASE, SUMMARIES, SUMMARY)

#: Status with a key; the body is that of a point, or of a bulk of nothing for PUT
WITH_KEY = {
    "POST": (400, 405, 405, 201, 400, 400),
    "PUT": (405, 201, 405, 405, 405, 405),
    "PATCH": (405, 405, 405, 405, 405, 405),
    "DELETE": (405, 405, 405, 405, 405, 405),
}
CASES = [
    (method, path, status)
    for method, statuses in WITH_KEY.items()
    for path, status in zip(EVERYWHERE, statuses, strict=True)
]


@pytest.fixture(scope="module")
def key(archive: Client) -> str:
    key = archive.key_of(with_summaries("throughput", ("average", 3600)))
    assert archive.post_point(key, "throughput", 1600000000, 5).status == 201
    return key


@pytest.mark.parametrize(("method", "path", "status"), CASES)
def test_methods_with_a_key(archive: Client, key: str, method: str, path: str, status: int) -> None:
    body = b'{"data": []}' if method == "PUT" else POINT
    headers = {"Content-Type": "application/json"}
    answer = archive.send(method, path.format(key=key), body, headers)
    assert answer.status == status
    if status == NOT_ALLOWED:
        assert answer.detail == f'Method "{method}" not allowed.'
        allowed = answer.headers["Allow"].split(", ")
        assert method not in allowed
        assert "GET" in allowed


@pytest.mark.parametrize(("method", "path"), [case[:2] for case in CASES])
def test_methods_without_a_key(archive: Client, key: str, method: str, path: str) -> None:
    answer = archive.anonymous().send(
        method, path.format(key=key), POINT, {"Content-Type": "application/json"}
    )
    assert answer.status == 401
    assert answer.detail == "Authentication credentials were not provided."


@pytest.mark.parametrize("path", EVERYWHERE)
def test_head_is_get_without_a_body(archive: Client, key: str, path: str) -> None:
    for client in (archive, archive.anonymous()):
        got = client.send("GET", path.format(key=key))
        headed = client.send("HEAD", path.format(key=key))
        assert (headed.status, headed.body) == (200, b"")
        for header in ("Content-Type", "Link", "Allow", "Vary"):
            assert headed.headers[header] == got.headers[header]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (LIST, {"GET", "POST", "HEAD", "OPTIONS"}),
        (METADATA, {"GET", "PUT", "HEAD", "OPTIONS"}),
        (EVENT, {"GET", "HEAD", "OPTIONS"}),
        (BASE, {"GET", "POST", "HEAD", "OPTIONS"}),
    ],
)
def test_options_and_allow(archive: Client, key: str, path: str, allowed: set[str]) -> None:
    answer = archive.anonymous().send("OPTIONS", path.format(key=key))
    assert answer.status == 200
    content = answer.json()
    assert {"name", "description", "renders", "parses"} <= set(content)
    assert "application/json" in content["renders"]
    assert "application/json" in content["parses"]
    for method in ("OPTIONS", "GET"):
        header = archive.send(method, path.format(key=key)).headers["Allow"]
        assert set(header.split(", ")) == allowed


@pytest.mark.parametrize("method", ["MERGE", "TRACE", "PROPFIND"])
def test_unknown_methods(archive: Client, key: str, method: str) -> None:
    for path in EVERYWHERE:
        answer = archive.send(method, path.format(key=key))
        assert answer.status == NOT_ALLOWED
        assert answer.detail == f'Method "{method}" not allowed.'


def test_nothing_was_written_by_refused_methods(archive: Client) -> None:
    key = archive.key_of("throughput")
    for method, path in (("PATCH", METADATA), ("POST", EVENT), ("PUT", BASE), ("DELETE", METADATA)):
        headers = {"Content-Type": "application/json"}
        assert archive.send(method, path.format(key=key), POINT, headers).status == NOT_ALLOWED
    assert archive.data(key, "throughput") == []
    assert archive.get(f"{key}/").json()["event-types"][0]["time-updated"] is None
