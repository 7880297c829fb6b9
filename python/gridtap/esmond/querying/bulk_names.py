"""Names of the files of a bulk pull."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from gridtap.esmond.querying.hostnames import HostnameConversion
from gridtap.esmond.querying.query_options import QueryOptions

if TYPE_CHECKING:
    from gridtap.esmond.query import Metadata

__all__ = ["BulkNames", "get_outfile"]

#: Characters of a key that tell two tests between the same hosts apart
_KEY_CHARS = 8


class BulkNames:
    """Gives each file ``SOURCE_DESTINATION_EVENT-TYPE_START_END.FORMAT``.

    Tests with the same ends and event type would overwrite each other: the first keeps that name,
    the others have the beginning of their metadata key behind it.
    """

    def __init__(self, options: QueryOptions, names: HostnameConversion) -> None:
        self._extension = options.format
        self._names = names
        self._taken: set[str] = set()

    def take(self, name: str) -> None:
        """Marks a name as given, by an earlier part of the same pull."""
        self._taken.add(name)

    def name_for(self, metadata: Metadata, event_type: str) -> str:
        """A name that no other file of this pull has."""
        stem, key = self._stem(metadata, event_type), _tame(metadata.metadata_key or "")
        choices = [stem, f"{stem}_{key[:_KEY_CHARS]}", f"{stem}_{key}"]
        name = next(
            name
            for stem in (*choices, *(f"{choices[-1]}_{n}" for n in range(2, len(self._taken) + 3)))
            if (name := f"{stem}.{self._extension}") not in self._taken
        )
        self._taken.add(name)
        return name

    def documented_name(self, metadata: Metadata, event_type: str) -> str:
        """The name without regard to other files."""
        return f"{self._stem(metadata, event_type)}.{self._extension}"

    def _stem(self, metadata: Metadata, event_type: str) -> str:
        ends = [
            self._names.name(address) if address else "none"
            for address in (metadata.source, metadata.destination)
        ]
        filters = metadata.filters
        dates = [_date(filters.time_start), _date(filters.time_end)]
        return "_".join(_tame(part) for part in (*ends, event_type, *dates))


def get_outfile(options: object, metadata: Metadata, event_type: str) -> IO[str]:
    """The file for one event type of a metadata, opened for writing text.

    :raises OSError: it cannot be opened
    """
    wanted = QueryOptions.adopt(options)
    names = BulkNames(wanted, HostnameConversion(wanted))
    path = os.path.join(
        os.path.abspath(wanted.output_dir), names.documented_name(metadata, event_type)
    )
    return open(path, "w", encoding="utf-8", newline="")


def _date(seconds: int | None) -> str:
    try:
        return datetime.fromtimestamp(seconds or 0, UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _tame(part: str) -> str:
    """Without what would lead out of the directory or hide in a listing"""
    return "".join(c if c.isprintable() and c != "/" else "_" for c in part)
