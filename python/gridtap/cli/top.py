"""``gridtap top``: a live screen of servers, users, directories and losses."""

from __future__ import annotations

import click

from gridtap.cli.address import ports_option, udp_address
from gridtap.cli.extraction import Failure
from gridtap.top.board import SORTS, Board
from gridtap.top.sources import (
    CaptureSource,
    CollectorSource,
    LiveSource,
    TopSource,
    TopSourceError,
)
from gridtap.top.terminal import demand_rich, show

__all__ = ["top"]


@click.command()
@click.argument("capture", required=False)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    callback=udp_address,
    help="Receive packets here.  [default: [::]:9930]",
)
@click.option("--url", metavar="URL", help="Ask the collector that runs there, by its [http] port.")
@ports_option("a capture")
@click.option(
    "--sort",
    type=click.Choice(SORTS),
    default="packets",
    show_default=True,
    help="Column that servers are sorted by.",
)
@click.option(
    "--depth",
    type=click.IntRange(1, 20),
    default=2,
    show_default=True,
    help="Components of a path that make a directory.",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    default=1,
    show_default=True,
    help="Seconds between two screens.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    help="End after so long, with the last screen.  [default: never on a terminal, else 5]",
)
def top(
    capture: str | None,
    listen: tuple[str, int] | None,
    url: str | None,
    ports: tuple[int, ...],
    sort: str,
    depth: int,
    interval: float,
    seconds: float | None,
) -> None:
    """Show servers, users, directories and losses on a live screen.

    Packets are received on a UDP port, or a collector that runs already is asked with --url, or a
    CAPTURE is read. On what is no terminal the screen is printed once, at the end.

    Exit code 2 when there is nothing to show: the port is taken, the collector does not answer, the
    capture cannot be read.
    """
    if sum(each is not None for each in (capture, listen, url)) > 1:
        raise click.UsageError("a CAPTURE, --listen and --url exclude each other")
    demand_rich()
    try:
        source = _source(capture, listen, url, ports)
        board = Board(depth=depth, is_total=capture is not None)
        try:
            show(source, board, sort, interval, seconds)
        finally:
            source.close()
    except TopSourceError as error:
        raise Failure("top", str(error)) from error
    except OSError as error:
        if capture is None:
            raise
        raise Failure.of_file("top", capture, error) from error


def _source(
    capture: str | None, listen: tuple[str, int] | None, url: str | None, ports: tuple[int, ...]
) -> TopSource:
    if capture is not None:
        return CaptureSource(capture, ports)
    if url is not None:
        return CollectorSource(url)
    return LiveSource(*(listen or ("::", 9930)))
