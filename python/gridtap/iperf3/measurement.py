"""What one run of iperf3 says about one direction between two hosts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["FAILURES", "REGISTERED", "Measurement"]

FAILURES = "failures"

#: Event types in the order in which a metadata lists them, as esmond-ps-pipe always did
REGISTERED = (
    "throughput",
    "throughput-subintervals",
    "packet-retransmits-subintervals",
    "streams-packet-retransmits",
    "streams-packet-retransmits-subintervals",
    "streams-throughput",
    "streams-throughput-subintervals",
    "packet-retransmits",
    "packet-count-lost",
    "packet-count-sent",
    "packet-loss-rate",
    FAILURES,
)


@dataclass(frozen=True)
class Measurement:
    """A test and its results.

    :param ts: UTC epoch seconds of its start
    :param source: address of the host that sends; a name, if there was no connection
    :param input_source: the same as whoever ordered the test wrote it
    :param local_address: of the host that iperf3 ran on; None if there was no connection
    :param protocol: in lower case; None if the test did not begin
    :param duration_s: planned; None if the test did not begin
    :param parameters: further ones, by the names that archives have for them
    :param points: event type and value, all at ``ts``
    """

    ts: int
    source: str
    destination: str
    input_source: str
    input_destination: str
    tool_name: str
    local_address: str | None = None
    protocol: str | None = None
    duration_s: int | float | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def event_types(self) -> list[str]:
        """What a metadata announces: what there is, and that the test may fail another time"""
        present = {name for name, _ in self.points} | {FAILURES}
        return [name for name in REGISTERED if name in present]
