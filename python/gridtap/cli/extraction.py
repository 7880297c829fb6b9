"""Sources in, records out: what ``gridtap decode`` and ``gridtap scan`` have in common."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import click

from gridtap import _core
from gridtap.cli.output import ParquetFile, whole_file

__all__ = ["Extraction", "Extractor", "Failure", "Settings", "record_options"]

#: From this size on a source shows its progress.
_LONG = 64 << 20

#: Kind, number of the packet or line, byte offset, byte in the packet, what was being read.
Shown = tuple[str, int, int, int | None, str]


class Failure(click.ClickException):
    """A one-line error that ends the command: a source or the output cannot be used."""

    exit_code = 2

    def __init__(self, command: str, message: str) -> None:
        super().__init__(message)
        self._command = command

    @classmethod
    def of_file(cls, command: str, path: str, error: OSError) -> Failure:
        """A file that cannot be read, by the name that the error gives it."""
        name = os.fsdecode(error.filename or path)
        return cls(command, f"{name}: {error.strerror or error}")

    def show(self, file: object = None) -> None:
        click.echo(f"gridtap {self._command}: {self.message}", err=True)


class Extractor(Protocol):
    """What the core's extractors have in common."""

    def step(self) -> tuple[bool, int]: ...
    def take(self) -> _core.ArrowRecords: ...
    def faults(self) -> list[Shown]: ...
    def finish(self) -> None: ...
    def flush(self) -> None: ...
    def counts(self) -> dict[str, Any]: ...


E = TypeVar("E", bound=Extractor)
Command = Callable[..., Any]

_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option(
        "--format",
        "form",
        type=click.Choice(["table", "jsonl", "csv", "parquet"]),
        help="Output format.  [default: table on a terminal, else jsonl]",
    ),
    click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write to FILE instead of standard output; it appears whole or not at all.",
        metavar="FILE",
    ),
)

_LAST_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option("--strict", is_flag=True, help="Stop with exit code 1 at the first fault."),
    click.option("-q", "--quiet", is_flag=True, help="No summary and no progress."),
)


def record_options(*own: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """The options of both commands, with a command's own where decode has its ``--port``."""

    def decorate(command: Command) -> Command:
        for option in reversed((*_OPTIONS, *own, *_LAST_OPTIONS)):
            command = option(command)
        return command

    return decorate


@dataclass(frozen=True)
class Settings:
    """Where records go, and what is said beside them."""

    command: str
    form: str
    output: Path | None
    strict: bool
    quiet: bool
    width: int | None

    @classmethod
    def of(
        cls, command: str, form: str | None, output: Path | None, strict: bool, quiet: bool
    ) -> Settings:
        """Fills in the defaults.

        :raises Failure: Parquet without a file
        """
        is_terminal = output is None and sys.stdout is not None and sys.stdout.isatty()
        form = form or ("table" if is_terminal else "jsonl")
        if form == "parquet" and output is None:
            raise Failure(command, "parquet needs a file: add -o FILE")
        width = shutil.get_terminal_size().columns if is_terminal else None
        return cls(command, form, output, strict, quiet, width)


@dataclass(frozen=True)
class Extraction(Generic[E]):
    """One run of a command.

    ``make`` makes the extractor of a format and a path, ``begin`` goes on with a source, and
    ``unit`` is what the core numbers: packets, lines.
    """

    settings: Settings
    make: Callable[[str, Path | None], E]
    begin: Callable[[E, str], None]
    unit: str

    def run(self, sources: Sequence[str]) -> E:
        """Reads all sources; the extractor has the counts.

        :raises Failure: a source or the output cannot be used
        """
        output = self.settings.output
        try:
            with whole_file(output) as path:
                return self._run(sources, path)
        except BrokenPipeError:
            raise
        except OSError as error:
            # Sources name themselves, and so does a file that cannot be made.
            name = error.filename or output or "standard output"
            text = f"{os.fsdecode(name)}: {error.strerror or error}"
            raise Failure(self.settings.command, text) from error

    def _run(self, sources: Sequence[str], path: Path | None) -> E:
        drain, close = _nothing, _nothing
        if self.settings.form == "parquet" and path is not None:
            run = self.make("arrow", None)
            file = ParquetFile(run, path)
            drain, close = file.drain, file.close
        else:
            run = self.make(self.settings.form, path)
        for source in sources:
            self._read(run, source, drain)
        run.finish()
        drain()
        close()
        return run

    def _read(self, run: E, source: str, drain: Callable[[], None]) -> None:
        strict = self.settings.strict
        faults_before = _faults(run)
        self.begin(run, source)
        with _progress(source, self.settings.quiet) as advance:
            more = True
            while more:
                more, position = run.step()
                advance(position)
                drain()
                if strict and run.faults():
                    break
        shown = run.faults()
        for kind, number, offset, within, context in shown:
            place = f"{self.unit} {number} at byte {offset}"
            place += f"+{within}" if within is not None else ""
            click.echo(f"{source}: {place}: {kind}: {context}", err=True)
            if strict:
                # Records from before the fault are good, and whoever reads them shall have them.
                run.flush()
                raise click.exceptions.Exit(1)
        unsaid = _faults(run) - faults_before - len(shown)
        if unsaid:
            click.echo(f"{source}: and {unsaid:,} more", err=True)


def _nothing() -> None:
    """Text formats write as they read."""


def _faults(run: Extractor) -> int:
    faults: dict[str, int] = run.counts()["faults"]
    return sum(faults.values())


@contextmanager
def _progress(source: str, quiet: bool) -> Iterator[Callable[[int], None]]:
    size = os.path.getsize(source) if source != "-" and os.path.isfile(source) else 0
    if quiet or size < _LONG or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=size, label=os.path.basename(source), file=sys.stderr) as bar:
        yield lambda position: bar.update(max(0, position - bar.pos))
