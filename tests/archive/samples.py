"""A measurement of every data type, and summaries counted again from base data."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from gridtap.esmond.event_types import DataType

#: Event type to its data type and its summary windows
EVENTS: Mapping[str, tuple[DataType, tuple[int, ...]]] = {
    "throughput": (DataType.INTEGER, (300, 3600)),
    "ntp-delay": (DataType.FLOAT, (3600,)),
    "packet-loss-rate": (DataType.PERCENTAGE, (300,)),
    "histogram-owdelay": (DataType.HISTOGRAM, (0, 300, 3600)),
    "packet-retransmits-subintervals": (DataType.SUBINTERVAL, ()),
    "packet-trace": (DataType.JSON, ()),
}

_SUMMARIES: Mapping[DataType, tuple[str, ...]] = {
    DataType.INTEGER: ("aggregation", "average"),
    DataType.FLOAT: ("average",),
    DataType.PERCENTAGE: ("aggregation",),
    DataType.HISTOGRAM: ("aggregation", "statistics"),
    DataType.SUBINTERVAL: (),
    DataType.JSON: (),
}


def description(destination: str = "192.0.2.2") -> dict[str, Any]:
    """The body of a metadata POST with every event type above"""
    return {
        "subject-type": "point-to-point",
        "source": "192.0.2.1",
        "destination": destination,
        "measurement-agent": "192.0.2.1",
        "tool-name": "bwctl/iperf3",
        "input-source": "here.example.net",
        "input-destination": "there.example.net",
        "event-types": [
            {
                "event-type": name,
                "summaries": [
                    {"summary-type": each, "summary-window": window}
                    for window in windows
                    for each in _SUMMARIES[data_type]
                ],
            }
            for name, (data_type, windows) in EVENTS.items()
        ],
    }


def value(random: Random, data_type: DataType) -> Any:
    """Something to post"""
    match data_type:
        case DataType.INTEGER:
            return random.randrange(10**10)
        case DataType.FLOAT:
            return random.randrange(-(10**9), 10**9) / 10_000
        case DataType.PERCENTAGE:
            return {"numerator": random.randrange(100), "denominator": random.randrange(1, 1000)}
        case DataType.HISTOGRAM:
            buckets = random.sample(range(100), random.randrange(1, 6))
            return {f"{bucket / 10}": random.randrange(1, 50) for bucket in buckets}
        case DataType.SUBINTERVAL:
            return [{"start": 0.0, "duration": 1.0, "val": random.randrange(1000)}]
        case DataType.JSON:
            return {"error": "x" * random.randrange(200)}


def summed(data_type: DataType, window: int, base: Mapping[int, Any]) -> dict[int, Any]:
    """What aggregations of posted values have to be, by start of the window"""
    groups: dict[int, list[Any]] = defaultdict(list)
    for ts, posted in base.items():
        groups[ts - ts % window if window else ts].append(posted)
    return {start: _sum(data_type, group) for start, group in groups.items()}


def _sum(data_type: DataType, group: Iterable[Any]) -> Any:
    if data_type is DataType.HISTOGRAM:
        total: Counter[str] = Counter()
        for histogram in group:
            total.update(histogram)
        return dict(total)
    if data_type is DataType.PERCENTAGE:
        parts = list(group)
        return sum(part["numerator"] for part in parts), sum(part["denominator"] for part in parts)
    if data_type is DataType.FLOAT:
        parts = [int(number * 10_000) for number in group]
        return sum(parts), len(parts)
    parts = list(group)
    return sum(parts), len(parts)
