"""The archive as a web application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from gridtap.archive import limits, registry
from gridtap.archive.data_api import DataApi
from gridtap.archive.description import Registry
from gridtap.archive.endpoint import Endpoint, Policy
from gridtap.archive.metadata_api import MetadataApi
from gridtap.archive.openapi import document
from gridtap.archive.presentation import ROOT
from gridtap.archive.storage import Storage
from gridtap.archive.write_api import WriteApi

__all__ = ["Settings", "build"]

_WEB = Path(__file__).with_name("web")

#: The page loads nothing from elsewhere, and nobody else may frame it. Its files are asked for
#: anew each time (most answers are 304), so that an upgrade never mixes two versions of them.
_PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How the archive behaves.

    :param alias: path in front of ``/perfsonar/archive/`` in all addresses it gives; empty or with
        a leading slash and none at its end. Requests are understood with and without it.
    :param is_private: reads need a key too
    :param is_lenient: drop points that have no place, as esmond does, instead of refusing them
    :param is_exact: show numbers and parameters as they were posted, not as esmond shows them
    :param registry: the event types and their data types
    """

    alias: str = "/esmond"
    is_private: bool = False
    is_lenient: bool = False
    is_exact: bool = False
    registry: Registry = field(default_factory=registry.registry)


def build(storage: Storage, settings: Settings) -> Starlette:
    """The application over a storage, which it closes when it ends."""
    metadata = MetadataApi(storage, settings.registry, settings.is_exact)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        metadata.close()
        storage.close()

    described = document(settings.registry, settings.alias, settings.is_private)
    app = Starlette(
        routes=[
            *_archive(storage, metadata, settings),
            Route("/openapi.json", lambda _: JSONResponse(described)),
            Mount("/", app=_Page(directory=_WEB, html=True)),
        ],
        exception_handlers={HTTPException: _failed},
        middleware=[Middleware(_Targets)],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _archive(storage: Storage, metadata: MetadataApi, settings: Settings) -> Iterator[Route]:
    """The addresses of the contract, with and without the alias"""
    policy = Policy(storage, settings.alias, settings.is_private)
    data = DataApi(storage, settings.registry, settings.is_exact)
    writes = WriteApi(storage, settings.registry, settings.is_lenient)
    readable = {"GET": data.read, "POST": writes.post}
    listed = {"GET": metadata.summaries, "POST": writes.post}
    endpoints = {
        "/": Endpoint(policy, "Metadata", {"GET": metadata.find, "POST": metadata.create}),
        "/{key}/": Endpoint(policy, "One metadata", {"GET": metadata.get, "PUT": writes.put}),
        "/{key}/{event_type}": Endpoint(policy, "Event type", {"GET": metadata.event}),
        "/{key}/{event_type}/base": Endpoint(policy, "Data", readable),
        "/{key}/{event_type}/base/{window}": Endpoint(policy, "Data", readable),
        "/{key}/{event_type}/{summaries}": Endpoint(policy, "Summaries", listed),
        "/{key}/{event_type}/{summaries}/{window}": Endpoint(policy, "Data", readable),
    }
    for prefix in dict.fromkeys((settings.alias, "")):
        for path, endpoint in endpoints.items():
            full = prefix + ROOT.rstrip("/") + path
            yield Route(full, endpoint)
            # The two shortest addresses need their slash, the others take it or leave it.
            yield (
                Route(full.rstrip("/"), _WithSlash())
                if path.endswith("/")
                else Route(f"{full}/", endpoint)
            )


class _Targets:
    """Takes whole addresses as request targets, as proxies send them (RFC 9112, 3.2.2)

    Not those that are too long: links and redirects repeat them, some three times as long.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if len(scope["raw_path"]) + len(scope["query_string"]) > limits.ADDRESS_BYTES:
            detail = f"Request address must not exceed {limits.ADDRESS_BYTES} bytes"
            await JSONResponse({"detail": detail}, 414)(scope, receive, send)
            return
        if not scope["path"].startswith("/"):
            behind = scope["path"].partition("://")[2]
            scope["path"] = "/" + behind.partition("/")[2]
        await self._app(scope, receive, send)


class _WithSlash:
    """Sends a caller to the same address with a slash, whatever the method"""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "." in scope["path_params"].get("key", ""):
            # A suffix, which esmond's framework takes for a format.
            raise HTTPException(404)
        query = scope["query_string"].decode("latin-1")
        place = quote(scope["path"]) + "/" + (f"?{query}" if query else "")
        await Response(status_code=301, headers={"Location": place})(scope, receive, send)


async def _failed(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = "Not found." if status == 404 else str(getattr(error, "detail", error))
    return JSONResponse({"detail": detail}, status, getattr(error, "headers", None))


class _Page(StaticFiles):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The files are small: nobody needs pieces of them, and wrong ranges are refused as text.
        headers = [each for each in scope["headers"] if each[0] != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_PAGE_HEADERS)
        return response
