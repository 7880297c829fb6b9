"""Reading from a perfSONAR measurement archive.

>>> filters = ApiFilters()
>>> filters.time_range = 86400
>>> conn = ApiConnect("https://archive.example.org", filters)
>>> for metadata in conn.get_metadata():  # doctest: +SKIP
...     for event_type in metadata.get_all_event_types():
...         for point in event_type.iter_data():
...             print(metadata.source, event_type.event_type, point.ts, point.val)
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gridtap.esmond.address import PS_ROOT, clean_alias
from gridtap.esmond.alerts import (
    ApiConnectWarning,
    ApiFiltersWarning,
    DataHistogramWarning,
    DataPayloadWarning,
    DataPointWarning,
    EventTypeWarning,
    MetadataWarning,
    NodeInfoWarning,
    QueryLimitWarning,
    SummaryWarning,
)
from gridtap.esmond.answers import Answer
from gridtap.esmond.connection import Connection
from gridtap.esmond.errors import AnswerError, QueryLimitException
from gridtap.esmond.filters import ApiFilters
from gridtap.esmond.metadata import Metadata
from gridtap.esmond.node import NodeInfo, alert_text
from gridtap.esmond.paging import metadata_pages
from gridtap.esmond.payload import (
    MAX_DATETIME,
    MAX_EPOCH,
    DataHistogram,
    DataPayload,
    DataPoint,
)
from gridtap.esmond.series import EventType, Summary
from gridtap.esmond.window import Window

__all__ = [
    "MAX_DATETIME",
    "MAX_EPOCH",
    "PS_ROOT",
    "ApiConnect",
    "ApiConnectWarning",
    "ApiFilters",
    "ApiFiltersWarning",
    "DataHistogram",
    "DataHistogramWarning",
    "DataPayload",
    "DataPayloadWarning",
    "DataPoint",
    "DataPointWarning",
    "EventType",
    "EventTypeWarning",
    "Metadata",
    "MetadataWarning",
    "NodeInfo",
    "NodeInfoWarning",
    "QueryLimitException",
    "QueryLimitWarning",
    "Summary",
    "SummaryWarning",
]


class ApiConnect:
    """An archive, to be searched.

    Nothing is requested before the result of :py:meth:`get_metadata` is iterated over.

    :param api_url: ``scheme://host[:port]``; a path to the archive is understood as well
    :param filters: what to search for, and settings
    :param username: with ``api_key``, takes the place of the filters' credentials
    :param script_alias: deployment prefix; None, ``""`` and ``"/"`` are no prefix
    :raises ArchiveUrlError: not an HTTP URL
    """

    wrn = ApiConnectWarning

    def __init__(
        self,
        api_url: str,
        filters: ApiFilters | None = None,
        username: str = "",
        api_key: str = "",
        script_alias: str | None = "esmond",
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self.filters = filters if filters is not None else ApiFilters()
        if username:
            self.filters.auth_username = username
        if api_key:
            self.filters.auth_apikey = api_key
        self.script_alias = clean_alias(script_alias)
        self._connection = Connection(api_url, self.filters, script_alias)

    @property
    def request_headers(self) -> dict[str, str]:
        """Sent with every request"""
        return self._connection.headers

    def get_metadata(self) -> Iterator[Metadata]:
        """Each metadata that the filters find, in the archive's order.

        When the archive cannot be used, warns and ends; it raises if the filters are strict.

        :raises UnreachableError: no connection, strict or not
        :raises NoAnswerError: nothing was received for too long, strict or not
        :raises TimeFilterError: the time window ends before it begins
        :raises HostLookupError: ``resolve_hosts`` is set and a name has no address
        """
        try:
            for one in self._listed():
                yield Metadata(one, self.api_url, self.filters, self._connection)
        except AnswerError as error:
            if self.filters.strict:
                raise
            self.warn(alert_text(error))

    def close(self) -> None:
        """Drop the connections to the archive; they are made again when needed."""
        self._connection.transport.close()

    def inspect_request(self, r: Answer) -> None:
        """Show where an answer came from, if verbose"""
        self._connection.trace(f"[url: {r.url}]")

    def inspect_payload(self, pload: Any) -> None:
        """Show what is sent, if verbose is more than True"""
        self._connection.trace_payload(json.dumps(pload))

    def http_alert(self, r: Answer) -> None:
        """Warn about an answer"""
        self.warn(alert_text(AnswerError(r, "")))

    def warn(self, msg: str) -> None:
        """Warn about the archive"""
        warnings.warn(msg, self.wrn, stacklevel=3)

    def _listed(self) -> Iterator[dict[str, Any]]:
        filters, connection = self.filters, self._connection
        given = {
            name: str(value)
            for name, value in filters.metadata_filters.items()
            if value is not None
        }
        window = Window.of(filters.time_filters)
        criteria = {**given, **window.params(with_end=filters.search_end)}
        seen: set[str] = set()
        count = 0
        for search in self._searches(criteria):
            for page in metadata_pages(self._ask, search, seen):
                count += len(page)
                connection.trace(f"got {len(page)} results\n")
                yield from page
        connection.trace(f"final result count: {count}\n")

    def _searches(self, criteria: dict[str, str]) -> Iterable[dict[str, str]]:
        if not self.filters.resolve_hosts:
            return [criteria]
        from gridtap.esmond.resolve import searches

        return searches(criteria)

    def _ask(self, params: Mapping[str, str]) -> Answer:
        return self._connection.get(self._connection.address.listing, params)
