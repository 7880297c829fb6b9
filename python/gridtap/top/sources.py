"""Where the screen's numbers come from: a collector in this process, or one that runs already."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from gridtap import _core
from gridtap.errors import GridtapError
from gridtap.udp import ListenError, bound

__all__ = ["CaptureSource", "CollectorSource", "LiveSource", "TopSource", "TopSourceError"]

#: What the socket asks for; the kernel grants up to net.core.rmem_max, bytes.
_BUFFER = 64 << 20

#: Longest wait for a collector's answer, seconds.
_TIMEOUT_S = 5.0

#: Largest answer of a collector that is read, bytes.
_LARGEST_ANSWER = 256 << 20

#: Accesses taken in one go, so that the screen stays alive under load.
_BATCHES = 64

Access = dict[str, Any]
Status = dict[str, Any]


class TopSourceError(GridtapError):
    """A collector that does not answer, or an address that cannot be listened on."""


class TopSource(Protocol):
    """What a screen is filled from. All methods belong to one thread."""

    #: What it is, for the first line
    name: str
    #: Whether accesses are known one by one, so that there are users and paths
    has_accesses: bool
    #: Whether nothing will change any more
    is_over: bool

    def status(self) -> Status:
        """The collector's status. :raises TopSourceError: there is none to be had"""

    def accesses(self) -> Iterator[Access]:
        """Those that ended since the last call, as records of ``accesses``."""

    def close(self) -> None:
        """Ends it."""


class _CoreSource:
    """A collector of our own, whose one sink are we."""

    has_accesses = True

    def __init__(self, name: str, sockets: Sequence[int] = ()) -> None:
        self.name = name
        self.is_over = False
        sink = {"name": "top", "records": ["accesses"], "profile": "native", "batch_wait_s": 0.25}
        settings = {"workers": 1, "receive_buffer_bytes": _BUFFER, "sinks": [sink]}
        self._core = _core.Collector(json.dumps(settings), list(sockets))

    def status(self) -> Status:
        return self._core.status()

    def accesses(self) -> Iterator[Access]:
        for _ in range(_BATCHES):
            batch = self._core.next(0, 0.0)
            if batch is None:
                return
            for line in bytes(batch.data).splitlines():
                yield json.loads(line)


class LiveSource(_CoreSource):
    """Packets of a UDP port.

    :param host: a local address, ``::`` for all of IPv4 and IPv6
    :raises TopSourceError: the port is taken, or the address is not ours
    """

    def __init__(self, host: str, port: int) -> None:
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            udp = bound(host, port)
        except ListenError as error:
            raise TopSourceError(str(error)) from error
        with udp:
            super().__init__(f"listening on {shown}", [udp.fileno()])
        self._core.start()

    def close(self) -> None:
        self._core.stop()


class CaptureSource(_CoreSource):
    """A capture, read in the background.

    :param ports: only packets to these UDP ports
    """

    def __init__(self, path: str, ports: Sequence[int] = ()) -> None:
        super().__init__(path)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._feed, args=(path, ports), daemon=True)
        self._thread.start()

    def _feed(self, path: str, ports: Sequence[int]) -> None:
        try:
            self._core.feed(path, list(ports))
            self._core.stop()
        except BaseException as error:
            # For the thread that asks.
            self._error = error

    def accesses(self) -> Iterator[Access]:
        yield from super().accesses()
        if self._error is not None:
            raise self._error
        self.is_over = not self._thread.is_alive() and self._core.drained(0)

    def close(self) -> None:
        """The reading thread ends with the process."""


class CollectorSource:
    """A collector that runs already, asked over HTTP; it does not tell of single accesses.

    :param url: what ``[http] listen`` of its configuration says, with ``http://``
    :raises TopSourceError: this is no such URL
    """

    has_accesses = False

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise TopSourceError(f"{url}: no URL of a collector, as in http://localhost:9931")
        self.name = url
        self.is_over = False
        path = parts.path.rstrip("/").removesuffix("/status")
        self._url = f"{parts.scheme}://{parts.netloc}{path}/status"

    def status(self) -> Status:
        # Only here: it would slow the start of every command down.
        import urllib.error
        import urllib.request

        try:
            with urllib.request.urlopen(self._url, timeout=_TIMEOUT_S) as answer:
                status = json.loads(answer.read(_LARGEST_ANSWER))
        except urllib.error.HTTPError as error:
            raise TopSourceError(f"{self._url}: {error.code} {error.reason}") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise TopSourceError(f"{self._url}: {reason}") from error
        if not isinstance(status, dict) or "packets" not in status:
            raise TopSourceError(f"{self._url}: this is no collector's status")
        return status

    def accesses(self) -> Iterator[Access]:
        return iter(())

    def close(self) -> None:
        """Nothing is open between two questions."""
