"""Maps: what a dictionary id stands for.

Each class decodes its own part of the text with ``from_buffer``.
"""

from __future__ import annotations

from typing import TypeAlias

from gridtap._core import (
    AppInfo,
    AuthInfo,
    EacInfo,
    Path,
    PrgInfo,
    SrvInfo,
    TokenInfo,
    UserId,
    XfrInfo,
)

__all__ = [
    "AppInfo",
    "AuthInfo",
    "EacInfo",
    "MapPayload",
    "Path",
    "PrgInfo",
    "SrvInfo",
    "TokenInfo",
    "UserId",
    "XfrInfo",
]

#: What follows the userid in a map
MapPayload: TypeAlias = (
    SrvInfo | Path | AppInfo | PrgInfo | AuthInfo | XfrInfo | TokenInfo | EacInfo
)
