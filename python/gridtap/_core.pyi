"""Types of the native module. Classes live under their documented names in `gridtap.xrootd`."""

from collections.abc import Sequence
from os import PathLike
from struct import Struct
from typing import Any, ClassVar, Final, Self, TypeAlias, final

from typing_extensions import Buffer

from gridtap.gridftp.reading import Log
from gridtap.xrootd.plugin import PluginRecord
from gridtap.xrootd.reading import Source

__all__ = [
    "AppId",
    "AppInfo",
    "ArrowRecords",
    "AuthInfo",
    "Batch",
    "Buff",
    "Burr",
    "Close",
    "Collector",
    "Disc",
    "EacInfo",
    "Explanation",
    "Extractor",
    "Fault",
    "FileCLS",
    "FileDSC",
    "FileERR",
    "FileLFNView",
    "FileOPN",
    "FileTOD",
    "FileXFR",
    "Fstat",
    "Header",
    "Map",
    "Open",
    "Packet",
    "PacketReader",
    "Path",
    "Plugin",
    "PrgInfo",
    "Read",
    "ReadU",
    "ReadV",
    "ReadWrite",
    "RecordReader",
    "Redirect",
    "RedirectArg0View",
    "RedirectArg1View",
    "Replay",
    "ServerIdent",
    "SrvInfo",
    "StatERR",
    "StatOPS",
    "StatSSQ",
    "StatXFRView",
    "Summary",
    "TextGstream",
    "TextOrigin",
    "TokenInfo",
    "TransferExtractor",
    "TransferReader",
    "TransferScanner",
    "Unknown",
    "UnknownRecord",
    "UnpackedLog",
    "UserId",
    "Window",
    "WindowMark",
    "WindowMarkArg0View",
    "WindowMarkArg1View",
    "XfrInfo",
    "_restore_packet",
    "columns",
    "copy_time",
    "decode",
    "fault_kinds",
    "parse_event",
    "transfer_columns",
    "unknown_keys",
]

_MapPayload: TypeAlias = (
    SrvInfo | Path | AppInfo | PrgInfo | AuthInfo | XfrInfo | TokenInfo | EacInfo
)
_TraceRecord: TypeAlias = (
    AppId | Close | Disc | Open | ReadWrite | ReadU | ReadV | Window | UnknownRecord
)
_RedirectRecord: TypeAlias = Redirect | WindowMark
_FileRecord: TypeAlias = FileTOD | FileDSC | FileOPN | FileCLS | FileXFR | FileERR | UnknownRecord
_PacketRecord: TypeAlias = Map | Burr | Fstat | Buff | Plugin | Unknown

class _Record:
    """What all packet classes are: immutable, compared by type and value, hashable, picklable"""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

def decode(buffer: Buffer) -> Packet | TextGstream | Summary: ...
def parse_event(line: Buffer) -> dict[str, Any] | None: ...
def _restore_packet(header: Header, record: _PacketRecord, raw: bytes | None) -> Packet: ...
def copy_time(text: str) -> float | None: ...
def unknown_keys(buffer: Buffer) -> list[str]: ...

@final
class Fault(_Record):
    __slots__ = ("kind", "offset", "context")
    __match_args__ = ("kind", "offset", "context")
    kind: Final[str]
    offset: Final[int]
    context: Final[str]
    def __new__(cls, kind: str, offset: int, context: str) -> Self: ...

@final
class Header(_Record):
    __slots__ = ("code", "pseq", "plen", "stod")
    __match_args__ = ("code", "pseq", "plen", "stod")
    code: Final[bytes]
    pseq: Final[int]
    plen: Final[int]
    stod: Final[int]
    def __new__(cls, code: bytes, pseq: int, plen: int, stod: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> Header: ...

@final
class Packet(_Record):
    __slots__ = ("header", "record")
    __match_args__ = ("header", "record")
    header: Final[Header]
    record: Final[_PacketRecord]
    size: Final[int]
    faults: Final[tuple[Fault, ...]]
    def __new__(cls, header: Header, record: _PacketRecord) -> Self: ...
    @staticmethod
    def from_buffer(buffer: Buffer) -> Packet: ...
    record_dispatch: ClassVar[dict[bytes, type[Any]]]

@final
class Unknown(_Record):
    __slots__ = ("code", "data")
    __match_args__ = ("code", "data")
    code: Final[bytes]
    data: Final[bytes]
    def __new__(cls, code: bytes, data: bytes) -> Self: ...

@final
class UnknownRecord(_Record):
    __slots__ = ("type", "data")
    __match_args__ = ("type", "data")
    type: Final[int]
    data: Final[bytes]
    def __new__(cls, type: int, data: bytes) -> Self: ...

@final
class Map(_Record):
    __slots__ = ("dictid", "userid", "payload", "truncated", "payload_present")
    __match_args__ = ("dictid", "userid", "payload", "truncated", "payload_present")
    dictid: Final[int]
    userid: Final[UserId]
    payload: Final[_MapPayload]
    truncated: Final[bool]
    payload_present: Final[bool]
    def __new__(
        cls,
        dictid: int,
        userid: UserId,
        payload: _MapPayload,
        truncated: bool = False,
        payload_present: bool = True,
    ) -> Self: ...
    @staticmethod
    def from_record(record_data: Buffer, record_code: Buffer) -> Map: ...
    _payload_dispatch: ClassVar[dict[bytes, type[Any]]]

@final
class UserId(_Record):
    __slots__ = ("prot", "user", "pid", "sid", "host")
    __match_args__ = ("prot", "user", "pid", "sid", "host")
    prot: Final[bytes | None]
    user: Final[bytes]
    pid: Final[int | None]
    sid: Final[int | None]
    host: Final[bytes | None]
    def __new__(
        cls, prot: bytes | None, user: bytes, pid: int | None, sid: int | None, host: bytes | None
    ) -> Self: ...
    @staticmethod
    def from_buffer(buffer: Buffer) -> UserId: ...

@final
class SrvInfo(_Record):
    __slots__ = ("pgm", "ver", "inst", "port", "site")
    __match_args__ = ("pgm", "ver", "inst", "port", "site")
    pgm: Final[bytes | None]
    ver: Final[bytes | None]
    inst: Final[bytes | None]
    port: Final[int | None]
    site: Final[bytes | None]
    def __new__(
        cls,
        pgm: bytes | None,
        ver: bytes | None,
        inst: bytes | None,
        port: int | None,
        site: bytes | None,
    ) -> Self: ...
    @staticmethod
    def from_buffer(buffer: Buffer) -> SrvInfo: ...

@final
class Path(_Record):
    __slots__ = ("path",)
    __match_args__ = ("path",)
    path: Final[bytes]
    def __new__(cls, path: bytes) -> Self: ...
    @staticmethod
    def from_buffer(buffer: Buffer) -> Path: ...

@final
class AppInfo(_Record):
    __slots__ = ("appinfo",)
    __match_args__ = ("appinfo",)
    appinfo: Final[bytes]
    def __new__(cls, appinfo: bytes) -> Self: ...
    @staticmethod
    def from_buffer(buffer: Buffer) -> AppInfo: ...

@final
class AuthInfo(_Record):
    __slots__ = (
        "protocol",
        "name",
        "host",
        "organisation",
        "role",
        "group",
        "m",
        "executable",
        "moninfo",
        "release",
        "ip_version",
    )
    __match_args__ = (
        "protocol",
        "name",
        "host",
        "organisation",
        "role",
        "group",
        "m",
        "executable",
        "moninfo",
        "release",
        "ip_version",
    )
    protocol: Final[bytes | None]
    name: Final[bytes | None]
    host: Final[bytes | None]
    organisation: Final[bytes | None]
    role: Final[bytes | None]
    group: Final[bytes | None]
    m: Final[bytes | None]
    executable: Final[bytes | None]
    moninfo: Final[bytes | None]
    release: Final[bytes | None]
    ip_version: Final[int | None]
    p: Final[bytes | None]
    n: Final[bytes | None]
    h: Final[bytes | None]
    o: Final[bytes | None]
    r: Final[bytes | None]
    g: Final[bytes | None]
    x: Final[bytes | None]
    y: Final[bytes | None]
    R: Final[bytes | None]
    I: Final[int | None]
    def __new__(
        cls,
        protocol: bytes | None,
        name: bytes | None,
        host: bytes | None,
        organisation: bytes | None,
        role: bytes | None,
        group: bytes | None,
        m: bytes | None,
        executable: bytes | None,
        moninfo: bytes | None,
        release: bytes | None = None,
        ip_version: int | None = None,
    ) -> Self: ...
    @staticmethod
    def from_buffer(buffer: Buffer) -> AuthInfo: ...

@final
class XfrInfo(_Record):
    __slots__ = ("lfn", "tod", "sz", "tm", "op", "rc", "pd", "qt")
    __match_args__ = ("lfn", "tod", "sz", "tm", "op", "rc", "pd", "qt")
    lfn: Final[bytes]
    tod: Final[int | None]
    sz: Final[int | None]
    tm: Final[int | None]
    op: Final[bytes | None]
    rc: Final[int | None]
    pd: Final[bytes | None]
    qt: Final[int | None]
    def __new__(
        cls,
        lfn: bytes,
        tod: int | None,
        sz: int | None,
        tm: int | None,
        op: bytes | None,
        rc: int | None,
        pd: bytes | None,
        qt: int | None = None,
    ) -> Self: ...
    @staticmethod
    def from_buffer(buffer: Buffer) -> XfrInfo: ...

@final
class PrgInfo(_Record):
    __slots__ = ("xfn", "tod", "sz", "at", "ct", "mt", "fn")
    __match_args__ = ("xfn", "tod", "sz", "at", "ct", "mt", "fn")
    xfn: Final[bytes]
    tod: Final[int | None]
    sz: Final[int | None]
    at: Final[int | None]
    ct: Final[int | None]
    mt: Final[int | None]
    fn: Final[bytes | None]
    def __new__(
        cls,
        xfn: bytes,
        tod: int | None,
        sz: int | None,
        at: int | None,
        ct: int | None,
        mt: int | None,
        fn: bytes | None,
    ) -> Self: ...
    @staticmethod
    def from_buffer(buffer: Buffer) -> PrgInfo: ...

@final
class TokenInfo(_Record):
    __slots__ = ("uc", "s", "n", "o", "r", "g")
    __match_args__ = ("uc", "s", "n", "o", "r", "g")
    uc: Final[int | None]
    s: Final[bytes | None]
    n: Final[bytes | None]
    o: Final[bytes | None]
    r: Final[bytes | None]
    g: Final[bytes | None]
    def __new__(
        cls,
        uc: int | None,
        s: bytes | None,
        n: bytes | None,
        o: bytes | None,
        r: bytes | None,
        g: bytes | None,
    ) -> Self: ...
    @staticmethod
    def from_buffer(buffer: Buffer) -> TokenInfo: ...

@final
class EacInfo(_Record):
    __slots__ = ("uc", "ec", "ac")
    __match_args__ = ("uc", "ec", "ac")
    uc: Final[int | None]
    ec: Final[int | None]
    ac: Final[int | None]
    def __new__(cls, uc: int | None, ec: int | None, ac: int | None) -> Self: ...
    @staticmethod
    def from_buffer(buffer: Buffer) -> EacInfo: ...

@final
class Buff(_Record):
    __slots__ = ("records",)
    __match_args__ = ("records",)
    records: Final[list[_TraceRecord]]
    def __new__(cls, records: list[_TraceRecord]) -> Self: ...
    @staticmethod
    def from_record(record_data: Buffer, record_code: Buffer | None = None) -> Buff: ...
    payload_dispatch: ClassVar[dict[int, type[Any]]]

@final
class AppId(_Record):
    __slots__ = ("appid",)
    __match_args__ = ("appid",)
    appid: Final[bytes]
    def __new__(cls, appid: bytes) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> AppId: ...

@final
class Close(_Record):
    __slots__ = ("rtot", "wtot", "dictid")
    __match_args__ = ("rtot", "wtot", "dictid")
    rtot: Final[int]
    wtot: Final[int]
    dictid: Final[int]
    def __new__(cls, rtot: int, wtot: int, dictid: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> Close: ...

@final
class Disc(_Record):
    __slots__ = ("flags", "buflen", "dictid")
    __match_args__ = ("flags", "buflen", "dictid")
    flags: Final[int]
    buflen: Final[int]
    dictid: Final[int]
    seconds: Final[int]
    def __new__(cls, flags: int, buflen: int, dictid: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> Disc: ...

@final
class Open(_Record):
    __slots__ = ("filesize", "dictid")
    __match_args__ = ("filesize", "dictid")
    filesize: Final[int]
    dictid: Final[int]
    def __new__(cls, filesize: int, dictid: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> Open: ...

@final
class ReadWrite(_Record):
    __slots__ = ("val", "buflen", "dictid")
    __match_args__ = ("val", "buflen", "dictid")
    val: Final[int]
    buflen: Final[int]
    dictid: Final[int]
    readlen: Final[int]
    writelen: Final[int]
    def __new__(cls, val: int, buflen: int, dictid: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> ReadWrite: ...

class Read(_Record):
    __slots__ = ("readid", "count", "buflen", "dictid")
    __match_args__ = ("readid", "count", "buflen", "dictid")
    readid: Final[int]
    count: Final[int]
    buflen: Final[int]
    dictid: Final[int]
    def __new__(cls, readid: int, count: int, buflen: int, dictid: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> Read: ...

@final
class ReadU(Read):
    __slots__ = ("readid", "count", "buflen", "dictid")
    __match_args__ = ("readid", "count", "buflen", "dictid")
    def __new__(cls, readid: int, count: int, buflen: int, dictid: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> ReadU: ...

@final
class ReadV(Read):
    __slots__ = ("readid", "count", "buflen", "dictid")
    __match_args__ = ("readid", "count", "buflen", "dictid")
    def __new__(cls, readid: int, count: int, buflen: int, dictid: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> ReadV: ...

@final
class Window(_Record):
    __slots__ = ("sid", "end", "start")
    __match_args__ = ("sid", "end", "start")
    sid: Final[int]
    end: Final[int]
    start: Final[int]
    def __new__(cls, sid: int, end: int, start: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> Window: ...

@final
class Burr(_Record):
    __slots__ = ("sid", "records")
    __match_args__ = ("sid", "records")
    sid: Final[ServerIdent]
    records: Final[list[_RedirectRecord]]
    start: Final[int | None]
    end: Final[int | None]
    def __new__(cls, sid: ServerIdent, records: list[_RedirectRecord]) -> Self: ...
    @staticmethod
    def from_record(record_data: Buffer, record_code: Buffer | None = None) -> Burr: ...
    _record_dispatch: ClassVar[dict[int, type[Any]]]

@final
class ServerIdent(_Record):
    __slots__ = ("sid",)
    __match_args__ = ("sid",)
    sid: Final[int]
    def __new__(cls, sid: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> ServerIdent: ...
    type: ClassVar[int]

@final
class WindowMark(_Record):
    __slots__ = ("timestamp", "prev_duration")
    __match_args__ = ("timestamp", "prev_duration")
    timestamp: Final[int]
    prev_duration: Final[int]
    window: Final[int]
    arg0: Final[WindowMarkArg0View]
    arg1: Final[WindowMarkArg1View]
    def __new__(cls, timestamp: int, prev_duration: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> WindowMark: ...
    type: ClassVar[int]

@final
class WindowMarkArg0View(_Record):
    __slots__ = ("_window",)
    __match_args__ = ("_window",)
    window: Final[int]
    def __new__(cls, _window: WindowMark) -> Self: ...
    type: ClassVar[int]

@final
class WindowMarkArg1View(_Record):
    __slots__ = ("_window",)
    __match_args__ = ("_window",)
    window: Final[int]
    def __new__(cls, _window: WindowMark) -> Self: ...

@final
class Redirect(_Record):
    __slots__ = ("type", "subtype", "dent", "port", "dictid", "server", "path")
    __match_args__ = ("type", "subtype", "dent", "port", "dictid", "server", "path")
    type: Final[int]
    subtype: Final[int]
    dent: Final[int]
    port: Final[int]
    dictid: Final[int]
    server: Final[bytes | None]
    path: Final[bytes]
    size: Final[int]
    local: Final[bool]
    arg0: Final[RedirectArg0View]
    arg1: Final[RedirectArg1View]
    def __new__(
        cls,
        type: int,
        subtype: int,
        dent: int,
        port: int,
        dictid: int,
        server: bytes | None,
        path: bytes,
    ) -> Self: ...
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> Redirect: ...

@final
class RedirectArg0View(_Record):
    __slots__ = ("_redirect",)
    __match_args__ = ("_redirect",)
    type: Final[int]
    dent: Final[int]
    port: Final[int]
    def __new__(cls, _redirect: Redirect) -> Self: ...

@final
class RedirectArg1View(_Record):
    __slots__ = ("_redirect",)
    __match_args__ = ("_redirect",)
    dictid: Final[int]
    server: Final[bytes | None]
    path: Final[bytes]
    serverpath: Final[bytes]
    def __new__(cls, _redirect: Redirect) -> Self: ...

@final
class Fstat(_Record):
    __slots__ = ("tod", "records")
    __match_args__ = ("tod", "records")
    tod: Final[FileTOD | None]
    records: Final[list[_FileRecord]]
    start: Final[int | None]
    end: Final[int | None]
    def __new__(cls, tod: FileTOD | None, records: list[_FileRecord]) -> Self: ...
    @staticmethod
    def from_record(record_data: Buffer, record_code: Buffer | None = None) -> Fstat: ...
    payload_dispatch: ClassVar[dict[int, type[Any]]]

@final
class FileTOD(_Record):
    __slots__ = ("flags", "records_xfr", "records_total", "start", "end", "sid")
    __match_args__ = ("flags", "records_xfr", "records_total", "start", "end", "sid")
    flags: Final[int]
    records_xfr: Final[int]
    records_total: Final[int]
    start: Final[int]
    end: Final[int]
    sid: Final[int | None]
    def __new__(
        cls, flags: int, records_xfr: int, records_total: int, start: int, end: int, sid: int | None
    ) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> FileTOD: ...

@final
class FileDSC(_Record):
    __slots__ = ("flags", "dictid")
    __match_args__ = ("flags", "dictid")
    flags: Final[int]
    dictid: Final[int]
    def __new__(cls, flags: int, dictid: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> FileDSC: ...

@final
class FileOPN(_Record):
    __slots__ = ("flags", "size", "fileid", "filesize", "user", "lfn")
    __match_args__ = ("flags", "size", "fileid", "filesize", "user", "lfn")
    flags: Final[int]
    size: Final[int]
    fileid: Final[int]
    filesize: Final[int]
    user: Final[int | None]
    lfn: Final[bytes | None]
    fsz: Final[int]
    ufn: Final[FileLFNView | None]
    def __new__(
        cls,
        flags: int,
        size: int,
        fileid: int,
        filesize: int,
        user: int | None = None,
        lfn: bytes | None = None,
    ) -> Self: ...
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> FileOPN: ...

@final
class FileLFNView(_Record):
    __slots__ = ("_file_opn",)
    __match_args__ = ("_file_opn",)
    user: Final[int | None]
    lfn: Final[bytes | None]
    def __new__(cls, _file_opn: FileOPN) -> Self: ...

@final
class StatOPS(_Record):
    __slots__ = (
        "read",
        "readv",
        "write",
        "rsmin",
        "rsmax",
        "rsegs",
        "rdmin",
        "rdmax",
        "rvmin",
        "rvmax",
        "wrmin",
        "wrmax",
    )
    __match_args__ = (
        "read",
        "readv",
        "write",
        "rsmin",
        "rsmax",
        "rsegs",
        "rdmin",
        "rdmax",
        "rvmin",
        "rvmax",
        "wrmin",
        "wrmax",
    )
    read: Final[int]
    readv: Final[int]
    write: Final[int]
    rsmin: Final[int]
    rsmax: Final[int]
    rsegs: Final[int]
    rdmin: Final[int]
    rdmax: Final[int]
    rvmin: Final[int]
    rvmax: Final[int]
    wrmin: Final[int]
    wrmax: Final[int]
    def __new__(
        cls,
        read: int,
        readv: int,
        write: int,
        rsmin: int,
        rsmax: int,
        rsegs: int,
        rdmin: int,
        rdmax: int,
        rvmin: int,
        rvmax: int,
        wrmin: int,
        wrmax: int,
    ) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> StatOPS: ...

@final
class StatSSQ(_Record):
    __slots__ = ("read", "readv", "rsegs", "write")
    __match_args__ = ("read", "readv", "rsegs", "write")
    read: Final[float]
    readv: Final[float]
    rsegs: Final[float]
    write: Final[float]
    def __new__(cls, read: float, readv: float, rsegs: float, write: float) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> StatSSQ: ...

@final
class StatERR(_Record):
    __slots__ = ("code", "category", "message")
    __match_args__ = ("code", "category", "message")
    code: Final[int]
    category: Final[int]
    message: Final[bytes]
    def __new__(cls, code: int, category: int, message: bytes) -> Self: ...

@final
class FileCLS(_Record):
    __slots__ = ("flags", "size", "fileid", "read", "readv", "write", "ops", "ssq", "err")
    __match_args__ = ("flags", "size", "fileid", "read", "readv", "write", "ops", "ssq", "err")
    flags: Final[int]
    size: Final[int]
    fileid: Final[int]
    read: Final[int]
    readv: Final[int]
    write: Final[int]
    ops: Final[StatOPS | None]
    ssq: Final[StatSSQ | None]
    err: Final[StatERR | None]
    xfr: Final[StatXFRView]
    def __new__(
        cls,
        flags: int,
        size: int,
        fileid: int,
        read: int,
        readv: int,
        write: int,
        ops: StatOPS | None,
        ssq: StatSSQ | None,
        err: StatERR | None = None,
    ) -> Self: ...
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> FileCLS: ...

@final
class FileXFR(_Record):
    __slots__ = ("flags", "fileid", "read", "readv", "write")
    __match_args__ = ("flags", "fileid", "read", "readv", "write")
    flags: Final[int]
    fileid: Final[int]
    read: Final[int]
    readv: Final[int]
    write: Final[int]
    xfr: Final[StatXFRView]
    def __new__(cls, flags: int, fileid: int, read: int, readv: int, write: int) -> Self: ...
    size: ClassVar[int]
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> FileXFR: ...

@final
class StatXFRView(_Record):
    __slots__ = ("_file_struct",)
    __match_args__ = ("_file_struct",)
    read: Final[int]
    readv: Final[int]
    write: Final[int]
    def __new__(cls, _file_struct: FileCLS | FileXFR) -> Self: ...

@final
class FileERR(_Record):
    __slots__ = ("flags", "size", "fileid", "err", "user", "lfn")
    __match_args__ = ("flags", "size", "fileid", "err", "user", "lfn")
    flags: Final[int]
    size: Final[int]
    fileid: Final[int]
    err: Final[StatERR]
    user: Final[int | None]
    lfn: Final[bytes | None]
    def __new__(
        cls,
        flags: int,
        size: int,
        fileid: int,
        err: StatERR,
        user: int | None = None,
        lfn: bytes | None = None,
    ) -> Self: ...
    struct_parser: ClassVar[Struct]
    @staticmethod
    def from_buffer(buffer: Buffer) -> FileERR: ...

@final
class Plugin(_Record):
    __slots__ = ("tBeg", "tEnd", "records", "provider", "sid")
    __match_args__ = ("tBeg", "tEnd", "records", "provider", "sid")
    tBeg: Final[int]
    tEnd: Final[int]
    records: Final[list[PluginRecord]]
    provider: Final[bytes | None]
    sid: Final[int | None]
    def __new__(
        cls,
        tBeg: int,
        tEnd: int,
        records: list[PluginRecord],
        provider: bytes | None = None,
        sid: int | None = None,
    ) -> Self: ...
    @staticmethod
    def from_record(record_data: Buffer, record_code: Buffer | None = None) -> Plugin: ...
    payload_dispatch: ClassVar[dict[bytes, type[Any]]]

@final
class TextOrigin(_Record):
    __slots__ = ("site", "host", "port", "inst", "pgm", "ver")
    __match_args__ = ("site", "host", "port", "inst", "pgm", "ver")
    site: Final[str | None]
    host: Final[str | None]
    port: Final[int | None]
    inst: Final[str | None]
    pgm: Final[str | None]
    ver: Final[str | None]
    def __new__(
        cls,
        site: str | None = None,
        host: str | None = None,
        port: int | None = None,
        inst: str | None = None,
        pgm: str | None = None,
        ver: str | None = None,
    ) -> Self: ...

@final
class TextGstream(_Record):
    __slots__ = (
        "framing",
        "code",
        "records",
        "pseq",
        "stod",
        "sid",
        "src",
        "provider",
        "tBeg",
        "tEnd",
        "did",
        "data",
    )
    __match_args__ = (
        "framing",
        "code",
        "records",
        "pseq",
        "stod",
        "sid",
        "src",
        "provider",
        "tBeg",
        "tEnd",
        "did",
        "data",
    )
    framing: Final[str]
    code: Final[bytes]
    records: Final[list[PluginRecord]]
    pseq: Final[int | None]
    stod: Final[int | None]
    sid: Final[int | None]
    src: Final[TextOrigin | None]
    provider: Final[bytes | None]
    tBeg: Final[int | None]
    tEnd: Final[int | None]
    did: Final[int | None]
    data: Final[bytes | None]
    def __new__(
        cls,
        framing: str,
        code: bytes,
        records: list[PluginRecord],
        pseq: int | None = None,
        stod: int | None = None,
        sid: int | None = None,
        src: TextOrigin | None = None,
        provider: bytes | None = None,
        tBeg: int | None = None,
        tEnd: int | None = None,
        did: int | None = None,
        data: bytes | None = None,
    ) -> Self: ...

@final
class Summary(_Record):
    __slots__ = ("stats", "tod", "ver", "src", "tos", "pgm", "ins", "pid", "site")
    __match_args__ = ("stats", "tod", "ver", "src", "tos", "pgm", "ins", "pid", "site")
    stats: Final[dict[str, Any]]
    tod: Final[int | None]
    ver: Final[str | None]
    src: Final[str | None]
    tos: Final[int | None]
    pgm: Final[str | None]
    ins: Final[str | None]
    pid: Final[int | None]
    site: Final[str | None]
    def __new__(
        cls,
        stats: dict[str, Any],
        tod: int | None = None,
        ver: str | None = None,
        src: str | None = None,
        tos: int | None = None,
        pgm: str | None = None,
        ins: str | None = None,
        pid: int | None = None,
        site: str | None = None,
    ) -> Self: ...

# Readers: gridtap.xrootd.reading and the command line.

_Cell: TypeAlias = str | int | float | bool | None

def columns(what: str) -> list[tuple[str, str]]: ...
def fault_kinds() -> list[tuple[str, str]]: ...

@final
class RecordReader:
    def __new__(cls, source: Source, what: str, ports: list[int] = ...) -> Self: ...
    def rows(self) -> list[tuple[_Cell, ...]]: ...
    def counts(self) -> dict[str, Any]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class PacketReader:
    @property
    def peer(self) -> tuple[str, int | None] | None: ...
    @property
    def received_at(self) -> float | None: ...
    @property
    def destination_port(self) -> int | None: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def number(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def skipped(self) -> int: ...
    def faults(self) -> dict[str, int]: ...
    def __new__(cls, source: Source, ports: list[int] = ...) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Packet | TextGstream | Summary: ...

@final
class ArrowRecords:
    @property
    def rows(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Extractor:
    def __new__(
        cls,
        what: str,
        format: str,
        path: str | PathLike[str] | None = None,
        ports: list[int] = ...,
        strict: bool = False,
        width: int | None = None,
    ) -> Self: ...
    def open(self, source: Source) -> None: ...
    def step(self) -> tuple[bool, int]: ...
    def take(self) -> ArrowRecords: ...
    def faults(self) -> list[tuple[str, int, int, int | None, str]]: ...
    def finish(self) -> None: ...
    def flush(self) -> None: ...
    def counts(self) -> dict[str, Any]: ...

# Transfer logs: gridtap.gridftp and the command line.

_TransferCell: TypeAlias = str | int | float | list[int | None] | None
_ScannedRows: TypeAlias = tuple[list[tuple[_TransferCell, ...]], list[tuple[str, int, int, str]]]

def transfer_columns() -> list[tuple[str, str]]: ...

@final
class TransferScanner:
    @property
    def consumed_bytes(self) -> int: ...
    @property
    def line(self) -> int: ...
    @property
    def other_lines(self) -> int: ...
    def __new__(cls, name: str | None = None, offset: int = 0, line: int = 1) -> Self: ...
    def feed(self, data: bytes) -> _ScannedRows: ...
    def finish(self) -> _ScannedRows: ...

@final
class UnpackedLog:
    @property
    def is_packed(self) -> bool: ...
    def __new__(cls, source: Log) -> Self: ...
    def read(self, size: int) -> bytes: ...

@final
class TransferReader:
    def __new__(cls, source: Log, name: str | None = None) -> Self: ...
    def rows(self) -> list[tuple[_TransferCell, ...]]: ...
    def counts(self) -> dict[str, Any]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class TransferExtractor:
    def __new__(
        cls,
        format: str,
        path: str | PathLike[str] | None = None,
        width: int | None = None,
    ) -> Self: ...
    def open(self, source: Log, name: str) -> None: ...
    def step(self) -> tuple[bool, int]: ...
    def take(self) -> ArrowRecords: ...
    def faults(self) -> list[tuple[str, int, int, int | None, str]]: ...
    def finish(self) -> None: ...
    def flush(self) -> None: ...
    def counts(self) -> dict[str, Any]: ...

# The collector: gridtap.collector.

@final
class Batch:
    """Records of one sink."""

    @property
    def sink(self) -> int: ...
    @property
    def records(self) -> int: ...
    @property
    def kind(self) -> str | None:
        """The kind of the records, where the sink takes only one."""
    @property
    def data(self) -> memoryview:
        """Whole lines, where the core wrote them; empty where the sink's form is Arrow.

        While it or the batch is there, so is their memory; afterwards that is used again.
        """
    @property
    def oldest_received_at(self) -> float:
        """UTC epoch seconds at which the first packet came whose records are in it."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The records, where the sink's form is Arrow; else ValueError."""

@final
class Explanation:
    """Kind of each record, what it is about, and what each sink says: `take` or why not."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> tuple[str, str, list[tuple[str, str]]]: ...

@final
class Collector:
    """Receives, decodes, correlates and encodes without the interpreter lock.

    `settings` is a JSON text. `sockets` are descriptors of bound UDP sockets, which are duplicated:
    for each address one for each worker, in the order in which they were bound, all of one address
    with SO_REUSEPORT where there are several workers. ValueError says in one line what is wrong.
    """

    def __new__(cls, settings: str, sockets: Sequence[int]) -> Self: ...
    def start(self) -> None:
        """Starts the workers; RuntimeError if they were started before or have no socket."""
    def next(self, sink: int, timeout_s: float) -> Batch | None:
        """The next batch of a sink. None: none came in time, or none will come (see `drained`).

        A sink keeps its number as long as the collector lives: those of the first settings have
        their place in them, and a name that a reload brings gets the next number (see `index`).
        """
    def drained(self, sink: int) -> bool:
        """Stopped (or gone with a reload), and nothing is queued any more."""
    def index(self, name: str) -> int:
        """The number of a sink; ValueError if no settings had one of this name."""
    def feed(self, source: Source, ports: Sequence[int] = ...) -> None:
        """Reads a capture as if its packets came from a socket; at its end everything open ends.

        A full queue is waited for as long as another thread takes batches. RuntimeError after
        `start`.
        """
    def explain(self, source: Source, ports: Sequence[int] = ...) -> Explanation:
        """What would become of the records of a capture; the collector itself does not change."""
    def status(self) -> dict[str, Any]:
        """Counters and levels."""
    def reload(self, settings: str) -> None:
        """Works by other settings without losing a packet; ValueError leaves all as it was."""
    def save(self, path: str | PathLike[str]) -> None:
        """Saves the state while all goes on: the file is the old one or the new one. OSError."""
    def restore(self, path: str | PathLike[str]) -> int:
        """Goes on with a state that was saved, also by another number of workers.

        Answers how many servers, logins and files it brought. ValueError: the file is damaged or of
        another version, and nothing of it stays. OSError; RuntimeError after `start`.
        """
    def stop(self, snapshot: str | PathLike[str] | None = None) -> None:
        """Reads what the kernel still has, saves the state or ends everything open.

        The queues close; what is queued can still be taken. OSError: the state could not be saved;
        then everything open has ended.
        """

# A capture sent again: gridtap.replay.

@final
class Replay:
    """Sends the packets of a source to a UDP port; ``settings`` is a JSON text."""

    def __new__(cls, source: Source, settings: str, ports: list[int] = ...) -> Self: ...
    def step(self) -> tuple[bool, int]:
        """Works for a moment without the interpreter lock; whether there is more, and how many
        bytes of the source are behind. OSError without a file name: the network refuses.
        """
    def counts(self) -> dict[str, Any]: ...
