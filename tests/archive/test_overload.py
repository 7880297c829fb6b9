"""More at once than a server can do, and a server that has to end."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.archive import samples
from tests.archive.process import ROOT, Caller, Server, prepare, serving
from tests.archive.raw import LIMITS, SLACK, put, rest


def test_slow_reader(tmp_path: Path) -> None:
    """Somebody who asks for much and takes nothing is cut off"""
    db = prepare(tmp_path / "archive.db")
    with serving(db, limits=LIMITS) as server, server.caller() as caller:
        key = _series(caller, 40_000)
        path = f"{ROOT}{key}/throughput/base?time-start=0&limit=100000"
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            before = _open_files(server)
            for _ in range(20):
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            time.sleep(LIMITS["TAKE_SECONDS"] + 0.5)
            deadline = time.monotonic() + SLACK
            while _open_files(server) > before - 1:
                assert time.monotonic() < deadline, "still connected"
                time.sleep(0.05)
        with server.caller() as other:
            assert len(other.get(path.removeprefix(ROOT))) == 40_000
        assert "Traceback" not in server.log(), server.log()


def _series(caller: Caller, number: int) -> str:
    key = str(caller.call("POST", "", samples.description())[1]["metadata-key"])
    for start in range(0, number, 20_000):
        data = [
            {"ts": ts, "val": [{"event-type": "throughput", "val": ts}]}
            for ts in range(start, start + 20_000)
        ]
        assert caller.call("PUT", f"{key}/", {"data": data})[0] == 201
    return key


def _open_files(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def test_many_writers_do_not_hold_up_readers(tmp_path: Path) -> None:
    """Another process keeps the file locked: writes are refused, reads answered meanwhile"""
    db = prepare(tmp_path / "archive.db")
    with serving(db, limits=LIMITS) as server, server.caller() as reader:
        body = samples.description("192.0.2.7")
        key = str(reader.call("POST", "", samples.description())[1]["metadata-key"])
        statuses: list[int] = []

        def write() -> None:
            with server.caller() as caller:
                statuses.append(caller.call("POST", "", body)[0])

        with closing(sqlite3.connect(db, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writers = [threading.Thread(target=write) for _ in range(50)]
            for writer in writers:
                writer.start()
            while any(writer.is_alive() for writer in writers):
                begin = time.monotonic()
                assert reader.call("GET", f"{key}/")[0] == 200
                assert time.monotonic() - begin < 0.5
                time.sleep(0.02)
        assert statuses == [503] * 50
        assert reader.call("POST", "", body)[0] == 201
        assert "Traceback" not in server.log(), server.log()


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_stop_while_somebody_sends_slowly(tmp_path: Path, kind: signal.Signals) -> None:
    db = prepare(tmp_path / "archive.db")
    limits = {**LIMITS, "BODY_SECONDS": 60.0}
    with serving(db, limits=limits) as server, server.connect() as connection:
        connection.sendall(put("Content-Length: 1000") + b"{")
        time.sleep(0.2)
        server.process.send_signal(kind)
        answer = rest(connection, LIMITS["GRACE_SECONDS"])
        assert answer.split()[1] == b"503"
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["detail"] == (
            "The archive is being stopped"
        )
        server.process.wait(10)
        server.kill()
        assert "Traceback" not in server.log(), server.log()


def test_many_large_bodies_at_once(tmp_path: Path) -> None:
    """Only as many are taken apart at a time as there are turns to write"""
    db = prepare(tmp_path / "archive.db")
    with serving(db, limits={"WRITERS": 1}) as server, server.caller() as caller:
        key = str(caller.call("POST", "", samples.description())[1]["metadata-key"])
        data = [
            {"ts": ts, "val": [{"event-type": "throughput", "val": ts}]} for ts in range(40_000)
        ]
        statuses: list[int] = []

        def write() -> None:
            with server.caller() as other:
                statuses.append(other.call("PUT", f"{key}/", {"data": data})[0])

        before = server.resident_kilobytes()
        writers = [threading.Thread(target=write) for _ in range(4)]
        for writer in writers:
            writer.start()
        most = 0
        while any(writer.is_alive() for writer in writers):
            most = max(most, server.resident_kilobytes() - before)
            time.sleep(0.02)
        assert statuses == [201] * 4
        # One costs some 50 megabytes.
        assert most < 110_000
