"""File accesses as the f-stream tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from gridtap.xrootd import FileCLS, FileDSC, FileOPN, FileXFR, Fstat, recFval
from gridtap.xrootd.streams.map import (
    MapInfoError,
    MapInfoStore,
    PathAccessInfo,
    ServerInfo,
    UserInfo,
)
from gridtap.xrootd.text import slot_repr

__all__ = ["Close", "Disconnect", "FstatWindow", "Open", "Transfer", "digest_packet"]


class Disconnect:
    """A client disconnected from the server"""

    __slots__ = ("client",)

    def __init__(self, client: UserInfo) -> None:
        self.client = client

    @classmethod
    def from_record(
        cls, record_struct: FileDSC, server: ServerInfo, map_store: MapInfoStore
    ) -> Disconnect:
        client = map_store.get_user(server.stod, record_struct.dictid, server.sid)
        map_store.free_user(server.stod, record_struct.dictid, server.sid)
        return cls(client)

    __repr__ = slot_repr


class Open:
    """A client opened a file"""

    __slots__ = ("client", "lfn", "readwrite", "filesize")

    def __init__(self, client: PathAccessInfo, lfn: bytes, readwrite: bool, filesize: int) -> None:
        self.readwrite, self.filesize, self.client, self.lfn = readwrite, filesize, client, lfn

    @classmethod
    def from_record(
        cls, record_struct: FileOPN, server: ServerInfo, map_store: MapInfoStore
    ) -> Open:
        fileid, lfn = record_struct.fileid, record_struct.lfn
        if lfn is None:
            access_info = map_store.get_access(server.stod, fileid, server.sid)
        else:
            access_info = map_store.set_access(server, fileid, record_struct.user or 0, lfn)
        read_write = bool(record_struct.flags & recFval.hasRW)
        return cls(access_info, access_info.path, read_write, record_struct.filesize)

    __repr__ = slot_repr


class Close:
    """A client closed a file"""

    __slots__ = ("client", "lfn", "stats")

    def __init__(self, client: PathAccessInfo, lfn: bytes, stats: FileCLS) -> None:
        self.client, self.lfn, self.stats = client, lfn, stats

    @classmethod
    def from_record(
        cls, record_struct: FileCLS, server: ServerInfo, map_store: MapInfoStore
    ) -> Close:
        path_info = map_store.get_access(server.stod, record_struct.fileid, server.sid)
        map_store.free_access(server.stod, record_struct.fileid, server.sid)
        return cls(path_info, path_info.path, record_struct)

    __repr__ = slot_repr


class Transfer:
    """Bytes moved so far for an open file"""

    __slots__ = ("client", "lfn", "stats")

    def __init__(self, client: PathAccessInfo, lfn: bytes, stats: FileXFR) -> None:
        self.client, self.lfn, self.stats = client, lfn, stats

    @classmethod
    def from_record(
        cls, record_struct: FileXFR, server: ServerInfo, map_store: MapInfoStore
    ) -> Transfer:
        path_info = map_store.get_access(server.stod, record_struct.fileid, server.sid)
        return cls(path_info, path_info.path, record_struct)

    __repr__ = slot_repr


FstatEvent: TypeAlias = Disconnect | Open | Close | Transfer


class FstatWindow:
    """Events of one time window, UNIX seconds; None where the packet does not tell"""

    __slots__ = ("server_info", "start", "end", "records")

    def __init__(
        self,
        server_info: ServerInfo,
        start: int | None,
        end: int | None,
        records: list[FstatEvent],
    ) -> None:
        self.server_info = server_info
        self.start = start
        self.end = end
        self.records = records

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}, start={self.start}, end={self.end}, "
            f"records={len(self.records)}, server={self.server_info}>"
        )


convert_record_dispatch: dict[type[Any], Callable[..., FstatEvent]] = {
    FileDSC: Disconnect.from_record,
    FileOPN: Open.from_record,
    FileCLS: Close.from_record,
    FileXFR: Transfer.from_record,
}


def digest_packet(stod: int, fstat_struct: Fstat, map_store: MapInfoStore) -> Iterator[FstatWindow]:
    """Digest a packet containing fstat data"""
    sid = fstat_struct.tod.sid if fstat_struct.tod is not None else None
    server_info = map_store.get_server(stod, sid)
    records = []
    for record_struct in fstat_struct.records:
        converter = convert_record_dispatch.get(type(record_struct))
        if converter is None:
            continue
        try:
            records.append(converter(record_struct, server_info, map_store))
        except MapInfoError:
            continue
    if records:
        yield FstatWindow(server_info, fstat_struct.start, fstat_struct.end, records)
