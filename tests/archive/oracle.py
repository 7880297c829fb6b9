"""What an archive must answer, worked out again from the base data at every question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Point = tuple[str, int, Any]

NEVER_REPLACED = frozenset({"throughput", "time-error-estimates", "packet-loss-rate"})
#: Quarters that are asked for, by name
PERCENTILES = {"percentile-25": 25, "median": 50, "percentile-75": 75, "percentile-95": 95}


@dataclass
class Oracle:
    """The base data of one metadata, by event type and time stamp"""

    base: dict[str, dict[int, Any]] = field(default_factory=dict)

    def write(self, points: Iterable[Point]) -> int:
        """Writes all or nothing: the status that an archive must answer"""
        last = {(event_type, ts): value for event_type, ts, value in points}
        for (event_type, ts), value in last.items():
            known = self.base.get(event_type, {})
            if event_type in NEVER_REPLACED and known.get(ts, value) != value:
                return 409
        for (event_type, ts), value in last.items():
            self.base.setdefault(event_type, {})[ts] = value
        return 201

    def shown(self, event_type: str) -> list[tuple[int, Any]]:
        points = sorted(self.base.get(event_type, {}).items())
        return [(ts, _shown(value)) for ts, value in points]

    def summary(
        self, event_type: str, kind: str, window: int, start: int, end: int
    ) -> list[tuple[int, Any]]:
        """Values of the windows that begin from ``start`` to ``end``"""
        members: dict[int, list[Any]] = {}
        for ts, value in self.base.get(event_type, {}).items():
            begin = ts - ts % window if window else ts
            members.setdefault(begin, []).append(value)
        return [
            (begin, _summarise(kind, members[begin]))
            for begin in sorted(members)
            if start <= begin <= end
        ]


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return value["numerator"] / value["denominator"] if "numerator" in value else value
    return float(value)


def _summarise(kind: str, values: list[Any]) -> Any:
    if not isinstance(values[0], dict):
        total = sum(Fraction(value) for value in values)
        return float(total / len(values) if kind == "average" else total)
    if "numerator" in values[0]:
        lost, sent = (sum(value[part] for value in values) for part in ("numerator", "denominator"))
        return lost / sent
    merged: Counter[str] = Counter()
    for value in values:
        merged.update(value)
    return statistics(merged) if kind == "statistics" else dict(merged)


def statistics(histogram: dict[str, int]) -> dict[str, Any]:
    """By the definitions, from every single sample"""
    samples = sorted(float(bucket) for bucket, count in histogram.items() for _ in range(count))
    counts = Counter(samples)
    exact = [Fraction(sample) for sample in samples]
    mean = sum(exact) / len(exact)
    variance = float(sum((sample - mean) ** 2 for sample in exact) / len(exact))
    top = max(counts.values())
    return {
        "minimum": samples[0],
        "maximum": samples[-1],
        "mean": float(mean),
        # In the order of the buckets as posted.
        "mode": [float(label) for label in histogram if counts[float(label)] == top],
        "variance": variance,
        "standard-deviation": math.sqrt(variance),
        **{name: _percentile(samples, percent) for name, percent in PERCENTILES.items()},
    }


def _percentile(samples: list[float], percent: int) -> float:
    rank = Fraction(percent, 100) * (len(samples) + 1)
    below = math.floor(rank)
    if below == 0:
        return samples[0]
    if below >= len(samples):
        return samples[-1]
    low, high = samples[below - 1], samples[below]
    return low + float(rank - below) * (high - low)
