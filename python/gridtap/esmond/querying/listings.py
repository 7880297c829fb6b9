"""Rows of tests: what ``esmond-ps-get-endpoints`` and ``esmond-ps-get-metadata`` print."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtap.esmond.query import Metadata

__all__ = ["DEFAULT_FIELDS", "ENDPOINT_FIELDS", "endpoint_row", "extended_row", "metadata_row"]

ENDPOINT_FIELDS = ("source", "destination", "measurement_agent", "tool_name", "event_type")
DEFAULT_FIELDS = [
    "source",
    "destination",
    "measurement_agent",
    "input_source",
    "input_destination",
    "tool_name",
]

#: Of the archive rather than of the test: where it is kept and how the list is paged
_NOT_OF_THE_TEST = frozenset(
    {
        "event-types",
        "uri",
        "url",
        "metadata-key",
        "metadata-count-total",
        "metadata-next-page",
        "metadata-previous-page",
    }
)


def endpoint_row(metadata: Metadata) -> dict[str, object]:
    """Who measures what: columns :py:data:`ENDPOINT_FIELDS`."""
    return {
        "source": metadata.source,
        "destination": metadata.destination,
        "measurement_agent": metadata.measurement_agent,
        "tool_name": metadata.tool_name,
        "event_type": metadata.event_types,
    }


def metadata_row(metadata: Metadata) -> dict[str, object]:
    """The description of a test: columns :py:data:`DEFAULT_FIELDS`."""
    return {name: getattr(metadata, name) for name in DEFAULT_FIELDS}


def extended_row(metadata: Metadata) -> dict[str, object]:
    """Everything that describes a test, with its parameters, in alphabetical order."""
    shown = {
        name.replace("-", "_"): value
        for name, value in metadata._data.items()
        if name not in _NOT_OF_THE_TEST
    }
    return dict(sorted(shown.items()))
