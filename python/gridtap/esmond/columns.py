"""Points as Arrow columns.

``ts`` is a timestamp in seconds, UTC. The type of ``val`` depends on what is measured, not on what
was found, so that all pages of one series have one schema:

==============================  ==============================================================
integer, float, percentage      double
histogram                       map from bucket (text) to count (double)
statistics of histograms        struct of doubles, ``mode`` a list of them
everything else                 JSON as text
==============================  ==============================================================

An event type that gridtap does not know has JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gridtap.errors import MissingExtraError
from gridtap.esmond.event_types import EVENT_TYPES, DataType
from gridtap.esmond.paging import RawPoint

if TYPE_CHECKING:
    import pyarrow

__all__ = ["STATISTICS_KEYS", "to_arrow"]

_NUMBERS = frozenset({DataType.INTEGER, DataType.FLOAT, DataType.PERCENTAGE})

#: What an archive computes from histograms, beside ``mode``
STATISTICS_KEYS = (
    "minimum",
    "maximum",
    "mean",
    "median",
    "percentile-25",
    "percentile-75",
    "percentile-95",
    "variance",
    "standard-deviation",
)


def to_arrow(
    points: Sequence[RawPoint], event_type: str | None, data_type: str | None
) -> pyarrow.Table:
    """The points as a table with the columns ``ts`` and ``val``

    :raises MissingExtraError: pyarrow is not installed
    :raises ValueError: a value that is not of the kind that its event type has
    """
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError("Arrow output", "arrow") from error
    kind, convert = _column(pyarrow, event_type, data_type)
    schema = pyarrow.schema(
        [
            pyarrow.field("ts", pyarrow.timestamp("s", tz="UTC"), nullable=False),
            pyarrow.field("val", kind),
        ]
    )
    seconds = pyarrow.array([point["ts"] for point in points], pyarrow.int64())
    values = [None if point["val"] is None else convert(point["val"]) for point in points]
    columns = [seconds.cast(schema.field("ts").type), pyarrow.array(values, kind)]
    return pyarrow.Table.from_arrays(columns, schema=schema)


def _column(
    pyarrow: Any, event_type: str | None, data_type: str | None
) -> tuple[pyarrow.DataType, Callable[[Any], Any]]:
    number = pyarrow.float64()
    if data_type == "statistics":
        fields = [(key, number) for key in STATISTICS_KEYS]
        return pyarrow.struct([*fields, ("mode", pyarrow.list_(number))]), _statistics
    if data_type == "histogram":
        return pyarrow.map_(pyarrow.string(), number), _histogram
    known = EVENT_TYPES.get(event_type or "")
    if known is not None and known.data_type in _NUMBERS:
        return number, _number
    return pyarrow.string(), json.dumps


def _number(value: Any) -> float:
    try:
        return float(value)
    except TypeError as error:
        raise ValueError(f"not a number: {value!r}") from error


def _histogram(value: Any) -> list[tuple[str, float]]:
    if not isinstance(value, dict):
        raise ValueError(f"not a histogram: {value!r}")
    return [(bucket, _number(count)) for bucket, count in value.items()]


def _statistics(value: Any) -> dict[str, Any]:
    """Archives before 4.4 send some of the numbers as text; elmond sends null for none."""
    if not isinstance(value, dict):
        raise ValueError(f"not statistics: {value!r}")
    numbers = {key: _number(value[key]) for key in STATISTICS_KEYS if value.get(key) is not None}
    mode = value.get("mode")
    modes = mode if isinstance(mode, list) else [] if mode is None else [mode]
    return {**numbers, "mode": [_number(one) for one in modes if one is not None]}
