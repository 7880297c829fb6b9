"""The r-stream: where clients were sent."""

from __future__ import annotations

import enum
from typing import TypeAlias

from gridtap._core import (
    Redirect,
    RedirectArg0View,
    RedirectArg1View,
    ServerIdent,
    WindowMark,
    WindowMarkArg0View,
    WindowMarkArg1View,
)

__all__ = [
    "XROOTD_MON",
    "Redir",
    "Redirect",
    "RedirectArg0View",
    "RedirectArg1View",
    "ServerIdent",
    "WindowMark",
    "WindowMarkArg0View",
    "WindowMarkArg1View",
]


class XROOTD_MON(int, enum.Enum):
    """``XROOTD_MON_...`` constants of the r-stream (``XrdXrootdMonData.hh``)"""

    #: Window timing mark
    REDTIME = 0x00
    #: Redirect decided by the cluster or the storage plug-in
    REDIRECT = 0x80
    #: Redirect decided by the server's own configuration
    REDLOCAL = 0x90
    #: Server identification
    REDSID = 0xF0
    #: Change file mode
    CHMOD = 0x01
    #: Locate file or directory
    LOCATE = 0x02
    #: Open directory for reading
    OPENDIR = 0x03
    #: Open file for creation
    OPENC = 0x04
    #: Open file for reading
    OPENR = 0x05
    #: Open file for writing
    OPENW = 0x06
    #: Create a directory or path
    MKDIR = 0x07
    #: Rename a file or directory
    MV = 0x08
    #: Prepare request
    PREP = 0x09
    #: Query information request
    QUERY = 0x0A
    #: Remove a file
    RM = 0x0B
    #: Remove a directory
    RMDIR = 0x0C
    #: Stat a file or directory
    STAT = 0x0D
    #: Truncate a file
    TRUNC = 0x0E


#: Records of the r-stream
Redir: TypeAlias = Redirect | ServerIdent | WindowMark
