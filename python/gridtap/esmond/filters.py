"""What to ask an archive for."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, overload

from gridtap.esmond.alerts import ApiFiltersWarning
from gridtap.esmond.http import Limits

__all__ = ["ApiFilters"]

V = TypeVar("V")


class _Parameter(Generic[V]):
    """A query parameter as an attribute; None when unset, deleting an unset one is a KeyError."""

    def __init__(self, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, filters: None, owner: type) -> _Parameter[V]: ...
    @overload
    def __get__(self, filters: ApiFilters, owner: type) -> V | None: ...
    def __get__(self, filters: ApiFilters | None, owner: type) -> _Parameter[V] | V | None:
        return self if filters is None else self.among(filters).get(self.name)

    def __set__(self, filters: ApiFilters, value: Any) -> None:
        self.among(filters)[self.name] = self.read(filters, value)

    def __delete__(self, filters: ApiFilters) -> None:
        del self.among(filters)[self.name]

    def among(self, filters: ApiFilters) -> dict[str, Any]:
        """Where the value is kept"""
        return filters.metadata_filters

    def read(self, filters: ApiFilters, value: Any) -> Any:
        """The value that is kept for the one that was given"""
        return value


class _Time(_Parameter[int]):
    """A time in seconds, or a datetime."""

    def among(self, filters: ApiFilters) -> dict[str, Any]:
        return filters.time_filters

    def read(self, filters: ApiFilters, value: Any) -> int | None:
        if isinstance(value, datetime):
            value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        try:
            return int(float(value))
        except (ValueError, OverflowError):
            filters.warn(f"The timestamp value {value} is not a valid integer")
            return None


class ApiFilters:
    """Search criteria, and how to talk to the archive.

    Criteria that are None are not sent. Times are seconds of the epoch in any form that ``float``
    takes, or datetimes; naive datetimes are UTC.

    Beside the criteria there are plain attributes:

    * ``verbose``: True traces requests to standard error, 2 payloads as well
    * ``auth_username``, ``auth_apikey``: credentials; only the key is ever sent
    * ``ssl_verify``: True, False, or the file or folder of trusted authorities' certificates
    * ``timeout``: seconds without receiving anything; None waits for ever
    * ``limits``: retries, and the ceilings on one body
    * ``strict``: raise errors instead of warning and returning nothing
    * ``page_size``: points asked for at once; elmond refuses more than 10,000
    * ``search_end``: send the end of the time window with the search for metadata too. An archive
      compares it with the time of the last write, so that it hides tests that are still running
    * ``resolve_hosts``: look host names up here, and search for all their addresses; an archive
      takes only the first one
    """

    wrn = ApiFiltersWarning

    destination = _Parameter[str]("destination")
    dns_match_rule = _Parameter[str]("dns-match-rule")
    event_type = _Parameter[str]("event-type")
    input_destination = _Parameter[str]("input-destination")
    input_source = _Parameter[str]("input-source")
    #: Metadata asked for at once; it never bounds how many there are in all
    limit = _Parameter[int]("limit")
    measurement_agent = _Parameter[str]("measurement-agent")
    metadata_key = _Parameter[str]("metadata-key")
    source = _Parameter[str]("source")
    subject_type = _Parameter[str]("subject-type")
    summary_type = _Parameter[str]("summary-type")
    summary_window = _Parameter[int]("summary-window")
    tool_name = _Parameter[str]("tool-name")

    time = _Time("time")
    time_end = _Time("time-end")
    time_range = _Time("time-range")
    time_start = _Time("time-start")

    def __init__(self) -> None:
        self.verbose: bool | int = False
        self.auth_username = ""
        self.auth_apikey = ""
        self.ssl_verify: bool | str = True
        self.timeout: float | None = 20
        self.limits = Limits()
        self.strict = False
        self.page_size = 1000
        self.search_end = False
        self.resolve_hosts = False
        self._metadata_filters: dict[str, Any] = {}
        self._time_filters: dict[str, int | None] = {}

    @property
    def metadata_filters(self) -> dict[str, Any]:
        """Criteria by their dashed names; what is put here is sent"""
        return self._metadata_filters

    @property
    def time_filters(self) -> dict[str, int | None]:
        """Times by their dashed names"""
        return self._time_filters

    def add_freeform_key_value(self, key: str, value: object) -> None:
        """Search for a parameter of the tests, such as ``bw-parallel-streams``.

        :param key: with dashes or underscores
        :param value: compared as text
        """
        self._metadata_filters[key.replace("_", "-")] = value

    def warn(self, msg: str) -> None:
        """Warn about a filter"""
        warnings.warn(msg, self.wrn, stacklevel=4)
