"""Files that appear whole or not at all, and Parquet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gridtap import _core
from gridtap.errors import MissingExtraError

__all__ = ["ParquetFile", "whole_file"]

_DEVICES = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))


@contextmanager
def whole_file(path: Path | None) -> Iterator[Path | None]:
    """A path to write to, which becomes ``path`` when all went well and is removed otherwise.

    Devices and pipes are written to as they are: they cannot be replaced. So are names in ``/dev``,
    as ``/dev/stdout`` is a link to whatever the shell opened. Other links keep pointing where they
    do. Errors name ``path``, which is what the user knows.
    """
    if path is None or path.parent in _DEVICES or (path.exists() and not path.is_file()):
        yield path
        return
    target = path.resolve() if path.is_symlink() else path
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        if error.filename is not None and os.fspath(error.filename) == os.fspath(part):
            error.filename = os.fspath(path)
        raise
    finally:
        with suppress(OSError):
            part.unlink()


class ParquetFile:
    """A Parquet file filled from an extractor of format ``arrow``.

    :raises MissingExtraError: pyarrow is not installed
    """

    #: Rows of a row group: large enough to compress, small enough to hold.
    _ROWS = 65_536

    def __init__(self, run: _core.Extractor, path: Path) -> None:
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
