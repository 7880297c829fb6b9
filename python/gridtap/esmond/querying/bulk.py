"""Pull many tests and event types into files, several at a time.

Threads fetch and write; files get their names in the archive's order, one after the other, so that
the outcome does not depend on which answer came first. A file appears whole or not at all.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Generic, TypeVar

from gridtap.esmond.errors import EsmondError, NoAnswerError, UnreachableError
from gridtap.esmond.querying.bulk_journal import Done, Journal
from gridtap.esmond.querying.bulk_names import BulkNames
from gridtap.esmond.querying.data_rows import DataRows, chosen_data
from gridtap.esmond.querying.hostnames import HostnameConversion
from gridtap.esmond.querying.ordered import ordered_map
from gridtap.esmond.querying.outputs import ENGINES, Style
from gridtap.esmond.querying.query_options import QueryOptions

if TYPE_CHECKING:
    from gridtap.esmond.query import EventType, Metadata

__all__ = ["BulkPull", "Saved", "Task"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task:
    """One event type of one test.

    :param kind: None for a test without any that is wanted
    """

    number: int
    metadata: Metadata
    kind: EventType | None

    @property
    def event_type(self) -> str:
        """Name of the event type."""
        return (self.kind.event_type if self.kind else None) or ""


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a task.

    :param done: how much there was, and the file's name; None if nothing could be had
    :param error: why
    :param is_old: an earlier pull has done it
    """

    task: Task
    done: Done | None
    error: EsmondError | None = None
    is_old: bool = False


@dataclass(frozen=True, slots=True)
class _Fetched:
    """Rows in a file that has no name yet."""

    task: Task
    done: Done | None
    part: Path | None = None
    error: EsmondError | None = None
    is_old: bool = False


class BulkPull:
    """The files of one query.

    :param journal: begun
    """

    def __init__(self, options: QueryOptions, directory: Path, journal: Journal) -> None:
        self._options = options
        self._directory = directory
        self._journal = journal
        self._hosts = HostnameConversion(options)
        self._names = BulkNames(options, self._hosts)
        self._lock = threading.Lock()
        self._is_over = False

    def tasks(self, tests: Iterable[Metadata]) -> list[Task]:
        """What there is to do for these tests."""
        pairs: list[tuple[Metadata, EventType | None]] = []
        for metadata in tests:
            # An archive may list an event type twice.
            kinds = {kind.event_type: kind for kind in metadata.get_all_event_types()}
            only = self._options.type
            wanted = [k for name, k in kinds.items() if not only or name == only]
            pairs += [(metadata, kind) for kind in wanted] or [(metadata, None)]
        return [Task(number, *pair) for number, pair in enumerate(pairs)]

    def run(self, tasks: Sequence[Task]) -> Iterator[Saved]:
        """Does the tasks, in order; ends early when the archive is gone.

        :raises OSError: a file cannot be written
        :raises MissingExtraError: the format needs an extra
        """
        self._remove_parts()
        for name in self._journal.names():
            self._names.take(name)
        unanswered = 0
        try:
            for fetched in ordered_map(self._fetch, tasks, self._options.jobs):
                saved = self._save(fetched)
                yield saved
                is_silent = isinstance(saved.error, NoAnswerError)
                unanswered = unanswered + 1 if is_silent else 0
                if isinstance(saved.error, UnreachableError) or unanswered > self._options.jobs:
                    return
        finally:
            with self._lock:
                self._is_over = True
            self._remove_parts()

    def _fetch(self, task: Task) -> _Fetched:
        if task.kind is None:
            return _Fetched(task, Done(None, 0, 0, 0))
        old = self._journal.done(task.metadata.metadata_key or "", task.event_type)
        if old is not None:
            return _Fetched(task, old, is_old=True)
        try:
            return self._write(task, task.kind)
        except EsmondError as error:
            return _Fetched(task, None, error=error)

    def _write(self, task: Task, kind: EventType) -> _Fetched:
        data = chosen_data(kind, self._options)
        if data is None:
            return _Fetched(task, Done(None, 0, 0, 0))
        maker = DataRows(self._options, task.event_type, self._hosts)
        points = _Counted(data.iter_data())
        rows = _Counted(maker.of(task.metadata, points))
        first = list(islice(rows, 1))
        if not first:
            return _Fetched(task, Done(None, 0, points.count, 0))
        part = self._directory / f".esmond-ps-get-bulk.{self._journal.token}.{task.number}.part"
        try:
            size = self._write_file(part, chain(first, rows), maker.columns)
        except OSError as error:
            error.filename = error.filename or os.fspath(self._directory)
            raise
        return _Fetched(task, Done(None, rows.count, points.count, size), part)

    def _write_file(
        self, part: Path, rows: Iterable[dict[str, object]], columns: Sequence[str]
    ) -> int:
        with self._opened(part) as file:
            if self._options.format == "parquet":
                from gridtap.esmond.querying.parquet import write_parquet

                write_parquet(rows, columns, file)
            else:
                style = Style(json_values=self._options.json_values)
                for text in ENGINES[self._options.format](rows, columns, style):
                    file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
            return file.tell()

    def _opened(self, part: Path) -> BinaryIO:
        with self._lock:
            if self._is_over:
                # Nobody would remove it any more.
                raise OSError("the pull is over")
            return part.open("wb")

    def _save(self, fetched: _Fetched) -> Saved:
        task, done = fetched.task, fetched.done
        if done is None:
            # Its name is kept for the next attempt, which then finds what a first one would have.
            self._names.name_for(task.metadata, task.event_type)
        if done is None or fetched.is_old or task.kind is None:
            return Saved(task, done, fetched.error, fetched.is_old)
        if fetched.part is not None:
            name = self._names.name_for(task.metadata, task.event_type)
            fetched.part.replace(self._directory / name)
            done = done._replace(name=name)
        self._journal.record(task.metadata.metadata_key or "", task.event_type, done)
        return Saved(task, done)

    def _remove_parts(self) -> None:
        for part in self._directory.glob(f".esmond-ps-get-bulk.{self._journal.token}.*.part"):
            with suppress(OSError):
                part.unlink()


class _Counted(Generic[T]):
    """An iterator that knows how many items it has given."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)
        self.count = 0

    def __iter__(self) -> _Counted[T]:
        return self

    def __next__(self) -> T:
        item = next(self._items)
        self.count += 1
        return item
