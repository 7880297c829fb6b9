"""The storage in one SQLite file: write-ahead log, one writer, a few readers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gridtap.archive import limits
from gridtap.archive.description import Description
from gridtap.archive.refusal import RefusedError
from gridtap.archive.storage import pruning, reading, search, users, writing
from gridtap.archive.storage.connections import Connections
from gridtap.archive.storage.records import Criteria, MetadataRecord, Point, Row, Series, User
from gridtap.esmond.event_types import SummaryType

__all__ = ["SqliteStorage"]

#: Keys read at a time.
_KEYS = 1_000


class SqliteStorage:
    """An archive's file; made if it is not there. See :py:class:`Storage` for the methods.

    :param seconds: how long one call may take; ``None`` for no end
    :raises ArchiveError: the file cannot be used
    """

    def __init__(self, path: Path, seconds: float | None = limits.REQUEST_SECONDS) -> None:
        self._connections = Connections(path, seconds)

    @property
    def is_writable(self) -> bool:
        """False where the file system only lets it be read."""
        return self._connections.is_writable

    def close(self) -> None:
        self._connections.close()

    def create(self, description: Description, key: str) -> MetadataRecord:
        digest = description.digest()
        found = "SELECT id FROM metadata WHERE digest = ?"
        with self._connections.reading() as connection:
            row = connection.execute(found, (digest,)).fetchone()
            if row:
                return search.load(connection, [row[0]])[0]
        with self._connections.writing() as connection:
            # Somebody else may have been faster.
            row = connection.execute(found, (digest,)).fetchone()
            if not row:
                if connection.execute("SELECT 1 FROM metadata WHERE key = ?", (key,)).fetchone():
                    raise RefusedError(f"metadata-key {key} is another measurement's", 409)
                search.insert(connection, description, key)
                row = connection.execute(found, (digest,)).fetchone()
            return search.load(connection, [row[0]])[0]

    def get(self, key: str, criteria: Criteria | None = None) -> MetadataRecord | None:
        criteria = criteria or Criteria()
        if criteria.texts.get("metadata-key", key) != key:
            return None
        texts = {**criteria.texts, "metadata-key": key}
        wanted = replace(criteria, texts=texts)
        with self._connections.reading() as connection:
            numbers = search.keys_that_match(connection, wanted, 1, 0)
            return search.load(connection, numbers)[0] if numbers else None

    def find(self, criteria: Criteria, limit: int, offset: int) -> tuple[list[MetadataRecord], int]:
        with self._connections.reading() as connection:
            total = search.count(connection, criteria)
            numbers = search.keys_that_match(connection, criteria, limit, offset)
            return search.load(connection, numbers), total

    def write(
        self, key: str, points: Sequence[Point], updated: Mapping[str, int | None] | None = None
    ) -> None:
        if updated is None:
            updated = dict.fromkeys((point.event_type for point in points), int(time.time()))
        with self._connections.writing() as connection:
            writing.write(connection, key, points, updated)

    def series(
        self, key: str, event_type: str, summary_type: SummaryType, window: int
    ) -> Series | None:
        with self._connections.reading() as connection:
            return reading.series(connection, key, event_type, summary_type, window)

    def rows(self, series: Series, begin: int, end: int, limit: int, offset: int = 0) -> list[Row]:
        with self._connections.reading() as connection:
            return reading.rows(connection, series, begin, end, limit, offset)

    def has_more(self, series: Series, begin: int, end: int, offset: int) -> bool:
        with self._connections.reading() as connection:
            return reading.has_more(connection, series, begin, end, offset)

    def exact_sums(self, series: Series, begin: int, end: int) -> dict[int, tuple[float, int]]:
        with self._connections.reading() as connection:
            return reading.exact_sums(connection, series, begin, end)

    def prune(self, before: int) -> int:
        with self._connections.reading() as connection:
            todo = pruning.series_to_prune(connection, before)
        removed = 0
        for number, windows in todo:
            has_more = True
            while has_more:
                # Piece by piece, so that others may write in between.
                with self._connections.writing() as connection:
                    piece, has_more = pruning.prune_piece(connection, number, windows, before)
                removed += piece
        self._connections.vacuum()
        return removed

    def keys(self) -> Iterator[str]:
        last = ""
        while True:
            with self._connections.reading() as connection:
                page = connection.execute(
                    "SELECT key FROM metadata WHERE key > ? ORDER BY key LIMIT ?", (last, _KEYS)
                ).fetchall()
            if not page:
                return
            yield from (row[0] for row in page)
            last = page[-1][0]

    def users(self) -> list[User]:
        with self._connections.reading() as connection:
            return users.everybody(connection)

    def add_user(self, user: User) -> bool:
        with self._connections.writing() as connection:
            return users.add(connection, user)

    def change_user(
        self, name: str, key_hash: bytes | None = None, is_disabled: bool | None = None
    ) -> bool:
        with self._connections.writing() as connection:
            return users.change(connection, name, key_hash, is_disabled)
