"""Senders that never come to an end, and what a server does with them."""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass, field

from tests.archive.client import Client

#: Seconds between two pieces of a sender that drips
PAUSE_S = 0.5


@dataclass
class Stalled:
    """A connection on which a request began

    :param drip: sent every now and then, so that the connection is never idle
    :param ceiling_s: seconds after which the server must have had enough
    """

    name: str
    connection: socket.socket
    drip: bytes
    ceiling_s: float
    key: str
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def of_every_kind(cls, archive: Client) -> list[Stalled]:
        """Stops and drips, within the first line, the header and the body"""
        key = archive.key_of("failures")
        head = (
            f"POST {archive.root}{key}/failures/base HTTP/1.1\r\nHost: {archive.host}\r\n"
            f"Content-Type: application/json\r\nAuthorization: Token {archive.key}\r\n"
        ).encode()
        body = head + b'Content-Length: 5000\r\n\r\n{"ts": 5, "val": "'
        kinds = [
            ("line", head[:9], b"", 20),
            ("header", head, b"", 20),
            ("dripping header", head, b"X: y\r\n", 20),
            ("body", body, b"", 60),
            ("dripping body", body, b"x", 60),
        ]
        senders = []
        for name, start, drip, ceiling_s in kinds:
            connection = socket.create_connection((archive.host, archive.port), timeout=10)
            connection.sendall(start)
            senders.append(cls(name, connection, drip, ceiling_s, key))
        return senders

    def outcome(self, slack_s: float) -> bytes | None:
        """What the server sent before it hung up; ``None`` if it still waits after its ceiling"""
        received = b""
        while time.monotonic() < self.began + self.ceiling_s + slack_s:
            readable, _, _ = select.select([self.connection], [], [], PAUSE_S)
            try:
                if readable:
                    piece = self.connection.recv(65536)
                    if not piece:
                        return received
                    received += piece
                elif self.drip:
                    self.connection.send(self.drip)
            except ConnectionError:
                return received
        return None
