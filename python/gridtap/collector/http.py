"""How the collector is, over HTTP: metrics, health, readiness, status.

``/metrics``
    for Prometheus
``/healthz``
    200 as long as all threads are alive, else 503
``/readyz``
    200 as long as packets are received and no sink has failed for long, else 503 with the reasons
``/status``
    all counters as JSON, for ``gridtap top``
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from gridtap.collector.compatible import Dialect
from gridtap.collector.logs import event_log
from gridtap.collector.metrics import CollectorMetrics
from gridtap.errors import MissingExtraError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["HttpServer", "Observed"]

_LOG = event_log(__name__)

#: A client that is silent for so many seconds is cut off
_PATIENCE_S = 10.0

#: Requests that are answered at a time. Scrapers are few; others shall not cost memory.
_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Observed:
    """What is told of. All may be called by any thread.

    :param core: the core's status
    :param sinks: a row for each sink, of what the core does not know; see
        :py:class:`~.family.Snapshot`
    :param dead: names of threads that have ended though they should not have
    """

    core: Callable[[], Mapping[str, Any]]
    sinks: Callable[[], Sequence[Mapping[str, Any]]]
    dead: Callable[[], Sequence[str]]


class HttpServer:
    """Answers in threads of its own, until it is closed.

    :param host: address; IPv6 as well
    :param port: 0: any free one
    :param dialects: of metrics to be told besides the own names
    :param failing_s: seconds for which a sink may fail until the collector is not ready
    :raises OSError: the address cannot be used
    :raises KeyError: no such dialect
    :raises MissingExtraError: prometheus-client is not installed
    """

    def __init__(
        self,
        host: str,
        port: int,
        observed: Observed,
        *,
        dialects: Collection[Dialect] = (),
        failing_s: float = 60.0,
    ) -> None:
        self._server = _Server((host, port), _App(observed, dialects, failing_s))
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="gridtap-http", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it answers"""
        host, port = self._server.server_address[:2]
        name = str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    def close(self) -> None:
        """Answers nothing more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Readiness:
    """Whether records get through.

    A sink fails since it was first asked about while it failed: whoever wants to know asks often.
    """

    def __init__(self, observed: Observed, failing_s: float) -> None:
        self._observed = observed
        self._failing_s = failing_s
        self._failing_since: dict[str, float] = {}
        self._lock = threading.Lock()

    def reasons(self) -> list[str]:
        """Why the collector is not ready; empty: it is"""
        found = [f"thread {name} has ended" for name in self._observed.dead()]
        if not self._observed.core()["sockets"]:
            found.append("no socket is bound")
        now = time.monotonic()
        with self._lock:
            failing = {row["name"]: row["trouble"] for row in self._observed.sinks()}
            failing = {name: trouble for name, trouble in failing.items() if trouble is not None}
            since = {name: self._failing_since.get(name, now) for name in failing}
            self._failing_since = since
        for name, trouble in failing.items():
            if now - since[name] >= self._failing_s:
                found.append(f"sink {name} has failed for {now - since[name]:.0f} s: {trouble}")
        return found


class _App:
    """The WSGI application"""

    def __init__(self, observed: Observed, dialects: Collection[Dialect], failing_s: float) -> None:
        try:
            from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
            from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
        except ImportError as error:
            raise MissingExtraError("the HTTP endpoint of the collector", "collector") from error
        self._observed = observed
        self._readiness = _Readiness(observed, failing_s)
        self._registry = CollectorRegistry()
        self._registry.register(CollectorMetrics(observed.core, observed.sinks, dialects))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._text = generate_latest
        self._text_type = CONTENT_TYPE_PLAIN_0_0_4
        self._pages: Mapping[str, Callable[[], tuple[HTTPStatus, str, bytes]]] = {
            "/metrics": self._metrics,
            "/healthz": self._health,
            "/readyz": self._ready,
            "/status": self._status,
        }

    def __call__(self, asked: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        status, kind, body = self._answer(asked)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "GET, HEAD"))
        start(f"{status.value} {status.phrase}", headers)
        return [b"" if asked["REQUEST_METHOD"] == "HEAD" else body]

    def _answer(self, asked: WSGIEnvironment) -> tuple[HTTPStatus, str, bytes]:
        page = self._pages.get(asked.get("PATH_INFO", ""))
        if page is None:
            names = " ".join(self._pages)
            return _json(HTTPStatus.NOT_FOUND, {"error": f"there are only {names}"})
        if asked["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _json(HTTPStatus.METHOD_NOT_ALLOWED, {"error": "only GET"})
        try:
            return page()
        except Exception as error:
            _LOG.error("no_answer", path=asked["PATH_INFO"], reason=repr(error))
            return _json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "see the collector's log"})

    def _metrics(self) -> tuple[HTTPStatus, str, bytes]:
        # The moment from which a sink fails is noted by whoever comes.
        self._readiness.reasons()
        return HTTPStatus.OK, self._text_type, self._text(self._registry)

    def _health(self) -> tuple[HTTPStatus, str, bytes]:
        return _verdict([f"thread {name} has ended" for name in self._observed.dead()])

    def _ready(self) -> tuple[HTTPStatus, str, bytes]:
        return _verdict(self._readiness.reasons())

    def _status(self) -> tuple[HTTPStatus, str, bytes]:
        told = {**self._observed.core(), "pipelines": list(self._observed.sinks())}
        return _json(HTTPStatus.OK, told)


def _verdict(reasons: list[str]) -> tuple[HTTPStatus, str, bytes]:
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    return _json(status, {"ok": not reasons, "reasons": reasons})


def _json(status: HTTPStatus, content: object) -> tuple[HTTPStatus, str, bytes]:
    return status, "application/json", json.dumps(content).encode() + b"\n"


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE_S

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are no news"""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], app: _App) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._free = threading.BoundedSemaphore(_AT_A_TIME)
        super().__init__(address, _Handler)
        self.set_app(app)

    def server_bind(self) -> None:
        # The one of the library looks the host's name up, which may take long.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up in the middle is no news"""
