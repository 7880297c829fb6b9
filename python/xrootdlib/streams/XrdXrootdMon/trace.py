"""Re-exports of :py:mod:`gridtap.xrootd.streams.trace`."""

from gridtap.xrootd.streams.trace import *  # noqa: F403
