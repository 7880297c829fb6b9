"""How metadata and points look in an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gridtap.archive.calls import Call
from gridtap.archive.statistics import statistics
from gridtap.archive.storage import EventRecord, MetadataRecord, Row, Series, SummaryRecord
from gridtap.archive.values import SCALE, cut
from gridtap.esmond.event_types import SUMMARY_IN_URL, DataType, SummaryType

__all__ = ["ROOT", "event", "exact_sum", "metadata", "points", "summary"]

#: Path of the archive behind the script alias
ROOT = "/perfsonar/archive/"


def metadata(record: MetadataRecord, call: Call, is_exact: bool) -> dict[str, Any]:
    """A metadata as shown, keys in esmond's order.

    :param is_exact: also show parameters in the types in which they were posted
    """
    uri = f"{call.alias}{ROOT}{record.key}/"
    # esmond repeats the parameter in the addresses it gives.
    query = f"?format={call.query['format']}" if "format" in call.query else ""
    shown: dict[str, Any] = {
        "url": call.origin + uri + query,
        "metadata-key": record.key,
        "subject-type": record.subject_type,
        "event-types": [event(each, record.key, call) for each in record.events],
        **record.subject,
    }
    for name, parameter in sorted(record.parameters.items()):
        shown[name.replace("_", "-")] = parameter.text
    if is_exact:
        shown["typed-parameters"] = {
            name: json.loads(parameter.json)
            for name, parameter in sorted(record.parameters.items())
        }
    shown["uri"] = uri
    return shown


def event(record: EventRecord, key: str, call: Call) -> dict[str, Any]:
    """An event type as shown."""
    return {
        "base-uri": f"{call.alias}{ROOT}{key}/{record.event_type}/base",
        "event-type": record.event_type,
        "time-updated": record.time_updated,
        "summaries": [summary(each, key, record.event_type, call) for each in record.summaries],
    }


def summary(record: SummaryRecord, key: str, event_type: str, call: Call) -> dict[str, Any]:
    """A summary as shown; its window is a text."""
    place = f"{key}/{event_type}/{SUMMARY_IN_URL[record.summary_type]}/{record.window}"
    return {
        "uri": f"{call.alias}{ROOT}{place}",
        "summary-type": record.summary_type.value,
        "summary-window": str(record.window),
        "time-updated": record.time_updated,
    }


def points(series: Series, rows: Iterable[Row], is_exact: bool) -> str:
    """Points as JSON objects, separated by commas.

    :param is_exact: numbers as they were posted, not as esmond shows them
    """
    show = _EXACT.get(_kind(series)) if is_exact else None
    show = show or _SHOWN[_kind(series)]
    return ",".join([f'{{"ts":{ts},"val":{show(val, den)}}}' for ts, val, den in rows])


def exact_sum(series: Series, rows: Iterable[Row], sums: Mapping[int, tuple[float, int]]) -> str:
    """Summaries of floats, from the sums of what was posted."""
    parts = []
    for ts, _, _ in rows:
        total, count = sums.get(ts, (0.0, 1))
        val = total / count if series.summary_type is SummaryType.AVERAGE else total
        parts.append(f'{{"ts":{ts},"val":{val!r}}}')
    return ",".join(parts)


def _kind(series: Series) -> tuple[DataType, SummaryType]:
    return series.data_type, series.summary_type


def _as_float(val: Any, _: Any) -> str:
    return repr(float(val))


def _as_is(val: Any, _: Any) -> str:
    return str(val)


def _as_number(val: Any, _: Any) -> str:
    return repr(val)


def _as_cut_float(val: Any, _: Any) -> str:
    return repr(cut(val) / SCALE)


def _as_scaled(val: Any, _: Any) -> str:
    return repr(val / SCALE)


def _as_ratio(val: Any, den: Any) -> str:
    return repr(val / den)


def _as_scaled_ratio(val: Any, den: Any) -> str:
    return repr(val / SCALE / den)


def _as_statistics(val: Any, _: Any) -> str:
    return json.dumps(statistics(json.loads(val)), separators=(",", ":"))


_Show = Callable[[Any, Any], str]
_BASE, _SUM, _MEAN = SummaryType.BASE, SummaryType.AGGREGATION, SummaryType.AVERAGE

#: How esmond shows the two columns of a row
_SHOWN: Mapping[tuple[DataType, SummaryType], _Show] = {
    (DataType.INTEGER, _BASE): _as_float,
    (DataType.INTEGER, _SUM): _as_float,
    (DataType.INTEGER, _MEAN): _as_ratio,
    (DataType.FLOAT, _BASE): _as_cut_float,
    (DataType.FLOAT, _SUM): _as_scaled,
    (DataType.FLOAT, _MEAN): _as_scaled_ratio,
    (DataType.PERCENTAGE, _BASE): _as_ratio,
    (DataType.PERCENTAGE, _SUM): _as_ratio,
    (DataType.HISTOGRAM, _BASE): _as_is,
    (DataType.HISTOGRAM, _SUM): _as_is,
    (DataType.HISTOGRAM, SummaryType.STATISTICS): _as_statistics,
    (DataType.SUBINTERVAL, _BASE): _as_is,
    (DataType.JSON, _BASE): _as_is,
}

#: What differs where exact values are asked for
_EXACT: Mapping[tuple[DataType, SummaryType], _Show] = {
    (DataType.INTEGER, _BASE): _as_number,
    (DataType.INTEGER, _SUM): _as_number,
    (DataType.FLOAT, _BASE): _as_number,
}
