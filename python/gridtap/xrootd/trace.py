"""The t-stream: every open, read, write and close."""

from __future__ import annotations

import enum
from typing import TypeAlias

from gridtap._core import (
    AppId,
    Close,
    Disc,
    Open,
    Read,
    ReadU,
    ReadV,
    ReadWrite,
    UnknownRecord,
    Window,
)

__all__ = [
    "TRACE_SIZE",
    "XROOTD_MON",
    "AppId",
    "Close",
    "Disc",
    "Open",
    "Read",
    "ReadU",
    "ReadV",
    "ReadWrite",
    "Trace",
    "UnknownRecord",
    "Window",
]

#: Every record has this many bytes.
TRACE_SIZE = 16


class XROOTD_MON(int, enum.Enum):
    """``XROOTD_MON_...`` constants of the t-stream (``XrdXrootdMonData.hh``)"""

    #: A file was opened
    OPEN = 0x80
    #: A vector read
    READV = 0x90
    #: A vector read whose segments follow
    READU = 0x91
    #: Marker set by an application
    APPID = 0xA0
    #: A file was closed
    CLOSE = 0xC0
    #: A client disconnected
    DISC = 0xD0
    #: Window timing mark
    WINDOW = 0xE0
    #: Disconnect: the server forced it
    FORCED = 0x01
    #: Disconnect: of a parallel path, not of the control connection
    BOUNDP = 0x02


#: Records of the t-stream
Trace: TypeAlias = AppId | Close | Disc | Open | ReadWrite | ReadU | ReadV | Window | UnknownRecord
