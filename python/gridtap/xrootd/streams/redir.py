"""Redirections of clients as the r-stream tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Self

from gridtap.xrootd import Burr, Redirect, WindowMark
from gridtap.xrootd.redir import XROOTD_MON
from gridtap.xrootd.streams.map import MapInfoError, MapInfoStore, ServerInfo, UserInfo

__all__ = ["Action", "CmsdRedir", "RedirWindow", "Redirection", "XrootdRedir", "digest_packet"]

Action = XROOTD_MON


class Redirection:
    """A client was sent to ``target``; an empty target is a local file"""

    __slots__ = ("action", "target", "port", "client", "path")

    def __init__(
        self, action: int, target: bytes, port: int, client: UserInfo, path: bytes
    ) -> None:
        self.action, self.target, self.port = action, target, port
        self.client, self.path = client, path

    @classmethod
    def from_record(
        cls, record_struct: Redirect, server: ServerInfo, map_store: MapInfoStore
    ) -> Self:
        if cls is Redirection:
            raise TypeError("only derived classes allowed for Redirection events")
        client = map_store.get_user(server.stod, record_struct.dictid, server.sid)
        target = record_struct.server or b""
        return cls(record_struct.subtype, target, record_struct.port, client, record_struct.path)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in Redirection.__slots__)
        return f"<{type(self).__name__}, {shown}>"


class XrootdRedir(Redirection):
    """Decided by the server's own configuration"""

    __slots__ = ()


class CmsdRedir(Redirection):
    """Decided by the cluster; ``port`` is mostly the redirector's own"""

    __slots__ = ()


class RedirWindow:
    """Sequence of events in a time window, UNIX seconds; None where the packet does not tell"""

    __slots__ = ("server_info", "start", "end", "records")

    def __init__(
        self,
        server_info: ServerInfo,
        start: int | None,
        end: int | None,
        records: list[Redirection],
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


convert_record_dispatch: dict[int, Callable[..., Redirection]] = {
    XROOTD_MON.REDIRECT: CmsdRedir.from_record,
    XROOTD_MON.REDLOCAL: XrootdRedir.from_record,
}


def _window(server: ServerInfo, mark: WindowMark | None, records: list[Redirection]) -> RedirWindow:
    if mark is None:
        return RedirWindow(server, None, None, records)
    return RedirWindow(server, mark.timestamp, mark.timestamp + mark.window, records)


def digest_packet(stod: int, burr_struct: Burr, map_store: MapInfoStore) -> Iterator[RedirWindow]:
    """Digest a packet containing redir data"""
    server_info = map_store.get_server(stod, burr_struct.sid.sid)
    mark: WindowMark | None = None
    records: list[Redirection] = []
    for record_struct in burr_struct.records:
        if isinstance(record_struct, WindowMark):
            if records:
                yield _window(server_info, mark, records)
            mark, records = record_struct, []
            continue
        converter = convert_record_dispatch.get(record_struct.type)
        if converter is None:
            continue
        try:
            records.append(converter(record_struct, server_info, map_store))
        except MapInfoError:
            continue
    if records:
        yield _window(server_info, mark, records)
