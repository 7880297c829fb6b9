"""Where the four query commands start.

What can be answered without loading anything is answered first: help, and errors of the line.
"""

from __future__ import annotations

import os
import sys

from gridtap.cli.esmond_options import COMMANDS
from gridtap.cli.optparse_rules import QueryOptionParser

__all__ = ["get", "get_bulk", "get_endpoints", "get_metadata"]


def get_endpoints() -> None:
    """``esmond-ps-get-endpoints``"""
    _start("esmond-ps-get-endpoints")


def get_metadata() -> None:
    """``esmond-ps-get-metadata``"""
    _start("esmond-ps-get-metadata")


def get() -> None:
    """``esmond-ps-get``"""
    _start("esmond-ps-get")


def get_bulk() -> None:
    """``esmond-ps-get-bulk``"""
    _start("esmond-ps-get-bulk")


def _start(name: str) -> None:
    try:
        sys.exit(_run(name))
    except KeyboardInterrupt:
        # While things are loaded; later on whoever runs the query knows what to say.
        sys.exit(130)


def _run(name: str) -> int:
    command = COMMANDS[name]
    arguments = QueryOptionParser(command).spelled_out(sys.argv[1:])
    from gridtap.cli.esmond_query import run_command

    if sys.stdout is None:
        # Closed by whoever started us.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - as long as the process
    # An archive may hold what the terminal's encoding does not.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]

    return run_command(command, arguments)
