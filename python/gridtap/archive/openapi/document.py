"""The document, and what holds for all addresses."""

from __future__ import annotations

from typing import Any

from gridtap.archive.description import Registry
from gridtap.archive.openapi import parameters, responses
from gridtap.archive.openapi.metadata import metadata_schemas
from gridtap.archive.openapi.paths import paths
from gridtap.archive.openapi.points import point_schemas
from gridtap.archive.openapi.values import Schema, value_schemas

__all__ = ["document"]

_DESCRIPTION = """\
The REST interface of perfSONAR's esmond, as gridtap's archive serves it.

A *metadata* is one measurement: who to whom, with which tool and parameters, of which *event \
types*. *Base* data are points as posted; *summaries* are computed from them, by type and window.

Every refusal is `{"detail": "..."}`. A method that an address does not have is refused with 405, \
and with 401 before that where a key is missing. Of a parameter given twice the last one counts. \
Bodies are JSON without NaN, in UTF-8. Unknown names in bodies of points, and in the queries of \
everything but a search for metadata, are ignored.

An archive may be run to drop points of unknown metadata and unregistered event types, as esmond \
does, where this document has 404 and 400; and to show exact values: see `Point` and \
`typed-parameters`."""

_TOKEN = """\
`Token` and the key: `Authorization: Token 0123...`. There is no user name. (`ApiKey USER:KEY`, as \
esmond 1 had it, is understood too.) The archive may be told to trust callers from some networks; \
those need no key."""


def document(registry: Registry, alias: str, is_private: bool) -> dict[str, Any]:
    """The document of an archive with those event types.

    :param alias: path in front of its addresses, empty or with a leading slash; they are understood
        with and without it
    :param is_private: reads need a key too
    """
    public: list[Schema] = [] if is_private else [{}]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "esmond archive",
            "version": "4.4",
            "description": _DESCRIPTION,
        },
        "servers": [{"url": each or "/"} for each in dict.fromkeys((alias, ""))],
        "security": [*public, {"token": []}],
        "paths": paths(),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": _TOKEN,
                }
            },
            "parameters": parameters.parameters(registry),
            "headers": responses.headers(),
            "responses": responses.response_schemas(),
            "schemas": {
                **metadata_schemas(registry),
                **point_schemas(registry),
                **value_schemas(),
                "Error": {
                    "type": "object",
                    "required": ["detail"],
                    "properties": {"detail": {"description": "What is wrong.", "type": "string"}},
                    "additionalProperties": False,
                },
            },
        },
    }
