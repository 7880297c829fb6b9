"""What perfSONAR measures: the 49 event types of esmond 4.4, and the summaries of each.

The table is the configuration of esmond's own server (``esmond.conf``, and
``esmond/api/perfsonar/types.py`` of https://github.com/esnet/esmond). Other archives may know more
types: a reader must let unknown names pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

__all__ = [
    "ALLOWED_SUMMARIES",
    "EVENT_TYPES",
    "SUMMARY_IN_URL",
    "DataType",
    "EventType",
    "Family",
    "SummaryType",
]


class DataType(StrEnum):
    """What the values of an event type are to the archive."""

    INTEGER = "integer"
    FLOAT = "float"
    PERCENTAGE = "percentage"
    HISTOGRAM = "histogram"
    SUBINTERVAL = "subinterval"
    JSON = "json"


class Family(StrEnum):
    """How the original commands print an event type."""

    NUMERIC = "numeric"
    HISTOGRAM = "histogram"
    FAILURES = "failures"
    PACKET_TRACE = "packet_trace"
    SUBINTERVALS = "subintervals"
    NUMBER_LIST = "number_list"
    SUBINTERVAL_LIST = "subinterval_list"


class SummaryType(StrEnum):
    """Kinds of summary, as JSON bodies and filters spell them; ``base`` is the data as posted."""

    BASE = "base"
    AGGREGATION = "aggregation"
    AVERAGE = "average"
    STATISTICS = "statistics"


#: URLs have the plural. Mixing the two up is the most common mistake with this contract.
SUMMARY_IN_URL: Mapping[SummaryType, str] = MappingProxyType(
    {
        SummaryType.BASE: "base",
        SummaryType.AGGREGATION: "aggregations",
        SummaryType.AVERAGE: "averages",
        SummaryType.STATISTICS: "statistics",
    }
)

_SUMS = frozenset({SummaryType.AGGREGATION, SummaryType.AVERAGE})

#: Summary types, besides base, that may be kept of a data type
ALLOWED_SUMMARIES: Mapping[DataType, frozenset[SummaryType]] = MappingProxyType(
    {
        DataType.INTEGER: _SUMS,
        DataType.FLOAT: _SUMS,
        DataType.PERCENTAGE: frozenset({SummaryType.AGGREGATION}),
        DataType.HISTOGRAM: frozenset({SummaryType.AGGREGATION, SummaryType.STATISTICS}),
        DataType.SUBINTERVAL: frozenset(),
        DataType.JSON: frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of result.

    :param name: as posted and queried
    :param data_type: decides validation and summaries
    :param family: how the original commands print it; ``None`` where they cannot
    :param unit: of a value or, for a histogram, of its buckets; empty where there is none
    :param meaning: one line
    """

    name: str
    data_type: DataType
    family: Family | None
    unit: str
    meaning: str


def _table(*rows: EventType) -> Mapping[str, EventType]:
    return MappingProxyType({row.name: row for row in rows})


_INT, _FLOAT, _RATE = DataType.INTEGER, DataType.FLOAT, DataType.PERCENTAGE
_HIST, _SUB, _JSON = DataType.HISTOGRAM, DataType.SUBINTERVAL, DataType.JSON
_NUMERIC = Family.NUMERIC

#: Every event type of esmond 4.4 by name
EVENT_TYPES: Mapping[str, EventType] = _table(
    EventType("failures", _JSON, Family.FAILURES, "", "a scheduled test that gave no result"),
    EventType("histogram-owdelay", _HIST, Family.HISTOGRAM, "ms", "one-way delay"),
    EventType("histogram-rtt", _HIST, Family.HISTOGRAM, "ms", "round-trip time"),
    EventType("histogram-ttl", _HIST, Family.HISTOGRAM, "hops", "hops from source to destination"),
    EventType("histogram-ttl-reverse", _HIST, Family.HISTOGRAM, "hops", "hops of the return path"),
    EventType("iostat", _JSON, None, "", "disk statistics of a GridFTP host"),
    EventType("mpstat", _JSON, None, "", "CPU statistics of a GridFTP host"),
    EventType("rusage", _JSON, None, "", "process resources of a GridFTP transfer"),
    EventType("ntp-delay", _FLOAT, _NUMERIC, "ms", "delay to the NTP server"),
    EventType("ntp-dispersion", _FLOAT, _NUMERIC, "ms", "maximum clock error"),
    EventType("ntp-jitter", _FLOAT, _NUMERIC, "ms", "RMS deviation of the clock offset"),
    EventType("ntp-offset", _FLOAT, _NUMERIC, "ms", "clock offset"),
    EventType("ntp-polling-interval", _FLOAT, _NUMERIC, "s", "time between polls"),
    EventType("ntp-reach", _INT, _NUMERIC, "", "reachability register, read as octal; 377 is full"),
    EventType("ntp-stratum", _INT, _NUMERIC, "", "stratum of the clock, 1 to 16"),
    EventType("ntp-wander", _FLOAT, _NUMERIC, "ppm", "drift of the clock frequency"),
    EventType("packet-count-lost", _INT, _NUMERIC, "packets", "packets lost one way"),
    EventType("packet-count-lost-bidir", _INT, _NUMERIC, "packets", "packets lost on a round trip"),
    EventType("packet-count-sent", _INT, _NUMERIC, "packets", "packets sent"),
    EventType("packet-duplicates", _INT, _NUMERIC, "packets", "duplicates one way"),
    EventType("packet-duplicates-bidir", _INT, _NUMERIC, "packets", "duplicates on a round trip"),
    EventType("packet-loss-rate", _RATE, _NUMERIC, "", "lost / sent, one way"),
    EventType("packet-loss-rate-bidir", _RATE, _NUMERIC, "", "lost / sent, round trip"),
    EventType("packet-reorders", _INT, _NUMERIC, "packets", "packets out of order one way"),
    EventType("packet-reorders-bidir", _INT, _NUMERIC, "packets", "out of order on a round trip"),
    EventType("packet-retransmits", _INT, _NUMERIC, "packets", "retransmits of a whole transfer"),
    EventType(
        "packet-retransmits-subintervals",
        _SUB,
        Family.SUBINTERVALS,
        "packets",
        "retransmits by interval",
    ),
    EventType("packet-rtt", _INT, None, "", "round-trip time"),
    EventType("packet-rtt-subintervals", _SUB, None, "", "round-trip time by interval"),
    EventType("packet-trace", _JSON, Family.PACKET_TRACE, "", "the hops of a path"),
    EventType("packet-trace-multi", _JSON, None, "", "several paths"),
    EventType("path-mtu", _INT, _NUMERIC, "bytes", "largest packet that the path carries"),
    EventType("pscheduler-raw", _JSON, None, "", "raw result of a pScheduler run"),
    EventType("pscheduler-run-href", _JSON, None, "", "link to a pScheduler run"),
    EventType(
        "streams-packet-retransmits", _JSON, Family.NUMBER_LIST, "packets", "retransmits by stream"
    ),
    EventType(
        "streams-packet-retransmits-subintervals",
        _JSON,
        Family.SUBINTERVAL_LIST,
        "packets",
        "retransmits by stream and interval",
    ),
    EventType("streams-packet-rtt", _JSON, None, "", "round-trip time by stream"),
    EventType(
        "streams-packet-rtt-subintervals", _JSON, None, "", "round-trip time by stream and interval"
    ),
    EventType("streams-tcp-windowsize", _JSON, None, "bytes", "TCP window by stream"),
    EventType(
        "streams-tcp-windowsize-subintervals",
        _JSON,
        None,
        "bytes",
        "TCP window by stream and interval",
    ),
    EventType("streams-tcpinfo", _JSON, None, "", "TCP state by stream of a GridFTP transfer"),
    EventType("streams-throughput", _JSON, Family.NUMBER_LIST, "bit/s", "throughput by stream"),
    EventType(
        "streams-throughput-subintervals",
        _JSON,
        Family.SUBINTERVAL_LIST,
        "bit/s",
        "throughput by stream and interval",
    ),
    EventType("tcp-windowsize", _INT, None, "bytes", "TCP window"),
    EventType("tcp-windowsize-subintervals", _SUB, None, "bytes", "TCP window by interval"),
    EventType("tcpinfo", _JSON, None, "", "TCP state"),
    EventType("throughput", _INT, _NUMERIC, "bit/s", "bits per second"),
    EventType(
        "throughput-subintervals", _SUB, Family.SUBINTERVALS, "bit/s", "throughput by interval"
    ),
    EventType("time-error-estimates", _FLOAT, _NUMERIC, "", "clock error of a sample"),
)
