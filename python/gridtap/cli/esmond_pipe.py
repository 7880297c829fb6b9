"""Where ``esmond-ps-pipe`` starts: help and wrong options are answered before all else loads."""

from __future__ import annotations

import sys

from gridtap.cli.esmond_pipe_options import PIPE_NAME, PIPE_OPTIONS, PIPE_USAGE
from gridtap.cli.optparse_rules import TableOptionParser

__all__ = ["INTERRUPTED", "main"]

#: Exit status that shells report for SIGINT
INTERRUPTED = 130


def main() -> None:
    """``esmond-ps-pipe``"""
    try:
        parser = TableOptionParser(PIPE_NAME, PIPE_USAGE, PIPE_OPTIONS)
        options, _ = parser.parse_args(sys.argv[1:])
        from gridtap.cli.esmond_pipe_run import run

        sys.exit(run(options, parser))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
