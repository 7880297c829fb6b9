"""A directory of Parquet files by hour: ``date=2026-11-24/hour=18/part-0000000000000042.parquet``.

Files appear whole. Names come from the journal segments that they were made of, so that what is
made twice replaces itself. Hidden names (``.part-...``) are nothing to readers, who skip them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridtap.collector.frames import sync_directory
from gridtap.collector.logs import event_log
from gridtap.files import whole_file

__all__ = ["TIMES", "Dataset", "Hour"]

_LOG = event_log(__name__)

#: Columns that say when a record was, the first that has a value counts
TIMES = (
    "closed_at",
    "ended_at",
    "reported_at",
    "window_start",
    "first_seen_at",
    "opened_at",
    "began_at",
    "started_at",
    "received_at",
)

#: Hours since 1970 in UTC
Hour = int

_HOUR_S = 3_600

#: Rows of a row group: large enough to compress, small enough to hold
_ROWS = 131_072

#: Where a merged file says which files it replaces
_MERGED_OF = b"gridtap.merged_of"

_PART = re.compile(r"part-(\d{16})(?:-(\d{16}))?\.parquet")


class Dataset:
    """Files of one kind of record.

    :param directory: made if it is not there
    :raises ImportError: pyarrow is not installed
    """

    def __init__(self, directory: Path) -> None:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet

        self._arrow = pyarrow
        self._parquet = pyarrow.parquet
        self.directory = directory

    def store(self, table: Any, number: int, otherwise: float) -> list[Hour]:
        """Writes the records of a journal segment, each to its hour.

        :param table: an Arrow table
        :param number: of the segment
        :param otherwise: UTC epoch seconds, for records that have no time
        :returns: the hours that have a new file
        :raises OSError: a file cannot be written
        """
        hours = self._hours(table, otherwise)
        found = sorted(hours.unique().to_pylist())
        for hour in found:
            rows = (
                table if len(found) == 1 else table.filter(self._arrow.compute.equal(hours, hour))
            )
            directory = self.path(hour)
            directory.mkdir(parents=True, exist_ok=True)
            with whole_file(directory / f"part-{number:016}.parquet") as part:
                self._write(str(part), rows.schema, [rows])
            # Whoever has the records otherwise forgets them now.
            for each in (directory, directory.parent, self.directory):
                sync_directory(each)
        return found

    def path(self, hour: Hour) -> Path:
        """The directory of an hour"""
        begin = datetime.fromtimestamp(hour * _HOUR_S, UTC)
        return self.directory / f"date={begin:%Y-%m-%d}" / f"hour={begin:%H}"

    def hours(self) -> Iterator[Hour]:
        """The hours that have a directory"""
        for path in self.directory.glob("date=*/hour=*"):
            try:
                begin = datetime.strptime(
                    f"{path.parent.name}/{path.name}", "date=%Y-%m-%d/hour=%H"
                )
            except ValueError:
                continue
            yield int(begin.replace(tzinfo=UTC).timestamp()) // _HOUR_S

    def parts(self, hour: Hour) -> list[Path]:
        """The files of an hour"""
        directory = self.path(hour)
        if not directory.is_dir():
            return []
        return sorted(path for path in directory.iterdir() if _PART.fullmatch(path.name))

    def recover(self) -> None:
        """Finishes merges that a crash ended, and removes files that it left unfinished.

        What cannot be read is left as it is, and the log says so.

        :raises OSError: it cannot be done
        """
        for path in self.directory.glob("date=*/hour=*/.*part-*.part"):
            path.unlink(missing_ok=True)
        for path in self.directory.glob("date=*/hour=*/.part-*.merged"):
            try:
                self._put_in_place(path)
            except self._arrow.ArrowException as error:
                _LOG.error("not_merged", path=str(path), reason=str(error))

    def merge(self, hour: Hour) -> None:
        """Makes one file of an hour's files, if there are several.

        If one cannot be read, the files stay as they are, and the log says so.

        :raises OSError: it cannot be written; the files stay as they are
        """
        parts = self.parts(hour)
        if len(parts) < 2:
            return
        try:
            self._merge(parts)
        except self._arrow.ArrowException as error:
            _LOG.error("not_merged", path=str(self.path(hour)), reason=str(error))

    def _merge(self, parts: list[Path]) -> None:
        first, *_, last = [path.stem.removeprefix("part-").split("-") for path in parts]
        target = parts[0].with_name(f"part-{first[0]}-{last[-1]}.parquet")
        hidden = target.with_name(f".{target.name}.merged")
        schema = self._arrow.unify_schemas(
            [self._parquet.read_schema(str(path)).remove_metadata() for path in parts]
        )
        names = json.dumps([path.name for path in parts]).encode()
        with whole_file(hidden) as part:
            tables = self._tables(parts, schema)
            self._write(str(part), schema.with_metadata({_MERGED_OF: names}), tables)
        self._put_in_place(hidden)

    def _put_in_place(self, hidden: Path) -> None:
        # The merged file has to be there for good before the others go.
        sync_directory(hidden.parent)
        metadata = self._parquet.read_schema(str(hidden)).metadata
        for name in json.loads(metadata[_MERGED_OF]):
            hidden.with_name(name).unlink(missing_ok=True)
        hidden.rename(hidden.with_name(hidden.name.removeprefix(".").removesuffix(".merged")))

    def _tables(self, parts: Iterable[Path], schema: Any) -> Iterator[Any]:
        """All rows, in tables that make good row groups"""
        waiting: list[Any] = []
        rows = 0
        for path in parts:
            with self._parquet.ParquetFile(str(path)) as file:
                for batch in file.iter_batches(_ROWS):
                    waiting.append(self._arrow.Table.from_batches([batch]))
                    rows += batch.num_rows
                    if rows >= _ROWS:
                        yield self._joined(waiting, schema)
                        waiting, rows = [], 0
        if waiting:
            yield self._joined(waiting, schema)

    def _joined(self, tables: list[Any], schema: Any) -> Any:
        empty = schema.empty_table()
        return self._arrow.concat_tables([empty, *tables], promote_options="default")

    def _write(self, path: str, schema: Any, tables: Iterable[Any]) -> None:
        # Opened here, so that what the system refuses has a number and a file name.
        with (
            open(path, "wb") as file,
            self._parquet.ParquetWriter(file, schema, compression="zstd") as writer,
        ):
            for table in tables:
                writer.write_table(table.replace_schema_metadata(schema.metadata), _ROWS)

    def _hours(self, table: Any, otherwise: float) -> Any:
        compute = self._arrow.compute
        double = self._arrow.float64()
        names = [name for name in TIMES if name in table.column_names]
        known = [compute.cast(table[name], double) for name in names]
        moment = compute.coalesce(*known, self._arrow.scalar(float(otherwise), double))
        if not names:
            moment = self._arrow.array([float(otherwise)] * table.num_rows, double)
        return compute.cast(compute.floor(compute.divide(moment, _HOUR_S)), self._arrow.int64())
