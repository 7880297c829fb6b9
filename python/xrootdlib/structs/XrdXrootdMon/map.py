"""Re-exports of :py:mod:`gridtap.xrootd.map`."""

from gridtap.xrootd.map import *  # noqa: F403
