"""Rows of data: what ``esmond-ps-get`` prints and ``esmond-ps-get-bulk`` saves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from gridtap.esmond.querying.families import BASE_COLUMNS, layout_of
from gridtap.esmond.querying.hostnames import HostnameConversion
from gridtap.esmond.querying.outputs import HeaderRow
from gridtap.esmond.querying.query_options import QueryOptions

if TYPE_CHECKING:
    from gridtap.esmond.query import ApiConnect, EventType, Metadata, Summary

__all__ = ["DataRows", "Point", "Rows", "chosen_data", "data_format_factory"]

Rows = list[dict[str, object]]

#: Formats that show an object as text in a cell
_CELL_FORMATS = frozenset({"human", "csv"})


class Point(Protocol):
    """A value and when it was measured."""

    @property
    def ts(self) -> object:
        """UTC, its text form to the second"""

    @property
    def val(self) -> object:
        """Whatever the archive holds"""


class DataRows:
    """Makes rows of the points of one event type.

    :param event_type: any name; one that esmond does not know has its value as it is
    :param names: to share what was looked up
    """

    def __init__(
        self, options: QueryOptions, event_type: str, names: HostnameConversion | None = None
    ) -> None:
        self._event_type = event_type
        self._layout = layout_of(event_type, options.summary_type)
        self._names = names or HostnameConversion(options)
        self._is_headed = self._layout.is_headed and options.format == "human"
        self._as_text = self._layout.json_values and options.format in _CELL_FORMATS
        self._summary: tuple[str, int] = ("base", 0)
        if self._layout.has_summaries:
            self._summary = (options.summary_type or "base", options.summary_window)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return self._layout.columns if self._is_headed else BASE_COLUMNS + self._layout.columns

    def of(self, metadata: Metadata, points: Iterable[Point]) -> Iterator[dict[str, object]]:
        """The rows of some points of a metadata, in order."""
        width = metadata.sample_bucket_width
        ends = (metadata.source, metadata.destination, self._event_type, metadata.tool_name)
        for point in points:
            base = dict(zip(BASE_COLUMNS, (*ends, *self._summary, str(point.ts)), strict=True))
            if self._is_headed:
                yield self._names.convert(HeaderRow(base))
            for cells in self._layout.cells(point.val, width):
                row: dict[str, object] = {} if self._is_headed else dict(base)
                row.update(zip(self._layout.columns, cells, strict=True))
                if self._as_text and isinstance(row["value"], (list, dict)):
                    row["value"] = json.dumps(row["value"])
                yield self._names.convert(row)


def chosen_data(event_type: EventType, options: QueryOptions) -> EventType | Summary | None:
    """Where the wanted data of an event type are: its base or a summary.

    Families without summaries always have base data; ``None`` where the archive keeps no such
    summary.
    """
    layout = layout_of(event_type.event_type or "", options.summary_type)
    if options.summary_type is None or not layout.has_summaries:
        return event_type
    return event_type.get_summary(options.summary_type, options.summary_window)


def data_format_factory(
    options: object, seed_bulk_output: bool = False
) -> Callable[[ApiConnect], tuple[list[str], Rows]]:
    """A function of a connection that returns columns and rows for the event type in ``options``.

    :param seed_bulk_output: only the columns, no request
    """
    wanted = QueryOptions.adopt(options)
    event_type = wanted.type or ""

    def formatted(connection: ApiConnect) -> tuple[list[str], Rows]:
        maker = DataRows(wanted, event_type)
        rows: Rows = []
        if not seed_bulk_output:
            for metadata in connection.get_metadata():
                kind = metadata.get_event_type(event_type)
                data = chosen_data(kind, wanted) if kind else None
                if data is not None:
                    rows += maker.of(metadata, data.get_data().data)
        return list(maker.columns), rows

    return formatted
