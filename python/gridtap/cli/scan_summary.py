"""The one-screen summary of transfer logs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

import click

from gridtap.cli.summary import print_line, tame

__all__ = ["LogCounts", "print_scan_summary"]

#: Lines of the rate over time.
_ROWS = 12

#: Characters of its longest bar.
_BAR = 40

#: What a bar may stand for, seconds: what people count time in.
_WIDTHS = (60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 7 * 86_400)

#: FTP reply of a transfer that went well.
_DONE = 226


class LogCounts(TypedDict):
    """What the core counted, see :py:meth:`gridtap.gridftp.Transfers.counts`."""

    transfers: int
    bytes: int
    operations: dict[str, int]
    codes: dict[int, int]
    faults: dict[str, int]
    other_lines: int
    first_started_at: float | None
    last_ended_at: float | None
    span_s: int
    spans: list[tuple[int, int]]


def print_scan_summary(counts: LogCounts) -> None:
    """Prints transfers by operation, failures by code, faults by kind and the rate over time."""
    operations = {tame(name): count for name, count in counts["operations"].items()}
    total = f"{counts['transfers']:,} ({counts['bytes']:,} bytes)"
    print_line("transfers", total, operations)
    failed = {str(code or "?"): n for code, n in counts["codes"].items() if code != _DONE}
    print_line("failures", _number(failed), failed)
    print_line("faults", _number(counts["faults"]), counts["faults"])
    if counts["other_lines"]:
        print_line("also", "", {"other lines": counts["other_lines"]})
    first, last = counts["first_started_at"], counts["last_ended_at"]
    if first is not None and last is not None and last > first:
        mean = _rate(8 * counts["bytes"] / (last - first))
        print_line("time", f"{_time(first)} to {_time(last)} UTC, {mean} on average", {})
        _print_rates(counts["spans"], counts["span_s"])


def _print_rates(spans: list[tuple[int, int]], span_s: int) -> None:
    begin, end = spans[0][0], spans[-1][0] + span_s
    fitting = (each for each in _WIDTHS if each >= span_s and (end - begin) / each <= _ROWS - 1)
    # Decades of logs have no width that people count in.
    width = next(fitting, -(-(end - begin) // ((_ROWS - 1) * 86_400)) * 86_400)
    begin -= begin % width
    sums = [0] * (-(-(end - begin) // width))
    for at, count in spans:
        sums[(at - begin) // width] += count
    largest = max(sums)
    if len(sums) < 2 or not largest:
        return
    for row, count in enumerate(sums):
        bar = "#" * round(_BAR * count / largest)
        rate = _rate(8 * count / width)
        click.echo(f"          {_time(begin + row * width)}  {rate:>11}  {bar}".rstrip(), err=True)


def _number(parts: dict[str, int]) -> str:
    total = sum(parts.values())
    return f"{total:,}" if total else "none"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _rate(bits: float) -> str:
    units = ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s")
    unit = 0
    while bits >= 999.5 and unit + 1 < len(units):
        bits /= 1000
        unit += 1
    return f"{bits:.3g} {units[unit]}"
