"""Requests of clients as the t-stream tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from gridtap.xrootd import Buff, Window
from gridtap.xrootd import Close as CloseStruct
from gridtap.xrootd import Disc as DiscStruct
from gridtap.xrootd import Open as OpenStruct
from gridtap.xrootd import Read as ReadStruct
from gridtap.xrootd import ReadU as ReadUStruct
from gridtap.xrootd import ReadV as ReadVStruct
from gridtap.xrootd import ReadWrite as ReadWriteStruct
from gridtap.xrootd.streams.map import (
    MapInfoError,
    MapInfoStore,
    PathAccessInfo,
    ServerInfo,
    UserInfo,
)
from gridtap.xrootd.text import slot_repr
from gridtap.xrootd.trace import XROOTD_MON

__all__ = [
    "Close",
    "Disconnect",
    "Open",
    "ReadVector",
    "ReadWrite",
    "TraceWindow",
    "digest_packet",
]


class Disconnect:
    """A client disconnected from the server after ``duration`` seconds"""

    __slots__ = ("client", "duration", "forced")

    def __init__(self, client: UserInfo, duration: int, forced: bool) -> None:
        self.client, self.duration, self.forced = client, duration, forced

    @classmethod
    def from_record(
        cls, record_struct: DiscStruct, server: ServerInfo, map_store: MapInfoStore
    ) -> Disconnect:
        client = map_store.get_user(server.stod, record_struct.dictid, server.sid)
        map_store.free_user(server.stod, record_struct.dictid, server.sid)
        forced = bool(record_struct.flags & XROOTD_MON.FORCED)
        return cls(client, record_struct.seconds, forced)

    __repr__ = slot_repr


class Open:
    """A client opened a file"""

    __slots__ = ("client", "lfn", "filesize")

    def __init__(self, client: PathAccessInfo, lfn: bytes, filesize: int) -> None:
        self.filesize, self.client, self.lfn = filesize, client, lfn

    @classmethod
    def from_record(
        cls, record_struct: OpenStruct, server: ServerInfo, map_store: MapInfoStore
    ) -> Open:
        path_info = map_store.get_access(server.stod, record_struct.dictid, server.sid)
        return cls(path_info, path_info.path, record_struct.filesize)

    __repr__ = slot_repr


class ReadWrite:
    """A client read from or wrote to a file: bytes, never negative"""

    __slots__ = ("client", "lfn", "offset", "read", "write")

    def __init__(
        self, client: PathAccessInfo, lfn: bytes, offset: int, read: int, write: int
    ) -> None:
        self.client, self.lfn, self.offset, self.read, self.write = (
            client,
            lfn,
            offset,
            read,
            write,
        )

    @classmethod
    def from_record(
        cls, record_struct: ReadWriteStruct, server: ServerInfo, map_store: MapInfoStore
    ) -> ReadWrite:
        path_info = map_store.get_access(server.stod, record_struct.dictid, server.sid)
        return cls(
            path_info,
            path_info.path,
            record_struct.val,
            record_struct.readlen,
            record_struct.writelen,
        )

    __repr__ = slot_repr


class ReadVector:
    """A vector read of ``count`` segments

    ``reads`` holds lengths in bytes: of each segment if the server lists them (``unpacked``; they
    follow as :py:class:`ReadWrite` and must not be added to these), else one with their sum.
    """

    __slots__ = ("client", "lfn", "reads", "count", "unpacked")

    def __init__(
        self,
        client: PathAccessInfo,
        lfn: bytes,
        reads: list[int],
        count: int | None = None,
        unpacked: bool = False,
    ) -> None:
        self.client, self.lfn, self.reads = client, lfn, reads
        self.count = len(reads) if count is None else count
        self.unpacked = unpacked

    @classmethod
    def from_record(
        cls, record_struct: ReadStruct, server: ServerInfo, map_store: MapInfoStore
    ) -> ReadVector:
        path_info = map_store.get_access(server.stod, record_struct.dictid, server.sid)
        unpacked = isinstance(record_struct, ReadUStruct)
        reads = [] if unpacked else [record_struct.buflen]
        return cls(path_info, path_info.path, reads, record_struct.count, unpacked)

    __repr__ = slot_repr


class Close:
    """A client closed a file: bytes read and written"""

    __slots__ = ("client", "lfn", "rtot", "wtot")

    def __init__(self, client: PathAccessInfo, lfn: bytes, rtot: int, wtot: int) -> None:
        self.client, self.lfn, self.rtot, self.wtot = client, lfn, rtot, wtot

    @classmethod
    def from_record(
        cls, record_struct: CloseStruct, server: ServerInfo, map_store: MapInfoStore
    ) -> Close:
        path_info = map_store.get_access(server.stod, record_struct.dictid, server.sid)
        map_store.free_access(server.stod, record_struct.dictid, server.sid)
        return cls(path_info, path_info.path, record_struct.rtot, record_struct.wtot)

    __repr__ = slot_repr


TraceEvent: TypeAlias = Disconnect | Open | ReadWrite | ReadVector | Close


class TraceWindow:
    """Sequence of events in a time window, UNIX seconds; None where the packet does not tell"""

    __slots__ = ("server_info", "start", "end", "records")

    def __init__(
        self,
        server_info: ServerInfo,
        start: int | None,
        end: int | None,
        records: list[TraceEvent],
    ) -> None:
        self.server_info = server_info
        self.start = start
        self.end = end
        self.records = records

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}, start={self.start}, end={self.end}, "
            f"record_size={len(self.records)}, server={self.server_info}>"
        )


#: Records without an entry (application markers, unknown types) are left out.
convert_record_dispatch: dict[type[Any], Callable[..., TraceEvent]] = {
    CloseStruct: Close.from_record,
    OpenStruct: Open.from_record,
    DiscStruct: Disconnect.from_record,
    ReadWriteStruct: ReadWrite.from_record,
    ReadUStruct: ReadVector.from_record,
    ReadVStruct: ReadVector.from_record,
}


def digest_packet(stod: int, buff_struct: Buff, map_store: MapInfoStore) -> Iterator[TraceWindow]:
    """Digest a packet containing trace data"""
    marks = (mark.sid for mark in buff_struct.records if isinstance(mark, Window))
    server_info = map_store.get_server(stod, next(marks, None))
    start: int | None = None
    records: list[TraceEvent] = []
    vector: ReadVector | None = None
    for record_struct in buff_struct.records:
        if isinstance(record_struct, Window):
            if records:
                yield TraceWindow(server_info, start, record_struct.end, records)
            start, records = record_struct.start, []
            continue
        converter = convert_record_dispatch.get(type(record_struct))
        if converter is None:
            continue
        try:
            record = converter(record_struct, server_info, map_store)
        except MapInfoError:
            continue
        vector = _follow(vector, record)
        records.append(record)
    if records:
        yield TraceWindow(server_info, start, None, records)


def _follow(vector: ReadVector | None, record: TraceEvent) -> ReadVector | None:
    """Gives an unpacked vector read the segments that follow it"""
    if isinstance(record, ReadVector):
        return record if record.unpacked else None
    if vector is None or not isinstance(record, ReadWrite) or record.client is not vector.client:
        return None
    vector.reads.append(record.read)
    return vector if len(vector.reads) < vector.count else None
