"""From options to a connection."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

from gridtap.cli.esmond_checks import notice, refuse
from gridtap.esmond.errors import CertificateError, EsmondError
from gridtap.esmond.querying.query_options import QueryOptions
from gridtap.esmond.querying.selection import set_filters

if TYPE_CHECKING:
    from gridtap.esmond.query import ApiConnect, ApiFilters

#: How many times as long as a silence a whole body may take
_BODY_TIMEOUTS = 10

__all__ = ["connect", "perfsonar_client_filters", "reason_of"]

_CERTIFICATE_HELP = (
    "; give the certificate of its authority with --ca-bundle FILE, "
    "or trust whoever answers with --no-ssl-verify"
)


def perfsonar_client_filters(options: object) -> ApiFilters:
    """Filters for the options of a query command.

    Ends the process with 255 over a time that is none, a window that ends before it begins, and
    with ``--strict-filters`` over a filter that cannot be used.
    """
    from gridtap.esmond.http import Limits
    from gridtap.esmond.query import ApiFilters

    wanted = QueryOptions.adopt(options)
    filters = ApiFilters()
    try:
        set_filters(filters, wanted, refuse if wanted.strict_filters else notice)
    except ValueError as error:
        option = str(error)
        value = wanted.start if option == "--start-time" else wanted.end
        refuse(f"could not parse {option} arg: {value}")
    start, end = filters.time_start, filters.time_end
    if start is not None and end is not None and end < start:
        refuse(f"--start-time is later than --end-time: {wanted.start} > {wanted.end or 'now'}")
    filters.timeout = wanted.timeout or None
    if filters.timeout is not None:
        filters.limits = Limits(body_s=_BODY_TIMEOUTS * filters.timeout)
    filters.ssl_verify = False if wanted.no_ssl_verify else (wanted.ca_bundle or True)
    return filters


def connect(options: QueryOptions) -> ApiConnect:
    """A connection that raises what goes wrong.

    :raises ArchiveUrlError: the URL is not one of an archive
    """
    from gridtap.esmond.query import ApiConnect

    filters = perfsonar_client_filters(options)
    filters.strict = True
    if options.no_ssl_verify:
        # Of this process only, whose user has just said so; a warning at every request is noise.
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    return ApiConnect(
        options.url or "",
        filters,
        options.user or os.environ.get("ESMOND_USER", ""),
        options.key or os.environ.get("ESMOND_KEY", ""),
        options.script_alias,
    )


def reason_of(error: EsmondError) -> str:
    """One line, with the way out where there is one."""
    return f"{error}{_CERTIFICATE_HELP}" if isinstance(error, CertificateError) else str(error)
