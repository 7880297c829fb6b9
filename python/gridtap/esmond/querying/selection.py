"""Which tests are meant: command line options as filters of a search."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from gridtap.esmond.querying.query_options import QueryOptions
from gridtap.esmond.querying.times import time_window

if TYPE_CHECKING:
    from gridtap.esmond.query import ApiFilters

__all__ = ["FilterTextError", "filter_pair", "set_filters"]

_SUBJECT = (
    "metadata_key",
    "destination",
    "input_destination",
    "input_source",
    "measurement_agent",
    "source",
    "tool_name",
    "event_type",
    "subject_type",
    "summary_type",
    "summary_window",
)
_TIMES = ("time", "time_start", "time_end", "time_range")

#: What a client is set up with, not what is looked for
_CLIENT = frozenset({"verbose", "timeout", "ssl_verify", "auth_username", "auth_apikey", "wrn"})


class FilterTextError(ValueError):
    """A ``--filter`` that cannot be used; its text says why."""


def filter_pair(text: str) -> tuple[str, str]:
    """Key, with underscores, and value of a ``--filter key:value``.

    The value is all after the first colon, so that addresses and URLs can be given.

    :raises FilterTextError: not of that form, or the key belongs to the client
    """
    key, colon, value = text.partition(":")
    name = key.strip().replace("-", "_")
    if not colon or not name:
        raise FilterTextError(f"--filter arg {text} should be of the format key:value")
    if name in _CLIENT or name.startswith("_"):
        raise FilterTextError(f"--filter arg {name} is not a valid filtering value")
    if name in _TIMES and not re.fullmatch(r"\s*-?\d+(\.\d*)?\s*", value):
        raise FilterTextError(f"--filter arg {name} is not a number of seconds: {value}")
    return name, value


def set_filters(
    filters: ApiFilters, options: QueryOptions, complain: Callable[[str], None]
) -> ApiFilters:
    """The filters, set to what the options ask for.

    :param complain: told of each ``--filter`` that cannot be used and is ignored
    :raises ValueError: a time that is none; its only argument names the option
    """
    start, end = time_window(options.start, options.end)
    filters.source = options.src
    filters.destination = options.dest
    filters.measurement_agent = options.agent
    filters.event_type = options.type
    filters.time_start = start
    filters.time_end = end
    filters.tool_name = options.tool
    filters.summary_type = options.summary_type
    if options.summary_window:
        filters.summary_window = options.summary_window
    filters.verbose = options.verbose
    for text in options.filter:
        try:
            name, value = filter_pair(text)
        except FilterTextError as error:
            complain(str(error))
            continue
        if name in _SUBJECT or name in _TIMES:
            setattr(filters, name, value)
        else:
            filters.metadata_filters[name.replace("_", "-")] = value
    return filters
