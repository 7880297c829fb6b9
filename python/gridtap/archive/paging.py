"""Pages: how long, from where, and the links to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridtap.archive import limits
from gridtap.archive.calls import Call
from gridtap.archive.integers import whole
from gridtap.archive.refusal import RefusedError

__all__ = ["Page", "header", "links", "metadata_page", "point_page"]


@dataclass(frozen=True, slots=True)
class Page:
    """``limit`` elements from number ``offset``, counted from 0."""

    limit: int
    offset: int


def metadata_page(query: Mapping[str, str]) -> Page:
    """The page of a list of metadata, where what makes no sense is as if it were not there.

    :raises RefusedError: more than one page may hold
    """
    limit = whole(query.get("limit", ""))
    offset = whole(query.get("offset", ""))
    if limit is None or limit <= 0:
        limit = limits.DEFAULT_PAGE
    _check(limit, limits.METADATA_PAGE)
    return Page(limit, min(max(offset or 0, 0), limits.MAX_INTEGER))


def point_page(query: Mapping[str, str]) -> Page:
    """The page of a list of points, where a limit of 0 asks for none.

    :raises RefusedError: no integers, or more than one page may hold
    """
    values = {"limit": limits.DEFAULT_PAGE, "offset": 0}
    for name in values:
        if name in query:
            value = whole(query[name])
            if value is None or value < 0:
                raise RefusedError(f"{name} must be an integer of at least 0")
            values[name] = value
    _check(values["limit"], limits.POINT_PAGE)
    return Page(values["limit"], min(values["offset"], limits.MAX_INTEGER - limits.POINT_PAGE))


def _check(limit: int, most: int) -> None:
    if limit > most:
        raise RefusedError(f"limit must not be above {most}")


def links(call: Call, page: Page, has_more: bool) -> dict[str, str]:
    """URLs of the ``next`` and the ``prev`` page, those that there are."""
    found = {}
    query = {**call.query, "limit": str(page.limit)}
    if has_more:
        found["next"] = call.link({**query, "offset": str(page.offset + page.limit)})
    if page.offset > 0:
        before = page.offset - page.limit
        if before > 0:
            query["offset"] = str(before)
        else:
            query.pop("offset", None)
        found["prev"] = call.link(query)
    return found


def header(found: Mapping[str, str]) -> dict[str, str]:
    """The ``Link`` header of these URLs, if there are any."""
    if not found:
        return {}
    return {"Link": ", ".join(f'<{url}>; rel="{rel}"' for rel, url in found.items())}
