"""Streams of monitoring messages.

* :py:class:`stream_packets` reads packets and puts them in order
* :py:class:`map_streams` turns packets into events, with users, files and servers filled in

::

    with open("packets.bin", "rb") as source:
        for window in stream_packets(source) >> map_streams():
            print(window)
"""

from __future__ import annotations

from gridtap.xrootd.streams.chain import Chain, Fork
from gridtap.xrootd.streams.reading import StreamMapper, map_streams, stream_packets

__all__ = ["Chain", "Fork", "StreamMapper", "map_streams", "stream_packets"]
