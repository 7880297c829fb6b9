"""Points of throughput in an archive: each once, however often it is posted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from gridtap.collector.sinks.transfers import Series
from gridtap.errors import RefusedError, SinkUnavailableError
from gridtap.esmond import ApiConnect, ApiFilters
from gridtap.esmond.errors import EsmondError, PostException
from gridtap.esmond.writing import ArchiveWriter

__all__ = ["EVENT_TYPE", "TOOL", "ArchivePoints"]

#: What points are. esmond has no event type for amounts of bytes.
EVENT_TYPE = "throughput"

#: Tool name of the metadata
TOOL = "gridtap/xrootd"

#: Summaries that archives are asked to keep: averages over so many seconds
_AVERAGES_S = (3_600, 86_400)

#: Metadata keys that are remembered; forgotten ones are asked for again
_KEYS = 10_000

#: Statuses of refusals that somebody may put right, by giving the key its rights for instance
_PASSING = frozenset({401, 403, 407, 408, 425, 429})

#: Characters that an archive keeps of a name
_NAME_CHARS = 128


class ArchivePoints:
    """An archive that takes points.

    :param agent: address of the measuring host; empty: the server's
    :param interval_s: that a point stands for
    """

    def __init__(self, writer: ArchiveWriter, *, agent: str, interval_s: int) -> None:
        self._writer = writer
        self._agent = agent
        self._interval_s = interval_s
        self._keys: OrderedDict[Series, str] = OrderedDict()

    def post(self, series: Series, points: Mapping[int, int], records: int) -> None:
        """Posts points of a series, and describes it before if need be.

        :param points: bits per second by second of the epoch
        :param records: that they are made of
        :raises SinkUnavailableError: the archive is not there, or somebody has to put it right
        :raises RefusedError: it will not take them
        """
        try:
            try:
                self._put(self._key(series), points)
            except PostException as error:
                if error.status != 404:
                    raise
                # The archive has lost its metadata meanwhile: it was set up anew.
                self._keys.pop(series, None)
                self._put(self._key(series), points)
        except PostException as error:
            raise self._mapped(error, records) from error
        except EsmondError as error:
            raise SinkUnavailableError(str(error)) from error

    def close(self) -> None:
        """Drops the connections."""
        self._writer.transport.close()

    def _mapped(self, error: PostException, records: int) -> Exception:
        status = error.status
        if status is None or status >= 500 or status in _PASSING:
            return SinkUnavailableError(f"{self._writer.url}: {error}")
        reason = "conflict" if status == 409 else "refused_by_archive"
        return RefusedError(reason, records, f"{self._writer.url}: {error}")

    def _key(self, series: Series) -> str:
        key = self._keys.get(series)
        if key is None:
            key = self._describe(series)
            if len(self._keys) >= _KEYS:
                self._keys.popitem(last=False)
            self._keys[series] = key
        return key

    def _describe(self, series: Series) -> str:
        test = self._writer.description(
            source=series.source,
            destination=series.destination,
            tool_name=TOOL,
            measurement_agent=self._agent or series.server,
            input_source=series.input_source[:_NAME_CHARS],
            input_destination=series.input_destination[:_NAME_CHARS],
            ip_transport_protocol="tcp",
        )
        test.add_event_type(EVENT_TYPE)
        test.add_summary_type(EVENT_TYPE, "average", _AVERAGES_S)
        key, _ = self._writer.register(test, {"time-interval": self._interval_s})
        return key

    def _put(self, key: str, points: Mapping[int, int]) -> None:
        post = self._writer.bulk(key)
        for ts, value in points.items():
            post.add_data_point(EVENT_TYPE, ts, value)
        try:
            post.post_data()
        except PostException as error:
            if error.status != 409:
                raise
            # Some are there already: esmond 4.4 says so also of the same value.
            for ts, value in points.items():
                self._put_one(key, ts, value)

    def _put_one(self, key: str, ts: int, value: int) -> None:
        post = self._writer.single(key, EVENT_TYPE)
        post.add_data_point(ts, value)
        try:
            post.post_data()
        except PostException as error:
            if error.status != 409 or self._stored(key, ts) != value:
                raise

    def _stored(self, key: str, ts: int) -> float | None:
        writer, filters = self._writer, ApiFilters()
        filters.auth_username, filters.auth_apikey = writer.username, writer.api_key
        filters.ssl_verify, filters.timeout = writer.ssl_verify, writer.timeout
        filters.metadata_key, filters.time_start, filters.time_end = key, ts, ts
        asked = ApiConnect(writer.url, filters, script_alias=writer.script_alias)
        for metadata in asked.get_metadata():
            event_type = metadata.get_event_type(EVENT_TYPE)
            if event_type is not None:
                for point in event_type.iter_data():
                    return float(point.val)
        return None
