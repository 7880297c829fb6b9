"""From rows to standard output or a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, Protocol, TypeVar

from gridtap.cli.esmond_checks import notice
from gridtap.cli.esmond_connection import reason_of
from gridtap.esmond.errors import EsmondError
from gridtap.esmond.querying.outputs import ENGINES, Row, Style
from gridtap.esmond.querying.query_options import QueryOptions
from gridtap.files import whole_file

__all__ = ["Answers", "emit", "style_of"]

#: What could command a terminal, but for tab and newline
_CONTROLS = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}

T = TypeVar("T")


class TextSink(Protocol):
    """Whatever text can be written to."""

    def write(self, text: str, /) -> object: ...


class NothingError(Exception):
    """There is nothing to print, and why has been told."""


class Answers:
    """Rows from an archive that may fail on the way.

    What came before a failure is printed and closed properly; the failure is told on standard
    error, and in the exit status.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self.is_whole = True

    def complain(self, error: EsmondError) -> None:
        """Tells of a request whose answer is missing in the output."""
        self.is_whole = False
        notice(f"{self._command}: {reason_of(error)}")

    def guarded(self, rows: Iterable[T]) -> Iterator[T]:
        """The rows up to a failure.

        :raises NothingError: there is none, and not because the archive said so
        """
        is_empty = True
        try:
            for row in rows:
                is_empty = False
                yield row
        except EsmondError as error:
            self.complain(error)
        if is_empty and not self.is_whole:
            raise NothingError


def style_of(options: QueryOptions) -> Style:
    """How values look."""
    return Style(is_extended=options.metadata, json_values=options.json_values)


def emit(rows: Iterable[Row], columns: Sequence[str], options: QueryOptions) -> None:
    """Prints rows in the wanted format, or writes them to the wanted file.

    :raises OSError: not possible
    :raises MissingExtraError: pyarrow is not installed
    """
    path = Path(options.output_file) if options.output_file else None
    try:
        # Before anything is printed it must be known that there is something to print.
        rows = _begun(rows)
        if options.format == "parquet" and path is not None:
            from gridtap.esmond.querying.parquet import write_parquet

            with _naming(path), whole_file(path) as part, (part or path).open("wb") as binary:
                write_parquet(rows, columns, binary)
            return
        with _opened(path) as file:
            for text in ENGINES[options.format](rows, columns, style_of(options)):
                file.write(text)
            if options.format != "jsonl":
                # The newline of the original's print.
                file.write("\n")
    except NothingError:
        return


def _begun(rows: Iterable[Row]) -> Iterator[Row]:
    rest = iter(rows)
    return chain(list(islice(rest, 1)), rest)


@contextmanager
def _opened(path: Path | None) -> Iterator[TextSink]:
    if path is not None:
        with _naming(path), whole_file(path) as part, _text_file(part or path) as file:
            yield file
        return
    yield _Terminal(sys.stdout) if sys.stdout.isatty() else sys.stdout
    sys.stdout.flush()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Gives errors a file name that have none: a disk that is full does not say where."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or os.fspath(path)
        raise


def _text_file(path: Path) -> IO[str]:
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")


class _Terminal:
    """A terminal that an archive's texts can not command"""

    def __init__(self, file: TextSink) -> None:
        self._file = file

    def write(self, text: str, /) -> object:
        return self._file.write(text.replace("\r\n", "\n").translate(_CONTROLS))
