"""Re-exports of :py:mod:`gridtap.xrootd.streams.fstat`."""

from gridtap.xrootd.streams.fstat import *  # noqa: F403
