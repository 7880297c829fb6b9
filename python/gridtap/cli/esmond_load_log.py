"""The log lines and the progress bar of ``esmond-ps-load-gridftp``.

No line has anything of a record: records name users and files.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gridtap.cli.event_log import EventLog
from gridtap.gridftp import LogFault
from gridtap.loader.batch import Unstored
from gridtap.loader.reporting import Counts
from gridtap.loader.state import Position

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

__all__ = ["LoadLog"]

_CLEAR_LINE = "\r\033[K"

#: Records between two lines about them
_STEP = 100


class LoadLog:
    """Writes what happens.

    :param is_json: the events of the JSON format
    :param is_progress: say how many records are done
    """

    def __init__(self, events: EventLog, is_json: bool, is_progress: bool) -> None:
        self._events = events
        self._scan = "scan_and_load_json" if is_json else "scan_and_load_netlogger"
        self._is_progress = is_progress
        self._bar: ProgressBar[int] | None = None
        self._log: Path | None = None
        self._records = self._passed = 0
        #: Name of the signal that ends the run
        self.stopping: str | None = None

    @contextmanager
    def bar(self, log: Path) -> Iterator[None]:
        """Shows, on a terminal, how much of a log is done."""
        if not self._is_progress or not sys.stderr or not sys.stderr.isatty() or not log.is_file():
            yield
            return
        bar: ProgressBar[int] = click.progressbar(
            length=max(log.stat().st_size, 1),
            label="loading",
            # As wide as the terminal: a line that wraps can not be drawn over.
            width=0,
            item_show_func=lambda _: f"{self._records:,} records",
            file=sys.stderr,
        )
        self._log = log
        with bar:
            self._bar = bar
            try:
                yield
            finally:
                self._bar = None

    def started(self, log: Path, place: Position | None) -> None:
        """The state was read."""
        if place is None:
            self._line("main.start", "no last record found")
            return
        text = f"line {place.line - 1} of {place.name}, byte {place.offset_bytes}"
        self._line("main.start", f"found last record: {text}")

    def processing(self, log: Path, is_known: bool | None) -> None:
        """A log is begun."""
        if is_known is None:
            self._line("main.process", f"No last record, processing {log}")
        elif is_known:
            self._line("main.process", f"File {log} passes last record check")
        else:
            text = "does not contain last log entry. Maybe rotated?- proceeding"
            self._line("main.warn", f"File {log} {text}")

    def noted(self, event: str, text: str) -> None:
        """Something else that the user should know."""
        self._line(event, text)

    def faulty(self, log: Path, fault: LogFault, is_lost: bool) -> None:
        """Something is wrong with a log."""
        place = f"{log} line {fault.line} byte {fault.offset_bytes}"
        if fault.kind == "bad_json":
            text = f"skipping - log line is not valid json: {place}"
        else:
            lead = "skipping - " if is_lost else ""
            text = f"{lead}{fault.kind}: {place}: {fault.context}"
        self._line(f"{self._scan}.{'error' if is_lost else 'warning'}", text)

    def unstored(self, log: Path, one: Unstored) -> None:
        """A transfer is not stored."""
        transfer, reason, is_mapped = one
        place = f"{log} line {transfer.log_line} byte {transfer.log_offset_bytes}"
        if is_mapped:
            self._line(f"{self._scan}.warning", f"{reason!r} - not stored: {place}")
            return
        text = f"could not generate metadata args for row: {place} - exception: {reason}"
        self._line(f"{self._scan}.error", text)

    def stored(self, count: int) -> None:
        """So many more transfers are stored."""
        before, self._records = self._records, self._records + count
        if self._bar is not None:
            self._bar.update(0, count)
            return
        if self._is_progress and self._records // _STEP > before // _STEP:
            hundreds = self._records // _STEP * _STEP
            self._line(f"{self._scan}.info", f"{hundreds} records processed")

    def passed(self, log: Path, position_bytes: int) -> None:
        """So many bytes of a file are done with."""
        if self._bar is not None and log == self._log:
            self._bar.update(position_bytes - self._passed)
            self._passed = position_bytes

    def ended(self, counts: Counts, dead_letters: Path | None, *, is_dry: bool) -> None:
        """The run is at its end."""
        if self.stopping is not None:
            self._line("scan_and_load_netlogger.info", f"Got {self.stopping} - exiting.")
        if not counts.is_complete:
            parts = [f"{counts.refused} records not stored"] if counts.refused else []
            parts += [f"{counts.lost} lines not readable"] if counts.lost else []
            if counts.refused and dead_letters is not None:
                parts.append(f"see {dead_letters}")
            self._line(f"{self._scan}.warning", ", ".join(parts))
        text = f"Loaded {counts.loaded} records"
        if is_dry:
            text = f"Would load {counts.loaded} records of {counts.tests} tests"
        self._line(f"{self._scan}.end", text)

    def gave_up(self, reason: str) -> None:
        """The archive can not be used."""
        text = "MetadataPost failed, abort processing, not updating state - ERR: "
        self._line(f"{self._scan}.error", f"{text}{reason!r}")

    def _line(self, event: str, text: str) -> None:
        if self._bar is not None:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
        self._events(event, text)
