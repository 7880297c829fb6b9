"""Re-exports of :py:mod:`gridtap.xrootd.text`."""

from gridtap.xrootd.text import parse_cgi, slot_repr

__all__ = ["parse_cgi", "slot_repr"]
