"""A live screen of a site's transfers: servers, users, directories, losses."""

from __future__ import annotations

from gridtap.top.board import Board
from gridtap.top.screen import screen
from gridtap.top.sources import (
    CaptureSource,
    CollectorSource,
    LiveSource,
    TopSource,
    TopSourceError,
)

__all__ = [
    "Board",
    "CaptureSource",
    "CollectorSource",
    "LiveSource",
    "TopSource",
    "TopSourceError",
    "screen",
]
