"""Where the archive keeps things. The only package with SQL in it."""

from __future__ import annotations

from gridtap.archive.storage.interface import Storage
from gridtap.archive.storage.records import (
    Criteria,
    EventRecord,
    MetadataRecord,
    Point,
    Row,
    Series,
    SummaryRecord,
    User,
)
from gridtap.archive.storage.sqlite import SqliteStorage

__all__ = [
    "Criteria",
    "EventRecord",
    "MetadataRecord",
    "Point",
    "Row",
    "Series",
    "SqliteStorage",
    "Storage",
    "SummaryRecord",
    "User",
]
