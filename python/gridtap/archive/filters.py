"""The query of a metadata search."""

from __future__ import annotations

from collections.abc import Mapping

from gridtap.archive import limits, times
from gridtap.archive.addresses import Resolver
from gridtap.archive.description import ADDRESS_FIELDS
from gridtap.archive.integers import whole
from gridtap.archive.refusal import RefusedError
from gridtap.archive.storage import Criteria

__all__ = ["KNOWN", "criteria"]

_TEXTS = ("tool-name", "input-source", "input-destination", "subject-type", "metadata-key")
_ROWS = ("event-type", "summary-type", "summary-window")
_OTHERS = ("limit", "offset", "format", "dns-match-rule")

#: Everything that is no free-form parameter
KNOWN = frozenset((*ADDRESS_FIELDS, *_TEXTS, *_ROWS, *times.NAMES, *_OTHERS))


def criteria(query: Mapping[str, str], resolver: Resolver, now: int) -> Criteria:
    """What a query asks for; a name that is not known is a free-form parameter's.

    :param now: UTC epoch seconds
    :raises RefusedError: a value that cannot be
    """
    if len(query) > limits.QUERY_PARAMETERS:
        raise RefusedError(f"More than {limits.QUERY_PARAMETERS} query parameters")
    rule = query.get("dns-match-rule", "v4v6")
    begin, end = times.interval(query, now)
    return Criteria(
        addresses={
            name: resolver.addresses(query[name], rule) for name in ADDRESS_FIELDS if name in query
        },
        texts={name: query[name] for name in _TEXTS if name in query},
        parameters={name: text for name, text in query.items() if name not in KNOWN},
        event_type=query.get("event-type"),
        summary_type=query.get("summary-type"),
        summary_window=_window(query.get("summary-window")),
        begin=begin,
        end=end,
    )


def _window(text: str | None) -> int | None:
    if text is None:
        return None
    window = whole(text)
    if window is None:
        raise RefusedError("Summary window parameter must be an integer")
    # What no summary can have matches none; the database would not take it.
    return max(min(window, limits.MAX_INTEGER), -1)
