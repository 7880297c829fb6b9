"""Files and addresses that a server cannot be started with: one line, and nothing changed."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gridtap.archive.storage import Point, SqliteStorage
from gridtap.archive.storage.schema import APPLICATION_ID, MIGRATIONS
from tests.archive import samples
from tests.archive.process import ROOT, gridtap, prepare, serving
from tests.cli.command import obey_permissions


def _refused(*arguments: str | Path, before: list[str] | None = None) -> str:
    """The one line that a command says before it ends with an error"""
    code, shown = gridtap(*arguments, before=before or [])
    assert code == 2, shown
    assert shown.startswith("gridtap: "), shown
    assert shown.count("\n") == 1, shown
    return shown.strip()


def _text(db: Path) -> None:
    db.write_text("hello\n" * 1000)


def _noise(db: Path) -> None:
    db.write_bytes(bytes(range(1, 256)) * 100)


def _other(db: Path) -> None:
    _execute(db, "CREATE TABLE song (title)")


def _other_with_log(db: Path) -> None:
    _execute(db, "PRAGMA journal_mode = WAL", "CREATE TABLE song (title)")


def _newer(db: Path) -> None:
    prepare(db)
    row = (len(MIGRATIONS) + 1, "future", 0)
    _execute(db, f"INSERT INTO migration VALUES {row}")


def _hollow(db: Path) -> None:
    _execute(
        db,
        f"PRAGMA application_id = {APPLICATION_ID}",
        "CREATE TABLE migration (number INTEGER PRIMARY KEY, name, applied_at)",
    )


def _execute(db: Path, *statements: str) -> None:
    with closing(sqlite3.connect(db)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_text, "file is not a database"),
        (_noise, "file is not a database"),
        (_other, "a database, but not an archive of gridtap"),
        (_other_with_log, "a database, but not an archive of gridtap"),
        (_newer, "written by a newer gridtap (form 2; this one knows 1)"),
        (_hollow, "table migration already exists"),
    ],
)
def test_file_of_something_else(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    db = tmp_path / "archive.db"
    make(db)
    before = db.read_bytes()
    assert _refused("serve", "--db", db, "--port", "0") == f"gridtap: {db}: {words}"
    assert db.read_bytes() == before
    assert list(tmp_path.iterdir()) == [db]


@pytest.mark.parametrize("size", [10, 600, 8192, 60_000])
def test_truncated_file(tmp_path: Path, size: int) -> None:
    db = prepare(tmp_path / "archive.db")
    assert list(tmp_path.iterdir()) == [db]
    whole = db.read_bytes()
    assert len(whole) > size
    db.write_bytes(whole[:size])
    words = _refused("serve", "--db", db, "--port", "0")
    assert words.startswith(f"gridtap: {db}: ")
    assert db.read_bytes() == whole[:size]


def test_missing_directory(tmp_path: Path) -> None:
    db = tmp_path / "nowhere" / "archive.db"
    words = _refused("serve", "--db", db, "--port", "0")
    assert words == f"gridtap: {db}: No such file or directory"


def test_directory_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    db = tmp_path / "archive.db"
    words = _refused("serve", "--db", db, "--port", "0", before=obey_permissions())
    assert words == f"gridtap: {db}: Permission denied"


def test_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        words = _refused("serve", "--db", tmp_path / "archive.db", "--port", port)
    assert words.startswith(f"gridtap: cannot listen on 127.0.0.1:{port}: Address already in use")


def test_read_only_file(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    key = _filled(db)
    db.chmod(0o444)
    _check_read_only(db, key)


def test_read_only_directory(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    key = _filled(db)
    db.chmod(0o444)
    tmp_path.chmod(0o555)
    _check_read_only(db, key)


def test_read_only_directory_after_a_crash(tmp_path: Path) -> None:
    """The last writes are in the log, and must be seen"""
    db = tmp_path / "archive.db"
    key = _filled(db, with_crash=True)
    for path in tmp_path.iterdir():
        path.chmod(0o444)
    tmp_path.chmod(0o555)
    _check_read_only(db, key)


def test_read_only_directory_with_a_log_that_cannot_be_read(tmp_path: Path) -> None:
    """Rather none than an archive without its last writes"""
    db = tmp_path / "archive.db"
    _filled(db, with_crash=True)
    (tmp_path / "archive.db-shm").unlink()
    tmp_path.chmod(0o555)
    words = _refused("serve", "--db", db, "--port", "0", before=obey_permissions())
    assert "the last writes are in archive.db-wal" in words


def test_read_only_directory_that_somebody_else_may_write(tmp_path: Path) -> None:
    """What changes under a reader without locks is not shown half"""
    db = tmp_path / "archive.db"
    key = _filled(db)
    tmp_path.chmod(0o555)
    with serving(db, before=obey_permissions()) as reader, reader.caller() as caller:
        assert len(caller.get(f"{key}/throughput/base")) == 1
        tmp_path.chmod(0o755)
        with serving(db) as writer, writer.caller() as other:
            assert other.call("POST", f"{key}/throughput/base", {"ts": 2, "val": 2})[0] == 201
            status, answer = caller.call("GET", f"{key}/throughput/base")
            assert (status, answer) == (
                503,
                {"detail": "The archive was changed by somebody else"},
            )
        assert "start again to see it" in reader.log()


def test_answer_in_the_middle_of_which_the_file_changes(tmp_path: Path) -> None:
    """It has no end, so that nobody takes it for whole"""
    db = tmp_path / "archive.db"
    key = _filled(db)
    points = [Point("packet-trace", ts, (f'"{"x" * 400}"', None)) for ts in range(20_000)]
    with closing(SqliteStorage(db)) as storage:
        storage.write(key, points)
    tmp_path.chmod(0o555)
    path = f"{ROOT}{key}/packet-trace/base?time-start=0&limit=100000"
    with serving(db, before=obey_permissions()) as server, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        answer = connection.recv(1000)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        tmp_path.chmod(0o755)
        with closing(SqliteStorage(db)) as storage:
            storage.write(key, [Point("packet-trace", 50_000, ("1", None))])
        while piece := connection.recv(1 << 20):
            answer += piece
        assert not answer.endswith(b"0\r\n\r\n")
        assert 5_000 <= answer.count(b'"ts":') < 20_000
        assert "start again to see it" in server.log()
        assert "Traceback" not in server.log(), server.log()


def _filled(db: Path, with_crash: bool = False) -> str:
    prepare(db)
    with serving(db) as server, server.caller() as caller:
        key = str(caller.call("POST", "", samples.description())[1]["metadata-key"])
        assert caller.call("POST", f"{key}/throughput/base", {"ts": 1, "val": 7})[0] == 201
        if with_crash:
            server.kill()
    assert (db.parent / f"{db.name}-wal").exists() == with_crash
    return key


def _check_read_only(db: Path, key: str) -> None:
    with serving(db, before=obey_permissions()) as server, server.caller() as caller:
        assert "is read-only: writes will fail" in server.log()
        wanted = {"detail": "The archive is read-only"}
        for _ in range(2):
            assert caller.get(f"{key}/throughput/base") == [{"ts": 1, "val": 7.0}]
            for path, body in (
                (f"{key}/throughput/base", {"ts": 2, "val": 2}),
                ("", samples.description("192.0.2.3")),
            ):
                assert caller.call("POST", path, body) == (503, wanted)
            data = {"data": [{"ts": 2, "val": [{"event-type": "throughput", "val": 1}]}]}
            assert caller.call("PUT", f"{key}/", data) == (503, wanted)
        assert len(caller.get("")) == 1
        assert "attempt to write a readonly database" in server.log()
    code, shown = gridtap("user", "add", "late", "--db", db, before=obey_permissions())
    assert (code, shown.count("\n")) == (2, 1), shown


def test_a_network_given_twice(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    code, shown = gridtap(
        *("user", "add", "a", "--db", db, "--network", "10.0.0.0/8", "--network", "10.1.2.3/8")
    )
    assert (code, shown) == (0, "")


def test_an_import_of_a_key_that_is_taken(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    for number, wanted in ((2, 0), (3, 2)):
        item = {"metadata-key": "k", "post": samples.description(f"192.0.2.{number}")}
        file = tmp_path / f"{number}.jsonl"
        file.write_text(json.dumps(item) + "\n")
        code, shown = gridtap("import", file, "--db", db)
        assert code == wanted, shown
    assert shown == f"gridtap: {file}: line 1: metadata-key k is another measurement's\n"


def test_a_copy_is_an_archive(tmp_path: Path) -> None:
    """All of a stopped archive is in its one file"""
    db = tmp_path / "archive.db"
    key = _filled(db)
    shutil.copy(db, tmp_path / "copy.db")
    with serving(tmp_path / "copy.db") as server, server.caller() as caller:
        assert caller.get(f"{key}/throughput/base") == [{"ts": 1, "val": 7.0}]
