"""The event types of esmond 4.4, by the kind of their values.

Written down a second time, from esmond's own configuration, so that a slip in the archive's table
is found.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """Event types of one kind

    :param summaries: what may be kept of them
    :param posted: a value that is taken
    :param shown: the same as base data
    """

    event_types: tuple[str, ...]
    summaries: frozenset[str]
    posted: object
    shown: object


SUMS = frozenset({"aggregation", "average"})
SUMMARY_TYPES = ("aggregation", "average", "statistics")
IN_ADDRESS = {"aggregation": "aggregations", "average": "averages", "statistics": "statistics"}

_INTEGER = """
    ntp-reach ntp-stratum packet-count-lost packet-count-lost-bidir packet-count-sent
    packet-duplicates packet-duplicates-bidir packet-reorders packet-reorders-bidir
    packet-retransmits packet-rtt path-mtu tcp-windowsize throughput
"""
_FLOAT = """
    ntp-delay ntp-dispersion ntp-jitter ntp-offset ntp-polling-interval ntp-wander
    time-error-estimates
"""
_PERCENTAGE = "packet-loss-rate packet-loss-rate-bidir"
_HISTOGRAM = "histogram-owdelay histogram-rtt histogram-ttl histogram-ttl-reverse"
_SUBINTERVAL = """
    packet-retransmits-subintervals packet-rtt-subintervals tcp-windowsize-subintervals
    throughput-subintervals
"""
_JSON = """
    failures iostat mpstat rusage packet-trace packet-trace-multi pscheduler-raw
    pscheduler-run-href streams-packet-retransmits streams-packet-retransmits-subintervals
    streams-packet-rtt streams-packet-rtt-subintervals streams-tcp-windowsize
    streams-tcp-windowsize-subintervals streams-tcpinfo streams-throughput
    streams-throughput-subintervals tcpinfo
"""

_INTERVALS = [{"start": "0.000000", "duration": "1.000000", "val": 0}]
_FAILURE = {"error": "no route to host"}

KINDS = {
    "integer": Kind(tuple(_INTEGER.split()), SUMS, 123.99, 123.0),
    "float": Kind(tuple(_FLOAT.split()), SUMS, 1.99999, 1.9999),
    "percentage": Kind(
        tuple(_PERCENTAGE.split()),
        frozenset({"aggregation"}),
        {"numerator": 11, "denominator": 33},
        0.3333333333333333,
    ),
    "histogram": Kind(
        tuple(_HISTOGRAM.split()),
        frozenset({"aggregation", "statistics"}),
        {"10.5": 3, "11": "4"},
        {"10.5": 3, "11": 4},
    ),
    "subinterval": Kind(tuple(_SUBINTERVAL.split()), frozenset(), _INTERVALS, _INTERVALS),
    "json": Kind(tuple(_JSON.split()), frozenset(), _FAILURE, _FAILURE),
}

EVENT_TYPES = [(name, kind) for kind in KINDS.values() for name in kind.event_types]
