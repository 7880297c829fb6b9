"""Re-exports of :py:mod:`gridtap.xrootd.fstat`."""

from gridtap.xrootd.fstat import *  # noqa: F403
