"""A whole archive as JSON lines, and back.

A line holds one metadata, or more points of one::

    {"metadata-key": ..., "post": {...}, "time-updated": {event type: second}, "data": [...]}
    {"metadata-key": ..., "data": [{"event-type": ..., "points": [[second, value], ...]}, ...]}

``post`` is the body that a client would POST, ``data`` what it would write, values in full. Reading
also takes one JSON document, ``{"metadata": [...]}``, of the same objects. Users are not in it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from gridtap.archive import jsontext, limits, times, values
from gridtap.archive.description import Registry, parse
from gridtap.archive.refusal import RefusedError
from gridtap.archive.storage import EventRecord, MetadataRecord, Point, Row, Storage
from gridtap.errors import ArchiveError
from gridtap.esmond.event_types import DataType, SummaryType

__all__ = ["Counts", "read", "write"]

#: Points of one line: some hundred kilobytes.
_LINE_POINTS = 5_000

#: Bytes of a document that is not in lines, which has to be held whole.
_DOCUMENT_BYTES = 256 << 20


class Counts:
    """How much was moved."""

    def __init__(self) -> None:
        self.metadata = 0
        self.points = 0


def write(storage: Storage, keys: Iterable[str], counts: Counts) -> Iterator[bytes]:
    """Lines of these metadata, counted as they are made."""
    for key in keys:
        record = storage.get(key)
        if record is None:
            continue
        counts.metadata += 1
        yield _line(_head(record))
        for event in record.events:
            for rows in _pages(storage, key, event):
                counts.points += len(rows)
                yield _line(_more(key, event, rows))


def _line(value: object) -> bytes:
    return jsontext.dump(value).encode() + b"\n"


def _head(record: MetadataRecord) -> dict[str, Any]:
    events = [
        {
            "event-type": event.event_type,
            "summaries": [
                {"summary-type": each.summary_type, "summary-window": each.window}
                for each in event.summaries
            ],
        }
        for event in record.events
    ]
    post = {
        "subject-type": record.subject_type,
        **record.subject,
        "event-types": events,
        **{name: json.loads(each.json) for name, each in record.parameters.items()},
    }
    updated = {event.event_type: event.time_updated for event in record.events}
    return {
        "metadata-key": record.key,
        "post": post,
        "time-updated": {name: ts for name, ts in updated.items() if ts is not None},
    }


def _pages(storage: Storage, key: str, event: EventRecord) -> Iterator[list[Row]]:
    series = storage.series(key, event.event_type, SummaryType.BASE, 0)
    begin = limits.MIN_TS
    while series is not None:
        rows = storage.rows(series, begin, limits.MAX_TS, _LINE_POINTS)
        if not rows:
            return
        yield rows
        begin = rows[-1][0] + 1


def _more(key: str, event: EventRecord, rows: list[Row]) -> dict[str, Any]:
    points = [[ts, _posted(event.data_type, val, den)] for ts, val, den in rows]
    data = [{"event-type": event.event_type, "points": points}]
    return {"metadata-key": key, "data": data}


def _posted(data_type: DataType, val: int | float | str, den: int | None) -> Any:
    """A value as a client would post it"""
    if isinstance(val, str):
        return json.loads(val)
    if data_type is DataType.PERCENTAGE:
        return {"numerator": val, "denominator": den}
    return val


def read(storage: Storage, registry: Registry, file: IO[bytes], name: str, counts: Counts) -> None:
    """Stores lines, keeping their keys and times of update, and counts them as they are stored.

    What is there already is let be, so that an interrupted import can be run again.

    :param name: of the file, for errors
    :raises ArchiveError: names the line; what comes before it has been stored
    """
    updated: dict[str, Mapping[str, Any]] = {}
    for place, item in _items(file, name):
        try:
            _store(storage, registry, item, updated, counts)
        except RefusedError as error:
            raise ArchiveError(f"{name}: {place}: {error.detail}") from error


def _items(file: IO[bytes], name: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            item = jsontext.load(line)
        except ValueError as error:
            if number == 1:
                yield from _document(line, file, name)
                return
            raise ArchiveError(f"{name}: line {number}: not JSON: {error}") from error
        if isinstance(item, dict) and isinstance(item.get("metadata"), list):
            yield from _numbered(item["metadata"])
        else:
            yield f"line {number}", item


def _document(first: bytes, file: IO[bytes], name: str) -> Iterator[tuple[str, Any]]:
    text = first + file.read(_DOCUMENT_BYTES)
    if file.read(1):
        raise ArchiveError(f"{name}: line 1: not JSON lines, and too long for one document")
    try:
        document = jsontext.load(text)
    except ValueError as error:
        raise ArchiveError(f"{name}: neither JSON lines nor a JSON document: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), list):
        raise ArchiveError(f"{name}: the document has no list of metadata")
    yield from _numbered(document["metadata"])


def _numbered(items: list[Any]) -> Iterator[tuple[str, Any]]:
    for number, item in enumerate(items, 1):
        yield f"metadata {number}", item


def _store(
    storage: Storage,
    registry: Registry,
    item: Any,
    updated: dict[str, Mapping[str, Any]],
    counts: Counts,
) -> None:
    key = item.get("metadata-key") if isinstance(item, dict) else None
    if not isinstance(key, str) or not key or len(key) > limits.KEY_CHARS:
        raise RefusedError("no metadata-key")
    if "/" in key or "." in key or not key.isprintable():
        raise RefusedError(f"metadata-key {key} cannot be part of an address")
    if "post" in item:
        record = storage.create(parse(item["post"], registry), key)
        if record.key != key:
            raise RefusedError(f"metadata {key} is here already, as {record.key}")
        updated[key] = _updated(item.get("time-updated", {}))
        counts.metadata += 1
    else:
        found = storage.get(key)
        if found is None:
            raise RefusedError(f"metadata {key} was not described before")
        record = found
    points = list(_points(record, item.get("data", [])))
    counts.points += len(points)
    now = int(time.time())
    known = updated.get(key, {})
    stamps = {event.event_type: known.get(event.event_type, now) for event in record.events}
    if points:
        storage.write(key, points, stamps)


def _updated(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RefusedError("time-updated must be an object")
    return {name: times.timestamp(ts) for name, ts in value.items() if ts is not None}


def _points(record: MetadataRecord, data: Any) -> Iterator[Point]:
    if not isinstance(data, list):
        raise RefusedError("data must be an array")
    for part in data:
        if not isinstance(part, dict) or not isinstance(part.get("points"), list):
            raise RefusedError("an element of data must have an event-type and points")
        name = part.get("event-type")
        event = record.event(name) if isinstance(name, str) else None
        if event is None:
            raise RefusedError(f"event type {name} is not registered")
        for point in part["points"]:
            if not isinstance(point, list) or len(point) != 2:
                raise RefusedError("a point must be an array of time and value")
            value = values.accept(event.data_type, point[1], event.has_statistics)
            yield Point(event.event_type, times.timestamp(point[0]), value)
