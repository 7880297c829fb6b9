"""Read packets and records from captures, dumps and files of bus envelopes.

A *source* is a path, ``"-"`` for standard input, or a binary file object. Its kind is found out by
itself: pcap, pcapng, concatenated binary packets, or JSON lines of bus envelopes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar, cast

from gridtap import _core
from gridtap.xrootd.records import RECORDS, FileAccess, Record

__all__ = ["BinaryFile", "Records", "Source", "read_accesses", "read_packets", "read_records"]


class BinaryFile(Protocol):
    """Whatever has a ``read`` that returns bytes."""

    def read(self, size: int, /) -> bytes: ...


Source = str | os.PathLike[str] | BinaryFile

R = TypeVar("R", bound=Record, covariant=True)


class Records(Generic[R]):
    """The records of one kind in a source, read once: by iterating, or as Arrow.

    ``pyarrow.table(records)``, ``polars.DataFrame(records)``, ``duckdb.from_arrow(...)`` and
    whatever else knows the Arrow PyCapsule interface read them as columns, without copies and
    without gridtap's knowing those libraries.

    :raises OSError: the source cannot be opened or read
    """

    def __init__(self, source: Source, what: str, ports: Sequence[int] = ()) -> None:
        self._class = RECORDS[what]
        self._reader = _core.RecordReader(source, what, list(ports))

    def __iter__(self) -> Iterator[R]:
        make = self._class._make
        while rows := self._reader.rows():
            for row in rows:
                yield cast(R, make(row))

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._reader.__arrow_c_stream__(requested_schema)

    def counts(self) -> dict[str, object]:
        """What was read so far: ``datagrams``, ``bytes``, ``packets`` by code, ``faults`` by kind,
        ``accesses`` by close reason, ``losses`` as (server, sequence class, received, lost, late,
        duplicates), ``duplicate_packets``, ``stale_packets``, ``failed_operations``.
        """
        return self._reader.counts()


def read_records(source: Source, what: str, *, ports: Sequence[int] = ()) -> Records[Record]:
    """Records of a kind named in :py:data:`~gridtap.xrootd.records.RECORDS`.

    :param ports: of a capture, only packets to these UDP ports
    :raises KeyError: no such kind of record
    """
    return Records(source, what, ports)


def read_accesses(source: Source, *, ports: Sequence[int] = ()) -> Records[FileAccess]:
    """One :py:class:`~gridtap.xrootd.records.FileAccess` for each file opened.

    Faults in the source are skipped and counted, see :py:meth:`Records.counts`. Records come in the
    order in which accesses end.
    """
    return Records(source, "accesses", ports)


def read_packets(source: Source, *, ports: Sequence[int] = ()) -> _core.PacketReader:
    """Each packet as :py:class:`~gridtap.xrootd.Packet`; text g-streams and summary reports as
    :py:class:`~gridtap.xrootd.TextGstream` and :py:class:`~gridtap.xrootd.Summary`.

    The iterator's ``peer``, ``received_at`` (UTC epoch seconds), ``number`` and ``offset`` say
    where the newest packet came from; ``skipped`` counts what could not be decoded.
    """
    return _core.PacketReader(source, list(ports))
