"""Re-exports of :py:mod:`gridtap.xrootd.constants`."""

from gridtap.xrootd.constants import *  # noqa: F403
