"""Command lines by the rules of :py:mod:`optparse`, which the original commands were written with.

Scripts rely on what it does and click does not: abbreviated long options, bundles with a value
(``-Iv``, ``-W300``), values that look like options, stray words that are ignored, the help text and
the errors. So optparse itself reads the line and spells it out; click gets what is left to decide.

Neither click nor anything heavier is imported here: ``--help`` answers at once.
"""

from __future__ import annotations

import optparse
import os
import sys
from collections.abc import Iterable
from typing import Any, Protocol

from gridtap.cli.esmond_options import FORMATS, Option, QueryCommand, options_of

__all__ = ["QueryOptionParser", "TableOptionParser"]

_USAGE = (
    "%prog [ -u URL -s SRC -d DEST | -a AGENT | -e EVENT | -t TOOL | -L | -o FORMAT | -v ]\n"
    "--begin and --end args parsed by python-dateutil so fairly flexible with the date formats."
)
_OWN_TITLE = "Options that the original commands do not have"
_OWN_TEXT = f"--output-format also takes {' and '.join(FORMATS[3:])}."

#: What ``--plot`` may be followed by, although its value is optional
_PICTURES = (".png", ".svg")

_ACTIONS = {"text": "store", "int": "store", "maybe": "store", "many": "append"}


class SupportsWrite(Protocol):
    """Whatever text can be written to."""

    def write(self, text: str, /) -> object: ...


class TableOptionParser(optparse.OptionParser):
    """Reads a command line by a table of options.

    Errors go to standard error with the usage and end the process with 2, ``--help`` goes to
    standard output and ends it with 0.

    :param own_text: of the part of the help with the options that the original lacks
    """

    def __init__(
        self, name: str, usage: str, options: Iterable[Option], own_text: str = ""
    ) -> None:
        super().__init__(prog=name, usage=usage)
        self._options = list(options)
        own = optparse.OptionGroup(self, _OWN_TITLE, own_text or None)
        for option in self._options:
            (self if option.is_original else own).add_option(_parsed(option))
        self.add_option_group(own)
        self._optional = {o.long for o in self._options if o.kind == "maybe"}
        own_names = {o.long for o in self._options if not o.is_original}
        self._original_names = {name: name for name in self._long_opt if name not in own_names}

    def exit(self, status: int = 0, msg: str | None = None) -> Any:
        """Ends the process, also where whoever reads the help has enough of it."""
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        super().exit(status, msg)

    def print_help(self, file: SupportsWrite | None = None) -> None:
        """Prints usage and options.

        :param file: standard output if left out
        """
        (file or sys.stdout).write(self.format_help())

    def _match_long_opt(self, opt: str) -> str:
        if opt in self._long_opt:
            return opt
        known = [name for name in self._original_names if name.startswith(opt)]
        if known:
            return str(optparse._match_abbrev(opt, self._original_names))  # type: ignore[attr-defined]
        return str(super()._match_long_opt(opt))

    def _process_long_opt(self, rargs: list[str], values: optparse.Values) -> None:
        name, equals, _ = rargs[0].partition("=")
        is_alone = len(rargs) == 1 or not rargs[1].endswith(_PICTURES)
        if not equals and is_alone and self._match_long_opt(name) in self._optional:
            rargs[0] = f"{name}="
        super()._process_long_opt(rargs, values)


class QueryOptionParser(TableOptionParser):
    """Reads the command line of a query command."""

    def __init__(self, command: QueryCommand) -> None:
        super().__init__(command.name, _USAGE, options_of(command), _OWN_TEXT)

    def spelled_out(self, arguments: list[str]) -> list[str]:
        """The same options as ``--name=value``, checked, without stray words."""
        values, _ = self.parse_args(arguments)
        line: list[str] = []
        # An option and its alias store under one name.
        for dest, option in {o.dest: o for o in reversed(self._options)}.items():
            value = getattr(values, dest)
            if option.kind == "flag":
                line += [option.long] if value else []
            elif option.kind == "many":
                line += [f"{option.long}={item}" for item in value or ()]
            elif value is not None:
                line.append(f"{option.long}={value}")
        return line


def _parsed(option: Option) -> optparse.Option:
    names = [name for name in (option.short, option.long) if name]
    default = os.getcwd() if option.default == "cwd" else option.default
    if option.kind == "flag":
        return optparse.Option(
            *names, dest=option.dest, action="store_true", default=default, help=option.help
        )
    return optparse.Option(
        *names,
        dest=option.dest,
        action=_ACTIONS[option.kind],
        type="int" if option.kind == "int" else "string",
        metavar=option.metavar,
        default=default,
        help=option.help,
    )
