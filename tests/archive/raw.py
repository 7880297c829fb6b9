"""Bytes sent to a server as no client library would."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

from tests.archive.process import KEY, ROOT

#: Ceilings in seconds, so that nobody waits for the real ones
LIMITS = {
    "HEADER_SECONDS": 0.6,
    "BODY_SECONDS": 1.0,
    "DRAIN_SECONDS": 0.5,
    "KEEP_ALIVE_SECONDS": 1,
    "TAKE_SECONDS": 0.6,
    "LOCK_SECONDS": 0.6,
    "GRACE_SECONDS": 1,
    "CONNECTIONS": 60,
}

#: What a ceiling may take longer on a busy machine
SLACK = 2.5


def put(*fields: str, key: str = KEY) -> bytes:
    lines = [
        f"PUT {ROOT}k/ HTTP/1.1",
        "Host: a",
        "Content-Type: application/json",
        f"Authorization: Token {key}",
        *fields,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def trickle(connection: socket.socket, data: Callable[[], bytes], seconds: float) -> bytes:
    """Sends a few bytes every tenth of a second until the other side has enough: its answer

    Fails if that takes longer than the seconds, and some.
    """
    begin = time.monotonic()
    answer = b""
    connection.settimeout(0.1)
    while time.monotonic() - begin < seconds + SLACK:
        with contextlib.suppress(TimeoutError):
            try:
                connection.sendall(data())
                piece = connection.recv(65_536)
            except (ConnectionResetError, BrokenPipeError):
                return answer
            if not piece:
                return answer
            answer += piece
    raise AssertionError(f"still connected after {seconds + SLACK} s; it said {answer!r}")


def rest(connection: socket.socket, seconds: float) -> bytes:
    return trickle(connection, bytes, seconds)
