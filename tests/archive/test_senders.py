"""Clients that send slowly, too much, no end or no HTTP: refused or cut off, others unaffected."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.archive import samples
from tests.archive.process import KEY, ROOT, Caller, Server, prepare, serving

#: Ceilings in seconds, so that nobody waits for the real ones
_LIMITS = {
    "HEADER_SECONDS": 0.6,
    "BODY_SECONDS": 1.0,
    "DRAIN_SECONDS": 0.5,
    "KEEP_ALIVE_SECONDS": 1,
    "TAKE_SECONDS": 1.0,
    "LOCK_SECONDS": 1.0,
    "GRACE_SECONDS": 1,
    "CONNECTIONS": 60,
}

#: What a ceiling may take longer on a busy machine
_SLACK = 2.5

_GET = f"GET {ROOT} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def _put(*fields: str, key: str = KEY) -> bytes:
    lines = [
        f"PUT {ROOT}k/ HTTP/1.1",
        "Host: a",
        "Content-Type: application/json",
        f"Authorization: Token {key}",
        *fields,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    db = prepare(tmp_path_factory.mktemp("senders") / "archive.db")
    with serving(db, limits=_LIMITS) as server:
        yield server


@pytest.fixture(autouse=True)
def _others_are_served(server: Server) -> Iterator[None]:
    """Somebody asks all the time; memory stays where it was; nothing is logged as a fault"""
    before = server.resident_kilobytes()
    is_over = threading.Event()
    slowest = [0.0]
    statuses = []

    def ask() -> None:
        with server.caller(key=None) as caller:
            while not (statuses and is_over.wait(0.05)):
                begin = time.monotonic()
                statuses.append(caller.call("GET", "")[0])
                slowest[0] = max(slowest[0], time.monotonic() - begin)

    asking = threading.Thread(target=ask)
    asking.start()
    yield
    is_over.set()
    asking.join()
    assert set(statuses) == {200}
    assert slowest[0] < 1.0
    assert server.resident_kilobytes() - before < 40_000
    assert "Traceback" not in server.log(), server.log()
    assert "ERROR" not in server.log(), server.log()


def _trickle(connection: socket.socket, data: Callable[[], bytes], seconds: float) -> bytes:
    """Sends a few bytes every tenth of a second until the other side has enough: its answer

    Fails if that takes longer than the seconds, and some.
    """
    begin = time.monotonic()
    answer = b""
    connection.settimeout(0.1)
    while time.monotonic() - begin < seconds + _SLACK:
        with contextlib.suppress(TimeoutError):
            try:
                connection.sendall(data())
                piece = connection.recv(65_536)
            except (ConnectionResetError, BrokenPipeError):
                return answer
            if not piece:
                return answer
            answer += piece
    raise AssertionError(f"still connected after {seconds + _SLACK} s; it said {answer!r}")


def _rest(connection: socket.socket, seconds: float) -> bytes:
    return _trickle(connection, bytes, seconds)


def _refused(connection: socket.socket) -> bytes:
    """The whole of an answer after which the connection stays"""
    answer = b""
    while not answer.endswith(b"}"):
        piece = connection.recv(65_536)
        assert piece, answer
        answer += piece
    return answer


def _detail(answer: bytes) -> tuple[int, str]:
    """Status and detail of an answer that says that the connection ends"""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower(), answer
    return int(head.split()[1]), json.loads(body)["detail"]


def test_nothing_is_sent(server: Server) -> None:
    with server.connect() as connection:
        assert _rest(connection, _LIMITS["HEADER_SECONDS"]) == b""


def test_slow_head(server: Server) -> None:
    head = iter(f"GET {ROOT} HTTP/1.1\r\nX-Slow: ".encode() + b"x" * 1_000)
    with server.connect() as connection:
        answer = _trickle(connection, lambda: bytes([next(head)]), _LIMITS["HEADER_SECONDS"])
    assert answer == b""


def test_empty_lines(server: Server) -> None:
    """They may come before a request, but not for ever"""
    with server.connect() as connection:
        answer = _trickle(connection, lambda: b"\r\n", _LIMITS["HEADER_SECONDS"])
    assert not answer or _detail(answer)[0] == 400


def test_slow_head_after_an_answer(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(_GET)
        answer = _trickle(connection, lambda: b"GET / "[:1], _LIMITS["HEADER_SECONDS"])
    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_kept_connection(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(_GET)
        answer = _rest(connection, _LIMITS["KEEP_ALIVE_SECONDS"])
    assert answer.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (_put("Content-Length: 1000000"), b"{"),
        (_put("Transfer-Encoding: chunked"), b"1\r\n{\r\n"),
    ],
)
def test_slow_body(server: Server, head: bytes, piece: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(head)
        answer = _trickle(
            connection, lambda: piece, _LIMITS["BODY_SECONDS"] + _LIMITS["DRAIN_SECONDS"]
        )
    assert _detail(answer) == (408, "Request body did not arrive within 1 seconds")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (_put("Content-Length: 1000000", key="wrong"), 401),
        (_put("Content-Length: 1000000").replace(b"PUT ", b"GET "), 404),
        (_put("Content-Length: 1000000").replace(b"PUT ", b"DELETE "), 405),
        (_put("Content-Length: 1000000").replace(b"/perfsonar/", b"/other/"), 405),
    ],
)
def test_slow_body_that_nobody_waits_for(server: Server, head: bytes, status: int) -> None:
    """The answer is there before the body, and the sender stays"""
    with server.connect() as connection:
        connection.sendall(head)
        answer = _trickle(connection, lambda: b"{", _LIMITS["DRAIN_SECONDS"])
    assert answer.split()[1] == str(status).encode()


def test_one_more_byte_after_a_refusal(server: Server) -> None:
    """It must not stop the clock"""
    with server.connect() as connection:
        connection.sendall(_put("Content-Length: 1000000", key="wrong"))
        assert _refused(connection).split()[1] == b"401"
        connection.sendall(b"x")
        assert _rest(connection, _LIMITS["KEEP_ALIVE_SECONDS"]) == b""


def test_declared_gigabyte(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(_put(f"Content-Length: {1 << 30}"))
        answer = _rest(connection, _LIMITS["DRAIN_SECONDS"])
    assert _detail(answer) == (413, "Request body must not exceed 16777216 bytes")


def test_gigabyte_that_is_sent(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(_put(f"Content-Length: {1 << 30}"))
        answer = _trickle(connection, lambda: bytes(1 << 20), _LIMITS["DRAIN_SECONDS"])
    assert _detail(answer) == (413, "Request body must not exceed 16777216 bytes")


def test_chunks_without_end(server: Server) -> None:
    chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    with server.connect() as connection:
        connection.sendall(_put("Transfer-Encoding: chunked"))
        connection.settimeout(10)
        for _ in range(17):
            connection.sendall(chunk)
        answer = _trickle(connection, lambda: chunk, _LIMITS["DRAIN_SECONDS"])
    assert _detail(answer)[0] == 413


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 100 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(128, 256)),
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ],
)
def test_garbage(server: Server, garbage: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(garbage)
        answer = _rest(connection, _LIMITS["HEADER_SECONDS"])
    assert _detail(answer)[0] in (400, 431)


def test_garbage_behind_requests(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(_GET * 3 + b"\0 garbage \0\r\n\r\n" + _GET)
        answer = _rest(connection, _LIMITS["HEADER_SECONDS"])
    statuses = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"200", b"200", b"400"]


def test_garbage_instead_of_a_chunk(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(_put("Transfer-Encoding: chunked") + b"garbage\r\n")
        answer = _rest(connection, _LIMITS["HEADER_SECONDS"])
    assert _detail(answer)[0] == 400


def test_garbage_instead_of_a_chunk_after_the_answer(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(_put("Transfer-Encoding: chunked", key="wrong"))
        assert _refused(connection).split()[1] == b"401"
        connection.sendall(b"garbage\r\n")
        assert _rest(connection, _LIMITS["DRAIN_SECONDS"]) == b""


def test_end_in_the_middle_of_a_body(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(_put("Content-Length: 1000") + b'{"data": [')
        connection.shutdown(socket.SHUT_WR)
        answer = _rest(connection, _LIMITS["BODY_SECONDS"])
    assert answer == b"" or _detail(answer)[0] == 400


def test_reset_in_the_middle_of_a_body(server: Server) -> None:
    for _ in range(10):
        with server.connect() as connection:
            connection.sendall(_put("Content-Length: 1000") + b'{"data": [')
            linger = b"\1\0\0\0\0\0\0\0"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


@pytest.mark.parametrize("host", ["", "Host: archive.example.net:8085\r\n"])
def test_http_1_0(server: Server, host: str) -> None:
    with server.connect() as connection:
        connection.sendall(f"GET {ROOT} HTTP/1.0\r\n{host}\r\n".encode())
        answer = _rest(connection, 0.0)
    assert answer.split(b"\r\n")[0].split()[1] == b"200"
    assert answer.endswith(b"\r\n\r\n[]")


def test_many_idle_connections(server: Server) -> None:
    """More than there may be: those who ask are served, those who do not are closed"""
    with ExitStack() as stack:
        idle = [stack.enter_context(server.connect()) for _ in range(3 * _CONNECTIONS)]
        for _ in range(20):
            with server.caller(key=None) as caller:
                assert caller.call("GET", "")[0] == 200
        for connection in idle:
            assert _rest(connection, _LIMITS["HEADER_SECONDS"]) == b""


_CONNECTIONS = int(_LIMITS["CONNECTIONS"])


def test_slow_reader(tmp_path: Path) -> None:
    """Somebody who asks for much and takes nothing is cut off"""
    db = prepare(tmp_path / "archive.db")
    with serving(db, limits=_LIMITS) as server, server.caller() as caller:
        key = _series(caller, 40_000)
        path = f"{ROOT}{key}/throughput/base?time-start=0&limit=100000"
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            before = _open_files(server)
            for _ in range(20):
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            time.sleep(_LIMITS["TAKE_SECONDS"] + 0.5)
            deadline = time.monotonic() + _SLACK
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
    with serving(db, limits=_LIMITS) as server, server.caller() as reader:
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
    limits = {**_LIMITS, "BODY_SECONDS": 60.0}
    with serving(db, limits=limits) as server, server.connect() as connection:
        connection.sendall(_put("Content-Length: 1000") + b"{")
        time.sleep(0.2)
        server.process.send_signal(kind)
        answer = _rest(connection, _LIMITS["GRACE_SECONDS"])
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
        writers = [threading.Thread(target=write) for _ in range(6)]
        for writer in writers:
            writer.start()
        most = 0
        while any(writer.is_alive() for writer in writers):
            most = max(most, server.resident_kilobytes() - before)
            time.sleep(0.02)
        assert statuses == [201] * 6
        # One costs some 50 megabytes.
        assert most < 120_000
