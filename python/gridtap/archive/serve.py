"""The archive as a server process."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from gridtap.archive import limits
from gridtap.archive.app import Settings, build
from gridtap.archive.protocol import Protocol
from gridtap.archive.storage import SqliteStorage
from gridtap.errors import ArchiveError

__all__ = ["listen", "serve"]


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
        listener = listen(host, port)
    except OSError as error:
        storage.close()
        raise ArchiveError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    if not storage.is_writable:
        logging.getLogger("gridtap.archive").warning("%s is read-only: writes will fail", path)
    config = uvicorn.Config(
        build(storage, settings),
        http=Protocol,
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        limit_concurrency=limits.CONNECTIONS,
        timeout_keep_alive=limits.KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=limits.GRACE_SECONDS,
    )
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{listener.getsockname()[1]}"
    _Server(config, lambda: on_ready(address)).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections.

    :raises OSError: no such address, or it is taken
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    family, kind, protocol, _, address = found[0]
    # With the protocol left out asyncio does not see that it is TCP, and leaves Nagle's algorithm
    # on: every answer on a kept connection then waits for the caller's delayed acknowledgement.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(limits.CONNECTIONS)
    except OSError:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    """Says when it is ready"""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready()
