"""Between the web server and the answers: who calls, what is allowed, what goes in and out."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from gridtap.archive import browse, jsontext, limits
from gridtap.archive.auth import NO_CREDENTIALS, authenticate
from gridtap.archive.calls import Answer, Call
from gridtap.archive.negotiation import wants_page
from gridtap.archive.refusal import RefusedError, UnavailableError
from gridtap.archive.storage import Storage

__all__ = ["Endpoint", "Handler", "Policy"]

_LOG = logging.getLogger("gridtap.archive")

#: Characters of a host and a port; what else a caller puts there would be sent back in addresses.
_HOST = re.compile(r"[A-Za-z0-9._\-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")

_READS = ("GET", "HEAD", "OPTIONS")

P = ParamSpec("P")
T = TypeVar("T")

#: A piece of work on the database; called in a thread.
Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for all endpoints.

    :param alias: the script alias, empty or with a leading slash
    :param is_private: reads need a key too
    :ivar writers: turns of those who may wait for the database to be written
    """

    storage: Storage
    alias: str
    is_private: bool
    writers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(limits.WRITERS))


class Endpoint:
    """One address pattern: an ASGI application.

    :param name: for people
    :param handlers: by method; HEAD and OPTIONS follow from them
    """

    def __init__(self, policy: Policy, name: str, handlers: Mapping[str, Handler]) -> None:
        self._policy = policy
        self._name = name
        self._handlers = {**handlers, "HEAD": handlers["GET"], "OPTIONS": self._options}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        is_page = False
        try:
            # A pattern's end also matches before a line's end.
            if not scope["path"].isprintable():
                raise RefusedError("Not found.", 404)
            is_page = wants_page(request.query_params, request.headers.get("accept", ""))
            answer = await self._answer(request)
            # Nothing is sent before the first piece is there: until then it can still be refused.
            answer = await _in_thread(_begun, answer)
        except ClientDisconnect:
            return
        except RefusedError as error:
            answer = _refusal(request, error)
        except asyncio.CancelledError:
            # There is little time left: the server ends.
            answer = _refusal(request, UnavailableError("The archive is being stopped"))
        except Exception:
            _LOG.exception("%s %s failed", request.method, request.url.path)
            answer = _refusal(request, RefusedError("Internal error", 500))
        headers = {"Allow": ", ".join(self._handlers), "Vary": "Accept", **answer.headers}
        try:
            await _Sender(request, receive, send, is_page).send(answer, headers)
        except UnavailableError as error:
            # In the middle of an answer; without its end nobody takes it for whole.
            _log(request, error)

    async def _answer(self, request: Request) -> Answer:
        await _in_thread(self._check_caller, request)
        handler = self._handlers.get(request.method)
        if handler is None:
            raise RefusedError(f'Method "{request.method}" not allowed.', 405)
        if request.method in _READS:
            return await _in_thread(handler, self._call(request, b""))
        call = self._call(request, await _body(request))
        async with _turn(self._policy.writers):
            return await _in_thread(handler, call)

    def _check_caller(self, request: Request) -> None:
        is_read = request.method in _READS
        header = request.headers.get("authorization")
        if is_read and header is None and not self._policy.is_private:
            return
        peer = request.client.host if request.client else None
        user = authenticate(self._policy.storage, header, peer)
        if user is None and (self._policy.is_private or not is_read):
            raise RefusedError(NO_CREDENTIALS, 401)

    def _call(self, request: Request, body: bytes) -> Call:
        alias = self._policy.alias
        path = request.scope["path"]
        return Call(
            method=request.method,
            path=path.removeprefix(alias) if path.startswith(f"{alias}/") else path,
            parts=request.path_params,
            query=dict(request.query_params),
            content_type=request.headers.get("content-type", ""),
            body=body,
            origin=f"{request.url.scheme}://{_host(request)}",
            alias=alias,
        )

    def _options(self, _: Call) -> Answer:
        shown = {
            "name": self._name,
            "description": "",
            "renders": ["application/json", "text/html"],
            "parses": ["application/json"],
        }
        return Answer(200, [jsontext.dump(shown).encode()])


class _Sender:
    """Sends one answer"""

    def __init__(self, request: Request, receive: Receive, send: Send, is_page: bool) -> None:
        self._request = request
        self._receive = receive
        self._send = send
        self._is_page = is_page

    async def send(self, answer: Answer, headers: Mapping[str, str]) -> None:
        pieces = answer.body
        content_type = "application/json"
        if self._is_page:
            shown = {"Content-Type": content_type, **headers}
            text = await _in_thread(b"".join, pieces)
            pieces = [browse.page(self._request.url.path, answer.status, shown, text)]
            content_type = "text/html; charset=utf-8"
        all_headers = {"Content-Type": content_type, **headers}
        if isinstance(pieces, list | tuple):
            all_headers["Content-Length"] = str(sum(map(len, pieces)))
        await self._send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [
                    (name.lower().encode(), value.encode("latin-1", "replace"))
                    for name, value in all_headers.items()
                ],
            }
        )
        if self._request.method != "HEAD":
            await self._send_pieces(pieces)
        if all_headers.get("Connection") == "close":
            await self._drain()
        await self._send({"type": "http.response.body", "body": b""})

    async def _send_pieces(self, pieces: Iterable[bytes]) -> None:
        # What is made already needs no thread, for which there is no time when the server ends.
        is_made = isinstance(pieces, list | tuple)
        async for piece in _each(pieces) if is_made else iterate_in_threadpool(pieces):
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _drain(self) -> None:
        with anyio.move_on_after(limits.DRAIN_SECONDS):
            while (await self._receive()).get("more_body"):
                pass


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await anyio.to_thread.run_sync(lambda: work(*args, **kwargs))


async def _each(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@asynccontextmanager
async def _turn(writers: asyncio.Semaphore) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limits.LOCK_SECONDS):
            await writers.acquire()
    except TimeoutError:
        raise UnavailableError("The archive is busy", "too many writers") from None
    try:
        yield
    finally:
        writers.release()


def _host(request: Request) -> str:
    """Host and port as the caller addressed them; HTTP 1.0 need not say"""
    host = request.headers.get("host")
    if host is None:
        name, port = request.scope["server"]
        host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    if not _HOST.fullmatch(host):
        raise RefusedError("Invalid Host header")
    return host


def _begun(answer: Answer) -> Answer:
    """The answer with its first piece made"""
    if isinstance(answer.body, list | tuple):
        return answer
    rest = iter(answer.body)
    first = next(rest, b"")

    def pieces() -> Iterable[bytes]:
        yield first
        yield from rest

    return Answer(answer.status, pieces(), answer.headers)


def _refusal(request: Request, error: RefusedError) -> Answer:
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Token"
    if error.status in (408, 413):
        headers["Connection"] = "close"
    if isinstance(error, UnavailableError):
        headers["Retry-After"] = "10"
        _log(request, error)
    return Answer(error.status, [jsontext.dump({"detail": error.detail}).encode()], headers)


def _log(request: Request, error: UnavailableError) -> None:
    _LOG.error("%s %s: %s", request.method, request.url.path, error.cause)


async def _body(request: Request) -> bytes:
    """The whole body.

    :raises RefusedError: 413 if it is too long, 408 if it does not come
    """
    too_long = RefusedError(f"Request body must not exceed {limits.BODY_BYTES} bytes", 413)
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limits.BODY_BYTES:
        raise too_long
    body = bytearray()
    try:
        with anyio.fail_after(limits.BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > limits.BODY_BYTES:
                    raise too_long
    except TimeoutError:
        raise RefusedError(
            f"Request body did not arrive within {limits.BODY_SECONDS:.0f} seconds", 408
        ) from None
    return bytes(body)
