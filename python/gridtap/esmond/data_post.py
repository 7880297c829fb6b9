"""Storing points in an archive."""

from __future__ import annotations

from typing import Any

from gridtap.esmond.alerts import EventTypeBulkPostWarning, EventTypePostWarning
from gridtap.esmond.errors import EventTypeBulkPostException, EventTypePostException
from gridtap.esmond.http import Transport
from gridtap.esmond.posting import (
    CHUNK_POINTS,
    Point,
    PostBase,
    bulk_body,
    chunks,
    whole_second,
)

__all__ = ["EventTypeBulkPost", "EventTypePost"]


class _DataPost(PostBase):
    """Points of one metadata, to be stored."""

    _points: list[Point]

    def clear(self) -> None:
        """Forget the points, so that :py:meth:`post_data` does not post them again"""
        self._points.clear()

    def _add(self, event_type: str, ts: Any, val: Any) -> None:
        second = whole_second(ts)
        if second is None:
            self.ex("ts arg must be an integer")
        self._points.append((event_type, second, val))

    def _put(self, metadata_key: str) -> None:
        url = f"{self._connection.address.below(metadata_key)}/"
        stored = 0
        for chunk in chunks(self._points, CHUNK_POINTS):
            self._write("PUT", url, self._json(bulk_body(chunk)), stored=stored)
            stored += len(chunk)


class EventTypePost(_DataPost):
    """Points of one event type, to be stored.

    :raises EventTypePostException: no ``metadata_key`` or ``event_type``
    """

    wrn = EventTypePostWarning
    error = EventTypePostException

    def __init__(
        self,
        api_url: str,
        username: str = "",
        api_key: str = "",
        metadata_key: str | None = None,
        event_type: str | None = None,
        script_alias: str | None = "esmond",
        ssl_verify: bool | str = True,
        timeout: float | None = 20,
        *,
        transport: Transport | None = None,
    ) -> None:
        super().__init__(
            api_url, username, api_key, script_alias, ssl_verify, timeout, transport=transport
        )
        if not metadata_key or not event_type:
            self.ex("Must set metadata_key and event_type args")
        self.metadata_key = metadata_key
        self.event_type = event_type
        self._points = []

    def add_data_point(self, ts: Any, val: Any) -> None:
        """Add a point

        :param ts: whole seconds of the epoch
        :raises EventTypePostException: ``ts`` is not a whole number
        """
        self._add(self.event_type, ts, val)

    def post_data(self, *, bulk: bool = True) -> None:
        """Post the points, and keep them; see :py:meth:`clear`.

        The first failure ends it; the exception's ``stored`` tells how many points the archive had
        confirmed. esmond 4.4 keeps the points of a refused request that come before the one it
        refused, and stores them with its next write. Points that may be there already are better
        sent with ``bulk=False``.

        :param bulk: many points with one request; otherwise one after the other
        :raises EventTypePostException: a request failed
        """
        if bulk and len(self._points) > 1:
            self._put(self.metadata_key)
            return
        url = self._connection.address.below(self.metadata_key, self.event_type, "base")
        for stored, point in enumerate(self._checked()):
            self._write("POST", url, self._json(point), stored=stored)

    def _checked(self) -> list[dict[str, Any]]:
        return [{"ts": ts, "val": val} for _, ts, val in self._points]


class EventTypeBulkPost(_DataPost):
    """Points of several event types of one metadata, to be stored.

    :raises EventTypeBulkPostException: no ``metadata_key``
    """

    wrn = EventTypeBulkPostWarning
    error = EventTypeBulkPostException

    def __init__(
        self,
        api_url: str,
        username: str = "",
        api_key: str = "",
        metadata_key: str | None = None,
        script_alias: str | None = "esmond",
        ssl_verify: bool | str = True,
        timeout: float | None = 20,
        *,
        transport: Transport | None = None,
    ) -> None:
        super().__init__(
            api_url, username, api_key, script_alias, ssl_verify, timeout, transport=transport
        )
        if not metadata_key:
            self.ex("Must set metadata_key")
        self.metadata_key = metadata_key
        self._points = []

    def add_data_point(self, event_type: str, ts: Any, val: Any) -> None:
        """Add a point

        :param ts: whole seconds of the epoch
        :raises EventTypeBulkPostException: ``ts`` is not a whole number
        """
        self._add(event_type, ts, val)

    def post_data(self) -> None:
        """Post the points, and keep them; see :py:meth:`clear`.

        The first failure ends it; the exception's ``stored`` tells how many points the archive had
        confirmed. esmond 4.4 keeps the points of a refused request that come before the one it
        refused, and stores them with its next write.

        :raises EventTypeBulkPostException: a request failed
        """
        self._put(self.metadata_key)

    def _checked(self) -> dict[str, Any]:
        return bulk_body(self._points)
