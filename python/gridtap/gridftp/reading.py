"""Transfers of a log file, by iterating or as Arrow.

A *source* is a path, ``"-"`` for standard input, or a binary file object; gzip, xz and zstd are
found out by themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

from gridtap import _core
from gridtap.gridftp.records import Transfer, transfers

__all__ = ["BinaryFile", "Log", "Transfers", "read_transfers"]


class BinaryFile(Protocol):
    """Whatever has a ``read`` that returns bytes."""

    def read(self, size: int, /) -> bytes: ...


Log = str | os.PathLike[str] | BinaryFile


class Transfers:
    """The transfers of a log, read once: by iterating, or as Arrow.

    ``pyarrow.table(transfers)``, ``polars.DataFrame(transfers)`` and whatever else knows the Arrow
    PyCapsule interface read them as columns; objects are JSON text there.

    :raises OSError: the source cannot be opened or read
    """

    def __init__(self, source: Log) -> None:
        name = os.fsdecode(source) if isinstance(source, str | os.PathLike) else None
        self._reader = _core.TransferReader(source, name)

    def __iter__(self) -> Iterator[Transfer]:
        while rows := self._reader.rows():
            yield from transfers(rows)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._reader.__arrow_c_stream__(requested_schema)

    def counts(self) -> dict[str, object]:
        """What was read so far: ``transfers``, ``bytes``, ``operations`` and ``codes`` with their
        counts, ``faults`` by kind, ``other_lines``, ``first_started_at``, ``last_ended_at`` (UTC
        epoch seconds), and ``spans`` of ``span_s`` seconds as (begin, bytes of the transfers that
        ended in it).
        """
        return self._reader.counts()


def read_transfers(source: Log) -> Transfers:
    """One :py:class:`~gridtap.gridftp.Transfer` for each record of a log, in the log's order.

    Faults are skipped and counted, see :py:meth:`Transfers.counts`. A last line without its line
    feed is one: nobody knows what it still lacks.
    """
    return Transfers(source)
