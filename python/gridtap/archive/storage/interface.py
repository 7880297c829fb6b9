"""What the archive asks of a storage. SQLite is one; another database needs to do no more.

Calls may come from several threads at once. Whatever fails for a reason that is not the caller's
raises :py:class:`~gridtap.archive.refusal.UnavailableError`, and then nothing was changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from gridtap.archive.description import Description
from gridtap.archive.storage.records import Criteria, MetadataRecord, Point, Row, Series, User
from gridtap.esmond.event_types import SummaryType

__all__ = ["Storage"]


class Storage(Protocol):
    """A place for metadata, points and users."""

    def close(self) -> None:
        """Ends it; nothing else may be called afterwards."""
        ...

    # Metadata

    def create(self, description: Description, key: str) -> MetadataRecord:
        """Stores a description under ``key``, or finds the one that is the same.

        :raises RefusedError: the key is that of another description
        """
        ...

    def get(self, key: str, criteria: Criteria | None = None) -> MetadataRecord | None:
        """The metadata of that key, if it also matches."""
        ...

    def find(self, criteria: Criteria, limit: int, offset: int) -> tuple[list[MetadataRecord], int]:
        """A page of what matches, ordered by key, and how many match in all."""
        ...

    # Points

    def write(
        self, key: str, points: Sequence[Point], updated: Mapping[str, int | None] | None = None
    ) -> None:
        """Stores all points or none. Every event type must be registered.

        Of points at the same time the last wins.

        :param updated: what the event types' times of update become; by default the present
        :raises ConflictError: a number is there already, with another value
        """
        ...

    def series(
        self, key: str, event_type: str, summary_type: SummaryType, window: int
    ) -> Series | None:
        """The base data (window 0) or a summary, if it is kept."""
        ...

    def rows(self, series: Series, begin: int, end: int, limit: int, offset: int = 0) -> list[Row]:
        """Rows of that time, ends included, in ascending order."""
        ...

    def has_more(self, series: Series, begin: int, end: int, offset: int) -> bool:
        """Whether there are more than ``offset`` rows of that time."""
        ...

    def exact_sums(self, series: Series, begin: int, end: int) -> dict[int, tuple[float, int]]:
        """Sums of the numbers as posted, and their counts, by window."""
        ...

    def prune(self, before: int) -> int:
        """Removes points, and summaries, of whole windows that ended before that time.

        :returns: how many points were removed
        """
        ...

    def keys(self) -> Iterator[str]:
        """Every metadata key in ascending order."""
        ...

    # Users

    def users(self) -> list[User]:
        """Everybody, ordered by name."""
        ...

    def add_user(self, user: User) -> bool:
        """False if there is somebody of that name."""
        ...

    def change_user(
        self, name: str, key_hash: bytes | None = None, is_disabled: bool | None = None
    ) -> bool:
        """False if there is nobody of that name."""
        ...
