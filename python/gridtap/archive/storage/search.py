"""Metadata: written once, found by what they say."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from itertools import groupby

from gridtap.archive.description import SUBJECT_FIELDS, Description
from gridtap.archive.storage.records import (
    Criteria,
    EventRecord,
    MetadataRecord,
    Parameter,
    SummaryRecord,
)
from gridtap.esmond.event_types import DataType, SummaryType

__all__ = ["count", "insert", "keys_that_match", "load"]

_COLUMNS = tuple(dict.fromkeys(name for names in SUBJECT_FIELDS.values() for name in names))

#: Query parameters that name a column
_COLUMN = {name: name.replace("-", "_") for name in _COLUMNS} | {
    "subject-type": "subject_type",
    "metadata-key": "key",
}


def insert(connection: sqlite3.Connection, description: Description, key: str) -> None:
    """Stores a description that is not there yet."""
    names = ["key", "digest", "subject_type"]
    values: list[object] = [key, description.digest(), description.subject_type]
    for name, text in description.subject.items():
        names.append(_COLUMN[name])
        values.append(text)
    marks = ", ".join("?" * len(values))
    statement = f"INSERT INTO metadata ({', '.join(names)}) VALUES ({marks})"
    number = connection.execute(statement, values).lastrowid
    connection.executemany(
        "INSERT INTO parameter VALUES (?, ?, ?, ?)",
        [(number, *row) for row in description.parameter_rows()],
    )
    connection.executemany(
        "INSERT INTO series (metadata_id, event_type, data_type, summary_type, window)"
        " VALUES (?, ?, ?, ?, ?)",
        [(number, *row) for row in description.series_rows()],
    )


def count(connection: sqlite3.Connection, criteria: Criteria) -> int:
    """How many metadata match."""
    where, values = _conditions(criteria)
    statement = f"SELECT count(*) FROM metadata AS m{where}"
    return int(connection.execute(statement, values).fetchone()[0])


def keys_that_match(
    connection: sqlite3.Connection, criteria: Criteria, limit: int, offset: int
) -> list[int]:
    """Numbers of matching metadata, in the order of their keys."""
    where, values = _conditions(criteria)
    statement = f"SELECT m.id FROM metadata AS m{where} ORDER BY m.key LIMIT ? OFFSET ?"
    return [row[0] for row in connection.execute(statement, [*values, limit, offset])]


def _conditions(criteria: Criteria) -> tuple[str, list[object]]:
    """A WHERE clause and its values; names in it are ours, never the caller's"""
    parts: list[str] = []
    values: list[object] = []
    for name, addresses in criteria.addresses.items():
        parts.append(f"m.{_COLUMN[name]} IN ({', '.join('?' * len(addresses))})")
        values += sorted(addresses)
    for name, text in criteria.texts.items():
        parts.append(f"m.{_COLUMN[name]} = ?")
        values.append(text)
    for name, text in criteria.parameters.items():
        parts.append("m.id IN (SELECT metadata_id FROM parameter WHERE name = ? AND text = ?)")
        values += [name, text]
    row, row_values = _row_conditions(criteria)
    if row:
        parts.append(f"m.id IN (SELECT metadata_id FROM series WHERE {' AND '.join(row)})")
        values += row_values
    return (" WHERE " + " AND ".join(parts) if parts else ""), values


def _row_conditions(criteria: Criteria) -> tuple[list[str], list[object]]:
    """What has to hold for one and the same event type or summary"""
    given = (
        ("event_type = ?", criteria.event_type),
        ("summary_type = ?", criteria.summary_type),
        ("window = ?", criteria.summary_window),
        ("time_updated >= ?", criteria.begin),
        ("time_updated <= ?", criteria.end),
    )
    parts = [condition for condition, value in given if value is not None]
    return parts, [value for _, value in given if value is not None]


def load(connection: sqlite3.Connection, numbers: list[int]) -> list[MetadataRecord]:
    """The metadata of those numbers, in that order."""
    wanted = json.dumps(numbers)
    columns = ", ".join(_COLUMN[name] for name in _COLUMNS)
    rows = connection.execute(
        f"SELECT id, key, subject_type, {columns} FROM metadata"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (wanted,),
    )
    heads = {row[0]: row[1:] for row in rows}
    parameters: dict[int, dict[str, Parameter]] = {number: {} for number in numbers}
    for number, name, text, posted in connection.execute(
        "SELECT metadata_id, name, text, json FROM parameter"
        " WHERE metadata_id IN (SELECT value FROM json_each(?)) ORDER BY metadata_id, name",
        (wanted,),
    ):
        parameters[number][name] = Parameter(text, posted)
    series = connection.execute(
        "SELECT metadata_id, event_type, data_type, summary_type, window, time_updated FROM series"
        " WHERE metadata_id IN (SELECT value FROM json_each(?))"
        " ORDER BY metadata_id, event_type, summary_type, window",
        (wanted,),
    )
    events = {number: _events(rows) for number, rows in groupby(series, lambda row: row[0])}
    return [
        MetadataRecord(
            key=heads[number][0],
            subject_type=heads[number][1],
            subject=_subject(heads[number][1], heads[number][2:]),
            parameters=parameters[number],
            events=events.get(number, ()),
        )
        for number in numbers
    ]


def _subject(subject_type: str, texts: tuple[str, ...]) -> dict[str, str]:
    by_name = dict(zip(_COLUMNS, texts, strict=True))
    return {name: by_name[name] for name in SUBJECT_FIELDS[subject_type]}


def _events(
    rows: Iterable[tuple[int, str, str, str, int, int | None]],
) -> tuple[EventRecord, ...]:
    events = []
    for name, group in groupby(rows, lambda row: row[1]):
        base: tuple[int, str, str, str, int, int | None] | None = None
        summaries = []
        for row in group:
            if row[3] == SummaryType.BASE:
                base = row
            else:
                summaries.append(SummaryRecord(SummaryType(row[3]), row[4], row[5]))
        if base is not None:
            events.append(EventRecord(name, DataType(base[2]), base[5], tuple(summaries)))
    return tuple(events)
