"""``gridtap replay``: a capture sent again over UDP."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from gridtap.cli.address import ip_address, ports_option, udp_address
from gridtap.cli.extraction import Failure
from gridtap.cli.summary import print_line, tame
from gridtap.replay import ReplayCounts, ReplayError, ReplaySettings, replay

__all__ = ["replay_command"]

#: A replay that takes longer than this shows its progress, seconds.
_LONG = 1.0

#: Senders that are listed; a screen has no room for more.
_SENDERS = 12

_PROBABILITY = click.FloatRange(0, 1)


@click.command("replay")
@click.argument("capture")
@click.option(
    "--to",
    metavar="HOST:PORT",
    callback=udp_address,
    required=True,
    help="Where to send the packets.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    default=0,
    help="Packets per second.  [default: as fast as possible]",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    help="Times as fast as the packets were received; 1 keeps their timing.",
)
@click.option("--loss", type=_PROBABILITY, default=0, help="Probability that a packet is lost.")
@click.option(
    "--reorder", type=click.IntRange(0, 100_000), default=0, help="Places a packet may come late."
)
@click.option(
    "--duplicate", type=_PROBABILITY, default=0, help="Probability that a packet is sent twice."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    default=0,
    show_default=True,
    help="Which packets these are.",
)
@click.option("--count", type=click.IntRange(min=0), help="Stop after this many packets.")
@click.option(
    "--repeat",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Times through the capture, held in memory; 0 for no end.",
)
@ports_option("captures")
@click.option(
    "--spread", is_flag=True, help="A loopback address of its own for each original sender."
)
@click.option(
    "--from",
    "source_address",
    metavar="ADDRESS",
    callback=ip_address,
    help="Local address to send from.",
)
@click.option("-q", "--quiet", is_flag=True, help="No summary and no progress.")
def replay_command(
    capture: str,
    to: tuple[str, int],
    ports: tuple[int, ...],
    spread: bool,
    source_address: str | None,
    quiet: bool,
    **settings: Any,
) -> None:
    """Send the packets of a CAPTURE again, byte by byte.

    A CAPTURE is whatever gridtap decode reads, - for standard input. Each original sender keeps a
    socket of its own, so that a collector tells the servers apart.

    A summary goes to standard error. Exit code 2 when the capture or the destination cannot be
    used.
    """
    if settings["speed"] is not None and settings["rate"]:
        raise click.UsageError("--rate and --speed exclude each other")
    if spread and source_address is not None:
        raise click.UsageError("--spread and --from exclude each other")
    local = "spread" if spread else (source_address or "any")
    wanted = ReplaySettings(**settings, local=local)
    try:
        with _progress(capture, wanted.repeat, quiet) as advance:
            counts = replay(capture, to, wanted, ports=ports, advance=advance)
    except ReplayError as error:
        raise Failure("replay", str(error)) from error
    except OSError as error:
        raise Failure.of_file("replay", capture, error) from error
    if not quiet:
        _print_summary(counts)


def _print_summary(counts: ReplayCounts) -> None:
    made = {
        "lost": counts["lost"],
        "duplicated": counts["duplicated"],
        "reordered": counts["reordered"],
        "refused by the destination": counts["refused"],
    }
    made = {name: count for name, count in made.items() if count}
    print_line("sent", f"{counts['sent']:,} ({counts['bytes']:,} bytes)", made)
    total = sum(counts["faults"].values())
    print_line("faults", f"{total:,}" if total else "none", counts["faults"])
    elapsed = counts["elapsed_s"]
    if elapsed > 0:
        print_line("rate", f"{counts['sent'] / elapsed:,.0f} packets/s for {elapsed:.3g} s", {})
    print_line("senders", f"{len(counts['senders']):,}", {})
    for peer, (address, port) in counts["senders"][:_SENDERS]:
        host = "unknown" if peer is None else _joined(*peer)
        click.echo(f"          {tame(host)} from {_joined(address, port)}", err=True)
    if len(counts["senders"]) > _SENDERS:
        click.echo(f"          and {len(counts['senders']) - _SENDERS} more", err=True)


def _joined(host: str, port: int | None) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


@contextmanager
def _progress(capture: str, repeat: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    size = os.path.getsize(capture) if capture != "-" and os.path.isfile(capture) else 0
    if quiet or not size * repeat or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    with ExitStack() as stack:
        bar = click.progressbar(
            length=size * repeat, label=os.path.basename(capture), file=sys.stderr
        )
        began = time.monotonic()
        is_shown = False

        def advance(position: int) -> None:
            nonlocal is_shown
            if not is_shown and time.monotonic() - began > _LONG:
                stack.enter_context(bar)
                is_shown = True
            if is_shown:
                bar.update(max(0, position - bar.pos))

        yield advance
