"""The event types in the order in which the original commands list them, then all others."""

from __future__ import annotations

from gridtap.esmond.event_types import EVENT_TYPES as TABLE
from gridtap.esmond.event_types import Family

__all__ = ["EVENT_MAP", "EVENT_TYPES", "LISTED", "event_format"]

#: Not quite the alphabet: scripts compare the list line by line
_ORDER = (
    "failures",
    "histogram-owdelay",
    "histogram-rtt",
    "histogram-ttl",
    "histogram-ttl-reverse",
    "ntp-delay",
    "ntp-dispersion",
    "ntp-jitter",
    "ntp-offset",
    "ntp-polling-interval",
    "ntp-reach",
    "ntp-stratum",
    "ntp-wander",
    "packet-duplicates",
    "packet-duplicates-bidir",
    "packet-loss-rate",
    "packet-loss-rate-bidir",
    "packet-trace",
    "packet-count-lost",
    "packet-count-lost-bidir",
    "packet-count-sent",
    "packet-reorders",
    "packet-reorders-bidir",
    "packet-retransmits",
    "packet-retransmits-subintervals",
    "path-mtu",
    "streams-packet-retransmits",
    "streams-packet-retransmits-subintervals",
    "streams-throughput",
    "streams-throughput-subintervals",
    "throughput",
    "throughput-subintervals",
    "time-error-estimates",
)

#: Event type to output family, for the 33 that the original commands know
EVENT_MAP: dict[str, Family] = {
    name: family for name in _ORDER if (family := TABLE[name].family) is not None
}
EVENT_TYPES = list(EVENT_MAP)

#: What ``-L`` prints and ``-e`` takes: those first, so that the list only grew at its end
LISTED = [*EVENT_TYPES, *(name for name in TABLE if name not in EVENT_MAP)]


def event_format(event_type: str) -> Family:
    """The output family of an event type.

    :raises KeyError: the original commands do not know it
    """
    return EVENT_MAP[event_type]
