"""Files that appear whole or not at all, and Parquet of what the core extracts."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from gridtap import _core
from gridtap.errors import MissingExtraError
from gridtap.files import whole_file

__all__ = ["Gathering", "ParquetFile", "whole_file"]


class Gathering(Protocol):
    """An extractor that gathers Arrow batches."""

    def take(self) -> _core.ArrowRecords: ...


class ParquetFile:
    """A Parquet file filled from an extractor of format ``arrow``.

    :raises MissingExtraError: pyarrow is not installed
    """

    #: Rows of a row group: large enough to compress, small enough to hold.
    _ROWS = 65_536

    def __init__(self, run: Gathering, path: Path) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise MissingExtraError("Parquet", "arrow") from error
        self._run = run
        self._table = pyarrow.table
        self._concat = pyarrow.concat_tables
        first = pyarrow.table(run.take())
        self._waiting = [first]
        # Opened here, so that what the system refuses has a number and a file name.
        self._file = path.open("wb")
        self._writer = pyarrow.parquet.ParquetWriter(self._file, first.schema, compression="zstd")

    def drain(self) -> None:
        """Takes over what the extractor has gathered."""
        self._waiting.append(self._table(self._run.take()))
        if sum(table.num_rows for table in self._waiting) >= self._ROWS:
            self._write()

    def close(self) -> None:
        """Writes what is left and the footer."""
        self._write()
        self._writer.close()
        self._file.close()

    def _write(self) -> None:
        table = self._concat(self._waiting)
        self._waiting.clear()
        if table.num_rows:
            self._writer.write_table(table)
