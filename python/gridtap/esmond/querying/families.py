"""How the values of each event type become rows.

=====================  ==========================  ===================
family                 added columns               rows of a point
=====================  ==========================  ===================
numeric                value                       1
failures               msg                         1
histogram              bucket, value               1
histogram, statistics  min, median, max, ...       1
packet_trace           ttl, query, success, ...    1 for a probe
subintervals           start, duration, value      1 for an interval
number_list            stream_num, value           1 for a stream
subinterval_list       stream_num, start, ...      1 for both
none of these          value                       1
=====================  ==========================  ===================

An archive may hold anything under a name: a value of another shape than its family's is kept whole
in the last column rather than dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from gridtap.esmond.event_types import EVENT_TYPES, DataType, Family

__all__ = ["BASE_COLUMNS", "Layout", "layout_of"]

BASE_COLUMNS = (
    "source",
    "destination",
    "event_type",
    "tool",
    "summary_type",
    "summary_window",
    "timestamp",
)

Cells = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How one family is laid out.

    :param columns: those after :py:data:`BASE_COLUMNS`
    :param cells: one tuple for each row of a value, as long as ``columns``; its second argument is
        the bucket width of the metadata
    :param has_summaries: the archive may keep summaries of it
    :param is_headed: human output has the base columns in a row of their own
    :param json_values: objects are always printed as JSON
    """

    columns: tuple[str, ...]
    cells: Callable[[object, object], Iterator[Cells]]
    has_summaries: bool = False
    is_headed: bool = False
    json_values: bool = False


def layout_of(event_type: str, summary_type: str | None) -> Layout:
    """The layout of an event type's base data or summary; of any name, known or not."""
    known = EVENT_TYPES.get(event_type)
    if known is None:
        return _GENERIC
    if known.data_type is DataType.HISTOGRAM and summary_type == "statistics":
        return _STATISTICS
    if known.family is not None:
        return _LAYOUTS[known.family]
    # Types that the original commands do not know: the archive's own kinds tell as much.
    return _LAYOUTS.get(_KIN.get(known.data_type), _GENERIC)


_KIN: Mapping[DataType, Family] = {
    DataType.INTEGER: Family.NUMERIC,
    DataType.FLOAT: Family.NUMERIC,
    DataType.PERCENTAGE: Family.NUMERIC,
    DataType.HISTOGRAM: Family.HISTOGRAM,
    DataType.SUBINTERVAL: Family.SUBINTERVALS,
}

_STATISTICS_KEYS = {
    "min": "minimum",
    "median": "median",
    "max": "maximum",
    "mean": "mean",
    "mode": "mode",
    "standard_deviation": "standard-deviation",
    "variance": "variance",
    "percentile_25": "percentile-25",
    "percentile_75": "percentile-75",
    "percentile_95": "percentile-95",
}
_PROBE_KEYS = ("ttl", "query", "success", "ip", "rtt", "mtu", "error_message")
_INTERVAL_KEYS = ("start", "duration", "val")


def _value(value: object, width: object) -> Iterator[Cells]:
    yield (value,)


def _failure(value: object, width: object) -> Iterator[Cells]:
    yield (value.get("error") if isinstance(value, dict) else value,)


def _histogram(value: object, width: object) -> Iterator[Cells]:
    yield (width, value)


def _statistics(value: object, width: object) -> Iterator[Cells]:
    # A histogram with a bucket that is not a number has an empty object for statistics.
    found = value if isinstance(value, dict) else {}
    yield tuple(found.get(key) for key in _STATISTICS_KEYS.values())


def _probes(value: object, width: object) -> Iterator[Cells]:
    for probe in value if isinstance(value, list) else [value]:
        if not _has_any(probe, (*_PROBE_KEYS, "error-message")):
            yield (*[None] * (len(_PROBE_KEYS) - 1), probe)
            continue
        error = probe.get("error_message", probe.get("error-message"))
        yield (*(probe.get(key) for key in _PROBE_KEYS[:-1]), error)


def _intervals(value: object, width: object) -> Iterator[Cells]:
    for interval in value if isinstance(value, list) else [value]:
        if _has_any(interval, _INTERVAL_KEYS):
            yield tuple(interval.get(key) for key in _INTERVAL_KEYS)
        else:
            yield (None, None, interval)


def _has_any(found: object, keys: tuple[str, ...]) -> TypeGuard[dict[str, object]]:
    """Whether something is what its family expects, or at least a part of it"""
    return isinstance(found, dict) and (not found or any(key in found for key in keys))


def _streams(value: object, width: object) -> Iterator[Cells]:
    if isinstance(value, list):
        yield from enumerate(value)
    else:
        yield (None, value)


def _stream_intervals(value: object, width: object) -> Iterator[Cells]:
    for number, stream in _streams(value, width):
        for interval in _intervals(stream, width):
            yield (number, *interval)


_GENERIC = Layout(("value",), _value, json_values=True)
_STATISTICS = Layout(tuple(_STATISTICS_KEYS), _statistics, has_summaries=True)
_LAYOUTS: Mapping[Family | None, Layout] = {
    Family.NUMERIC: Layout(("value",), _value, has_summaries=True),
    Family.FAILURES: Layout(("msg",), _failure),
    Family.HISTOGRAM: Layout(("bucket", "value"), _histogram, has_summaries=True),
    Family.PACKET_TRACE: Layout(_PROBE_KEYS, _probes, is_headed=True),
    Family.SUBINTERVALS: Layout(("start", "duration", "value"), _intervals),
    Family.NUMBER_LIST: Layout(("stream_num", "value"), _streams),
    Family.SUBINTERVAL_LIST: Layout(
        ("stream_num", "start", "duration", "value"), _stream_intervals
    ),
}
