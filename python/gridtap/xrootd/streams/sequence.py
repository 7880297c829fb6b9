"""Reading packets in the order in which they were sent.

Packet numbers wrap at 256 and are not shared by all kinds of packets: maps, traces and redirects of
one server share a counter, its f packets have their own, so has each g-stream provider, and the frm
daemons number their packets themselves (``XrdXrootdMonitor.cc``, ``XrdXrootdMonFile.cc``,
``XrdXrootdGSReal.cc``, ``XrdFrmMonitor.cc``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Protocol

from gridtap.errors import DecodeError, NotBinaryError
from gridtap.xrootd import Buff, Burr, Fstat, Header, Map, Packet, Plugin, Unknown, Window

__all__ = [
    "PSeq",
    "PacketBufferExhausted",
    "PacketSource",
    "packet_from_buffer",
    "sequence_group",
    "sorted_packets",
]


class PacketSource(Protocol):
    """Anything with ``read``: a file, a socket's file, memory"""

    def read(self, size: int, /) -> bytes: ...


class PacketBufferExhausted(Exception):  # noqa: N818 - the documented name
    """The buffer of packet data is exhausted"""


def packet_from_buffer(packet_source: PacketSource) -> Packet:
    """Read one packet

    :raises PacketBufferExhausted: at the end of the source
    :raises DecodeError: if the packet is malformed; the source is at the next one
    """
    head = packet_source.read(Header.size)
    if len(head) < Header.size:
        raise PacketBufferExhausted
    length = Header.from_buffer(head).plen
    body = packet_source.read(length - Header.size) if length > Header.size else b""
    return Packet.from_buffer(head + body)


class PSeq:
    """
    Sortable *packet sequence* number from a wrapping (0, 255) range

    :param pseq: the ``pseq`` of a packet

    High numbers compare *less than* low ones if that is the shorter way around.
    """

    __slots__ = ("_value",)

    def __init__(self, pseq: int) -> None:
        if not 0 <= pseq <= 255:
            raise ValueError("pseq must be an integer from 0 to 255")
        self._value = pseq

    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, PSeq) else NotImplemented

    def __hash__(self) -> int:
        return hash((PSeq, self._value))

    def __lt__(self, other: PSeq) -> bool:
        return 0 < (other._value - self._value) % 256 < 128

    def __gt__(self, other: PSeq) -> bool:
        return other < self

    def __le__(self, other: PSeq) -> bool:
        return self == other or self < other

    def __ge__(self, other: PSeq) -> bool:
        return self == other or other < self

    def __repr__(self) -> str:
        return f"<packet sequence {self._value}>"

    def __str__(self) -> str:
        return str(self._value)

    def __int__(self) -> int:
        return self._value


def sequence_group(packet: Packet) -> Hashable:
    """What shares a counter with the packet; None if its number means nothing"""
    code, stod, record = packet.header.code, packet.header.stod, packet.record
    if isinstance(record, Map):
        sid = record.userid.sid
        if code in (b"x", b"p"):
            return (stod, sid, "frm")
        if code == b"=" and record.userid.prot != b"=":
            return None
        return (stod, sid, "shared")
    if isinstance(record, Buff):
        marks = (mark.sid for mark in record.records if isinstance(mark, Window))
        return (stod, next(marks, None), "shared")
    if isinstance(record, Burr):
        return (stod, record.sid.sid, "shared")
    if isinstance(record, Fstat):
        return (stod, record.tod.sid if record.tod is not None else None, "f")
    if isinstance(record, Plugin):
        return (stod, record.sid, "g", record.provider)
    return None


def sorted_packets(
    source: PacketSource, sort_window: int, skipped: Counter[str]
) -> Iterator[Packet]:
    """All packets of a source, put in order within each sequence group

    :param sort_window: how many packets to hold back while looking for an earlier one
    :param skipped: counts what could not be decoded, by kind of fault
    """
    waiting: list[tuple[Hashable, Packet]] = []
    more = True
    while more or waiting:
        while more and len(waiting) < sort_window:
            try:
                packet = packet_from_buffer(source)
            except PacketBufferExhausted:
                more = False
            except (DecodeError, NotBinaryError) as error:
                skipped[getattr(error, "kind", "text")] += 1
            else:
                if isinstance(packet.record, Unknown):
                    skipped["unknown_code"] += 1
                else:
                    waiting.append((sequence_group(packet), packet))
        if waiting:
            yield _take_next(waiting)


def _take_next(waiting: list[tuple[Hashable, Packet]]) -> Packet:
    """The earliest packet of the group whose packet arrived first"""
    group = waiting[0][0]
    best = 0
    if group is not None:
        for index, (other, packet) in enumerate(waiting):
            if other == group:
                earliest = PSeq(waiting[best][1].header.pseq)
                best = index if PSeq(packet.header.pseq) < earliest else best
    packet = waiting.pop(best)[1]
    if best != 0:
        # The arrival that was first gives its turn away and waits in the other's place.
        first = waiting.pop(0)
        waiting.insert(best - 1, first)
    return packet
