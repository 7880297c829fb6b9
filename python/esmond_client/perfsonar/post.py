"""Re-exports of :py:mod:`gridtap.esmond.post`."""

from gridtap.esmond.post import (
    PS_ROOT,
    EventTypeBulkPost,
    EventTypeBulkPostException,
    EventTypeBulkPostWarning,
    EventTypePost,
    EventTypePostException,
    EventTypePostWarning,
    MetadataPost,
    MetadataPostException,
    MetadataPostWarning,
    PostBase,
    PostException,
)

__all__ = [
    "PS_ROOT",
    "EventTypeBulkPost",
    "EventTypeBulkPostException",
    "EventTypeBulkPostWarning",
    "EventTypePost",
    "EventTypePostException",
    "EventTypePostWarning",
    "MetadataPost",
    "MetadataPostException",
    "MetadataPostWarning",
    "PostBase",
    "PostException",
]
