"""The archive as a server process."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from gridtap.archive import jsontext, limits
from gridtap.archive.app import Settings, build
from gridtap.archive.storage import SqliteStorage
from gridtap.errors import ArchiveError

__all__ = ["serve"]

#: Connections at once; callers beyond are told to come again.
_CONNECTIONS = 512

#: Seconds that a connection may be kept without a request.
_KEEP_ALIVE_SECONDS = 30

#: Seconds that requests under way have to end when the server is told to stop.
_GRACE_SECONDS = 10


def serve(
    path: Path,
    host: str,
    port: int,
    settings: Settings,
    proxies: Sequence[str] = (),
    on_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serves a file until it is told to stop (SIGINT or SIGTERM).

    :param port: 0 for any that is free
    :param proxies: addresses and networks whose ``X-Forwarded-*`` headers are believed
    :param on_ready: called with the address, once connections are taken
    :raises ArchiveError: the file or the address cannot be used
    """
    storage = SqliteStorage(path)
    try:
        listener = _listen(host, port)
    except OSError as error:
        storage.close()
        raise ArchiveError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    if not storage.is_writable:
        logging.getLogger("gridtap.archive").warning("%s is read-only: writes will fail", path)
    config = uvicorn.Config(
        build(storage, settings),
        http=_Protocol,
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{listener.getsockname()[1]}"
    _Server(config, lambda: on_ready(address)).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=_CONNECTIONS)


class _Server(uvicorn.Server):
    """Says when it is ready"""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready()


class _Protocol(H11Protocol):
    """Also ends connections on which a request's head does not arrive, and refuses in JSON"""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._cancel()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is refused as everything else is."""
        if self.cycle is not None:
            # Nobody waits for the application's answer any more.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            # The answer was on its way already when the body turned out so.
            self.transport.close()
            return
        body = jsontext.dump({"detail": msg}).encode()
        fields = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        for event in (
            h11.Response(status_code=400, reason="Bad Request", headers=fields),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._cancel()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(limits.HEADER_SECONDS, self._give_up)

    def _cancel(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self.transport.close()
