"""Where the four query commands start.

What can be answered without loading anything is answered first: help, and errors of the line.
"""

from __future__ import annotations

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
    command = COMMANDS[name]
    arguments = QueryOptionParser(command).spelled_out(sys.argv[1:])
    from gridtap.cli.esmond_query import run_command

    sys.exit(run_command(command, arguments))
