"""Re-exports of :py:mod:`gridtap.xrootd.trace`."""

from gridtap.xrootd.trace import *  # noqa: F403
