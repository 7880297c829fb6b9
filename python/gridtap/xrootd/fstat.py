"""The f-stream: one open and one close record for each file access."""

from __future__ import annotations

import enum
from typing import TypeAlias

from gridtap._core import (
    FileCLS,
    FileDSC,
    FileERR,
    FileLFNView,
    FileOPN,
    FileTOD,
    FileXFR,
    StatERR,
    StatOPS,
    StatSSQ,
    StatXFRView,
    UnknownRecord,
)

__all__ = [
    "FileCLS",
    "FileDSC",
    "FileERR",
    "FileLFNView",
    "FileOPN",
    "FileRecord",
    "FileTOD",
    "FileXFR",
    "StatERR",
    "StatOPS",
    "StatSSQ",
    "StatXFRView",
    "UnknownRecord",
    "recFval",
    "recType",
]


class recType(int, enum.Enum):
    """Record types of the f-stream (``XrdXrootdMonData.hh``)"""

    #: A file was closed
    isClose = 0
    #: A client disconnected
    isDisc = 4
    #: A file was opened
    isOpen = 1
    #: The time window of the records that follow
    isTime = 2
    #: Bytes moved so far
    isXFR = 3
    #: An operation failed (servers after 6.1)
    isError = 5


class recFval(int, enum.Enum):
    """Record flags of the f-stream; what a bit means depends on the record"""

    #: Time record: the server id is present
    hasSID = 0x01
    #: Open: user and name are present
    hasLFN = 0x01
    #: Open: for reading and writing
    hasRW = 0x02
    #: Close: the client disconnected first
    forced = 0x01
    #: Close: operation counts are present
    hasOPS = 0x02
    #: Close: sums of squares are present (only with ``hasOPS``)
    hasSSQ = 0x04
    #: Close: an error is present (servers after 6.1)
    hasERR = 0x08


#: Records of the f-stream
FileRecord: TypeAlias = FileTOD | FileDSC | FileOPN | FileCLS | FileXFR | FileERR | UnknownRecord
