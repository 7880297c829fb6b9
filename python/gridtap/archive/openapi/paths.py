"""The addresses, and what can be asked at each."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from gridtap.archive.openapi import parameters
from gridtap.archive.openapi.operations import moved, path_item, reading, writing
from gridtap.archive.openapi.responses import answer
from gridtap.archive.openapi.values import Schema, reference
from gridtap.archive.presentation import ROOT

__all__ = ["paths"]

#: What addresses of data begin with, and the parameters that describe it
_SERIES = {"key": "key", "event_type": "event-type-of-data"}


def paths() -> dict[str, Schema]:
    """Every address behind the script alias, and what can be asked there."""
    key = f"{ROOT}{{key}}"
    event = f"{key}/{{event_type}}"
    either = {
        event: _event_type(),
        f"{event}/base": _data("BaseData", _SERIES),
        f"{event}/base/{{window}}": _data("BaseWindow", {**_SERIES, "window": "window"}),
        f"{event}/{{summaries}}": _summaries(),
        f"{event}/{{summaries}}/{{window}}": _summary_data(),
    }
    found = {
        ROOT.rstrip("/"): moved("List", ()),
        ROOT: _list(),
        key: moved("Metadata", ("key",)),
        f"{key}/": _metadata(),
    }
    for path, item in either.items():
        found |= {path: item, f"{path}/": _with_slash(item)}
    return {**found, "/openapi.json": _document()}


def _with_slash(item: Schema) -> Schema:
    """The same address with a slash at its end"""
    twin = copy.deepcopy(item)
    for operation in twin.values():
        if "operationId" in operation:
            operation["operationId"] += "WithSlash"
            operation["summary"] += ", as without the slash"
    return twin


def _list() -> Schema:
    found = answer(
        "A page of what matches, ordered by key. The first element also has the number of all "
        "that match, and the addresses of the pages before and after.",
        {"type": "array", "items": reference("Metadata")},
        "Link",
        links=_follow("/0"),
    )
    made = answer(
        "The metadata, whether it is new or was there. Keys of parameters have dashes for "
        "underscores.",
        reference("Metadata"),
        "Location",
        links=_follow(""),
    )
    return path_item(
        {},
        "List",
        get=reading(
            "findMetadata",
            "Search for metadata",
            "What meets all conditions of the query.",
            found,
            (*parameters.SEARCH, *parameters.SEARCH_PAGE),
        ),
        post=writing(
            "createMetadata",
            "Describe a measurement",
            "Needed before data can be written. What is there already is found and not changed.",
            made,
            "MetadataPost",
            ("415",),
        ),
    )


def _follow(place: str) -> Schema:
    """Links to what can be asked of a metadata in an answer

    :param place: of the metadata in the body
    """
    key = {"path.key": f"$response.body#{place}/metadata-key"}
    event = {**key, "path.event_type": f"$response.body#{place}/event-types/0/event-type"}
    targets = {
        "getMetadata": key,
        "putPoints": key,
        "getEventType": event,
        "getBaseData": event,
        "postBaseData": event,
    }
    return {name: {"operationId": name, "parameters": given} for name, given in targets.items()}


def _metadata() -> Schema:
    return path_item(
        {"key": "key"},
        "Metadata",
        get=reading(
            "getMetadata",
            "One metadata",
            "If it also meets the conditions of the query, which are those of a search; else 404.",
            answer("The metadata.", reference("Metadata")),
            parameters.SEARCH,
        ),
        put=writing(
            "putPoints",
            "Write many points",
            "All are checked first and then stored at once, or none. Each event type has to be one "
            "that the metadata has. Writing the same again is harmless.",
            answer("All are stored.", {"const": ""}),
            "PointsPut",
            ("409",),
        ),
    )


def _event_type() -> Schema:
    return path_item(
        {"key": "key", "event_type": "event-type-of-metadata"},
        "EventType",
        get=reading(
            "getEventType",
            "An event type of a metadata",
            "When data were last written, and which summaries are kept.",
            answer(
                "A list of one element, or of none if the metadata does not have it.",
                {"type": "array", "maxItems": 1, "items": reference("EventType")},
            ),
        ),
    )


def _points() -> Schema:
    return answer(
        "Points in ascending order of time. Of an unknown key, or of an event type or a window "
        "that is not kept, there are none.",
        {"type": "array", "items": reference("Point")},
        "Link",
    )


def _data(name: str, path: Mapping[str, str]) -> Schema:
    return path_item(
        path,
        name,
        get=reading(
            f"get{name}",
            "Data as posted",
            "Without a time parameter all points up to now.",
            _points(),
            parameters.DATA,
        ),
        post=writing(
            f"post{name}",
            "Write one point",
            "The event type has to be one that the metadata has. Writing the same again is "
            "harmless. Any window is as none.",
            answer("It is stored.", {"const": ""}),
            "PointPost",
            ("409",),
        ),
    )


def _summaries() -> Schema:
    return path_item(
        {"key": "key", "event_type": "event-type-of-metadata", "summaries": "summaries"},
        "Summaries",
        get=reading(
            "getSummaries",
            "Windows of a summary type",
            "The summaries of that type which are kept; if there are none, 404.",
            answer(
                "Ordered by window.",
                {"type": "array", "minItems": 1, "items": reference("Summary")},
            ),
        ),
        post=_no_write("postSummaries"),
    )


def _summary_data() -> Schema:
    return path_item(
        {**_SERIES, "summaries": "summaries", "window": "window"},
        "SummaryData",
        get=reading(
            "getSummaryData",
            "Summaries of a window",
            "Each at the second at which its window starts, once it has a point. Without a time "
            "parameter all up to now.",
            _points(),
            parameters.DATA,
        ),
        post=_no_write("postSummaryData"),
    )


def _no_write(name: str) -> Schema:
    return writing(name, "Refused", "Summaries are computed: whatever is sent, the answer is 400.")


def _document() -> Schema:
    response: Schema = {"description": "This document."}
    content: Schema = {"application/json": {"schema": {"type": "object"}}}
    return {
        "servers": [{"url": "/"}],
        "get": {
            "operationId": "getDocument",
            "summary": "This document",
            "security": [],
            "responses": {"200": {**response, "content": content}},
        },
        "head": {
            "operationId": "headDocument",
            "summary": "Headers of the GET",
            "security": [],
            "responses": {"200": response},
        },
    }
