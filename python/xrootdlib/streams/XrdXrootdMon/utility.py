"""Re-exports of :py:mod:`gridtap.xrootd.streams.sequence`."""

from gridtap.xrootd.streams.sequence import PacketBufferExhausted, PSeq, packet_from_buffer

__all__ = ["PSeq", "PacketBufferExhausted", "packet_from_buffer"]
