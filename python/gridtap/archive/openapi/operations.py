"""The operations: what can be asked at each address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gridtap.archive.openapi import parameters
from gridtap.archive.openapi.responses import REFUSALS, answer, bodiless, refusals
from gridtap.archive.openapi.values import Schema, reference

__all__ = ["moved", "path_item", "reading", "writing"]

_READ = ("400", "401", "404", "406", "414", "503")
_WRITE = (*_READ, "408", "413")

#: What OpenAPI has a word for; the archive sends every method on.
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def path_item(path: Mapping[str, str], name: str, **operations: Schema) -> Schema:
    """An address: its operations, and the HEAD and OPTIONS that each has.

    :param path: parts of the address, and the component parameters that describe them
    :param name: in the operations' identifiers
    """
    shared = parameters.references([*path.values(), *parameters.SHARED])
    return {
        "parameters": shared,
        **operations,
        "head": _head(operations["get"], name),
        "options": _options(name, path),
    }


def reading(
    name: str, summary: str, description: str, response: Schema, query: Sequence[str] = ()
) -> Schema:
    """A GET."""
    return {
        "operationId": name,
        "summary": summary,
        "description": description,
        "parameters": parameters.references(query),
        "responses": {"200": response, **refusals(_READ)},
    }


def writing(
    name: str,
    summary: str,
    description: str,
    response: Schema | None = None,
    body: str | None = None,
    more: Sequence[str] = (),
) -> Schema:
    """A POST or a PUT.

    :param response: of success; ``None`` if there is none
    :param body: component schema of what is sent
    :param more: statuses besides those of every write
    """
    operation: Schema = {
        "operationId": name,
        "summary": summary,
        "description": description,
        "security": [{"token": []}],
        "responses": refusals(sorted({*_WRITE, *more})),
    }
    if response is not None:
        operation["responses"] = {"201": response, **operation["responses"]}
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": reference(body)}},
        }
    return operation


def moved(name: str, path_parameters: Sequence[str], statuses: Sequence[str] = ()) -> Schema:
    """An address whose slash is missing.

    :param statuses: component responses besides, by status and name
    """
    responses = {"301": {"$ref": "#/components/responses/moved"}, **refusals(["414"])}
    if path_parameters:
        responses["404"] = {"$ref": "#/components/responses/no-such-address"}
    return {
        "parameters": parameters.references(path_parameters),
        **{
            method: {
                "operationId": f"{method}{name}WithoutSlash",
                "summary": "Sends the caller to the address with a slash",
                "security": [],
                "responses": responses,
            }
            for method in _METHODS
        },
    }


def _head(get: Schema, name: str) -> Schema:
    headers = [each for each in get["responses"]["200"]["headers"] if each == "Link"]
    found = {"200": bodiless("What GET answers, without the body.", *headers)}
    for status in _READ:
        _, more = REFUSALS[status]
        found[status] = bodiless("What GET answers, without the body.", *more)
    del found["414"]["headers"]
    return {
        "operationId": f"head{name}",
        "summary": "Headers of the GET",
        "parameters": get["parameters"],
        "responses": found,
    }


def _options(name: str, path: Iterable[str]) -> Schema:
    texts: Schema = {"type": "array", "items": {"type": "string"}}
    schema = {
        "type": "object",
        "required": ["name", "description", "renders", "parses"],
        "properties": {
            "name": {"type": "string"},
            "description": {"type": "string"},
            "renders": texts,
            "parses": texts,
        },
        "additionalProperties": False,
    }
    return {
        "operationId": f"options{name}",
        "summary": "Methods and media types of the address",
        "parameters": parameters.references([f"any-{part}" for part in path]),
        "responses": {
            "200": answer("What the address takes and gives.", schema),
            **refusals(_READ),
        },
    }
