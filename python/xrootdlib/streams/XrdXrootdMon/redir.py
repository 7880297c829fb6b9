"""Re-exports of :py:mod:`gridtap.xrootd.streams.redir`."""

from gridtap.xrootd.streams.redir import *  # noqa: F403
