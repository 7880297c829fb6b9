"""``gridtap decode``: captures in, records out."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from gridtap import _core
from gridtap.cli.address import ports_option
from gridtap.cli.extraction import Extraction, Settings, record_options
from gridtap.cli.summary import Counts, print_summary
from gridtap.xrootd.records import RECORDS


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--what",
    type=click.Choice(list(RECORDS)),
    default="accesses",
    show_default=True,
    help="Kind of record to print.",
)
@record_options(ports_option("captures"))
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
    settings = Settings.of("decode", form, output, strict, quiet)

    def make(form: str, path: Path | None) -> _core.Extractor:
        return _core.Extractor(what, form, path, list(ports), strict, settings.width)

    run = Extraction(settings, make, _core.Extractor.open, "packet").run(sources)
    if not quiet:
        print_summary(cast(Counts, run.counts()))
