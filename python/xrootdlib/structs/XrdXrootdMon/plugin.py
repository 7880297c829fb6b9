"""Re-exports of :py:mod:`gridtap.xrootd.plugin`."""

from gridtap.xrootd.plugin import *  # noqa: F403
