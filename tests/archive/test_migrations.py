"""Files of every form that was ever released, and what becomes of them when something goes wrong.

``form-N.db.gz`` was written by the release that made form N the newest, ``form-N.jsonl`` is what it
exported from it.
"""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random

import pytest

from gridtap.archive import dump
from gridtap.archive.storage import SqliteStorage
from gridtap.archive.storage.schema import MIGRATIONS
from gridtap.errors import ArchiveError
from tests.archive import samples
from tests.archive.checking import check_summaries, check_whole
from tests.archive.process import KEY, Server, command, gridtap, serving
from tests.cli.command import obey_permissions

DATA = Path(__file__).resolve().parent.parent / "data" / "archive"

_FORMS = range(1, len(MIGRATIONS) + 1)

#: Adds a migration, whose statements are to be filled in, and opens a file
_MIGRATE = """
import sys
from pathlib import Path
from gridtap.archive.storage import SqliteStorage, schema
schema.MIGRATIONS += (("later", {statements!r}),)
print("opening", flush=True)
SqliteStorage(Path(sys.argv[1])).close()
"""

#: Some hundred milliseconds of work, more than fits into the cache
_LONG = (
    "CREATE TABLE later AS WITH RECURSIVE n(i) AS"
    " (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 120000) SELECT i, hex(randomblob(99)) FROM n",
    "CREATE INDEX later_i ON later (i)",
)


def _unpacked(number: int, folder: Path) -> Path:
    db = folder / "archive.db"
    db.write_bytes(gzip.decompress((DATA / f"form-{number}.db.gz").read_bytes()))
    return db


def _exported(db: Path) -> bytes:
    with closing(SqliteStorage(db)) as storage:
        return b"".join(dump.write(storage, storage.keys(), dump.Counts()))


def _migrate(db: Path, statements: tuple[str, ...]) -> subprocess.Popen[bytes]:
    program = _MIGRATE.format(statements=statements)
    return subprocess.Popen(
        [sys.executable, "-c", program, str(db)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def _opened_at(process: subprocess.Popen[bytes]) -> float:
    """When it opened the file: how long starting takes says nothing about the work"""
    assert process.stdout is not None
    assert process.stdout.readline() == b"opening\n"
    return time.monotonic()


def _layout(db: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(db)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name")
        return rows.fetchall()


@pytest.mark.parametrize("number", _FORMS)
def test_every_form_opens(tmp_path: Path, number: int) -> None:
    db = _unpacked(number, tmp_path)
    wanted = (DATA / f"form-{number}.jsonl").read_bytes()
    assert _exported(db) == wanted
    with closing(SqliteStorage(db)) as storage:
        keys = list(storage.keys())
        check_summaries(storage, keys)
    with serving(db) as server, server.caller(KEY) as caller:
        body = {"ts": 1, "val": 5}
        assert caller.call("POST", f"{keys[0]}/throughput/base", body)[0] == 201
        assert caller.get(f"{keys[0]}/throughput/base?time=1") == [{"ts": 1, "val": 5.0}]
    check_whole(db)


@pytest.mark.parametrize("number", _FORMS)
def test_what_was_released_is_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A new file that went through the first migrations is like the old one"""
    old = _unpacked(number, tmp_path)
    new = tmp_path / "new.db"
    monkeypatch.setattr("gridtap.archive.storage.schema.MIGRATIONS", MIGRATIONS[:number])
    SqliteStorage(new).close()
    assert _layout(new) == _layout(old)


def test_a_statement_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    db = _unpacked(_FORMS[-1], tmp_path)
    before = _layout(db)
    process = _migrate(db, (_LONG[0], "DROP TABLE point", "INSERT INTO nowhere VALUES (1)"))
    assert b"no such table: nowhere" in process.communicate()[1]
    assert _layout(db) == before
    assert _exported(db) == (DATA / f"form-{_FORMS[-1]}.jsonl").read_bytes()


def test_kill_during_a_migration(tmp_path: Path) -> None:
    """Whatever the moment, the file has the old form or the new"""
    random = Random(5)
    number = _FORMS[-1]
    db = _unpacked(number, tmp_path)
    before = _layout(db)
    wanted = (DATA / f"form-{number}.jsonl").read_bytes()
    whole = _migrate(_unpacked(number, _folder(tmp_path)), _LONG)
    begin = _opened_at(whole)
    assert whole.communicate()[1] == b""
    length = time.monotonic() - begin
    unfinished = 0
    for quarter in range(4):
        process = _migrate(db, _LONG)
        _opened_at(process)
        time.sleep((quarter + random.random()) / 4 * length)
        process.kill()
        process.communicate()
        if _layout(db) != before:
            assert [name for name, _ in _layout(db) if name.startswith("later")]
            with pytest.raises(ArchiveError, match="written by a newer gridtap"):
                SqliteStorage(db)
            db = _unpacked(number, _folder(tmp_path))
            continue
        unfinished += 1
        check_whole(db)
        assert _exported(db) == wanted
    assert unfinished, "it was never killed in the middle"


def _folder(parent: Path) -> Path:
    folder = parent / str(len(list(parent.iterdir())))
    folder.mkdir()
    return folder


def test_kill_while_a_file_is_made(tmp_path: Path) -> None:
    """What is left of it is begun again"""
    random = Random(6)
    for number in range(5):
        db = tmp_path / f"{number}.db"
        process = subprocess.Popen([*command(), "archive", "user", "add", "a", "--db", str(db)])
        end = time.monotonic() + 10
        while not db.exists() and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(random.uniform(0.0, 0.02))
        process.kill()
        process.wait()
        code, shown = gridtap("user", "add", "b", "--db", db)
        assert (code, shown) == (0, "")
        check_whole(db)


def test_old_form_that_cannot_be_written(tmp_path: Path) -> None:
    """Rather nothing than answers from a form that this release does not know"""
    db = _unpacked(_FORMS[-1], tmp_path)
    db.chmod(0o444)
    program = _MIGRATE.format(statements=_LONG)
    result = subprocess.run(
        [*obey_permissions(), sys.executable, "-c", program, str(db)], capture_output=True
    )
    last = result.stderr.decode().splitlines()[-1]
    number = _FORMS[-1]
    words = f"has form {number}, is to have {number + 1}, and cannot be written"
    assert last == f"gridtap.errors.ArchiveError: {db}: {words}"


def test_commands_at_once_on_a_new_file(tmp_path: Path) -> None:
    """Whoever is first makes it; all find it"""
    names = ["a", "b", "c"]
    for number in range(2):
        db = tmp_path / f"{number}.db"
        processes = [
            subprocess.Popen(
                [*command(), "archive", "user", "add", name, "--db", str(db)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            for name in names
        ]
        for process in processes:
            shown = process.communicate()[1]
            assert (process.returncode, shown) == (0, b"")
        with closing(SqliteStorage(db)) as storage:
            assert [user.name for user in storage.users()] == names
        check_whole(db)


def test_servers_at_once_on_a_new_file(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    with ExitStack() as stack:
        servers: list[Server] = []

        def start() -> None:
            servers.append(stack.enter_context(serving(db)))

        starting = [threading.Thread(target=start) for _ in range(2)]
        for thread in starting:
            thread.start()
        for thread in starting:
            thread.join()
        assert gridtap("user", "add", "a", "--network", "127.0.0.0/8", "--db", db)[0] == 0
        one, other = (stack.enter_context(server.caller(key=None)) for server in servers)
        status, made = one.call("POST", "", samples.description())
        assert status == 201
        status, found = other.call("POST", "", samples.description())
        assert (status, found["metadata-key"]) == (201, made["metadata-key"])
        path = f"{made['metadata-key']}/throughput/base"
        for number, caller in enumerate((one, other) * 10):
            assert caller.call("POST", path, {"ts": number, "val": number})[0] == 201
        assert len(one.get(f"{path}?time-start=0")) == len(other.get(f"{path}?time-start=0")) == 20
