"""Re-exports of what the query commands are made of."""

from gridtap.cli.esmond_checks import (
    check_event_types,
    check_formats,
    check_summary,
    check_url,
    check_valid_hostnames,
    list_event_types,
    src_dest_required,
    valid_output_dir,
)
from gridtap.cli.esmond_connection import perfsonar_client_filters
from gridtap.cli.esmond_scripts import get_start_and_end_times, perfsonar_client_opts
from gridtap.esmond.querying.bulk_names import get_outfile
from gridtap.esmond.querying.data_rows import data_format_factory
from gridtap.esmond.querying.event_list import EVENT_MAP, EVENT_TYPES, event_format
from gridtap.esmond.querying.hostnames import HostnameConversion
from gridtap.esmond.querying.listings import DEFAULT_FIELDS
from gridtap.esmond.querying.outputs import (
    CSVOutput,
    EsmondClientException,
    EsmondClientWarning,
    EsmondOutput,
    HeaderRow,
    HumanOutput,
    JsonOutput,
    output_factory,
)

__all__ = [
    "DEFAULT_FIELDS",
    "EVENT_MAP",
    "EVENT_TYPES",
    "CSVOutput",
    "EsmondClientException",
    "EsmondClientWarning",
    "EsmondOutput",
    "HeaderRow",
    "HostnameConversion",
    "HumanOutput",
    "JsonOutput",
    "check_event_types",
    "check_formats",
    "check_summary",
    "check_url",
    "check_valid_hostnames",
    "data_format_factory",
    "event_format",
    "get_outfile",
    "get_start_and_end_times",
    "list_event_types",
    "output_factory",
    "perfsonar_client_filters",
    "perfsonar_client_opts",
    "src_dest_required",
    "valid_output_dir",
]
