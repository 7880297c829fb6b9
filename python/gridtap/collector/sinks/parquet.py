"""Records in a dataset of Parquet files by hour.

A Parquet file cannot be added to, so that batches wait in a journal until there are enough of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from gridtap.collector.journal import Journal, Segment
from gridtap.collector.sinks.dataset import Dataset, Hour
from gridtap.collector.sinks.protocol import Form, StoredBatch
from gridtap.collector.sinks.refusals import Refusals
from gridtap.collector.sinks.settings import FsyncPolicy, Setting
from gridtap.errors import (
    MissingExtraError,
    RefusedError,
    SinkSettingError,
    SinkUnavailableError,
)

__all__ = ["ParquetSettings", "ParquetSink"]

_HOUR_S = 3_600

#: Between two looks for hours that may be merged, in seconds
_LOOK_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetSettings:
    """Settings of a sink of type ``parquet``."""

    directory: Annotated[
        str, Setting("of the dataset; made if its parent is there. It is this sink's alone")
    ]
    roll_every: Annotated[
        float, Setting("a file is made at each multiple of this since 1970 in UTC", "s")
    ] = 300.0
    roll_size: Annotated[
        int, Setting("a file is made before, when so much waits in the journal", "bytes")
    ] = 64 << 20
    compaction: Annotated[bool, Setting("the files of an hour become one")] = True
    compact_after: Annotated[
        float, Setting("since the end of the hour, and since its newest file", "s")
    ] = 600.0
    fsync: Annotated[
        FsyncPolicy,
        Setting("when what waits in the journal is made to survive a crash of the host"),
    ] = "interval"
    fsync_every: Annotated[float, Setting("of the fsync policy `interval`", "s")] = 1.0


class ParquetSink:
    """Takes batches into a journal, and makes files of it.

    :param clock: gives UTC epoch seconds
    :raises MissingExtraError: pyarrow is not installed
    :raises SinkSettingError: a setting that cannot be
    """

    form: ClassVar[Form] = "arrow"

    def __init__(
        self, settings: ParquetSettings, *, clock: Callable[[], float] = time.time
    ) -> None:
        _check(settings)
        try:
            import pyarrow
        except ImportError as error:
            raise MissingExtraError("a sink of type parquet", "arrow") from error
        self._arrow = pyarrow
        self._settings = settings
        self._clock = clock
        self._directory = Path(settings.directory)
        self._dataset = Dataset(self._directory)
        self._journal: Journal | None = None
        self._refusals = Refusals(settings.directory)
        self._period = 0
        self._synced_at = 0.0
        self._looked_at = 0.0
        #: Hours that may have several files
        self._hours: set[Hour] = set()

    def write(self, batch: StoredBatch) -> None:
        """See :py:class:`~.protocol.Sink`."""
        try:
            self._table([batch])
        except self._arrow.ArrowException as error:
            raise RefusedError("not_arrow", batch.records, f"no Arrow stream: {error}") from error
        journal = self._opened()
        self._store(journal)
        if not journal.size:
            self._period = self._period_of(self._clock())
        journal.append(batch)
        if journal.size >= self._settings.roll_size:
            # The batch was taken. Who cannot take another says so when it comes.
            with suppress(SinkUnavailableError):
                self._roll(journal)
        self._refusals.tell()

    def flush(self) -> None:
        """See :py:class:`~.protocol.Sink`."""
        if self._journal is not None:
            self._journal.sync()

    def tick(self, now: float) -> None:
        """See :py:class:`~.protocol.Sink`."""
        journal = self._opened() if self._journal or self._directory.is_dir() else None
        if journal is None:
            return
        if journal.size and self._period_of(now) != self._period:
            self._roll(journal)
        self._store(journal)
        if abs(now - self._synced_at) >= self._settings.fsync_every:
            self._synced_at = now
            if self._settings.fsync == "interval":
                journal.sync()
        if self._settings.compaction and abs(now - self._looked_at) >= _LOOK_S:
            self._looked_at = now
            self._merge(now)

    def reopen(self) -> None:
        """See :py:class:`~.protocol.Sink`. What waits becomes a file."""
        if self._journal is not None:
            self._roll(self._journal)

    def close(self) -> None:
        """See :py:class:`~.protocol.Sink`. What waits becomes a file."""
        if self._journal is None:
            return
        journal, self._journal = self._journal, None
        try:
            self._roll(journal)
        finally:
            journal.close()
            self._refusals.close()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = error.filename or self._directory
            raise SinkUnavailableError(f"{what}: {error.strerror or error}") from error

    def _opened(self) -> Journal:
        if self._journal is None:
            with self._mapped():
                self._directory.mkdir(exist_ok=True)
                journal = Journal(self._directory / ".journal", self._settings.fsync)
                try:
                    self._dataset.recover()
                except BaseException:
                    journal.close()
                    raise
            self._journal = journal
            self._hours.update(self._dataset.hours())
        return self._journal

    def _roll(self, journal: Journal) -> None:
        journal.seal()
        self._store(journal)

    def _store(self, journal: Journal) -> None:
        """Makes files of what is sealed: usually nothing, or what could not be stored before."""
        for segment in journal.sealed():
            try:
                with self._mapped():
                    self._hours.update(self._store_one(segment))
            except self._arrow.ArrowException as error:
                records = sum(batch.records for batch in segment.batches())
                aside = journal.put_aside(segment)
                text = f"{aside}: no Parquet file can be made of it: {error}"
                self._refusals.add("not_arrow", records, text)
                continue
            journal.remove(segment)

    def _store_one(self, segment: Segment) -> list[Hour]:
        table = self._table(segment.batches())
        if table is None or not table.num_rows:
            return []
        # Of the file rather than the clock: made again after a crash, it must be the same.
        return self._dataset.store(table, segment.number, segment.path.stat().st_mtime)

    def _table(self, batches: Iterator[StoredBatch] | list[StoredBatch]) -> Any:
        streams = (self._arrow.ipc.open_stream(batch.data) for batch in batches if batch.data)
        tables = [stream.read_all() for stream in streams]
        return self._arrow.concat_tables(tables, promote_options="default") if tables else None

    def _merge(self, now: float) -> None:
        for hour in sorted(self._hours):
            parts = self._dataset.parts(hour)
            newest = max((path.stat().st_mtime for path in parts), default=0.0)
            due = max((hour + 1) * _HOUR_S, newest) + self._settings.compact_after
            if now < due:
                continue
            with self._mapped():
                self._dataset.merge(hour)
            self._hours.discard(hour)

    def _period_of(self, moment: float) -> int:
        return int(moment // self._settings.roll_every)


def _check(settings: ParquetSettings) -> None:
    if not settings.directory:
        raise SinkSettingError("directory: none is named")
    if settings.fsync not in ("never", "interval", "always"):
        raise SinkSettingError(f"fsync: no such policy: {settings.fsync}")
    for name in ("roll_every", "roll_size"):
        if getattr(settings, name) <= 0:
            raise SinkSettingError(f"{name}: not positive: {getattr(settings, name)}")
    for name in ("compact_after", "fsync_every"):
        if getattr(settings, name) < 0:
            raise SinkSettingError(f"{name}: negative: {getattr(settings, name)}")
