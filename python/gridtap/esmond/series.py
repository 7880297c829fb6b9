"""What has data: event types, and the summaries of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gridtap.esmond.alerts import EventTypeWarning, SummaryWarning
from gridtap.esmond.connection import Connection
from gridtap.esmond.errors import AnswerError, ArchiveUrlError
from gridtap.esmond.filters import ApiFilters
from gridtap.esmond.node import NodeInfo, alert_text
from gridtap.esmond.paging import RawPoint, point_pages
from gridtap.esmond.payload import (
    HISTOGRAM,
    STATISTICS,
    UNSPECIFIED,
    DataPayload,
    DataPoint,
    make_point,
)
from gridtap.esmond.window import Window

__all__ = ["DataNode", "EventType", "Summary"]


class DataNode(NodeInfo):
    """What has data."""

    @property
    def query_uri(self) -> str:
        """Path of the data at its archive"""
        raise NotImplementedError

    @property
    def data_type(self) -> str:
        """``histogram``, ``statistics`` or ``unspecified``"""
        raise NotImplementedError

    @property
    def event_type(self) -> str | None:
        """Name of the kind of result"""
        raise NotImplementedError

    def get_data(self) -> DataPayload:
        """All points in the time window of the filters.

        When the archive cannot be used, warns and returns an empty payload; it raises if the
        filters are strict.

        :raises UnreachableError: no connection, strict or not
        :raises NoAnswerError: nothing was received for too long, strict or not
        """
        try:
            return self.fetch()
        except (AnswerError, ArchiveUrlError) as error:
            if self.filters.strict:
                raise
            self.warn(alert_text(error) if isinstance(error, AnswerError) else str(error))
            return self._payload([])

    def fetch(self) -> DataPayload:
        """All points in the time window of the filters.

        :raises RequestError: the archive cannot be used, strict or not
        :raises ArchiveUrlError: the archive gave no address for the data
        """
        points = [point for page in self._pages() for point in page]
        self._connection.trace(f"  *** finished with {len(points)} results")
        return self._payload(points)

    def iter_pages(self) -> Iterator[DataPayload]:
        """The points in the time window, a page at a time, so that memory stays flat.

        :raises RequestError: the archive cannot be used, strict or not: what was given out already
            is not all there is
        """
        return (self._payload(page) for page in self._pages())

    def iter_data(self) -> Iterator[DataPoint]:
        """The points in the time window, one at a time, so that memory stays flat.

        :raises RequestError: as for :py:meth:`iter_pages`
        """
        return (make_point(raw, self.data_type) for page in self._pages() for raw in page)

    def _payload(self, points: list[RawPoint]) -> DataPayload:
        return DataPayload(points, self.data_type, event_type=self.event_type)

    def _pages(self) -> Iterator[list[RawPoint]]:
        connection = self._connection
        url = connection.address.follow(self.query_uri)
        window = Window.of(self.filters.time_filters)
        connection.trace(f" * looping query for: {self.query_uri}")
        is_summary = isinstance(self, Summary)
        pages = point_pages(
            lambda params: connection.get(url, params),
            window,
            max(1, int(self.filters.page_size)),
            # elmond, whose addresses of data end in a window, counts points that it leaves out.
            short_is_last=is_summary or not url.endswith("/base/0"),
            one_per_second=is_summary,
        )
        for page in pages:
            connection.trace(f"  ** got {len(page)} results")
            yield page


class EventType(DataNode):
    """One kind of result of a metadata."""

    wrn = EventTypeWarning

    @property
    def base_uri(self) -> str:
        """Path of the data at its archive"""
        return str(self._data.get("base-uri", ""))

    @property
    def query_uri(self) -> str:
        """The same"""
        return self.base_uri

    @property
    def event_type(self) -> str | None:
        """Its name"""
        return self._data.get("event-type")

    @property
    def data_type(self) -> str:
        """``histogram`` or ``unspecified``"""
        return HISTOGRAM if str(self.event_type).startswith("histogram-") else UNSPECIFIED

    @property
    def time_updated(self) -> int | None:
        """When data was last written, in seconds of the epoch, by the archive's clock"""
        return self._data.get("time-updated")

    @property
    def summaries(self) -> list[tuple[Any, Any]]:
        """Type and window of each summary, as the archive sent them"""
        listed = self._list("summaries")
        return [(one.get("summary-type"), one.get("summary-window")) for one in listed]

    def get_all_summaries(self) -> Iterator[Summary]:
        """Each summary"""
        for one in self._list("summaries"):
            yield Summary(
                {"event-type": self.event_type, **one},
                self.api_url,
                self.filters,
                self.data_type,
                self._connection,
            )

    def get_summary(self, s_type: str, s_window: int | str) -> Summary | None:
        """The summary of that type and window

        :param s_window: seconds, as a number or as text: esmond writes text, elmond numbers
        """
        for one in self.get_all_summaries():
            if one.summary_type == s_type and _same_window(one.summary_window, s_window):
                return one
        return None

    def __repr__(self) -> str:
        return f"<EventType/{self.event_type}: uri:{self.base_uri}>"


class Summary(DataNode):
    """What an archive computed from the data of an event type.

    :param data_type: of that event type
    """

    wrn = SummaryWarning

    def __init__(
        self,
        data: Mapping[str, Any],
        api_url: str,
        filters: ApiFilters,
        data_type: str = UNSPECIFIED,
        connection: Connection | None = None,
    ) -> None:
        super().__init__(data, api_url, filters, connection)
        self._data_type = data_type

    @property
    def data_type(self) -> str:
        """``histogram`` for sums of histograms, ``statistics``, or ``unspecified``"""
        return STATISTICS if self.summary_type == STATISTICS else self._data_type

    @property
    def event_type(self) -> str | None:
        """Name of the kind of result"""
        return self._data.get("event-type")

    @property
    def summary_type(self) -> str | None:
        """``aggregation``, ``average`` or ``statistics``"""
        return self._data.get("summary-type")

    @property
    def summary_window(self) -> Any:
        """Seconds that are summed up, as the archive sent them"""
        return self._data.get("summary-window")

    @property
    def uri(self) -> str:
        """Path of the data at its archive"""
        return str(self._data.get("uri", ""))

    @property
    def query_uri(self) -> str:
        """The same"""
        return self.uri

    def __repr__(self) -> str:
        return f"<Summary/{self.summary_type}: window:{self.summary_window}>"


def _same_window(one: object, other: object) -> bool:
    try:
        return int(str(one)) == int(str(other))
    except ValueError:
        return str(one) == str(other)
