"""The four query commands for click, made from the table of options."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from gridtap.cli import esmond_bulk, esmond_get, esmond_list
from gridtap.cli.esmond_checks import check_all, notice
from gridtap.cli.esmond_options import Option, QueryCommand, options_of
from gridtap.cli.optparse_rules import QueryOptionParser
from gridtap.errors import GridtapError
from gridtap.esmond.querying.query_options import QueryOptions

__all__ = ["FAILED", "INTERRUPTED", "UNREAD", "query_command", "run_command"]

#: Exit status of a query that failed, wholly or in part
FAILED = 1

#: What shells report for SIGINT and SIGPIPE
INTERRUPTED, UNREAD = 130, 141

_RUNS: dict[str, Callable[[QueryOptions], bool]] = {
    "esmond-ps-get-endpoints": esmond_list.run_endpoints,
    "esmond-ps-get-metadata": esmond_list.run_metadata,
    "esmond-ps-get": esmond_get.run,
    "esmond-ps-get-bulk": esmond_bulk.run,
}


def query_command(command: QueryCommand) -> click.Command:
    """A query command; it reads options as click does, see :py:func:`run_command`."""

    def callback(**values: Any) -> bool:
        options = QueryOptions(**{**values, "filter": list(values["filter"])})
        check_all(options, command, QueryOptionParser(command))
        return _RUNS[command.name](options)

    return click.Command(
        command.name,
        params=[
            _parameter(option)
            for option in {o.dest: o for o in reversed(options_of(command))}.values()
        ],
        callback=callback,
        help=command.purpose,
    )


def run_command(command: QueryCommand, arguments: list[str]) -> int:
    """Runs a query command on options that are spelled out, and returns its exit status.

    What goes wrong is one line on standard error.
    """
    try:
        # Not its main, which has opinions on broken pipes.
        run = query_command(command)
        with run.make_context(command.name, arguments) as context:
            is_whole = run.invoke(context)
        sys.stdout.flush()
        return 0 if is_whole else FAILED
    except BrokenPipeError:
        # Else Python complains when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        notice(f"{command.name}: {error.format_message()}")
        return error.exit_code
    except GridtapError as error:
        notice(f"{command.name}: {error}")
    except OSError as error:
        name = os.fsdecode(error.filename) if error.filename else "standard output"
        notice(f"{command.name}: {name}: {error.strerror or error}")
        _abandon_stdout()
    return FAILED


def _abandon_stdout() -> None:
    """What could not be written is not tried again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parameter(option: Option) -> click.Option:
    default = os.getcwd() if option.default == "cwd" else option.default
    if option.kind == "flag":
        return click.Option([option.long, option.dest], is_flag=True, help=option.help)
    return click.Option(
        [option.long, option.dest],
        type=int if option.kind == "int" else str,
        multiple=option.kind == "many",
        default=default,
        metavar=option.metavar,
        help=option.help,
    )
