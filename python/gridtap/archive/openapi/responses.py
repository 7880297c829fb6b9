"""What comes back: statuses, headers, bodies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gridtap.archive import limits
from gridtap.archive.openapi.values import Schema, reference

__all__ = ["REFUSALS", "answer", "bodiless", "headers", "refusals", "response_schemas"]

#: On every answer of the archive
_ALWAYS = ("Allow", "Vary")

#: Component response by status: description, and headers of its own
REFUSALS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "400": ("Something in the request cannot be; `detail` says what.", ()),
    "401": (
        "A key is asked for and there is none, or it is none that may be used. A wrong key is "
        "refused also where none is asked for.",
        ("WWW-Authenticate",),
    ),
    "404": ("No such metadata or summary, or no such `format`.", ()),
    "406": ("The header `Accept` takes neither JSON nor HTML.", ()),
    "408": (
        f"The body did not arrive within {limits.BODY_SECONDS:.0f} seconds. The connection is "
        "closed.",
        (),
    ),
    "409": (
        "There is another value at that second; of integer, float and percentage event types "
        "values are never replaced. Nothing was stored.",
        (),
    ),
    "413": (f"The body is longer than {limits.BODY_BYTES} bytes. The connection is closed.", ()),
    "414": (f"Path and query are longer than {limits.ADDRESS_BYTES} bytes.", ()),
    "415": ("The body is not JSON.", ()),
    "503": (
        "The archive is busy, full or read-only, or has too many connections (then the answer is "
        "plain text). Nothing was stored; the same request may be sent again.",
        (),
    ),
}


def refusals(statuses: Iterable[str]) -> dict[str, Schema]:
    """References to the component responses of these statuses."""
    return {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}


def answer(description: str, schema: Schema, *more: str, links: Schema | None = None) -> Schema:
    """A response with JSON, or with the page that shows it.

    :param more: its headers, besides those that all have
    """
    response: Schema = {
        "description": description,
        "headers": _headers((*_ALWAYS, *more)),
        "content": {
            "application/json": {"schema": schema},
            "text/html": {"schema": {"type": "string"}},
        },
    }
    if links:
        response["links"] = links
    return response


def bodiless(description: str, *more: str) -> Schema:
    """A response to HEAD."""
    return {"description": description, "headers": _headers((*_ALWAYS, *more))}


def response_schemas() -> dict[str, Schema]:
    """Every component response by name."""
    found = {
        status: answer(description, reference("Error"), *more)
        for status, (description, more) in REFUSALS.items()
    }
    for status in ("406", "414"):
        found[status]["content"].pop("text/html")
    # Found before it is known whose address it would be.
    del found["414"]["headers"]
    found["503"]["headers"] = _headers(("Retry-After",))
    found["503"]["content"]["text/plain"] = {"schema": {"type": "string"}}
    found["moved"] = {
        "description": "The address needs a slash at its end. Most clients repeat the request as "
        "a GET there, so that a POST or a PUT loses its body.",
        "headers": _headers(("Location",)),
    }
    found["no-such-address"] = {
        "description": "Keys have no dot.",
        "content": {"application/json": {"schema": reference("Error")}},
    }
    return found


def headers() -> dict[str, Schema]:
    """Every component header by name."""
    described: dict[str, tuple[str, Any]] = {
        "Allow": ("Methods of the address.", {"type": "string"}),
        "Vary": ("What the answer depends on.", {"const": "Accept"}),
        "WWW-Authenticate": ("How to say who calls.", {"const": "Token"}),
        "Location": ("Address of what was made or found.", {"type": "string"}),
        "Retry-After": ("Seconds after which to try again.", {"type": "integer"}),
        "Link": (
            'Absolute addresses of the next and the previous page, as `<URL>; rel="next"` and '
            '`rel="prev"`; those that there are.',
            {"type": "string", "pattern": '^<[^>]+>; rel="(next|prev)"'},
        ),
    }
    return {
        name: {
            "description": description,
            # Of pages there need be no other; too many connections are refused without a date.
            "required": name not in ("Link", "Retry-After"),
            "schema": schema,
        }
        for name, (description, schema) in described.items()
    }


def _headers(names: Iterable[str]) -> dict[str, Schema]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
