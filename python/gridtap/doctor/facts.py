"""What was seen of each server: counts and extremes, never packets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from gridtap.doctor.loss import Losses
from gridtap.xrootd import SrvInfo

__all__ = ["Arrival", "FileFacts", "Observation", "ServerFacts", "ServerKey", "Size"]

#: Open files of a server that are remembered; a server has a few thousand.
_OPEN_FILES = 100_000

#: Differences of clocks that are kept for each server.
_CLOCKS = 1_000


#: Address, start time, and whether it is a file residency daemon.
ServerKey = tuple[str | None, int | None, bool]


class Arrival(NamedTuple):
    """Where a datagram came from and went to.

    ``received_at``: UTC epoch seconds. What is not known is None.
    """

    host: str | None
    port: int | None
    destination_port: int | None
    received_at: float | None
    payload: bytes


@dataclass
class Size:
    """Datagrams of one stream."""

    datagrams: int = 0
    largest_bytes: int = 0
    #: Datagrams that the path carries in fragments only
    oversized: int = 0


@dataclass
class FileFacts:
    """Records of the f-stream. Times are those of the server, UTC epoch seconds."""

    opens: int = 0
    named_opens: int = 0
    closes: int = 0
    closes_with_counts: int = 0
    closes_with_squares: int = 0
    transfers: int = 0
    ended_sessions: int = 0
    #: Those of nobody: all of them where users are not told of, else connections without a login
    ended_connections: int = 0
    longest_open_s: int = 0
    _opened_at: dict[int, int] = field(default_factory=dict)

    def opened(self, file_id: int, at: int, *, is_named: bool) -> None:
        """An open record."""
        self.opens += 1
        self.named_opens += is_named
        if len(self._opened_at) < _OPEN_FILES:
            self._opened_at[file_id] = at

    def closed(self, file_id: int, at: int) -> None:
        """A close record."""
        self.closes += 1
        opened_at = self._opened_at.pop(file_id, at)
        self.longest_open_s = max(self.longest_open_s, at - opened_at)


@dataclass
class ServerFacts:
    """One process of a server: those packets of a host that name the same start time."""

    host: str | None
    started_at: int | None
    #: A file residency daemon, which has monitoring of its own
    is_residency: bool = False
    identity: SrvInfo | None = None
    host_name: str | None = None
    codes: Counter[str] = field(default_factory=Counter)
    sizes: dict[str, Size] = field(default_factory=dict)
    is_ipv6: bool = False
    first_at: float | None = None
    last_at: float | None = None
    identified_at: float | None = None
    longest_silence_s: float = 0.0
    files: FileFacts = field(default_factory=FileFacts)
    trace_io: int = 0
    segment_reads: int = 0
    authenticated: int = 0
    #: How g-streams come: ``binary``, ``json``, ``cgi`` or ``none``, with the providers' letters
    plugins: dict[str, set[str]] = field(default_factory=dict)
    #: Source ports of binary packets for each port they went to
    sockets: dict[int | None, set[int]] = field(default_factory=dict)
    #: Maps that came from two sockets to one port
    repeated_maps: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    #: Keys of maps that nobody has defined, with the code of the map in front
    unknown_keys: Counter[str] = field(default_factory=Counter)
    losses: Losses = field(default_factory=Losses)
    clock_s: list[float] = field(default_factory=list)

    @property
    def packets(self) -> int:
        """Datagrams of all kinds."""
        return sum(self.codes.values())

    @property
    def span_s(self) -> float | None:
        """Seconds from the first to the last datagram; None: the source has no clock."""
        if self.first_at is None or self.last_at is None:
            return None
        return self.last_at - self.first_at

    @property
    def clock_ahead_s(self) -> float | None:
        """How far the server's clock is ahead of the receiver's, seconds."""
        return median(self.clock_s) if self.clock_s else None

    @property
    def version(self) -> tuple[int, ...]:
        """Release numbers; empty: not known."""
        text = self.identity.ver if self.identity is not None else None
        parts = (text or b"").decode("ascii", "replace").removeprefix("v").split(".")
        numbers = [part.split("-")[0] for part in parts]
        return tuple(int(part) for part in numbers if part.isdigit())

    @property
    def serves_files(self) -> bool:
        """It tells of files, or of clients that no redirector sends elsewhere."""
        if self.is_residency:
            return False
        return any(self.codes[code] for code in "fdt") or (
            self.codes["u"] > 0 and not self.codes["r"]
        )

    def clock(self, sent_at: int, received_at: float) -> None:
        """A packet says when it was sent."""
        if len(self.clock_s) < _CLOCKS:
            # Whole seconds were cut off: half of one is lost on average.
            self.clock_s.append(sent_at + 0.5 - received_at)


@dataclass
class Observation:
    """All that was seen."""

    #: Longest payload that travels whole, bytes, over IPv4 and over IPv6
    payload_bytes: tuple[int, int]
    servers: dict[ServerKey, ServerFacts] = field(default_factory=dict)
    datagrams: int = 0
    #: What could not be decoded, and damage of the source, by kind of fault
    faults: Counter[str] = field(default_factory=Counter)
    #: None: not a live observation
    kernel_drops: int | None = None
    receive_buffer_bytes: int | None = None
