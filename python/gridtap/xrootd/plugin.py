"""The g-stream: events of plug-ins.

Plug-ins write JSON without escaping what they put between quotes, so a line may be no JSON at
all (:py:class:`RawEvent`). Every key is optional; keys that a class does not know are kept in
``extra``.
"""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias, TypeVar

from gridtap._core import copy_time, parse_event
from gridtap.errors import DecodeError
from gridtap.xrootd.text import slot_repr

__all__ = [
    "ContextCache",
    "GenericEvent",
    "HttpStats",
    "OssStats",
    "PluginHdr",
    "PluginRecord",
    "ProxyCache",
    "RawEvent",
    "TCPConnectionMonitor",
    "ThirdPartyCopy",
    "ThrottleUpdate",
    "event_from_line",
    "pluginType",
]

_Event = TypeVar("_Event", bound="_JsonEvent")


class pluginType(bytes, enum.Enum):
    """Letters of the providers (``XrdXrootdMonData.hh``)"""

    #: Cache context management
    isCCM = b"M"
    #: Proxy file cache
    isPFC = b"C"
    #: TCP connection monitor
    isTCM = b"T"
    #: Third-party copy
    isTPC = b"P"
    #: Throttle plug-in
    isTHR = b"R"
    #: Storage operation counters
    isOSS = b"O"
    #: HTTP request counters
    isHTP = b"H"


class PluginHdr:
    """Never had an instance; the name is kept for those who import it."""

    def __init__(self) -> None:
        raise NotImplementedError


def _frozen(value: object) -> object:
    if isinstance(value, dict):
        return frozenset((key, _frozen(item)) for key, item in value.items())
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return value


class _JsonEvent:
    """What the classes for JSON objects share."""

    __slots__ = ()

    @classmethod
    def from_data(cls: type[_Event], data: dict[str, Any]) -> _Event:
        """The event that a JSON object describes"""
        raise NotImplementedError

    @classmethod
    def from_string(cls: type[_Event], string: str | bytes) -> _Event:
        """The event in one line of a g-stream

        :raises DecodeError: if the line is not a JSON object
        """
        data = parse_event(string.encode() if isinstance(string, str) else string)
        if data is None:
            raise DecodeError("bad_event_line", 0, "event line is not a JSON object")
        return cls.from_data(data)

    def __hash__(self) -> int:
        names = (name.name for name in dataclasses.fields(self))  # type: ignore[arg-type]
        return hash((type(self), *(_frozen(getattr(self, name)) for name in names)))

    __repr__ = slot_repr


@dataclass(frozen=True, slots=True, repr=False)
class ProxyCache(_JsonEvent):
    """A file of the proxy cache was closed: sizes in bytes, times in UNIX seconds
    (``XrdPfcFile.cc``)"""

    event: str | None = None
    lfn: str | None = None
    size: int | None = None
    blk_size: int | None = None
    n_blks: int | None = None
    n_blks_done: int | None = None
    access_cnt: int | None = None
    attach_t: int | None = None
    detach_t: int | None = None
    remotes: list[str] | None = None
    b_hit: int | None = None
    b_miss: int | None = None
    b_bypass: int | None = None
    b_todisk: int | None = None
    b_prefetch: int | None = None
    n_cks_errs: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    __hash__ = _JsonEvent.__hash__

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> ProxyCache:
        return cls(**_known(cls, data))


@dataclass(frozen=True, slots=True, repr=False)
class ThrottleUpdate(_JsonEvent):
    """Load of the throttle plug-in, cumulative but for ``io_active``; ``io_wait`` in seconds
    (``XrdThrottleManager.cc``)"""

    event: str | None = None
    io_wait: float | None = None
    io_active: int | None = None
    io_total: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    __hash__ = _JsonEvent.__hash__

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> ThrottleUpdate:
        return cls(**_known(cls, data))


@dataclass(frozen=True, slots=True, repr=False)
class ThirdPartyCopy(_JsonEvent):
    """A third-party copy ended: times in UTC epoch seconds, size in bytes, return code 0 is success
    (``XrdXrootdTpcMon.cc``)"""

    protocol: str | None = None
    client: str | None = None
    began_at: float | None = None
    ended_at: float | None = None
    return_code: int | None = None
    streams: int | None = None
    direction: str | None = None
    ip_version: int | None = None
    source: str | None = None
    destination: str | None = None
    size: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    __hash__ = _JsonEvent.__hash__

    #: Key on the wire of each attribute
    KEYS: ClassVar[dict[str, str]] = {
        "protocol": "TPC",
        "client": "Client",
        "source": "Src",
        "destination": "Dst",
        "size": "Size",
    }
    XEQ_KEYS: ClassVar[dict[str, str]] = {
        "return_code": "RC",
        "streams": "Strm",
        "direction": "Type",
        "ip_version": "IPv",
    }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> ThirdPartyCopy:
        rest = dict(data)
        execution = rest.pop("Xeq", None)
        if not isinstance(execution, dict):
            execution = {}
        values = {name: rest.pop(key, None) for name, key in cls.KEYS.items()}
        values |= {name: execution.get(key) for name, key in cls.XEQ_KEYS.items()}
        for name, key in (("began_at", "Beg"), ("ended_at", "End")):
            text = execution.get(key)
            values[name] = copy_time(text) if isinstance(text, str) else None
        return cls(**values, extra=rest)


@dataclass(frozen=True, slots=True, repr=False)
class GenericEvent(_JsonEvent):
    """A JSON object whose shape only its plug-in knows"""

    data: dict[str, Any] = field(default_factory=dict)

    __hash__ = _JsonEvent.__hash__

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> GenericEvent:
        return cls(data)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, data={self.data!r}>"


class ContextCache(GenericEvent):
    """Event of a cache context manager"""

    __slots__ = ()


class TCPConnectionMonitor(GenericEvent):
    """Event of a TCP connection monitor"""

    __slots__ = ()


class OssStats(GenericEvent):
    """Storage operation counters, cumulative since server start (``XrdOssStatsFileSystem.cc``)"""

    __slots__ = ()


class HttpStats(GenericEvent):
    """HTTP request counters, cumulative since the server's start (``XrdHttpMon.cc``)"""

    __slots__ = ()


@dataclass(frozen=True, slots=True, repr=False)
class RawEvent:
    """A line that is no JSON object"""

    line: bytes

    __repr__ = slot_repr


def _known(cls: type[Any], data: dict[str, Any]) -> dict[str, Any]:
    """Constructor arguments from a JSON object"""
    names = {name.name for name in dataclasses.fields(cls)} - {"extra"}
    known = {key: value for key, value in data.items() if key in names}
    known["extra"] = {key: value for key, value in data.items() if key not in names}
    return known


#: Records of the g-stream
PluginRecord: TypeAlias = (
    ProxyCache
    | ContextCache
    | TCPConnectionMonitor
    | ThirdPartyCopy
    | ThrottleUpdate
    | OssStats
    | HttpStats
    | GenericEvent
    | RawEvent
)

#: Class of each provider's events, and the key without which an event is another one
_CLASSES: dict[bytes, tuple[type[_JsonEvent], str | None]] = {
    b"M": (ContextCache, None),
    b"C": (ProxyCache, "lfn"),
    b"T": (TCPConnectionMonitor, None),
    b"P": (ThirdPartyCopy, "TPC"),
    b"R": (ThrottleUpdate, None),
    b"O": (OssStats, None),
    b"H": (HttpStats, None),
}


def event_from_line(
    provider: bytes | None, line: bytes, data: dict[str, Any] | None
) -> _JsonEvent | RawEvent:
    """The event in a line, whose JSON object (if it is one) is ``data``"""
    if data is None:
        return RawEvent(line)
    event_class, needed = _CLASSES.get(provider or b"", (GenericEvent, None))
    if needed is not None and needed not in data:
        event_class = GenericEvent
    return event_class.from_data(data)
