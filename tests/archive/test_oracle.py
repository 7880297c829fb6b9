"""The oracle itself, held to the numbers that a real server computed."""

from __future__ import annotations

import pytest

from tests.archive.oracle import Oracle, statistics


def test_statistics_of_the_observed_window() -> None:
    merged = {"10.0": 12, "10.5": 19, "11": 3, "20.25": 1, "10": 4, "-1.5": 1}
    computed = statistics(merged)
    assert computed["mode"] == [10.5]
    assert computed["variance"] == pytest.approx(6.0474609375, rel=1e-12)
    names = ("percentile-25", "median", "percentile-75", "percentile-95", "mean")
    assert [computed[name] for name in names] == [10.0, 10.5, 10.5, 11.0, 10.28125]


def test_all_or_nothing() -> None:
    oracle = Oracle()
    assert oracle.write([("throughput", 5, 1), ("throughput", 5, 2)]) == 201
    assert oracle.write([("throughput", 6, 1), ("throughput", 5, 3)]) == 409
    assert oracle.shown("throughput") == [(5, 2.0)]
    assert oracle.write([("histogram-rtt", 5, {"1": 1})]) == 201
    assert oracle.write([("histogram-rtt", 5, {"2": 1}), ("histogram-rtt", 7, {"2": 3})]) == 201
    assert oracle.summary("histogram-rtt", "aggregation", 60, 0, 60) == [(0, {"2": 4})]
    assert oracle.summary("throughput", "average", 60, 0, 60) == [(0, 2.0)]
