"""Finding iperf3's JSON in what ``bwctl -T iperf3 --parsable --verbose`` prints, or without bwctl.

bwctl's lines are those of its ``bwctl.c`` (https://github.com/perfsonar/bwctl)::

    bwctl: Using tool: iperf3
    bwctl: Using 198.51.100.10 as the address for remote sender
    bwctl: Using 203.0.113.25 as the address for local receiver
    bwctl: start_tool: 4004305954.363226
    {...}
    bwctl: stop_tool: 4004305965.802132
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from gridtap.errors import GridtapError

__all__ = ["Extract", "UnusableInputError", "extract"]

#: Seconds from 1900, where bwctl's clock begins, to 1970
_NTP_EPOCH_S = 2_208_988_800

_END = re.compile(r"bwctl: Using (\S+) as the address for (?:remote|local) (sender|receiver)\s*")
_TOOL = "bwctl: Using tool:"
_START, _STOP = "bwctl: start_tool:", "bwctl: stop_tool:"


class UnusableInputError(GridtapError, ValueError):
    """Input without a result in it.

    :param problems: one line each
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(self.problems)


@dataclass
class Extract:
    """What was found in the input.

    :param document: iperf3's JSON, as read
    :param tool: as bwctl calls it; None without bwctl
    :param source: the sender, as bwctl calls it
    :param began_at: UTC epoch seconds, by bwctl
    """

    document: Any = None
    tool: str | None = None
    source: str | None = None
    destination: str | None = None
    began_at: int | None = None


def extract(text: str, source: str | None = None, destination: str | None = None) -> Extract:
    """Finds a result, and who measured what with what.

    Of several results within bwctl's output the first is taken: they are the two hosts' views of
    one test.

    :param source: name of the sender, instead of what bwctl says
    :raises UnusableInputError: there is no result, or something about it is missing
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    found = Extract()
    block = _read_wrapped(lines, found)
    is_bare = block is None and any(line.lstrip().startswith("{") for line in lines)
    found.source = source or found.source
    found.destination = destination or found.destination
    if is_bare and found.source and found.destination:
        found.document = _bare(lines)
        return found
    problems = _missing(found, block is not None)
    try:
        found.document = _load("\n".join(block or []))
    except ValueError as error:
        problems.append(f"could not load json_block: {error if block else ''}")
    if is_bare:
        problems.append("iperf3 --json without bwctl needs --source and --destination")
    if problems:
        raise UnusableInputError(problems)
    return found


def _read_wrapped(lines: list[str], found: Extract) -> list[str] | None:
    """Reads bwctl's lines; returns those of the tool, None if it did not run"""
    block: list[str] | None = None
    for line in lines:
        if block is not None:
            if line.startswith(_STOP):
                break
            if line.strip():
                block.append(line)
        elif line.startswith(_START):
            block = []
            found.began_at = _unix_second(line.removeprefix(_START))
        elif line.startswith(_TOOL) and line.removeprefix(_TOOL).strip():
            found.tool = line.removeprefix(_TOOL).split()[0]
        elif end := _END.fullmatch(line):
            name = "source" if end[2] == "sender" else "destination"
            setattr(found, name, end[1])
    return block


def _unix_second(text: str) -> int | None:
    try:
        return int(float(text)) - _NTP_EPOCH_S
    except (ValueError, OverflowError):
        return None


def _missing(found: Extract, has_run: bool) -> list[str]:
    problems = []
    if not has_run:
        problems += [
            "did not find bwctl: start_tool token to extract JSON from output",
            "bwctl must be run with the --verbose flag",
        ]
    if not found.tool:
        problems.append("could not extract tool_name")
    if not found.source:
        problems.append("could not extract input_source")
    if not found.destination:
        problems.append("could not extract input_destination")
    return problems


def _bare(lines: list[str]) -> Any:
    """The one object among lines of iperf3's that are not JSON"""
    first = next(n for n, line in enumerate(lines) if line.lstrip().startswith("{"))
    last = max(n for n, line in enumerate(lines) if line.rstrip().endswith("}") or n == first)
    if not any(line.rstrip().endswith("}") for line in lines):
        # Cut off: the end of what there is tells where.
        last = len(lines)
    try:
        return _load("\n".join(lines[first : last + 1]))
    except ValueError as error:
        raise UnusableInputError([f"could not load json_block: {error}"]) from error


def _load(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
