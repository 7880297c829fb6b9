"""Re-exports of :py:mod:`gridtap.xrootd.redir`."""

from gridtap.xrootd.redir import *  # noqa: F403
