"""Who may write: keys, and nothing else that a server of today sends or sent."""

from __future__ import annotations

import subprocess

import pytest

from tests.archive.client import Client
from tests.archive.servers import Archive, Servers, add_user
from tests.cli.command import GRIDTAP, run

POINT = b'{"ts": 1600000000, "val": 5}'
JSON = {"Content-Type": "application/json"}
NO_CREDENTIALS = "Authentication credentials were not provided."
SPACES = "Invalid token header. Token string should not contain spaces."


@pytest.fixture(scope="module")
def default(servers: Servers) -> Archive:
    return servers.archive()


@pytest.fixture(scope="module")
def path(archive: Client) -> str:
    return archive.key_of("throughput") + "/throughput/base"


def ask(archive: Client, method: str, path: str, authorization: str) -> tuple[int, str | None]:
    """Status and detail, where there is one"""
    headers = JSON | {"Authorization": authorization}
    body = POINT if method == "POST" else None
    answer = archive.anonymous().send(method, path, body, headers)
    if answer.status == 401:
        assert answer.headers["WWW-Authenticate"] == "Token"
        return 401, answer.detail
    return answer.status, None


@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN", "tOkEn"])
def test_a_key_writes_and_reads(archive: Client, path: str, scheme: str) -> None:
    authorization = f"{scheme} {archive.key}"
    assert ask(archive, "POST", path, authorization) == (201, None)
    assert ask(archive, "GET", path, authorization) == (200, None)


@pytest.mark.parametrize(
    ("authorization", "detail"),
    [
        ("Token " + "0" * 40, "Invalid token."),
        ("Token {key}x", "Invalid token."),
        ("Token writer:{key}", "Invalid token."),
        ("Token {KEY}", "Invalid token."),
        ("Token x", "Invalid token."),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token a b", SPACES),
        ("Token {key} {key}", SPACES),
        ("token a b c", SPACES),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_wrong_keys_are_refused_whatever_is_asked(
    archive: Client, path: str, method: str, authorization: str, detail: str
) -> None:
    assert archive.key is not None
    sent = authorization.format(key=archive.key, KEY=archive.key.upper())
    assert ask(archive, method, path, sent) == (401, detail)


@pytest.mark.parametrize(
    "authorization", ["Bearer {key}", "Basic d3JpdGVyOng=", "{key}", "Tokens {key}", "x"]
)
def test_other_schemes_are_no_credentials(archive: Client, path: str, authorization: str) -> None:
    sent = authorization.format(key=archive.key)
    assert ask(archive, "GET", path, sent) == (200, None)
    assert ask(archive, "POST", path, sent) == (401, NO_CREDENTIALS)


def test_credentials_in_the_query_are_none(archive: Client, path: str) -> None:
    query = {"username": "writer", "api_key": archive.key}
    anonymous = archive.anonymous()
    assert anonymous.send("GET", path, query=query).status == 200
    answer = anonymous.send("POST", path, POINT, JSON, query)
    assert (answer.status, answer.detail) == (401, NO_CREDENTIALS)


def test_no_key_reads_everything_and_writes_nothing(archive: Client, path: str) -> None:
    anonymous = archive.anonymous()
    assert anonymous.get(limit=1).status == 200
    assert anonymous.get(path).status == 200
    for method, where in (("POST", ""), ("POST", path), ("PUT", path.split("/")[0] + "/")):
        answer = anonymous.send(method, where, POINT, JSON)
        assert (answer.status, answer.detail) == (401, NO_CREDENTIALS)
        assert answer.headers["WWW-Authenticate"] == "Token"


def test_the_key_is_asked_for_before_anything_is_said_about_the_archive(archive: Client) -> None:
    unknown = "0" * 32
    for where in (f"{unknown}/nonesuch/base", f"{unknown}/throughput/nonesuch"):
        answer = archive.anonymous().send("POST", where, b"x")
        assert (answer.status, answer.detail) == (401, NO_CREDENTIALS)


def test_a_key_that_is_not_ascii(archive: Client, path: str) -> None:
    status, detail = ask(archive, "GET", path, "Token \xe9\xe9")
    assert status == 401
    assert detail is not None
    assert detail.startswith("Invalid token")


def test_api_key_of_esmond_1(archive: Client, default: Archive, path: str) -> None:
    """An alias for old clients: both the user and the key are looked at"""
    other = add_user(default.db, "reader")
    assert ask(archive, "POST", path, f"ApiKey writer:{archive.key}") == (201, None)
    assert ask(archive, "GET", path, f"apikey writer:{archive.key}") == (200, None)
    for wrong in (f"writer:{other}", f"nobody:{archive.key}", "writer:", ":", "x", archive.key):
        for method in ("GET", "POST"):
            assert ask(archive, method, path, f"ApiKey {wrong}")[0] == 401


def test_a_disabled_user(archive: Client, default: Archive, path: str) -> None:
    key = add_user(default.db, "leaver")
    assert ask(archive, "POST", path, f"Token {key}") == (201, None)
    run("archive", "user", "disable", "leaver", "--db", default.db)
    for method in ("GET", "POST"):
        # The server that runs knows at once.
        expected = 401, "User inactive or deleted."
        assert ask(archive, method, path, f"Token {key}") == expected
        assert ask(archive, method, path, f"ApiKey leaver:{key}")[0] == 401


def test_a_rotated_key(archive: Client, default: Archive, path: str) -> None:
    old = add_user(default.db, "rotator")
    new = run("archive", "user", "rotate", "rotator", "--db", default.db).stdout.decode().strip()
    assert new != old
    assert len(new) == 40
    assert ask(archive, "POST", path, f"Token {old}") == (401, "Invalid token.")
    assert ask(archive, "POST", path, f"Token {new}") == (201, None)


def test_a_key_that_exists_already(archive: Client, default: Archive, path: str) -> None:
    """Keys of an old archive live on, even those that do not look like ours"""
    for name, key in (("migrated", "f" * 40), ("ancient", "Old-Key.of_another/archive=")):
        given = key.encode() + b"\n"
        run("archive", "user", "add", name, "--db", default.db, "--key-file", "-", stdin=given)
        assert ask(archive, "POST", path, f"Token {key}") == (201, None)


def test_keys_are_not_kept(archive: Client, default: Archive) -> None:
    assert archive.key is not None
    listed = run("archive", "user", "list", "--db", default.db).stdout.decode()
    assert "writer" in listed
    assert archive.key not in listed
    for file in default.db.parent.iterdir():
        content = file.read_bytes()
        assert archive.key.encode() not in content
        assert bytes.fromhex(archive.key) not in content


@pytest.mark.parametrize(
    "arguments",
    [["add", "writer"], ["disable", "nobody"], ["rotate", "nobody"], ["add", ""],
     ["add", "n", "--network", "10.0.0.0/33"], ["add", "n", "--network", "host"]],
)  # fmt: skip
def test_refused_user_commands(default: Archive, arguments: list[str]) -> None:
    before = run("archive", "user", "list", "--db", default.db).stdout
    command = [*GRIDTAP, "archive", "user", *arguments, "--db", str(default.db)]
    refused = subprocess.run(command, capture_output=True, timeout=60)
    assert refused.returncode in (1, 2)
    assert refused.stdout == b""
    lines = refused.stderr.decode().splitlines()
    assert lines[-1].startswith(("gridtap: ", "Error: "))
    assert "Traceback" not in refused.stderr.decode()
    assert run("archive", "user", "list", "--db", default.db).stdout == before


def test_private_archive(servers: Servers) -> None:
    private = servers.get("--private")
    key = private.key_of("throughput")
    for path in ("", f"{key}/", f"{key}/throughput", f"{key}/throughput/base"):
        assert private.get(path).status == 200
        for method in ("GET", "HEAD"):
            answer = private.anonymous().send(method, path)
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == "Token"
        assert private.anonymous().get(path).detail == NO_CREDENTIALS
        assert private.anonymous().get(path, format="api").status == 401
