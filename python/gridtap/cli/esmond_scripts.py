"""What scripts of others use to have the options of the query commands.

These are the functions of ``esmond_client.perfsonar.util`` that read ``sys.argv`` and end the
process over a wrong option.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from optparse import Values
from typing import cast

from gridtap.cli.esmond_checks import check_all, refuse
from gridtap.cli.esmond_options import script
from gridtap.cli.optparse_rules import QueryOptionParser
from gridtap.esmond.querying.query_options import QueryOptions
from gridtap.esmond.querying.times import time_window

__all__ = ["get_start_and_end_times", "perfsonar_client_opts"]


def perfsonar_client_opts(
    require_src_dest: bool = False, require_event: bool = False, require_output: bool = False
) -> tuple[Values, list[str]]:
    """The options of this process, checked, and the words that belong to none.

    :param require_src_dest: source and destination must be given
    :param require_event: an event type must be given
    :param require_output: a directory for files may be given, and a format for them must
    """
    command = script(
        os.path.basename(sys.argv[0]),
        needs_ends=require_src_dest,
        needs_event=require_event,
        is_bulk=require_output,
    )
    parser = QueryOptionParser(command)
    options, words = parser.parse_args(sys.argv[1:])
    # It has their attributes, and scripts set some of their own.
    check_all(cast(QueryOptions, options), command, parser)
    return options, words


def get_start_and_end_times(options: object) -> tuple[datetime, datetime]:
    """The time window of a query, in UTC without a zone, as it always was.

    Ends the process with 255 over a time that is none.
    """
    wanted = QueryOptions.adopt(options)
    try:
        window = time_window(wanted.start, wanted.end)
    except ValueError as error:
        value = wanted.start if str(error) == "--start-time" else wanted.end
        refuse(f"could not parse {error} arg: {value}")
    start, end = (datetime.fromtimestamp(at, UTC).replace(tzinfo=None) for at in window)
    return start, end
