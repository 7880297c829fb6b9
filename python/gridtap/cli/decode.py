"""``gridtap decode``: captures in, records out."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import click

from gridtap import _core
from gridtap.cli.output import ParquetFile, whole_file
from gridtap.cli.summary import Counts, print_summary
from gridtap.xrootd.records import RECORDS

#: From this size on a source shows its progress.
_LONG = 64 << 20


class Failure(click.ClickException):
    """A one-line error that ends the command: a source or the output cannot be used."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(f"gridtap decode: {self.message}", err=True)


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--what",
    type=click.Choice(list(RECORDS)),
    default="accesses",
    show_default=True,
    help="Kind of record to print.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl", "csv", "parquet"]),
    help="Output format.  [default: table on a terminal, else jsonl]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to FILE instead of standard output; it appears whole or not at all.",
    metavar="FILE",
)
@click.option(
    "--port",
    "ports",
    type=click.IntRange(1, 65535),
    multiple=True,
    help="Of captures, only packets to this UDP port; may be repeated.",
)
@click.option("--strict", is_flag=True, help="Stop with exit code 1 at the first fault.")
@click.option("-q", "--quiet", is_flag=True, help="No summary and no progress.")
def decode(
    sources: tuple[str, ...],
    what: str,
    form: str | None,
    output: Path | None,
    ports: tuple[int, ...],
    strict: bool,
    quiet: bool,
) -> None:
    """Decode XRootD monitoring packets and print what they say.

    A SOURCE is a pcap or pcapng capture, a dump of binary packets, a file of bus envelopes (JSON
    lines), or - for standard input. Several sources are read as one as long as time goes on.

    Records go to standard output, a summary to standard error. Exit code 1 after a fault with
    --strict, 2 when a source or the output cannot be used.
    """
    is_terminal = output is None and sys.stdout is not None and sys.stdout.isatty()
    form = form or ("table" if is_terminal else "jsonl")
    if form == "parquet" and output is None:
        raise Failure("parquet needs a file: add -o FILE")
    width = shutil.get_terminal_size().columns if is_terminal else None
    try:
        with whole_file(output) as path:
            counts = _run(sources, what, form, path, list(ports), strict, width, quiet)
    except BrokenPipeError:
        raise
    except OSError as error:
        # Sources name themselves, and so does a file that cannot be made.
        name = error.filename or output or "standard output"
        raise Failure(f"{os.fsdecode(name)}: {error.strerror or error}") from error
    if not quiet:
        print_summary(counts)


def _run(
    sources: tuple[str, ...],
    what: str,
    form: str,
    path: Path | None,
    ports: list[int],
    strict: bool,
    width: int | None,
    quiet: bool,
) -> Counts:
    if form == "parquet" and path is not None:
        run = _core.Extractor(what, "arrow", None, ports, strict)
        file = ParquetFile(run, path)
        drain: Callable[[], None] = file.drain
        close: Callable[[], None] = file.close
    else:
        run = _core.Extractor(what, form, path, ports, strict, width)
        drain = close = _nothing
    for source in sources:
        _read(run, source, strict, quiet, drain)
    run.finish()
    drain()
    close()
    return cast(Counts, run.counts())


def _nothing() -> None:
    """Text formats write as they read."""


def _read(
    run: _core.Extractor, source: str, strict: bool, quiet: bool, drain: Callable[[], None]
) -> None:
    faults_before = _faults(run)
    run.open(source)
    with _progress(source, quiet) as advance:
        more = True
        while more:
            more, position = run.step()
            advance(position)
            drain()
            if strict and run.faults():
                break
    shown = run.faults()
    for kind, number, offset, within, context in shown:
        place = f"packet {number} at byte {offset}" + (f"+{within}" if within is not None else "")
        click.echo(f"{source}: {place}: {kind}: {context}", err=True)
        if strict:
            # Records from before the fault are good, and whoever reads them shall have them.
            run.flush()
            raise click.exceptions.Exit(1)
    unsaid = _faults(run) - faults_before - len(shown)
    if unsaid:
        click.echo(f"{source}: and {unsaid:,} more", err=True)


def _faults(run: _core.Extractor) -> int:
    return sum(cast(Counts, run.counts())["faults"].values())


@contextmanager
def _progress(source: str, quiet: bool) -> Iterator[Callable[[int], None]]:
    size = os.path.getsize(source) if source != "-" and os.path.isfile(source) else 0
    if quiet or size < _LONG or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=size, label=os.path.basename(source), file=sys.stderr) as bar:
        yield lambda position: bar.update(max(0, position - bar.pos))
