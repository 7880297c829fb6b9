"""Pages of metadata and of points, put together so that nothing is skipped and nothing repeated.

What servers do (https://github.com/esnet/esmond, https://github.com/perfsonar/elmond):

* esmond pages points by an offset whose totals are wrong as soon as there is a limit; so points are
  paged by time. The next page begins *at* the last second seen, not after it, and what was seen of
  that second is dropped.
* elmond leaves out points without a value after counting them, so that a short page need not be the
  last; and it answers summaries whole, whatever the limit.
* Totals of metadata are missing (esmond 1.x, empty pages) or approximate (elmond), and links carry
  the host and path that the server believes to have. Of a link to the next page only its offset is
  used.

Two points of one event type are the same point when second and value agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gridtap.esmond.answers import Answer
from gridtap.esmond.errors import BadAnswerError, PagingError
from gridtap.esmond.window import Window

__all__ = ["Ask", "RawPoint", "metadata_pages", "point_pages"]

Ask = Callable[[Mapping[str, str]], Answer]

#: ``{"ts": seconds, "val": value}``
RawPoint = dict[str, Any]

#: elmond refuses to send more at once.
_MAX_LIMIT = 10_000


def metadata_pages(
    ask: Ask, criteria: Mapping[str, str], seen: set[str]
) -> Iterator[list[dict[str, Any]]]:
    """Metadata, page by page, each once

    :param ask: asks for the list with these parameters
    :param seen: keys of those that are not wanted again; grows
    :raises BadAnswerError: not a list of objects
    :raises PagingError: the server gives the same page again and again
    """
    given = criteria.get("offset", "")
    offset = int(given) if given.isdecimal() else 0
    while True:
        at = {"offset": str(offset)} if offset else {}
        answer = ask({**criteria, **at})
        page = _objects(answer)
        fresh = [one for one in page if _is_new(one, seen)]
        if fresh:
            yield fresh
        linked = _linked_offset(answer, page)
        if page and not fresh and linked is not None:
            raise PagingError(answer, f"the page at offset {offset} repeats earlier ones")
        reached = offset + len(page)
        if not fresh or (linked is None and _is_all(page, reached, offset)):
            return
        if linked is not None and linked <= offset:
            raise PagingError(answer, f"the page at offset {offset} leads back to {linked}")
        offset = reached if linked is None else linked


def point_pages(
    ask: Ask, window: Window, size: int, *, short_is_last: bool, one_per_second: bool
) -> Iterator[list[RawPoint]]:
    """Points in order of time, page by page, each once

    :param ask: asks for the data with these parameters
    :param size: points asked for at once
    :param short_is_last: a page with fewer points than asked for is the last
    :param one_per_second: seconds do not repeat, even if the value does not: that of a summary
        changes as long as its window is not over
    :raises BadAnswerError: not a list of points
    :raises PagingError: the server gives the same page again and again, or the newest points first
    """
    limit, edge = size, _Edge(one_per_second)
    while True:
        answer = ask({**window.params(), "limit": str(limit)})
        page = _points(answer)
        # More than was asked for is everything: the server does not know limits.
        is_full = bool(page) and (len(page) == limit or answer.next_query is not None)
        if is_full and page[0]["ts"] > page[-1]["ts"]:
            raise PagingError(answer, "the newest points come first, so that the others are lost")
        if any(one["ts"] > other["ts"] for one, other in itertools.pairwise(page)):
            page.sort(key=lambda point: point["ts"])
        fresh = edge.pass_over(page)
        if fresh:
            yield fresh
        elif is_full and page[0]["ts"] == page[-1]["ts"] and limit < _MAX_LIMIT:
            # One second fills the page: only a larger one shows what is behind it.
            limit = min(2 * limit, _MAX_LIMIT)
            continue
        elif is_full:
            raise PagingError(answer, "the page repeats earlier points only")
        if not fresh or (short_is_last and not is_full):
            return
        window = window.since(fresh[-1]["ts"])


class _Edge:
    """The last second of what was given out, and its values."""

    def __init__(self, one_per_second: bool) -> None:
        self._one_per_second = one_per_second
        self._second: int | None = None
        self._values: list[Any] = []

    def pass_over(self, page: list[RawPoint]) -> list[RawPoint]:
        """What of an ordered page was not seen before"""
        fresh = []
        second, values = self._second, self._values
        for point in page:
            ts = point["ts"]
            if second is None or ts > second:
                second, values = ts, [point["val"]]
            elif ts < second or self._one_per_second or point["val"] in values:
                continue
            else:
                values.append(point["val"])
            fresh.append(point)
        self._second, self._values = second, values
        return fresh


def _points(answer: Answer) -> list[RawPoint]:
    page = _objects(answer)
    for point in page:
        ts = point.get("ts")
        if type(ts) is not int or "val" not in point:
            if "val" not in point or not isinstance(ts, int | float | str):
                raise BadAnswerError(answer, f"not a point: {str(point)[:100]}")
            try:
                point["ts"] = int(float(ts))
            except (ValueError, OverflowError) as error:
                raise BadAnswerError(answer, f"not a time: {ts!r}") from error
    return page


def _objects(answer: Answer) -> list[dict[str, Any]]:
    page: list[dict[str, Any]] = answer.json("array")
    for one in page:
        if not isinstance(one, dict):
            raise BadAnswerError(answer, f"an object expected, but {str(one)[:100]} came")
    return page


def _is_new(metadata: Mapping[str, Any], seen: set[str]) -> bool:
    key = metadata.get("metadata-key") or metadata.get("uri")
    if key is None:
        return True
    if key in seen:
        return False
    seen.add(key)
    return True


def _is_all(page: list[dict[str, Any]], reached: int, offset: int) -> bool:
    """Whether a page without a successor is the last for certain."""
    total = page[0].get("metadata-count-total")
    # elmond, whose addresses lack the final slash, estimates totals; small ones are right.
    is_estimate = offset > 0 and not str(page[0].get("uri", "/")).endswith("/")
    return isinstance(total, int) and reached >= total and not is_estimate


def _linked_offset(answer: Answer, page: list[dict[str, Any]]) -> int | None:
    if not page:
        return None
    link = page[0].get("metadata-next-page")
    if isinstance(link, str):
        given = parse_qs(urlsplit(link).query).get("offset", [""])[0]
    else:
        given = (answer.next_query or {}).get("offset", "")
    return int(given) if given.isdecimal() else None
