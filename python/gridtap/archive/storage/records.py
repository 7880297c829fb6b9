"""What goes into the storage and comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gridtap.archive.values import Stored
from gridtap.esmond.event_types import DataType, SummaryType

__all__ = [
    "Criteria",
    "EventRecord",
    "MetadataRecord",
    "Parameter",
    "Point",
    "Row",
    "Series",
    "SummaryRecord",
    "User",
]

#: One row of a series: time, and two columns whose meaning depends on the series (``values`` says
#: what they are in base data, ``rollups`` what in summaries)
Row = tuple[int, int | float | str, int | None]


@dataclass(frozen=True, slots=True)
class SummaryRecord:
    """A summary kept of an event type; ``window`` in seconds, 0 for one summary a point."""

    summary_type: SummaryType
    window: int
    time_updated: int | None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event type of a metadata.

    :param time_updated: UTC epoch second of the last write, ``None`` before the first
    :param summaries: ordered by type, then window
    """

    event_type: str
    data_type: DataType
    time_updated: int | None
    summaries: tuple[SummaryRecord, ...]

    @property
    def has_statistics(self) -> bool:
        """Whether statistics are kept, for which a histogram must not be empty"""
        return any(each.summary_type is SummaryType.STATISTICS for each in self.summaries)


class Parameter(NamedTuple):
    """A free-form value: the text that esmond makes of it, and as posted."""

    text: str
    json: str


@dataclass(frozen=True, slots=True)
class MetadataRecord:
    """One described measurement.

    :param subject: subject field to text, in the order they are shown
    :param parameters: free-form name to value
    :param events: ordered by event type
    """

    key: str
    subject_type: str
    subject: Mapping[str, str]
    parameters: Mapping[str, Parameter]
    events: tuple[EventRecord, ...]

    def event(self, name: str) -> EventRecord | None:
        """The event type of that name, if it is registered here."""
        return next((event for event in self.events if event.event_type == name), None)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What metadata have to match; everything given must hold.

    Event type, summary and the times of the last update must hold for one and the same row: the
    base data of an event type, or one of its summaries.

    :param addresses: subject field to the addresses of which it has to be one
    :param texts: subject field, ``subject-type`` or ``metadata-key`` to its text
    :param parameters: free-form name to its text
    :param begin: UTC epoch seconds, inclusive like ``end``
    """

    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    event_type: str | None = None
    summary_type: str | None = None
    summary_window: int | None = None
    begin: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A value to be written; ``ts`` in UTC epoch seconds."""

    event_type: str
    ts: int
    value: Stored


@dataclass(frozen=True, slots=True)
class Series:
    """Points that can be read: base data, or one summary.

    :param number: of the base data in the database
    """

    number: int
    data_type: DataType
    summary_type: SummaryType
    window: int


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may write.

    :param key_hash: SHA-256 of the key
    :param networks: addresses that need no key
    :param created_at: UTC epoch seconds
    """

    name: str
    key_hash: bytes
    is_disabled: bool
    networks: tuple[str, ...]
    created_at: int
