"""What an archive lists: metadata, their event types, and the summaries of these."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from gridtap.esmond.alerts import (
    EventTypeWarning,
    MetadataWarning,
    NodeInfoWarning,
    SummaryWarning,
)
from gridtap.esmond.answers import Answer
from gridtap.esmond.connection import Connection
from gridtap.esmond.errors import AnswerError, ArchiveUrlError, PagingError
from gridtap.esmond.filters import ApiFilters
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

__all__ = ["DataNode", "EventType", "Metadata", "NodeInfo", "Summary", "alert_text"]


def alert_text(error: AnswerError) -> str:
    """What the client warns of a failed request"""
    if isinstance(error, PagingError):
        return str(error)
    answer = error.answer
    return f"Request for {answer.url} got status: {answer.status_code} - response: {answer.excerpt}"


class NodeInfo:
    """What metadata, event types and summaries have in common.

    :param data: what the archive sent
    :param api_url: the archive's, without path
    :param filters: time window and settings of the requests
    :param connection: of whoever found this; otherwise a new one is made when needed
    """

    wrn: type[Warning] = NodeInfoWarning

    def __init__(
        self,
        data: Mapping[str, Any],
        api_url: str,
        filters: ApiFilters,
        connection: Connection | None = None,
    ) -> None:
        self._data = data
        self.api_url = api_url
        self.filters = filters
        self._connection = connection or Connection(api_url, filters)

    @property
    def request_headers(self) -> dict[str, str]:
        """Sent with every request"""
        return self._connection.headers

    @property
    def dump(self) -> str:
        """What the archive sent, indented"""
        return json.dumps(self._data, indent=4)

    def http_alert(self, r: Answer) -> None:
        """Warn about an answer"""
        self.warn(alert_text(AnswerError(r, "")))

    def warn(self, msg: str) -> None:
        """Warn about this"""
        warnings.warn(msg, self.wrn, stacklevel=3)

    def inspect_request(self, r: Answer) -> None:
        """Show where an answer came from, if verbose"""
        self._connection.trace(f"[url: {r.url}]")

    def _list(self, name: str) -> list[dict[str, Any]]:
        listed = self._data.get(name)
        if not isinstance(listed, list):
            return []
        return [one for one in listed if isinstance(one, dict)]


class Metadata(NodeInfo):
    """One measurement: who, to whom, with what, and what kinds of results there are."""

    wrn = MetadataWarning

    @property
    def destination(self) -> str | None:
        """Address of the receiver"""
        return self._data.get("destination")

    @property
    def event_types(self) -> list[str]:
        """Names of the kinds of results"""
        return [one["event-type"] for one in self._list("event-types") if "event-type" in one]

    @property
    def input_destination(self) -> str | None:
        """The receiver, as whoever ordered the test wrote it"""
        return self._data.get("input-destination")

    @property
    def input_source(self) -> str | None:
        """The sender, as whoever ordered the test wrote it"""
        return self._data.get("input-source")

    @property
    def ip_packet_interval(self) -> Any:
        """Time between packets, as posted"""
        return self._data.get("ip-packet-interval")

    @property
    def ip_transport_protocol(self) -> str | None:
        """``tcp``, ``udp``, ..."""
        return self._data.get("ip-transport-protocol")

    @property
    def measurement_agent(self) -> str | None:
        """Address of the host that ordered the test"""
        return self._data.get("measurement-agent")

    @property
    def metadata_count_total(self) -> int | None:
        """How many metadata the search found; only the first of a page knows"""
        return self._data.get("metadata-count-total")

    @property
    def metadata_key(self) -> str | None:
        """What the archive calls it"""
        return self._data.get("metadata-key")

    @property
    def sample_bucket_width(self) -> Any:
        """Width of a histogram's buckets, as posted"""
        return self._data.get("sample-bucket-width")

    @property
    def source(self) -> str | None:
        """Address of the sender"""
        return self._data.get("source")

    @property
    def subject_type(self) -> str | None:
        """``point-to-point`` or ``network-element``"""
        return self._data.get("subject-type")

    @property
    def time_duration(self) -> Any:
        """Length of a test, as posted: text from esmond, a number from elmond"""
        return self._data.get("time-duration")

    @property
    def time_interval(self) -> Any:
        """Time between tests, as posted"""
        return self._data.get("time-interval")

    @property
    def time_interval_randomization(self) -> Any:
        """By how much the interval varies, as posted"""
        return self._data.get("time-interval-randomization")

    @property
    def tool_name(self) -> str | None:
        """What measured"""
        return self._data.get("tool-name")

    @property
    def uri(self) -> str | None:
        """Path of this metadata at its archive"""
        return self._data.get("uri")

    def get_all_event_types(self) -> Iterator[EventType]:
        """Each kind of result"""
        for one in self._list("event-types"):
            yield EventType(one, self.api_url, self.filters, self._connection)

    def get_event_type(self, event_type: str) -> EventType | None:
        """The kind of result of that name"""
        named = (one for one in self.get_all_event_types() if one.event_type == event_type)
        return next(named, None)

    def get_freeform_key_value(self, key: str) -> Any:
        """The value of any key that the archive sent, or None

        :param key: with dashes or underscores
        """
        spellings = (key, key.replace("_", "-"), key.replace("-", "_"))
        return next((self._data[one] for one in spellings if one in self._data), None)

    def __repr__(self) -> str:
        return f"<Metadata/{self.metadata_key}: uri:{self.uri}>"


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
