"""Writing data: one point, or many at once. Checked whole, then stored whole or not at all."""

from __future__ import annotations

from typing import Any

from gridtap.archive import jsontext, limits, times, values
from gridtap.archive.calls import Answer, Call
from gridtap.archive.data_api import summary_window
from gridtap.archive.description import Registry
from gridtap.archive.refusal import RefusedError
from gridtap.archive.storage import EventRecord, Point, Storage
from gridtap.esmond.event_types import SUMMARY_IN_URL, SummaryType

__all__ = ["WriteApi"]

#: esmond's answer to a write
_DONE = Answer(201, [b'""'])

#: Bytes of a body that are repeated in an answer.
_ECHO = 200


class WriteApi:
    """Takes points.

    :param is_lenient: drop, as esmond does, points that have no place here: of an unknown metadata
        key, or of an event type that the metadata was not registered with
    """

    def __init__(self, storage: Storage, registry: Registry, is_lenient: bool) -> None:
        self._storage = storage
        self._registry = registry
        self._is_lenient = is_lenient

    def post(self, call: Call) -> Answer:
        """POST of one point, ``{"ts": ..., "val": ...}``."""
        body = _body(call)
        if "ts" not in body:
            raise RefusedError("Required field ts not provided in request")
        ts = times.timestamp(body["ts"])
        if "val" not in body:
            raise RefusedError("Required field val not provided in request")
        event_type = self._known(call.parts["event_type"])
        summaries = call.parts.get("summaries", "base")
        if summaries not in SUMMARY_IN_URL.values():
            raise RefusedError(f"Invalid summary type {summaries[: limits.KEY_CHARS]}")
        if summaries != SUMMARY_IN_URL[SummaryType.BASE]:
            raise RefusedError(
                f"Only base summary-type allowed for writing. Cannot use {summaries}"
            )
        # Any will do: there is only one place for points.
        summary_window(call.parts.get("window", "0"))
        self._write(call.parts["key"], [(event_type, ts, body["val"])])
        return _DONE

    def put(self, call: Call) -> Answer:
        """PUT of many points, ``{"data": [{"ts": 1, "val": [{"event-type": "x", "val": 2}]}]}``.

        Of points of one event type at the same second the last one counts.
        """
        body = _body(call)
        if "data" not in body:
            raise RefusedError("Request must contain 'data' element")
        if not isinstance(body["data"], list):
            raise RefusedError("The 'data' element must be an array")
        found = []
        for position, item in enumerate(body["data"], 1):
            for field in ("ts", "val"):
                if not isinstance(item, dict) or field not in item:
                    raise RefusedError(
                        f"Missing {field} field in provided data list at position {position}"
                    )
            if not isinstance(item["val"], list):
                raise RefusedError(
                    f"'val' field must be an array in provided data list at position {position}"
                )
            ts = times.timestamp(item["ts"])
            for number, value in enumerate(item["val"], 1):
                for field in ("event-type", "val"):
                    if not isinstance(value, dict) or field not in value:
                        # esmond's text ends in a blank.
                        place = f"data item {position} in value {number} "
                        raise RefusedError(f"Missing {field} field at {place}")
                found.append((self._known(value["event-type"]), ts, value["val"]))
        self._write(call.parts["key"], found)
        return _DONE

    def _known(self, event_type: Any) -> str:
        if not isinstance(event_type, str) or event_type not in self._registry:
            raise RefusedError(f"Invalid event type {str(event_type)[: limits.KEY_CHARS]}")
        return event_type

    def _write(self, key: str, found: list[tuple[str, int, Any]]) -> None:
        record = self._storage.get(key)
        if record is None:
            if self._is_lenient:
                return
            raise RefusedError("Not found.", 404)
        events = {event.event_type: event for event in record.events}
        points = []
        for event_type, ts, value in found:
            event = events.get(event_type)
            if event is not None:
                points.append(Point(event_type, ts, _accept(event, value)))
            elif not self._is_lenient:
                raise RefusedError(
                    f"Event type {event_type} is not registered for metadata key {key}"
                )
        if points:
            self._storage.write(key, points)


def _accept(event: EventRecord, value: Any) -> values.Stored:
    return values.accept(event.data_type, value, event.has_statistics)


def _body(call: Call) -> dict[str, Any]:
    """The JSON object that was sent; what is JSON but no object lacks everything"""
    if not call.content_type.lower().startswith("application/json"):
        raise RefusedError(
            "Must post content-type: application/json header and json-formatted payload."
        )
    if not call.body:
        raise RefusedError("No data payload POSTed.")
    try:
        body = jsontext.load(call.body)
    except ValueError as error:
        raise RefusedError(
            "POST data payload could not be decoded to a JSON object - "
            f"given: {call.body[:_ECHO]!r}"
        ) from error
    return body if isinstance(body, dict) else {}
