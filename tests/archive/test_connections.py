"""Bodies too large, senders too slow, and connections that end too early."""

from __future__ import annotations

import json
import re
import select
import socket
import time

import pytest

from tests.archive.client import Client

T = 1600000000
MIB = 1024 * 1024
#: Above this a body is refused
CEILING = 16 * MIB
GIB = 1024 * MIB
#: What may be under way in buffers when a refusal arrives
SLACK = 32 * MIB


@pytest.fixture
def key(archive: Client) -> str:
    return archive.key_of("failures", "throughput")


def head(archive: Client, method: str, path: str, *fields: str, key: bool = True) -> bytes:
    """The first lines of a request, as they stand on the wire"""
    lines = [f"{method} {archive.root}{path} HTTP/1.1", f"Host: {archive.host}", *fields]
    lines += ["Content-Type: application/json"]
    if key:
        lines += [f"Authorization: Token {archive.key}"]
    return "\r\n".join([*lines, "", ""]).encode()


def connect(archive: Client) -> socket.socket:
    return socket.create_connection((archive.host, archive.port), timeout=30)


def answer_to(connection: socket.socket) -> tuple[int, object]:
    """Status and content of an answer"""
    received = b""
    while piece := connection.recv(65536):
        received += piece
        start, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", start)
        if length and len(body) >= int(length[1]):
            break
    status = re.match(rb"HTTP/1\.1 (\d+)", received)
    assert status, received
    return int(status[1]), json.loads(body)


def pour(connection: socket.socket, block: bytes, total: int) -> int:
    """Sends until the server answers or hangs up: the bytes that went out"""
    sent = 0
    connection.setblocking(False)
    while sent < total:
        readable, writable, _ = select.select([connection], [connection], [], 30)
        if readable or not writable:
            break
        try:
            sent += connection.send(block[: total - sent])
        except (BrokenPipeError, ConnectionResetError):
            break
    connection.setblocking(True)
    connection.settimeout(30)
    return sent


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "{key}/"),
                                              ("POST", "{key}/failures/base")])  # fmt: skip
def test_a_gigabyte_that_is_announced(
    archive: Client, key: str, method: str, path: str, with_key: bool
) -> None:
    """Refused on its first line"""
    with connect(archive) as connection:
        length = f"Content-Length: {GIB}"
        connection.sendall(head(archive, method, path.format(key=key), length, key=with_key))
        assert pour(connection, b" " * 65536, GIB) < SLACK
        status, content = answer_to(connection)
    assert status == (413 if with_key else 401)
    assert isinstance(content, dict)
    assert list(content) == ["detail"]
    assert archive.data(key, "failures") == []


def test_a_gigabyte_in_chunks(archive: Client, key: str) -> None:
    """Not announced, so refused where the ceiling is passed"""
    block = b"10000\r\n" + b" " * 65536 + b"\r\n"
    with connect(archive) as connection:
        connection.sendall(head(archive, "PUT", f"{key}/", "Transfer-Encoding: chunked"))
        assert pour(connection, block, GIB) < CEILING + SLACK
        status, content = answer_to(connection)
    assert status == 413
    assert isinstance(content, dict)
    assert list(content) == ["detail"]
    assert archive.get(limit=1).status == 200


def test_around_the_ceiling(archive: Client, key: str) -> None:
    frame = b'{"ts": 5, "val": "%s"}'
    for size, status in ((CEILING - 1024, 201), (CEILING + 1024, 413)):
        body = frame % (b"x" * (size - len(frame) + 2))
        headers = {"Content-Type": "application/json"}
        answer = archive.send("POST", f"{key}/failures/base", body, headers)
        assert answer.status == status
        if status == 413:
            assert answer.detail
    ((_, value),) = archive.data(key, "failures")
    assert len(value) == CEILING - 1024 - len(frame) + 2


def test_other_forms_of_a_request(archive: Client, key: str) -> None:
    """HTTP/1.0, and a whole address as proxies send it (RFC 9112, 3.2.2)"""
    path = f"{archive.root}{key}/"
    for line in (f"GET {path} HTTP/1.0", f"GET http://ma.example.org{path} HTTP/1.1"):
        with connect(archive) as connection:
            fields = "Host: ma.example.org", "Connection: close"
            connection.sendall("\r\n".join([line, *fields, "", ""]).encode())
            status, content = answer_to(connection)
        assert status == 200
        assert isinstance(content, dict)
        assert content["url"] == f"http://ma.example.org{path}"


def test_a_body_in_chunks(archive: Client, key: str) -> None:
    """As clients send what they do not know the length of"""
    body = json.dumps({"data": [{"ts": T, "val": [{"event-type": "failures", "val": "x"}]}]})
    chunks = "".join(f"{len(part):x}\r\n{part}\r\n" for part in (body[:7], body[7:], ""))
    with connect(archive) as connection:
        connection.sendall(head(archive, "PUT", f"{key}/", "Transfer-Encoding: chunked"))
        connection.sendall(chunks.encode())
        assert answer_to(connection) == (201, "")
    assert archive.data(key, "failures") == [(T, "x")]


def test_requests_one_after_another_without_waiting(archive: Client, key: str) -> None:
    """Pipelined on one connection: answered in their order"""
    paths = [f"{key}/", "0/", f"{key}/failures/base"]
    with connect(archive) as connection:
        connection.sendall(b"".join(head(archive, "GET", path) for path in paths))
        received = b""
        while received.count(b"HTTP/1.1 ") < len(paths) and (piece := connection.recv(65536)):
            received += piece
    assert re.findall(rb"HTTP/1\.1 (\d+)", received) == [b"200", b"404", b"200"]


@pytest.mark.parametrize("host", ['"><script>', "x y", "a/b", "a?b", "a@b", "x:y:z"])
def test_hosts_that_are_none(archive: Client, host: str) -> None:
    """What is said to be our name ends up in every address"""
    for query in ("?limit=1", "?limit=1&format=api"):
        answer = archive.send("GET", query, None, {"Host": host})
        assert answer.status == 400
        assert b"<script>" not in answer.body


def test_expect_100_continue(archive: Client, key: str) -> None:
    """curl asks first, and need not send what will be refused"""
    with connect(archive) as connection:
        fields = f"Content-Length: {GIB}", "Expect: 100-continue"
        connection.sendall(head(archive, "PUT", f"{key}/", *fields))
        status, _ = answer_to(connection)
    assert status == 413


def test_slow_senders_hold_up_nobody(archive: Client, key: str) -> None:
    body = b'{"ts": 5, "val": "slow"}'
    fields = (f"Content-Length: {len(body)}",)
    slow = [connect(archive) for _ in range(50)]
    try:
        for number, connection in enumerate(slow):
            start = head(archive, "POST", f"{key}/failures/base", *fields)
            # Some stop in the first line, some in the header, some in the body.
            connection.sendall((start + body)[: (10, 100, len(start), len(start) + 9)[number % 4]])
        began = time.monotonic()
        for number in range(20):
            assert archive.post_point(key, "throughput", number, number).status == 201
        assert len(archive.with_key(None).data(key, "throughput")) == 20
        assert time.monotonic() - began < 5
    finally:
        for connection in slow:
            connection.close()
    assert archive.data(key, "failures") == []


def test_bodies_cut_short_are_not_stored(archive: Client, key: str) -> None:
    """Not even those that would be whole JSON"""
    body = b'{"ts": 5, "val": 5}'
    for fields, sent in (
        ((f"Content-Length: {len(body) + 1}",), body),
        ((f"Content-Length: {len(body)}",), body[:-1]),
        (("Transfer-Encoding: chunked",), b"%x\r\n%s\r\n" % (len(body), body)),
    ):
        with connect(archive) as connection:
            connection.sendall(head(archive, "POST", f"{key}/failures/base", *fields) + sent)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(5)
            try:
                while connection.recv(65536):
                    pass
            except (TimeoutError, ConnectionError):
                pass
    assert archive.data(key, "failures") == []
    assert archive.post_point(key, "failures", 5, "whole").status == 201


@pytest.mark.parametrize(
    "line",
    [b"\r\n\r\n\r\n", b"NONSENSE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
     b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
     b"GET / HTTP/1.1\r\n" + b"X-Header: y\r\n" * 20_000 + b"\r\n",
     b"GET / HTTP/1.1\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
     b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
     b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"],
    ids=range(9),
)  # fmt: skip
def test_lines_that_are_no_http(archive: Client, line: bytes) -> None:
    with connect(archive) as connection:
        connection.settimeout(3)
        try:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            status = re.match(rb"HTTP/1\.1 (\d)", connection.recv(65536))
            assert status is None or status[1] in b"234"
        except OSError:
            # Hanging up is an answer too.
            pass
    assert archive.get(limit=1).status == 200
