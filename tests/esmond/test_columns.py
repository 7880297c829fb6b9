"""Points as columns."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pyarrow
import pytest

from gridtap.esmond import DataPayload
from gridtap.esmond.event_types import EVENT_TYPES

STATISTICS = {
    "minimum": "34.4",
    "maximum": 34.5,
    "mean": 34.41,
    "median": 34.4,
    "mode": ["34.4"],
    "percentile-25": 34.4,
    "percentile-75": 34.4,
    "percentile-95": 34.5,
    "variance": 0.0012,
    "standard-deviation": 0.035,
}


def table(event_type: str, *values: Any, data_type: str = "unspecified") -> pyarrow.Table:
    points = [{"ts": 1710231310 + n, "val": value} for n, value in enumerate(values)]
    return DataPayload(points, data_type, event_type=event_type).to_arrow()


def test_times_are_utc_seconds() -> None:
    found = table("throughput", 1)
    assert found.schema.field("ts").type == pyarrow.timestamp("s", tz="UTC")
    assert found["ts"].to_pylist() == [datetime(2024, 3, 12, 8, 15, 10, tzinfo=UTC)]


def test_numbers() -> None:
    found = table("throughput", 2000000000, 1.5, None)
    assert found.schema.field("val").type == pyarrow.float64()
    assert found["val"].to_pylist() == [2e9, 1.5, None]


def test_histograms() -> None:
    found = table("histogram-rtt", {"34.4": 506, "34.5": 85}, {}, data_type="histogram")
    assert found["val"].to_pylist() == [[("34.4", 506.0), ("34.5", 85.0)], []]


def test_statistics() -> None:
    found = table("histogram-rtt", STATISTICS, {}, data_type="statistics")
    first, empty = found["val"].to_pylist()
    assert first == {**STATISTICS, "minimum": 34.4, "mode": [34.4]}
    assert empty == {**dict.fromkeys(STATISTICS), "mode": []}


def test_everything_else_is_json() -> None:
    found = table("failures", {"error": "x"}, [1, "2"])
    assert found["val"].to_pylist() == ['{"error": "x"}', '[1, "2"]']
    assert table("of-tomorrow", 1)["val"].to_pylist() == ["1"]


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_pages_of_one_series_have_one_schema(name: str) -> None:
    data_type = "histogram" if name.startswith("histogram-") else "unspecified"
    value: Any = {"1": 2} if data_type == "histogram" else 1
    some = table(name, value, data_type=data_type).schema
    assert some == table(name, data_type=data_type).schema


@pytest.mark.parametrize(
    ("data_type", "value"),
    [("unspecified", {"a": 1}), ("unspecified", "x"), ("histogram", 1), ("statistics", 1)],
)
def test_values_of_another_kind(data_type: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"not|could not"):
        table("throughput", value, data_type=data_type)


def test_columns_for_data_frames() -> None:
    points = [{"ts": 0, "val": 1.0}, {"ts": 60, "val": 2.0}]
    assert DataPayload(points, "unspecified").columns() == {
        "ts": [datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 1, tzinfo=UTC)],
        "val": [1.0, 2.0],
    }


def test_without_pyarrow() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from gridtap.errors import MissingExtraError\n"
        "from gridtap.esmond import DataPayload\n"
        "try: DataPayload().to_arrow()\n"
        "except MissingExtraError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout == "Arrow output needs an extra: pip install 'gridtap[arrow]'\n"
