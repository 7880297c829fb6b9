"""``gridtap collect --dry-run``: which sink would get which record, and why not."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence

import click

from gridtap import _core
from gridtap.cli.summary import print_line, tame
from gridtap.collector.config import Config
from gridtap.collector.config_core import core_settings
from gridtap.errors import ConfigError

__all__ = ["dry_run"]

#: What a sink says to a record that it takes
_TAKE = "take"

#: Width of the longest reason for not taking one
_VERDICT = len("no: path_prefix")

_Verdicts = list[tuple[str, str]]


def dry_run(config: Config, capture: str) -> int:
    """Prints a line for each record of a capture: as a table on a terminal, else as JSON lines.

    :param capture: path, or ``-`` for standard input
    :returns: the exit code
    :raises ConfigError: the configuration or the capture cannot be used
    """
    try:
        core = _core.Collector(core_settings(config), [])
    except ValueError as error:
        raise ConfigError(f"{config.file}: {error}") from error
    counts: dict[str, Counter[str]] = {sink.name: Counter() for sink in config.sinks}
    shown = _table(list(counts)) if sys.stdout.isatty() else _json
    try:
        for kind, summary, verdicts in core.explain(capture):
            for sink, verdict in verdicts:
                counts[sink][verdict] += 1
            click.echo(shown(kind, summary, verdicts))
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else None
        raise ConfigError(f"{capture}: {told or error}") from error
    for sink, each in counts.items():
        refused = {name: count for name, count in sorted(each.items()) if name != _TAKE}
        print_line(sink, f"takes {each[_TAKE]:,} of {each.total():,}", refused)
    return 0


def _json(kind: str, summary: str, verdicts: _Verdicts) -> str:
    return json.dumps({"kind": kind, "summary": summary, "sinks": dict(verdicts)})


def _table(sinks: Sequence[str]) -> Callable[[str, str, _Verdicts], str]:
    """Prints the head of a table, and makes lines of it"""
    columns = shutil.get_terminal_size().columns
    widths = [max(len(sink), _VERDICT) for sink in sinks]

    def line(kind: str, summary: str, verdicts: _Verdicts) -> str:
        cells = [f"{said:{width}}" for (_, said), width in zip(verdicts, widths, strict=True)]
        return "  ".join([f"{kind:9}", *cells, tame(summary)])[:columns].rstrip()

    def row(kind: str, summary: str, verdicts: _Verdicts) -> str:
        said = [(sink, each if each == _TAKE else f"no: {each}") for sink, each in verdicts]
        return line(kind, summary, said)

    click.echo(line("kind", "record", [(sink, sink) for sink in sinks]))
    return row
