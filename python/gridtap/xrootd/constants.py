"""Masks and shifts of the wire format (``XrdXrootdMonData.hh``)."""

__all__ = ["XROOTD_MON_PIDMASK", "XROOTD_MON_PIDSHFT", "XROOTD_MON_SIDMASK"]

#: The server id is the lower 48 bits of the 8 bytes that carry it.
XROOTD_MON_SIDMASK = 0xFFFFFFFFFFFF

#: The provider of a g-stream is the byte above.
XROOTD_MON_PIDMASK = 0xFF
XROOTD_MON_PIDSHFT = 56
