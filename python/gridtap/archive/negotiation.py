"""JSON, or a page for browsers: what a caller wants, as esmond's framework decides it."""

from __future__ import annotations

from collections.abc import Mapping

from gridtap.archive.refusal import RefusedError

__all__ = ["wants_page"]

#: In the order of preference where a caller takes either.
_TYPES = ("application/json", "text/html")


def wants_page(query: Mapping[str, str], accept: str) -> bool:
    """Whether the answer is an HTML page.

    :param accept: the ``Accept`` header
    :raises RefusedError: 404 for a format that there is not, 406 if nothing fits
    """
    form = query.get("format")
    if form is not None:
        if form not in ("json", "api"):
            raise RefusedError("Not found.", 404)
        return form == "api"
    ranges = [_media_range(part) for part in accept.split(",") if part.strip()] or ["*/*"]
    # The more specific a range the sooner it counts; the quality does not.
    for stars in range(3):
        for media_type in _TYPES:
            for wanted in ranges:
                if wanted.count("*") == stars and _fits(media_type, wanted):
                    return media_type == "text/html"
    raise RefusedError("Could not satisfy the request Accept header.", 406)


def _media_range(part: str) -> str:
    return part.partition(";")[0].strip().lower()


def _fits(media_type: str, wanted: str) -> bool:
    kind, _, sub = wanted.partition("/")
    has_kind, _, has_sub = media_type.partition("/")
    return kind in ("*", has_kind) and sub in ("*", has_sub)
