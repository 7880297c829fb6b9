"""A real HTTP server that answers as a test says, however badly."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DATA = Path(__file__).resolve().parent.parent / "data" / "esmond"

ROOT = "/esmond/perfsonar/archive/"


@dataclass
class Asked:
    """A request, as it arrived"""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    target: str

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What to answer.

    :param body: sent as one; an iterable is sent piece by piece, and the connection cut at its end
    :param length: declared instead of the true length
    """

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    length: int | None = None
    cut: bool = False


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    given = {"Content-Type": "application/json"}
    given.update((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, json.dumps(value).encode(), given)


def html_reply(status: int, page: str) -> Reply:
    return Reply(status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


class Server:
    """Serves on a free port of this host until the ``with`` block ends"""

    def __init__(self, answer: Callable[[Asked], Reply | None], *, tls: bool = False) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.connections = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def log_message(self, format: str, *args: object) -> None:
                """Tests look at what was asked, not at a log"""

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                body = self.rfile.read(length)
                asked = Asked(self.command, parts.path, query, headers, body, self.path)
                outer.asked.append(asked)
                reply = outer.answer(asked)
                if reply is None:
                    self.close_connection = True
                    return
                self._send(reply)

            do_POST = do_PUT = do_GET

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                whole = reply.body if isinstance(reply.body, bytes) else None
                length = len(whole) if whole is not None else None
                if reply.length is not None:
                    length = reply.length
                if length is not None:
                    self.send_header("Content-Length", str(length))
                if whole is None or reply.cut:
                    self.send_header("Connection", "close")
                    self.close_connection = True
                self.end_headers()
                try:
                    for piece in [whole] if whole is not None else reply.body:
                        self.wfile.write(piece)  # type: ignore[arg-type]
                        self.wfile.flush()
                except OSError:
                    self.close_connection = True

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """Clients that refuse the certificate, or hang up, are what some tests are about"""

        self._http = Quiet(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(DATA / "self-signed.pem")
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def paths(self) -> list[str]:
        """What was asked for, in order"""
        return [f"{asked.method} {asked.path}" for asked in self.asked]
