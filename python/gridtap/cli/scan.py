"""``gridtap scan``: transfer logs in, transfers out."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from gridtap import _core
from gridtap.cli.extraction import Extraction, Settings, record_options
from gridtap.cli.scan_summary import LogCounts, print_scan_summary


@click.command()
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@record_options()
def scan(
    logs: tuple[str, ...], form: str | None, output: Path | None, strict: bool, quiet: bool
) -> None:
    """Read the transfer logs of GridFTP servers and print the transfers.

    A LOG is a transfer log (netlogger or JSON lines), a server's own log or syslog with transfers
    in it, any of these packed with gzip, xz or zstd, or - for standard input.

    Transfers go to standard output, a summary to standard error. Exit code 1 after a fault with
    --strict, 2 when a log or the output cannot be used.
    """
    settings = Settings.of("scan", form, output, strict, quiet)

    def make(form: str, path: Path | None) -> _core.TransferExtractor:
        return _core.TransferExtractor(form, path, settings.width)

    def begin(run: _core.TransferExtractor, log: str) -> None:
        run.open(log, log)

    run = Extraction(settings, make, begin, "line").run(logs)
    if not quiet:
        print_scan_summary(cast(LogCounts, run.counts()))
