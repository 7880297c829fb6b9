"""Rows as something that can be drawn: lines over time, lines within a test, or buckets.

What draws is in ``plot_file`` and ``plot_terminal``, each of which needs a library of the extra
``plot``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from gridtap.esmond.event_types import EVENT_TYPES
from gridtap.esmond.querying.families import layout_of
from gridtap.esmond.querying.query_options import QueryOptions

__all__ = ["PICTURES", "Across", "Chart", "Series", "chart_of"]

#: Endings of the files that can be drawn to
PICTURES = (".png", ".svg")

#: Columns of statistics that are worth a line; the others can be had from the table.
_STATISTICS = ("min", "median", "percentile_95", "max")

#: Characters of a key that tell two tests between the same hosts apart
_KEY_CHARS = 8


class Across(Enum):
    """What is along the horizontal axis."""

    TIME = "UTC"
    TEST = "seconds since the test began"
    BUCKETS = "bucket"


@dataclass(slots=True)
class Series:
    """Points of one line, or bars; times are seconds of the epoch."""

    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)


class Chart:
    """What is drawn, gathered row by row.

    :param columns: of a row, each of which is a line of its own
    :param unit: of the values or, of a histogram, of its buckets
    """

    def __init__(self, title: str, across: Across, columns: tuple[str, ...], unit: str) -> None:
        self.title = title
        self.across = across
        self.unit = unit
        self._columns = columns
        self._lines: dict[tuple[str, str], Series] = {}
        self._counts: dict[tuple[str, str], dict[float, float]] = {}
        #: Values that are not numbers, which a picture has no place for
        self.left_out = 0

    @property
    def series(self) -> Mapping[str, Series]:
        """Lines or bars by name; tests that would have the same have their key in it."""
        bars = {
            test: Series(sorted(counts), [counts[at] for at in sorted(counts)])
            for test, counts in self._counts.items()
            if counts
        }
        drawn = self._lines | bars
        names = Counter(name for name, _ in drawn)
        return {
            f"{name} ({key[:_KEY_CHARS]})" if names[name] > 1 else name: one
            for (name, key), one in drawn.items()
        }

    def add(self, key: str, row: Mapping[str, object]) -> None:
        """Takes a row of data.

        :param key: of the metadata that it belongs to
        """
        name = f"{row['source']} to {row['destination'] or 'none'}, {row['tool']}"
        if self.across is Across.BUCKETS:
            self._add_buckets((name, key), row["value"])
            return
        for column in self._columns:
            label = name if column == "value" else f"{name}: {column.replace('_', ' ')}"
            self._add_point(label, key, row, row[column])

    def _add_point(self, label: str, key: str, row: Mapping[str, object], value: object) -> None:
        if value is None:
            return
        x: float | None
        if self.across is Across.TIME:
            x = _seconds(row["timestamp"])
        else:
            label = f"{label}, {row['timestamp']}"
            if "stream_num" in row:
                label += f", stream {row['stream_num']}"
            x = _number(row["start"])
        y = _number(value)
        if x is None or y is None:
            self.left_out += 1
            return
        series = self._lines.setdefault((label, key), Series())
        series.x.append(x)
        series.y.append(y)

    def _add_buckets(self, test: tuple[str, str], value: object) -> None:
        counts = self._counts.setdefault(test, {})
        for bucket, count in value.items() if isinstance(value, dict) else ():
            at, number = _number(bucket), _number(count)
            if at is None or number is None:
                self.left_out += 1
            else:
                counts[at] = counts.get(at, 0) + number


def chart_of(options: QueryOptions) -> Chart | None:
    """An empty chart for what the options ask for; None for event types that are no numbers."""
    name = options.type or ""
    columns = layout_of(name, options.summary_type).columns
    unit = EVENT_TYPES[name].unit if name in EVENT_TYPES else ""
    title = name if options.summary_type is None else f"{name}, {options.summary_type}"
    if options.summary_window:
        title += f" of {options.summary_window} s"
    if columns == ("bucket", "value"):
        return Chart(title, Across.BUCKETS, (), unit)
    if "start" in columns:
        return Chart(title, Across.TEST, ("value",), unit)
    if "median" in columns:
        return Chart(title, Across.TIME, _STATISTICS, unit)
    is_number = name in EVENT_TYPES and layout_of(name, None).has_summaries
    return Chart(title, Across.TIME, ("value",), unit) if is_number else None


def _seconds(timestamp: object) -> float:
    return datetime.fromisoformat(str(timestamp)).replace(tzinfo=UTC).timestamp()


def _number(value: object) -> float | None:
    if isinstance(value, (int, float, str)):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return None
        return number if number - number == 0 else None
    return None
