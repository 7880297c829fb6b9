"""Warnings of the client, under their documented names.

The query side warns and returns nothing rather than raise, unless ``ApiFilters.strict`` is set.
"""

from __future__ import annotations

__all__ = [
    "ApiConnectWarning",
    "ApiFiltersWarning",
    "DataHistogramWarning",
    "DataPayloadWarning",
    "DataPointWarning",
    "EventTypeBulkPostWarning",
    "EventTypePostWarning",
    "EventTypeWarning",
    "MetadataPostWarning",
    "MetadataWarning",
    "NodeInfoWarning",
    "QueryLimitWarning",
    "SummaryWarning",
]


class ApiFiltersWarning(Warning):
    """A filter could not be set."""


class ApiConnectWarning(Warning):
    """The list of metadata could not be had, or not all of it."""


class QueryLimitWarning(Warning):
    """Documented, and never given."""


class NodeInfoWarning(Warning):
    """Base of the warnings of what an archive lists."""


class MetadataWarning(NodeInfoWarning):
    """About one metadata."""


class EventTypeWarning(NodeInfoWarning):
    """The data of an event type could not be had."""


class SummaryWarning(NodeInfoWarning):
    """The data of a summary could not be had."""


class DataPayloadWarning(NodeInfoWarning):
    """About a set of points."""


class DataPointWarning(NodeInfoWarning):
    """About one point."""


class DataHistogramWarning(NodeInfoWarning):
    """About one histogram."""


class MetadataPostWarning(Warning):
    """A metadata is not quite what was meant."""


class EventTypePostWarning(Warning):
    """Points of an event type are not quite what was meant."""


class EventTypeBulkPostWarning(Warning):
    """Points of several event types are not quite what was meant."""
