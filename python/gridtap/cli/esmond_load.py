"""Where ``esmond-ps-load-gridftp`` starts: help and wrong options are answered before all else
loads.
"""

from __future__ import annotations

import os
import sys

from gridtap.cli.esmond_load_options import LOAD_NAME, LOAD_OPTIONS, LOAD_USAGE
from gridtap.cli.optparse_rules import TableOptionParser

__all__ = ["INTERRUPTED", "main"]

#: Exit status that shells report for SIGINT
INTERRUPTED = 130


def main() -> None:
    """``esmond-ps-load-gridftp``"""
    try:
        parser = TableOptionParser(LOAD_NAME, LOAD_USAGE, LOAD_OPTIONS)
        options, _ = parser.parse_args(sys.argv[1:])
        from gridtap.cli.esmond_load_run import run

        sys.exit(run(options, parser))
    except KeyboardInterrupt:
        # Not waiting for requests under way: the state says what is acknowledged, at all times.
        os._exit(INTERRUPTED)
