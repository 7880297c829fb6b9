"""Metadata: what was measured, and the kinds of results that there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gridtap.esmond.alerts import MetadataWarning
from gridtap.esmond.node import NodeInfo
from gridtap.esmond.series import EventType

__all__ = ["Metadata"]


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
