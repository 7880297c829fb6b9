"""The statistics of a histogram, as esmond's ``statistics`` summaries give them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate

__all__ = ["statistics"]

Statistics = dict[str, float | list[float]]

_PERCENTILES = (("percentile-25", 25), ("median", 50), ("percentile-75", 75), ("percentile-95", 95))


def statistics(histogram: Mapping[str, int]) -> Statistics:
    """Minimum, maximum, mean, mode, percentiles, variance and standard deviation.

    :param histogram: count by bucket label; labels are compared as text, so ``10`` and ``10.0`` are
        two buckets of the same place
    :returns: empty where a label is no number, or where nothing was counted. The variance is the
        population's.
    """
    buckets = _numeric(histogram)
    total = sum(count for _, count in buckets)
    if total <= 0:
        return {}
    mean = sum(place * count for place, count in buckets) / total
    # A power would raise where a product becomes infinite.
    variance = sum((place - mean) * (place - mean) * count for place, count in buckets) / total
    if not math.isfinite(mean) or not math.isfinite(variance):
        return {}
    top = max(count for _, count in buckets)
    result: Statistics = {
        "minimum": buckets[0][0],
        "maximum": buckets[-1][0],
        "mean": mean,
        # In the order in which the buckets were posted.
        "mode": [float(label) for label, count in histogram.items() if count == top],
    }
    places = [place for place, _ in buckets]
    ends = list(accumulate(count for _, count in buckets))
    for name, percent in _PERCENTILES:
        result[name] = _percentile(places, ends, percent)
    result["variance"] = variance
    result["standard-deviation"] = math.sqrt(variance)
    return result


def _numeric(histogram: Mapping[str, int]) -> list[tuple[float, int]]:
    """Buckets that were counted in, in ascending order; none if a label is no number"""
    buckets = []
    for label, count in histogram.items():
        try:
            place = float(label)
        except ValueError:
            return []
        if not math.isfinite(place):
            return []
        if count > 0:
            buckets.append((place, count))
    return sorted(buckets, key=lambda bucket: bucket[0])


def _percentile(places: Sequence[float], ends: Sequence[int], percent: int) -> float:
    """The sample at n = percent / 100 x (N + 1), interpolated between its neighbours"""
    total = ends[-1]
    position = percent / 100 * (total + 1)
    below = int(position)
    if below <= 0:
        return places[0]
    if below >= total:
        return places[-1]
    low, high = _sample(places, ends, below), _sample(places, ends, below + 1)
    return low + (position - below) * (high - low)


def _sample(places: Sequence[float], ends: Sequence[int], number: int) -> float:
    """The ``number``-th sample, counted from 1"""
    for place, end in zip(places, ends, strict=True):
        if end >= number:
            return place
    return places[-1]
