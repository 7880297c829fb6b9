"""The one-screen summary of what was read."""

from __future__ import annotations

from typing import TypedDict

import click

__all__ = ["Counts", "print_line", "print_summary", "tame"]

#: Servers whose losses are listed; a screen has no room for more.
_SERVERS = 12


class Counts(TypedDict):
    """What the core counted, see :py:meth:`gridtap.xrootd.reading.Records.counts`."""

    datagrams: int
    bytes: int
    packets: dict[str, int]
    faults: dict[str, int]
    accesses: dict[str, int]
    losses: list[tuple[str, str, int, int, int, int]]
    duplicate_packets: int
    stale_packets: int
    failed_operations: int


def print_summary(counts: Counts) -> None:
    """Prints packets by code, faults by kind, losses and accesses to standard error."""
    print_line("packets", f"{counts['datagrams']:,} ({counts['bytes']:,} bytes)", counts["packets"])
    total = sum(counts["faults"].values())
    print_line("faults", f"{total:,}" if total else "none", counts["faults"])
    _print_losses(counts["losses"])
    extra = {
        "repeated packets": counts["duplicate_packets"],
        "packets of ended servers": counts["stale_packets"],
        "failed operations": counts["failed_operations"],
    }
    extra = {name: count for name, count in extra.items() if count}
    if extra:
        print_line("also", "", extra)
    accesses = counts["accesses"]
    print_line("accesses", f"{sum(accesses.values()):,}", accesses)


def print_line(title: str, total: str, parts: dict[str, int]) -> None:
    """Prints one line: what it is about, a total, and the parts that the total has."""
    listed = "  ".join(f"{name} {count:,}" for name, count in parts.items())
    click.echo(f"{title:9} {total}{'  ' if total and listed else ''}{listed}".rstrip(), err=True)


def _print_losses(losses: list[tuple[str, str, int, int, int, int]]) -> None:
    lost = sum(loss[3] for loss in losses)
    if not lost and not any(loss[4] for loss in losses):
        print_line("loss", "none" if losses else "no sequence numbers seen", {})
        return
    received = sum(loss[2] for loss in losses)
    print_line("loss", f"{lost:,} of {received + lost:,} packets", {})
    worst = sorted((loss for loss in losses if loss[3] or loss[4]), key=lambda loss: -loss[3])
    for server, sequence, got, missing, late, _ in worst[:_SERVERS]:
        share = 100 * missing / (got + missing)
        told = f"{missing:,} lost ({share:.2f} %), {late:,} late"
        click.echo(f"          {tame(server)}  {sequence}: {told}", err=True)
    if len(worst) > _SERVERS:
        click.echo(f"          and {len(worst) - _SERVERS} more", err=True)


def tame(text: str) -> str:
    """A text without what it could do to a terminal."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
