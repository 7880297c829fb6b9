"""Re-exports of :py:mod:`gridtap.xrootd.streams.map`."""

from gridtap.xrootd.streams.map import *  # noqa: F403
