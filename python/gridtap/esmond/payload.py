"""Points, and sets of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gridtap.esmond.paging import RawPoint

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "HISTOGRAM",
    "MAX_DATETIME",
    "MAX_EPOCH",
    "STATISTICS",
    "UNSPECIFIED",
    "DataHistogram",
    "DataPayload",
    "DataPoint",
    "make_point",
]

_EPOCH = datetime(1970, 1, 1)

#: Later times are shown as this one.
MAX_DATETIME = datetime.max - timedelta(days=2)
MAX_EPOCH = (MAX_DATETIME - _EPOCH) // timedelta(seconds=1)
_MIN_EPOCH = (datetime.min - _EPOCH) // timedelta(seconds=1)

#: ``data_type`` of what has buckets and counts
HISTOGRAM = "histogram"
#: ``data_type`` of what the archive computed from histograms
STATISTICS = "statistics"
#: ``data_type`` of everything else
UNSPECIFIED = "unspecified"


class DataPoint:
    """One value at one second.

    :param data: as the archive sent it, with ``ts`` and ``val``
    :raises TypeError: no data
    """

    __slots__ = ("_data",)

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        if not data or data.get("ts") is None:
            raise TypeError("a point is made of an object with ts and val")
        self._data = data

    @property
    def ts(self) -> datetime:
        """UTC, without a zone, as it always was; no later than MAX_DATETIME"""
        if self.ts_epoch > MAX_EPOCH:
            return MAX_DATETIME
        return _EPOCH + timedelta(seconds=max(self.ts_epoch, _MIN_EPOCH))

    @property
    def ts_utc(self) -> datetime:
        """UTC, and says so"""
        return self.ts.replace(tzinfo=UTC)

    @property
    def ts_epoch(self) -> int:
        """Seconds of the epoch"""
        return int(self._data["ts"])

    @property
    def val(self) -> Any:
        """The value"""
        return self._data.get("val")

    @property
    def dump(self) -> str:
        """What the archive sent, indented"""
        return json.dumps(self._data, indent=4)

    def __repr__(self) -> str:
        return f"<DataPoint: ts:{self.ts} val:{self.val}>"


class DataHistogram(DataPoint):
    """Buckets and their counts, at one second."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<DataHistogram: ts:{self.ts} len:{len(self.val or ())}>"


def make_point(raw: RawPoint, data_type: str | None) -> DataPoint:
    """The point of the class that its type of data has"""
    return DataHistogram(raw) if data_type == HISTOGRAM else DataPoint(raw)


class DataPayload:
    """Points of one event type, or of one of its summaries.

    :param data: points as the archive sends them
    :param data_type: ``histogram``, ``statistics`` or ``unspecified``
    :param event_type: decides the type of the values in :py:meth:`to_arrow`
    """

    __slots__ = ("_data", "_points", "data_type", "event_type")

    def __init__(
        self,
        data: Sequence[RawPoint] = (),
        data_type: str | None = None,
        *,
        event_type: str | None = None,
    ) -> None:
        self._data = data
        self._points: list[DataPoint] | None = None
        self.data_type = data_type
        self.event_type = event_type

    @property
    def raw(self) -> Sequence[RawPoint]:
        """The points as the archive sent them"""
        return self._data

    @property
    def data(self) -> list[DataPoint]:
        """The points; made once"""
        if self._points is None:
            self._points = list(iter(self))
        return self._points

    @property
    def dump(self) -> str:
        """What the archive sent, indented"""
        return json.dumps(list(self._data), indent=4)

    def columns(self) -> dict[str, list[Any]]:
        """``ts``, datetimes in UTC, and ``val``: what ``pandas.DataFrame`` takes"""
        points = self.data
        return {"ts": [point.ts_utc for point in points], "val": [point.val for point in points]}

    def to_arrow(self) -> pyarrow.Table:
        """The points as an Arrow table, see :py:mod:`gridtap.esmond.columns`.

        :raises MissingExtraError: pyarrow is not installed
        """
        from gridtap.esmond.columns import to_arrow

        return to_arrow(self._data, self.event_type, self.data_type)

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[DataPoint]:
        return (make_point(raw, self.data_type) for raw in self._data)

    def __repr__(self) -> str:
        return f"<DataPayload: len:{len(self._data)} type:{self.data_type}>"
