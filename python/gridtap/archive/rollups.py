"""What summaries are made from: one rollup for each event type and window, updated by writes.

A rollup is ``(val, den)``, like a value:

===========  =============================================  ==============
data type    val                                            den
===========  =============================================  ==============
integer      sum                                            points
float        sum of the values in 1 / 10,000, cut           points
percentage   sum of the numerators                          sum of the denominators
histogram    JSON object, sum of the counts by label        None
===========  =============================================  ==============

Aggregations, averages and statistics of the same window share it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from gridtap.archive import jsontext
from gridtap.archive.values import Stored, cut
from gridtap.esmond.event_types import DataType

__all__ = ["add", "contribution", "merge", "window_start"]

#: Sum and count, or numerators and denominators
Sums = tuple[int | float, int]


def window_start(ts: int, window: int) -> int:
    """Start of the window that holds a second; windows are counted from the epoch."""
    return ts - ts % window if window else ts


def contribution(data_type: DataType, value: Stored) -> Sums:
    """What one number adds to its rollup."""
    val, den = value
    if isinstance(val, str):
        raise TypeError(f"a {data_type} is no number")
    if data_type is DataType.PERCENTAGE:
        return val, den or 0
    if data_type is DataType.FLOAT:
        return cut(val), 1
    return val, 1


def add(one: Sums, other: Sums) -> Sums:
    """Two rollups of the same window."""
    return one[0] + other[0], one[1] + other[1]


def merge(histograms: Iterable[str]) -> str:
    """Histograms added up by label, labels in the order in which they first appear.

    :param histograms: JSON objects of integers
    """
    total: dict[str, int] = {}
    for text in histograms:
        for label, count in json.loads(text).items():
            total[label] = total.get(label, 0) + count
    return jsontext.dump(total)
