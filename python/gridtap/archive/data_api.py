"""The addresses of data: reading base points and summaries."""

from __future__ import annotations

import time
from collections.abc import Iterator

from gridtap.archive import limits, paging, presentation, times
from gridtap.archive.calls import Answer, Call
from gridtap.archive.description import Registry
from gridtap.archive.integers import whole
from gridtap.archive.metadata_api import summary_type
from gridtap.archive.refusal import RefusedError
from gridtap.archive.storage import Row, Series, Storage
from gridtap.esmond.event_types import DataType, SummaryType

__all__ = ["DataApi", "summary_window"]


class DataApi:
    """Answers with points.

    :param is_exact: numbers as they were posted, not as esmond shows them
    """

    def __init__(self, storage: Storage, registry: Registry, is_exact: bool) -> None:
        self._storage = storage
        self._registry = registry
        self._is_exact = is_exact

    def read(self, call: Call) -> Answer:
        """GET of data: ``{"ts": ..., "val": ...}`` in ascending order.

        What is not there is empty, as in esmond: an unknown key, an event type not registered, a
        window not kept.
        """
        event_type = call.parts["event_type"]
        if event_type not in self._registry:
            raise RefusedError(
                f"Unsupported event type '{event_type[: limits.KEY_CHARS]}' provided"
            )
        kind = summary_type(call.parts.get("summaries", "base"))
        window = summary_window(call.parts.get("window", "0"))
        now = int(time.time())
        begin, end = times.interval(call.query, now)
        if begin is None and end is None:
            begin, end = 0, now
        begin = limits.MIN_TS if begin is None else max(begin, limits.MIN_TS)
        end = limits.MAX_TS if end is None else min(end, limits.MAX_TS)
        page = paging.point_page(call.query)
        series = self._storage.series(call.parts["key"], event_type, kind, window)
        if series is None:
            return Answer(200, [b"[]"])
        return self._page(call, series, begin, end, page)

    def _page(self, call: Call, series: Series, begin: int, end: int, page: paging.Page) -> Answer:
        wanted = min(page.limit, limits.CHUNK_POINTS)
        rows = self._storage.rows(series, begin, end, wanted, page.offset)
        is_full = len(rows) == wanted
        beyond = page.offset + page.limit
        has_more = is_full and self._storage.has_more(series, begin, end, beyond)
        headers = paging.header(paging.links(call, page, page.limit > 0 and has_more))
        if not is_full or page.limit <= limits.CHUNK_POINTS:
            return Answer(200, [f"[{self._show(series, rows)}]".encode()], headers)
        return Answer(200, self._stream(series, rows, end, page.limit), headers)

    def _stream(self, series: Series, rows: list[Row], end: int, limit: int) -> Iterator[bytes]:
        """A long page in pieces, each read when the one before is on its way"""
        opening = "["
        while rows:
            yield (opening + self._show(series, rows)).encode()
            opening = ","
            limit -= len(rows)
            wanted = min(limit, limits.CHUNK_POINTS)
            rows = self._storage.rows(series, rows[-1][0] + 1, end, wanted) if wanted else []
        yield b"]"

    def _show(self, series: Series, rows: list[Row]) -> str:
        is_summary = series.summary_type is not SummaryType.BASE
        if self._is_exact and is_summary and series.data_type is DataType.FLOAT and rows:
            sums = self._storage.exact_sums(series, rows[0][0], rows[-1][0])
            return presentation.exact_sum(series, rows, sums)
        return presentation.points(series, rows, self._is_exact)


def summary_window(text: str) -> int:
    """The window that an address names, in seconds.

    :raises RefusedError: it is no integer
    """
    window = whole(text)
    if window is None:
        raise RefusedError("Summary window parameter must be an integer")
    # What no summary can have is not kept; the database would not take it.
    return max(min(window, limits.MAX_WINDOW + 1), -1)
