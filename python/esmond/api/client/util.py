"""Re-exports of :py:mod:`gridtap.esmond.legacy`."""

from gridtap.esmond.legacy import (
    MONTHLY_NS,
    SUMMARY_NS,
    AlertMixin,
    ConfigException,
    ConfigWarning,
    add_apikey_header,
    atdecode,
    atencode,
    get_config,
    get_month_start_and_end,
    get_summary_name,
    get_type_map,
    lastmonth,
    nextmonth,
)

__all__ = [
    "MONTHLY_NS",
    "SUMMARY_NS",
    "AlertMixin",
    "ConfigException",
    "ConfigWarning",
    "add_apikey_header",
    "atdecode",
    "atencode",
    "get_config",
    "get_month_start_and_end",
    "get_summary_name",
    "get_type_map",
    "lastmonth",
    "nextmonth",
]
