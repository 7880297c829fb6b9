"""Describing a measurement to an archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gridtap.esmond.alerts import MetadataPostWarning
from gridtap.esmond.connection import Connection
from gridtap.esmond.errors import BadAnswerError, MetadataPostException
from gridtap.esmond.http import Transport
from gridtap.esmond.metadata import Metadata
from gridtap.esmond.posting import PostBase, whole_second

__all__ = ["MetadataPost"]

_POINT_TO_POINT = (
    "subject_type",
    "source",
    "destination",
    "tool_name",
    "measurement_agent",
    "input_source",
    "input_destination",
)

#: What the subject has to say. Of other types the archive knows more than we do.
_REQUIRED = {
    "network-element": tuple(name for name in _POINT_TO_POINT if "destination" not in name)
}


class MetadataPost(PostBase):
    """A measurement, to be described to the archive.

    :param subject_type: ``point-to-point``, or ``network-element``, which has no destinations
    :param source: an address; archives do not resolve names that are written
    :param input_source: the sender, as whoever ordered the test wrote it
    :param time_duration: left out when None
    :param ip_transport_protocol: left out when None
    """

    wrn = MetadataPostWarning
    error = MetadataPostException

    def __init__(
        self,
        api_url: str,
        username: str = "",
        api_key: str = "",
        subject_type: str | None = None,
        source: str | None = None,
        destination: str | None = None,
        tool_name: str | None = None,
        measurement_agent: str | None = None,
        input_source: str | None = None,
        input_destination: str | None = None,
        time_duration: float | str | None = None,
        ip_transport_protocol: str | None = None,
        script_alias: str | None = "esmond",
        ssl_verify: bool | str = True,
        timeout: float | None = 20,
        *,
        transport: Transport | None = None,
    ) -> None:
        super().__init__(
            api_url, username, api_key, script_alias, ssl_verify, timeout, transport=transport
        )
        self.subject_type = subject_type
        self.source = source
        self.destination = destination
        self.tool_name = tool_name
        self.measurement_agent = measurement_agent
        self.input_source = input_source
        self.input_destination = input_destination
        self.time_duration = time_duration
        self.ip_transport_protocol = ip_transport_protocol
        self._event_types: dict[str, list[dict[str, Any]]] = {}
        self._freeform: dict[str, Any] = {}

    def add_event_type(self, event_type: str) -> None:
        """Announce a kind of result, without summaries"""
        if event_type in self._event_types:
            self.warn(f"Event type {event_type} already exists - skipping")
            return
        self._event_types[event_type] = []

    def add_summary_type(
        self, event_type: str, summary_type: str, windows: Iterable[int | str] = ()
    ) -> None:
        """Announce summaries of a kind of result, instead of earlier ones of the same type.

        :param windows: seconds to sum up
        :raises MetadataPostException: a window that is not a whole number
        """
        summaries = [
            {"summary-type": summary_type, "summary-window": self._window(window)}
            for window in windows
        ]
        if not summaries:
            self.warn("No summary windows were defined - skipping")
            return
        others = self._event_types.get(event_type, [])
        kept = [one for one in others if one["summary-type"] != summary_type]
        self._event_types[event_type] = kept + summaries

    def add_freeform_key_value(self, k: str, v: Any) -> None:
        """Describe the test with a parameter of its own; archives keep text

        :raises MetadataPostException: no value; an archive would fail on it
        """
        if v is None:
            self.ex(f"Payload key {k} has no value")
        if self._payload().get(k):
            self.warn(f"Payload key {k} exists - skipping")
            return
        self._freeform[k] = v

    def post_metadata(self) -> Metadata:
        """Post it, again if the answer did not come.

        The same description posted twice is one metadata.

        :returns: what the archive has now
        :raises MetadataPostException: something is missing, the archive refused it, or it has only
            a part of it
        """
        url = self._connection.address.listing
        answer = self._write("POST", url, self.json_payload(), repeatable=True)
        try:
            stored = answer.json("object")
        except BadAnswerError as error:
            raise self.error(f"POST error: {error}") from error
        self._compare(stored)
        filters = self._filters()
        connection = Connection(
            self.api_url, filters, self.script_alias, self._connection.transport
        )
        return Metadata(stored, self.api_url, filters, connection)

    def _checked(self) -> dict[str, Any]:
        for name in _REQUIRED.get(self.subject_type or "", _POINT_TO_POINT):
            if not getattr(self, name):
                # Spelt as scripts may expect it.
                self.ex(f"Reqired arg {name} not set")
        return self._payload()

    def _payload(self) -> dict[str, Any]:
        fields = {
            "subject-type": self.subject_type,
            "source": self.source,
            "destination": self.destination,
            "tool-name": self.tool_name,
            "measurement-agent": self.measurement_agent,
            "input-source": self.input_source,
            "input-destination": self.input_destination,
            "time-duration": self.time_duration,
            "ip-transport-protocol": self.ip_transport_protocol,
        }
        event_types = [
            {"event-type": name, "summaries": summaries}
            for name, summaries in self._event_types.items()
        ]
        given = {name: value for name, value in fields.items() if value is not None}
        return {**given, "event-types": event_types, **self._freeform}

    def _window(self, window: object) -> int | str:
        if isinstance(window, str) and window.strip().lstrip("-").isdecimal():
            return window.strip()
        number = whole_second(window)
        if number is None:
            self.ex(f"Invalid summary window int: {window}")
        return number

    def _compare(self, stored: Mapping[str, Any]) -> None:
        """esmond keeps a half of what it fails to store, and says 201 when it is posted again."""
        if not {"event-types", "subject-type"} <= stored.keys():
            return
        listed = {one.get("event-type") for one in stored["event-types"]}
        lacking = [name for name in self._event_types if name not in listed]
        lacking += [name for name in self._payload() if name.replace("_", "-") not in stored]
        if lacking:
            key = stored.get("metadata-key")
            self.ex(f"the archive has only a part of this metadata ({key}): no {lacking[0]}")
