"""From a source of packets to a stream of events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from gridtap.xrootd import Buff, Burr, Fstat, Map, Packet, Plugin
from gridtap.xrootd.streams import fstat, redir, trace
from gridtap.xrootd.streams.chain import Chain, Fork
from gridtap.xrootd.streams.map import MapInfo, MapInfoStore
from gridtap.xrootd.streams.sequence import PacketSource, sorted_packets

__all__ = ["Mapped", "StreamMapper", "map_streams", "stream_packets"]

#: What :py:class:`StreamMapper` makes
Mapped: TypeAlias = (
    MapInfo | Map | fstat.FstatWindow | trace.TraceWindow | redir.RedirWindow | Plugin
)


class stream_packets(Chain[Packet]):
    """
    Provide a stream of packets from a readable bytes buffer

    :param packet_source: anything with ``read``; it may grow, but should hold complete packets
    :param sort_window: number of packets to hold back so that late ones can be put in order

    Packets are ordered within each group that shares a sequence counter. Packets that cannot be
    decoded are left out and counted by kind of fault in ``skipped``.
    """

    def __init__(self, packet_source: PacketSource, sort_window: int = 8) -> None:
        if not 0 < sort_window < 128:
            raise ValueError("sort_window must be above 0 and below half of the sequence range")
        self.skipped: Counter[str] = Counter()
        super().__init__(sorted_packets(packet_source, sort_window, self.skipped))


class StreamMapper(Fork[Packet, Mapped]):
    """
    Provides a high-level representation of monitoring packets, resolving dependencies

    The stream mixes what the packets hold: windows of f-, r- and t-stream events, what maps
    announce, and g-stream packets as they are.
    """

    def __init__(self) -> None:
        self.map_store = MapInfoStore()

    def digest(self, value: Packet) -> Iterator[Mapped]:
        stod, record = value.header.stod, value.record
        if isinstance(record, Map):
            yield self.map_store.digest_map(stod, record)
        elif isinstance(record, Fstat):
            yield from fstat.digest_packet(stod, record, self.map_store)
        elif isinstance(record, Buff):
            yield from trace.digest_packet(stod, record, self.map_store)
        elif isinstance(record, Burr):
            yield from redir.digest_packet(stod, record, self.map_store)
        elif isinstance(record, Plugin):
            yield record

    def __repr__(self) -> str:
        return "map_streams()"


map_streams = StreamMapper
