"""What keeps a server from starting, and one that may only read."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.archive.client import Client
from tests.archive.servers import add_user, serving
from tests.cli.command import GRIDTAP, obey_permissions

T = 1600000000


def refused(*options: str) -> str:
    """The one line in which the server says why it does not start"""
    command = [*GRIDTAP, "archive", "serve", "--port", "0", *options]
    result = subprocess.run(command, capture_output=True, timeout=60)
    assert result.returncode in (1, 2)
    assert result.stdout == b""
    text = result.stderr.decode()
    assert "Traceback" not in text
    line = text.splitlines()[-1]
    assert line.startswith(("gridtap: ", "Error: "))
    return line


@pytest.mark.parametrize(
    "content", [b"not a database\n" * 100, b"\0" * 4096, b"SQLite format 3\0x"]
)
def test_a_file_that_is_something_else(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(content)
    assert str(file) in refused("--db", str(file))
    assert file.read_bytes() == content


def test_a_database_of_somebody_else(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE metadata (mine)")
    database.close()
    content = file.read_bytes()
    assert str(file) in refused("--db", str(file))
    assert file.read_bytes() == content


def test_places_that_are_none(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "no" / "archive.db", Path("/dev/null")):
        assert str(place) in refused("--db", str(place))


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in refused("--db", str(tmp_path / "archive.db"), "--port", port)


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_an_archive_that_may_only_be_read(tmp_path: Path, how: str) -> None:
    """All that was acknowledged is shown, also what a kill left beside the file"""
    folder, log = tmp_path / "archive", tmp_path / "stderr.txt"
    folder.mkdir()
    db = folder / "archive.db"
    user = add_user(db, "writer")
    with serving(db, log) as server:
        client = Client(server.host, server.port, user)
        key = client.key_of("throughput", colour="red")
        assert client.post_point(key, "throughput", T, 5).status == 201
        if how == "killed":
            server.kill()
    contents = {file: file.read_bytes() for file in folder.iterdir()}
    for file in contents:
        file.chmod(0o444)
    folder.chmod(0o555)
    try:
        with serving(db, log, before=obey_permissions()) as server:
            client = Client(server.host, server.port, user, faults=frozenset({503}))
            assert client.found(colour="red") == [key]
            assert client.data(key, "throughput") == [(T, 5.0)]
            for answer in (
                client.post("", client.body("failures")),
                client.post_point(key, "throughput", T + 1, 5),
                client.put(key, ("throughput", T + 1, 5)),
            ):
                assert answer.status == 503
                assert answer.detail
            assert client.data(key, "throughput") == [(T, 5.0)]
            assert client.anonymous().post_point(key, "throughput", T, 5).status == 401
        assert "read" in log.read_text()
    finally:
        folder.chmod(0o755)
    assert {file: file.read_bytes() for file in folder.iterdir()} == contents


@pytest.mark.parametrize(
    ("option", "value"),
    [("--port", "70000"), ("--port", "x"), ("--trust-proxy", "10.0.0.0/33"), ("--values", "full"),
     ("--trust-proxy", "proxy.example.org"), ("--host", "nonesuch.invalid")],
)  # fmt: skip
def test_options_that_are_none(tmp_path: Path, option: str, value: str) -> None:
    assert value in refused("--db", str(tmp_path / "archive.db"), option, value)
