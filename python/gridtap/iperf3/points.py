"""From ``intervals`` and ``end`` of iperf3's JSON to values of event types.

===================================  ==============================================================
event type                           member
===================================  ==============================================================
throughput                           ``end.sum_received.bits_per_second``; UDP ``end.sum``
throughput-subintervals              ``intervals[].sum.bits_per_second``
packet-retransmits                   ``end.sum_sent.retransmits``
packet-retransmits-subintervals      ``intervals[].sum.retransmits``
packet-count-lost, -sent             UDP ``end.sum.lost_packets``, ``.packets``
packet-loss-rate                     UDP, of both
streams-packet-retransmits           ``end.streams[].sender.retransmits``
streams-throughput                   ``end.streams[].receiver.bits_per_second``; UDP ``.udp``
streams-...-subintervals             ``intervals[].streams[]``, a list for each stream
===================================  ==============================================================

Those of streams are for several streams only. Retransmits are the business of the sending host's
TCP: what a host that receives, or a system that does not count, leaves out is left out here.
Intervals that the test was to omit are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from gridtap.iperf3.document import Field

__all__ = ["Direction", "points_of"]

Interval = dict[str, Any]


class Direction(NamedTuple):
    """Which of a result's values are wanted.

    :param sends: the host that iperf3 ran on sends
    :param ending: of the names of their sums
    :param is_one_of_two: the result has both directions
    """

    sends: bool
    ending: str = ""
    is_one_of_two: bool = False

    def has(self, stream: Field) -> bool:
        """Whether a stream is of this direction."""
        return not self.is_one_of_two or stream.flag("sender") == self.sends


def points_of(result: Field, direction: Direction) -> list[tuple[str, Any]]:
    """Event types and values of one direction, in the order of esmond-ps-pipe.

    :raises ResultError: something is missing that every result has
    """
    test = result["start"]["test_start"]
    is_udp = test["protocol"].text.lower() == "udp"
    points = list(_whole_test(result, direction, is_udp))
    if test["num_streams"].number > 1:
        points += _streams(result, direction, is_udp)
    # An archive takes no empty list of intervals.
    return [(name, value) for name, value in points if value != []]


def _whole_test(result: Field, direction: Direction, is_udp: bool) -> Iterator[tuple[str, Any]]:
    end, ending = result["end"], direction.ending
    total = end[f"sum{ending}" if is_udp else f"sum_received{ending}"]
    sums = [interval[f"sum{ending}"] for interval in result["intervals"]]
    yield "throughput", total["bits_per_second"].number
    yield "throughput-subintervals", _intervals(sums, "bits_per_second")
    if is_udp:
        yield from _losses(total)
    elif f"sum_sent{ending}" in end and "retransmits" in end[f"sum_sent{ending}"]:
        yield "packet-retransmits", end[f"sum_sent{ending}"]["retransmits"].number
    yield "packet-retransmits-subintervals", _intervals(sums, "retransmits")


def _losses(total: Field) -> Iterator[tuple[str, Any]]:
    lost, sent = total["lost_packets"].number, total["packets"].number
    yield "packet-count-lost", lost
    yield "packet-count-sent", sent
    if sent:
        yield "packet-loss-rate", {"numerator": lost, "denominator": sent}


def _streams(result: Field, direction: Direction, is_udp: bool) -> Iterator[tuple[str, Any]]:
    kinds = ("udp", "udp") if is_udp else ("sender", "receiver")
    streams = [s for s in result["end"]["streams"] if direction.has(s[kinds[0]])]
    retransmits = [s[kinds[0]] for s in streams]
    if all("retransmits" in stream for stream in retransmits):
        yield "streams-packet-retransmits", [s["retransmits"].number for s in retransmits]
    by_socket: dict[Any, list[Field]] = {s[kinds[0]]["socket"].number: [] for s in streams}
    for interval in result["intervals"]:
        for stream in interval["streams"]:
            if direction.has(stream):
                by_socket.setdefault(stream["socket"].number, []).append(stream)
    name = "streams-packet-retransmits-subintervals"
    yield name, _lists(by_socket.values(), "retransmits")
    yield "streams-throughput", [s[kinds[1]]["bits_per_second"].number for s in streams]
    name = "streams-throughput-subintervals"
    yield name, _lists(by_socket.values(), "bits_per_second")


def _lists(streams: Iterable[Iterable[Field]], member: str) -> list[list[Interval]]:
    """Intervals of each stream; nothing at all if no stream has any"""
    lists = [_intervals(stream, member) for stream in streams]
    return lists if any(lists) else []


def _intervals(intervals: Iterable[Field], member: str) -> list[Interval]:
    """Intervals with their seconds since the start, as archives want them"""
    return [
        {
            "start": interval["start"].number,
            "duration": interval["seconds"].number,
            "val": interval[member].number,
        }
        for interval in intervals
        if member in interval and not interval.flag("omitted")
    ]
