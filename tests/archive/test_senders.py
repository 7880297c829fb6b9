"""Clients that send slowly, too much, no end or no HTTP: refused or cut off, others unaffected."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.archive.process import ROOT, Server, prepare, serving, until
from tests.archive.raw import LIMITS, put, rest, trickle

_GET = f"GET {ROOT} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    db = prepare(tmp_path_factory.mktemp("senders") / "archive.db")
    with serving(db, limits=LIMITS) as server:
        yield server


@pytest.fixture(autouse=True)
def _others_are_served(server: Server) -> Iterator[None]:
    """Somebody asks all the time; memory stays where it was; nothing is logged as a fault"""
    before = server.resident_kilobytes()
    is_over = threading.Event()
    slowest = [0.0]
    statuses: list[int] = []

    def ask() -> None:
        with server.caller(key=None) as caller:
            while not (statuses and is_over.wait(0.05)):
                begin = time.monotonic()
                statuses.append(caller.call("GET", "")[0])
                slowest[0] = max(slowest[0], time.monotonic() - begin)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: statuses)
    yield
    is_over.set()
    asking.join()
    assert set(statuses) == {200}
    assert slowest[0] < 1.0
    assert server.resident_kilobytes() - before < 40_000
    assert "Traceback" not in server.log(), server.log()
    assert "ERROR" not in server.log(), server.log()


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
        assert rest(connection, LIMITS["HEADER_SECONDS"]) == b""


def test_slow_head(server: Server) -> None:
    head = iter(f"GET {ROOT} HTTP/1.1\r\nX-Slow: ".encode() + b"x" * 1_000)
    with server.connect() as connection:
        answer = trickle(connection, lambda: bytes([next(head)]), LIMITS["HEADER_SECONDS"])
    assert answer == b""


def test_empty_lines(server: Server) -> None:
    """They may come before a request, but not for ever"""
    with server.connect() as connection:
        answer = trickle(connection, lambda: b"\r\n", LIMITS["HEADER_SECONDS"])
    assert not answer or _detail(answer)[0] == 400


def test_slow_head_after_an_answer(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(_GET)
        answer = trickle(connection, lambda: b"GET / "[:1], LIMITS["HEADER_SECONDS"])
    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_kept_connection(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(_GET)
        answer = rest(connection, LIMITS["KEEP_ALIVE_SECONDS"])
    assert answer.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (put("Content-Length: 1000000"), b"{"),
        (put("Transfer-Encoding: chunked"), b"1\r\n{\r\n"),
    ],
)
def test_slow_body(server: Server, head: bytes, piece: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(head)
        answer = trickle(
            connection, lambda: piece, LIMITS["BODY_SECONDS"] + LIMITS["DRAIN_SECONDS"]
        )
    assert _detail(answer) == (408, "Request body did not arrive within 1 seconds")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (put("Content-Length: 1000000", key="wrong"), 401),
        (put("Content-Length: 1000000").replace(b"PUT ", b"GET "), 404),
        (put("Content-Length: 1000000").replace(b"PUT ", b"DELETE "), 405),
        (put("Content-Length: 1000000").replace(b"/perfsonar/", b"/other/"), 405),
    ],
)
def test_slow_body_that_nobody_waits_for(server: Server, head: bytes, status: int) -> None:
    """The answer is there before the body, and the sender stays"""
    with server.connect() as connection:
        connection.sendall(head)
        answer = trickle(connection, lambda: b"{", LIMITS["DRAIN_SECONDS"])
    assert answer.split()[1] == str(status).encode()


def test_one_more_byte_after_a_refusal(server: Server) -> None:
    """It must not stop the clock"""
    with server.connect() as connection:
        connection.sendall(put("Content-Length: 1000000", key="wrong"))
        assert _refused(connection).split()[1] == b"401"
        connection.sendall(b"x")
        assert rest(connection, LIMITS["KEEP_ALIVE_SECONDS"]) == b""


def test_declared_gigabyte(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(put(f"Content-Length: {1 << 30}"))
        answer = rest(connection, LIMITS["DRAIN_SECONDS"])
    assert _detail(answer) == (413, "Request body must not exceed 16777216 bytes")


def test_gigabyte_that_is_sent(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(put(f"Content-Length: {1 << 30}"))
        answer = trickle(connection, lambda: bytes(1 << 20), LIMITS["DRAIN_SECONDS"])
    assert _detail(answer) == (413, "Request body must not exceed 16777216 bytes")


def test_chunks_without_end(server: Server) -> None:
    chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    with server.connect() as connection:
        connection.sendall(put("Transfer-Encoding: chunked"))
        connection.settimeout(10)
        for _ in range(17):
            connection.sendall(chunk)
        answer = trickle(connection, lambda: chunk, LIMITS["DRAIN_SECONDS"])
    assert _detail(answer)[0] == 413


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 100 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(128, 256)),
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ],
)
def test_garbage(server: Server, garbage: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(garbage)
        answer = rest(connection, LIMITS["HEADER_SECONDS"])
    assert _detail(answer)[0] in (400, 431)


def test_large_head(server: Server) -> None:
    """Whether the answer arrives before the end of the connection is up to the network"""
    with server.connect() as connection, contextlib.suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n")
        answer = rest(connection, LIMITS["HEADER_SECONDS"])
        assert not answer or _detail(answer)[0] == 400


def test_garbage_behind_requests(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(_GET * 3 + b"\0 garbage \0\r\n\r\n" + _GET)
        answer = rest(connection, LIMITS["HEADER_SECONDS"])
    statuses = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"200", b"200", b"400"]


def test_garbage_instead_of_a_chunk(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(put("Transfer-Encoding: chunked") + b"garbage\r\n")
        answer = rest(connection, LIMITS["HEADER_SECONDS"])
    assert _detail(answer)[0] == 400


def test_garbage_instead_of_a_chunk_after_the_answer(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(put("Transfer-Encoding: chunked", key="wrong"))
        assert _refused(connection).split()[1] == b"401"
        connection.sendall(b"garbage\r\n")
        assert rest(connection, LIMITS["DRAIN_SECONDS"]) == b""


def test_end_in_the_middle_of_a_body(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(put("Content-Length: 1000") + b'{"data": [')
        connection.shutdown(socket.SHUT_WR)
        answer = rest(connection, LIMITS["BODY_SECONDS"])
    assert answer == b"" or _detail(answer)[0] == 400


def test_reset_in_the_middle_of_a_body(server: Server) -> None:
    for _ in range(10):
        with server.connect() as connection:
            connection.sendall(put("Content-Length: 1000") + b'{"data": [')
            linger = b"\1\0\0\0\0\0\0\0"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


@pytest.mark.parametrize("host", ["", "Host: archive.example.net:8085\r\n"])
def test_http_1_0(server: Server, host: str) -> None:
    with server.connect() as connection:
        connection.sendall(f"GET {ROOT} HTTP/1.0\r\n{host}\r\n".encode())
        answer = rest(connection, 0.0)
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
            assert rest(connection, LIMITS["HEADER_SECONDS"]) == b""


_CONNECTIONS = int(LIMITS["CONNECTIONS"])
