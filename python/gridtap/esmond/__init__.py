"""perfSONAR measurement archives: the esmond contract."""

from gridtap.esmond.fetch import Fetched, fetch_many
from gridtap.esmond.filters import ApiFilters
from gridtap.esmond.http import Limits
from gridtap.esmond.metadata import Metadata
from gridtap.esmond.payload import DataHistogram, DataPayload, DataPoint
from gridtap.esmond.query import ApiConnect
from gridtap.esmond.series import EventType, Summary

__all__ = [
    "ApiConnect",
    "ApiFilters",
    "DataHistogram",
    "DataPayload",
    "DataPoint",
    "EventType",
    "Fetched",
    "Limits",
    "Metadata",
    "Summary",
    "fetch_many",
]
