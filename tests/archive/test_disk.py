"""Disks that fill up, and files that other processes write too."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

import pytest

from gridtap.archive.storage import SqliteStorage
from tests.archive import samples
from tests.archive.checking import check_acknowledged, check_summaries, check_whole
from tests.archive.loading import Loader
from tests.archive.process import Caller, Server, gridtap, prepare, serving

_UNLIMITED = resource.RLIM_INFINITY

#: Seconds of a bulk write
_POINTS = 200

#: Its first second, when all others were before
_LATE = 1_000_000


@dataclass(frozen=True)
class _Disk:
    """A server on a disk that can be filled and freed

    :param db: as this process sees it
    """

    server: Server
    db: Path
    fill: Callable[[], None]
    free: Callable[[], None]


@contextmanager
def _limited(folder: Path) -> Iterator[_Disk]:
    """The system lets no file of the server grow any more"""
    db = prepare(folder / "archive.db")
    with serving(db) as server:

        def fill() -> None:
            most = 1 + max(path.stat().st_size for path in folder.iterdir())
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, _UNLIMITED))

        def free() -> None:
            both = (_UNLIMITED, _UNLIMITED)
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, both)

        yield _Disk(server, db, fill, free)


@contextmanager
def _mounted(folder: Path) -> Iterator[_Disk]:
    """A file system of its own, seen by the server alone, and full"""
    prefix = ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("file systems may not be mounted here")
    mine = prepare(folder / "archive.db")
    place = folder / "disk"
    place.mkdir()
    script = 'mount -t tmpfs -o size=4m none "$1" && cp "$2" "$1" && shift 2 && exec "$@"'
    before = [*prefix, "sh", "-c", script, "sh", str(place), str(mine)]
    with serving(place / mine.name, before=before) as server:
        inside = Path(f"/proc/{server.process.pid}/root{place}")
        filler = inside / "filler"

        def fill() -> None:
            with open(filler, "wb", 0) as file:
                while os.statvfs(filler).f_bavail:
                    file.write(bytes(4096))

        yield _Disk(server, inside / mine.name, fill, filler.unlink)


@pytest.mark.parametrize("disk", [_limited, _mounted])
def test_full_disk(tmp_path: Path, disk: Callable[[Path], AbstractContextManager[_Disk]]) -> None:
    random = Random(1)
    with disk(tmp_path) as made, made.server.caller() as caller:
        key = str(caller.call("POST", "", samples.description())[1]["metadata-key"])
        wanted = _write_until_refused(made, caller, key, random)
        refused = _body(_LATE, random)
        for _ in range(3):
            status, answer = caller.call("PUT", f"{key}/", refused)
            assert status == 503, answer
            assert answer["detail"].startswith("The disk of the archive ")
            assert len(answer) == 1
            assert caller.call("POST", "", samples.description("192.0.2.3"))[0] == 503
            # What is there is read as before, and of what was refused there is nothing.
            assert _times(caller, key) == wanted
            assert len(caller.get("")) == 1
        _check_log(made.server)
        _check_file(made.db, tmp_path, key, wanted)
        made.free()
        assert caller.call("PUT", f"{key}/", refused)[0] == 201
        assert caller.call("POST", "", samples.description("192.0.2.3"))[0] == 201
        wanted += range(_LATE, _LATE + _POINTS)
        assert _times(caller, key) == wanted
        _check_file(made.db, tmp_path, key, wanted)


def _write_until_refused(disk: _Disk, caller: Caller, key: str, random: Random) -> list[int]:
    """Seconds of the points that were acknowledged before and after the disk was filled"""
    wanted: list[int] = []
    is_full = False
    for number in range(1, 1_000):
        start = number * _POINTS
        status, answer = caller.call("PUT", f"{key}/", _body(start, random))
        if status == 503:
            assert is_full, answer
            return wanted
        assert status == 201, answer
        wanted += range(start, start + _POINTS)
        if number == 3:
            disk.fill()
            is_full = True
    raise AssertionError("the disk never was full")


def _body(start: int, random: Random) -> dict[str, Any]:
    return {
        "data": [
            {
                "ts": ts,
                "val": [
                    {"event-type": name, "val": samples.value(random, samples.EVENTS[name][0])}
                    for name in ("throughput", "histogram-owdelay", "packet-trace")
                ],
            }
            for ts in range(start, start + _POINTS)
        ]
    }


def _times(caller: Caller, key: str) -> list[int]:
    found = [
        [row["ts"] for row in caller.get(f"{key}/{name}/base?time-start=0&limit=100000")]
        for name in ("throughput", "histogram-owdelay", "packet-trace")
    ]
    assert found[0] == found[1] == found[2]
    return found[0]


def _check_log(server: Server) -> None:
    lines = server.log().splitlines()
    faults = [line for line in lines if " ERROR gridtap.archive: PUT /esmond/" in line]
    assert len(faults) == 4, lines
    for line in faults:
        assert "archive.db: " in line
        assert "(SQLITE_FULL)" in line or "(SQLITE_IOERR" in line
    assert "Traceback" not in server.log()


def _check_file(db: Path, folder: Path, key: str, times: Sequence[int]) -> None:
    # Opened by that name, it would be looked for where this process sees it.
    copy = Path(mkdtemp(dir=folder))
    for name in (db.name, f"{db.name}-wal"):
        (copy / name).write_bytes(db.with_name(name).read_bytes())
    with closing(SqliteStorage(copy / db.name)) as storage:
        found = check_summaries(storage, [key])
    assert sorted(found[key, "throughput"]) == times
    check_whole(copy / db.name)


def test_disk_that_is_full_at_start(tmp_path: Path) -> None:
    """One line, and the file as it was"""
    db = prepare(tmp_path / "archive.db")
    whole = db.read_bytes()
    limit = ["prlimit", "--fsize=1000"]
    if shutil.which(limit[0]) is None:
        pytest.skip("prlimit is not installed")
    code, shown = gridtap("serve", "--db", db, "--port", "0", before=limit)
    assert (code, shown.count("\n")) == (2, 1), shown
    assert shown.startswith(f"gridtap: {db}: ")
    assert db.read_bytes() == whole
    code, shown = gridtap("user", "add", "a", "--db", tmp_path / "new.db", before=limit)
    assert (code, shown.count("\n")) == (2, 1), shown
    # The next one begins with what is left of it.
    assert gridtap("user", "add", "a", "--db", tmp_path / "new.db")[0] == 0


def test_damaged_file(tmp_path: Path) -> None:
    """What touches the damage is refused, everything else is answered"""
    db = prepare(tmp_path / "archive.db")
    with serving(db) as server, server.caller() as caller:
        keys = [
            str(caller.call("POST", "", samples.description(f"192.0.2.{each}"))[1]["metadata-key"])
            for each in (2, 3)
        ]
        for key in keys:
            data = [
                {"ts": ts, "val": [{"event-type": "packet-trace", "val": [ts, "x" * 100]}]}
                for ts in range(20_000)
            ]
            assert caller.call("PUT", f"{key}/", {"data": data})[0] == 201
    size = db.stat().st_size
    with open(db, "r+b") as file:
        # The end of the second measurement.
        file.seek(size - size // 8)
        file.write(b"\xff" * (size // 8))
    path = f"{keys[1]}/packet-trace/base?time-start={{}}&limit=100000"
    with serving(db) as server, server.caller(key=None) as caller:
        for start in (0, 19_000) * 3:
            answer = caller.call("GET", path.format(start))
            assert answer == (503, {"detail": "The file of the archive is damaged"})
        assert len(caller.get(path.format(0).replace("limit=100000", "limit=5000"))) == 5_000
        assert len(caller.get(path.format(0).replace(keys[1], keys[0]))) == 20_000
        faults = [line for line in server.log().splitlines() if " gridtap.archive: " in line]
        assert len(faults) == 6
        assert all("malformed (SQLITE_CORRUPT" in line for line in faults), faults
        assert "Traceback" not in server.log(), server.log()


def test_other_processes_write_too(tmp_path: Path) -> None:
    """Clients load while commands import, prune and add users: no write is lost, none fails"""
    db = prepare(tmp_path / "archive.db")
    lines, imported = _dump(random := Random(2))
    (tmp_path / "dump.jsonl").write_text(lines)
    with serving(db) as server, server.caller() as caller:
        shared = str(caller.call("POST", "", samples.description())[1]["metadata-key"])
        loaders = [Loader(server.port, each, shared, Random(random.random())) for each in (1, 2)]
        for loader in loaders:
            loader.start()
        for arguments in (
            ("import", tmp_path / "dump.jsonl"),
            ("user", "add", "new"),
            ("prune", "--older-than", "20y"),
            ("user", "disable", "new"),
            ("export", tmp_path / "copy.jsonl"),
        ):
            code, shown = gridtap(*arguments, "--db", db)
            assert code == 0, shown
        assert all(loader.is_alive() for loader in loaders)
        # An answer that is on its way is waited for.
        server.stop()
        for loader in loaders:
            loader.join(20)
            assert not loader.refused, loader.refused
            assert loader.writes > 3
        assert "ERROR" not in server.log(), server.log()
    with closing(SqliteStorage(db)) as storage:
        assert [user.name for user in storage.users()] == ["new", "tester"]
        keys = [shared, "imported", *(key for loader in loaders for key in loader.made)]
        found = check_summaries(storage, keys)
    # Windows of an hour are not cut in two.
    edge = time.time() - 20 * 365 * 86_400
    left = found.pop(("imported", "throughput"))
    first = min(left)
    assert edge - 7_200 < first < edge + 40_000
    assert left == {ts: value for ts, value in imported.items() if ts >= first}
    check_acknowledged(found, loaders)
    check_whole(db)


def _dump(random: Random) -> tuple[str, dict[int, int]]:
    """Lines to import, some points of which are old enough to be removed"""
    points = {ts: random.randrange(1000) for ts in range(900_000_000, 1_400_000_000, 20_000)}
    head = {"metadata-key": "imported", "post": samples.description("192.0.2.9")}
    lines = [json.dumps(head)]
    rows = list(points.items())
    for start in range(0, len(rows), 1_000):
        data = [{"event-type": "throughput", "points": rows[start : start + 1_000]}]
        lines.append(json.dumps({"metadata-key": "imported", "data": data}))
    return "\n".join(lines), points
