"""Re-exports of :py:mod:`gridtap.xrootd.streams`."""

from gridtap.xrootd import Buff as BuffStruct
from gridtap.xrootd import Burr as BurrStruct
from gridtap.xrootd import Fstat as FstatStruct
from gridtap.xrootd import Header as HeaderStruct
from gridtap.xrootd import Map as MapStruct
from gridtap.xrootd import Packet
from gridtap.xrootd import Plugin as PluginStruct
from gridtap.xrootd.streams import StreamMapper, map_streams, stream_packets

from .map import MapInfoStore
from .utility import PacketBufferExhausted, PSeq, packet_from_buffer

__all__ = [
    "BuffStruct",
    "BurrStruct",
    "FstatStruct",
    "HeaderStruct",
    "MapInfoStore",
    "MapStruct",
    "PSeq",
    "Packet",
    "PacketBufferExhausted",
    "PluginStruct",
    "StreamMapper",
    "map_streams",
    "packet_from_buffer",
    "stream_packets",
]
