"""Which of the tests found have data in the time window.

An archive compares a search's time window with the time of the *last* write, so that the end of a
window in the past hides every test that is still running. The search therefore sends only its
beginning. A test last written to within the window certainly belongs to it; one written to later
is asked for its first point in the window.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gridtap.esmond.errors import AnswerError
from gridtap.esmond.querying.ordered import ordered_map
from gridtap.esmond.querying.query_options import QueryOptions
from gridtap.esmond.window import Window

if TYPE_CHECKING:
    from gridtap.esmond.query import ApiConnect, EventType, Metadata

__all__ = ["tests_with_data"]


def tests_with_data(connection: ApiConnect, options: QueryOptions) -> Iterator[Metadata]:
    """The metadata that the connection's filters find and that have data in their time window.

    :raises RequestError: the archive cannot be used
    """
    window = Window.of(connection.filters.time_filters)
    # One point is enough to know.
    connection.filters.page_size = 1

    def judged(metadata: Metadata) -> tuple[Metadata, bool]:
        kinds = [kind for kind in metadata.get_all_event_types() if _is_meant(kind, options)]
        is_covered = any(_was_written(kind, window) for kind in kinds)
        return metadata, is_covered or _any_has_point(kinds, window)

    for metadata, is_covered in ordered_map(judged, connection.get_metadata(), options.jobs):
        if is_covered:
            yield metadata


def _is_meant(kind: EventType, options: QueryOptions) -> bool:
    """Whether this event type can be why the search found its metadata"""
    if options.type and kind.event_type != options.type:
        return False
    if not options.summary_type and not options.summary_window:
        return True
    return any(
        (not options.summary_type or summary == options.summary_type)
        and (not options.summary_window or str(window) == str(options.summary_window))
        for summary, window in kind.summaries
    )


def _was_written(kind: EventType, window: Window) -> bool:
    written = kind.time_updated
    if written is None:
        return False
    return (window.begin is None or written >= window.begin) and (
        window.end is None or written <= window.end
    )


def _any_has_point(kinds: list[EventType], window: Window) -> bool:
    refusals: list[AnswerError] = []
    for kind in kinds:
        try:
            if _has_point(kind, window):
                return True
        except AnswerError as error:
            # elmond lists event types that it then refuses; the others decide.
            refusals.append(error)
    if refusals and len(refusals) == len(kinds):
        raise refusals[0]
    return False


def _has_point(kind: EventType, window: Window) -> bool:
    is_unwritten = "time-updated" in kind._data and kind.time_updated is None
    is_older = kind.time_updated is not None and kind.time_updated < (window.begin or 0)
    if is_unwritten or is_older:
        return False
    return next(kind.iter_data(), None) is not None
