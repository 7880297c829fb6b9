"""Writing to a perfSONAR measurement archive.

Posting never repeats a write that might have been done, with one exception: a metadata posted twice
is one metadata, so that it may be repeated.
"""

from __future__ import annotations

from gridtap.esmond.address import PS_ROOT
from gridtap.esmond.alerts import (
    EventTypeBulkPostWarning,
    EventTypePostWarning,
    MetadataPostWarning,
)
from gridtap.esmond.data_post import EventTypeBulkPost, EventTypePost
from gridtap.esmond.errors import (
    EventTypeBulkPostException,
    EventTypePostException,
    MetadataPostException,
    PostException,
)
from gridtap.esmond.metadata_post import MetadataPost
from gridtap.esmond.posting import PostBase

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
