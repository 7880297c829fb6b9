"""The numbers of the screen: rates over the last seconds, totals since the start."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["SORTS", "Board", "ServerRow", "Total", "Totals"]

#: Rates are averages over this many seconds.
_SPAN_S = 10.0

#: Users and directories that are kept; the smallest go when there are twice as many.
_KEPT = 5_000

#: What servers can be sorted by.
SORTS = ("packets", "read", "written", "loss")


@dataclass
class Total:
    """What one user, or one directory, has moved."""

    read_bytes: int = 0
    write_bytes: int = 0
    accesses: int = 0

    @property
    def bytes(self) -> int:
        """In both directions."""
        return self.read_bytes + self.write_bytes


class Totals:
    """The largest of a number of names without a bound."""

    def __init__(self) -> None:
        self._totals: dict[str, Total] = {}

    def add(self, name: str, read_bytes: int, write_bytes: int) -> None:
        """One access."""
        total = self._totals.setdefault(name, Total())
        total.read_bytes += read_bytes
        total.write_bytes += write_bytes
        total.accesses += 1
        if len(self._totals) > 2 * _KEPT:
            self._totals = dict(self.largest(_KEPT))

    def largest(self, count: int) -> list[tuple[str, Total]]:
        """Those with most bytes, then with most accesses."""
        order = sorted(self._totals.items(), key=lambda each: (-each[1].bytes, -each[1].accesses))
        return order[:count]

    def __len__(self) -> int:
        return len(self._totals)


@dataclass(frozen=True)
class ServerRow:
    """One server. Rates are per second, None where only totals are known."""

    name: str
    #: Site and version, as far as they are known
    details: str
    packets: float
    read_bytes: float
    write_bytes: float
    received: int
    lost: int

    @property
    def loss(self) -> float:
        """Share of its packets that were lost, from 0 to 1."""
        return self.lost / (self.received + self.lost) if self.lost else 0.0

    def by(self, sort: str) -> float:
        """The number of one of :py:data:`SORTS`."""
        numbers = {
            "packets": self.packets,
            "read": self.read_bytes,
            "written": self.write_bytes,
            "loss": self.loss,
        }
        return numbers[sort]


class _Known(NamedTuple):
    """What a server says of itself"""

    host: str
    details: str = ""


@dataclass
class Board:
    """All that the screen shows.

    :param depth: components of a path that make a directory
    :param is_total: show totals, not rates: of a source whose time is not ours
    """

    depth: int = 2
    is_total: bool = False
    status: Mapping[str, Any] = field(default_factory=dict)
    users: Totals = field(default_factory=Totals)
    directories: Totals = field(default_factory=Totals)
    _known: dict[str, _Known] = field(default_factory=dict)
    _past: deque[tuple[float, Mapping[str, Any]]] = field(default_factory=deque)

    def update(self, now: float, status: Mapping[str, Any]) -> None:
        """A newer status, at ``now`` of a clock that never steps, seconds."""
        self.status = status
        for server in status.get("servers", ()):
            said = (server.get("address"), server.get("host"), server.get("site"))
            self._meet(*said, server.get("version"))
        self._past.append((now, status))
        while len(self._past) > 2 and now - self._past[1][0] >= _SPAN_S:
            self._past.popleft()

    def add(self, accesses: Iterable[Mapping[str, Any]]) -> None:
        """Accesses that ended."""
        for access in accesses:
            read = (access.get("read_bytes") or 0) + (access.get("readv_bytes") or 0)
            write = access.get("write_bytes") or 0
            self.users.add(_user(access), read, write)
            self.directories.add(self._directory(access.get("path")), read, write)
            said = (access.get("server_address"), access.get("server_host"))
            self._meet(*said, access.get("server_site"), access.get("server_version"))

    def packets(self) -> float:
        """Packets of all servers: a rate, or a total."""
        return self._change(lambda status: status["packets"]["received"])

    def moved(self, *operations: str) -> float:
        """Bytes of all servers by these operations: a rate, or a total."""
        return self._change(lambda status: sum(_moved(status, operations).values()))

    def servers(self, sort: str, count: int) -> list[ServerRow]:
        """The first servers in an order of :py:data:`SORTS`. Processes of one host are one row."""
        losses = self._losses()
        packets = self._changes(_packets)
        reads = self._changes(lambda status: _moved(status, ("read", "readv")))
        writes = self._changes(lambda status: _moved(status, ("write",)))
        rows = []
        for address in {**packets, **reads, **writes}:
            known = self._known.get(address, _Known(address))
            received, lost = losses.pop(known.host, (0, 0))
            rows.append(
                ServerRow(
                    name=known.host or "unknown",
                    details=known.details,
                    packets=packets.get(address, float(received)),
                    read_bytes=reads.get(address, 0.0),
                    write_bytes=writes.get(address, 0.0),
                    received=received,
                    lost=lost,
                )
            )
        if self.is_total:
            # Servers are forgotten at the end of a capture; their losses are not.
            rows += [
                ServerRow(name, "", float(received), 0.0, 0.0, received, lost)
                for name, (received, lost) in losses.items()
            ]
        return sorted(rows, key=lambda row: (-row.by(sort), row.name))[:count]

    def lost(self) -> tuple[int, int]:
        """Packets received with numbers, and lost, of all servers."""
        sums = [*self._losses().values()]
        return sum(received for received, _ in sums), sum(lost for _, lost in sums)

    def drops(self) -> int:
        """Packets that the kernel threw away, and records that the screen could not take."""
        sockets = self.status.get("sockets", ())
        return sum(int(each.get("kernel_drops") or 0) for each in sockets)

    def _meet(self, address: Any, host: Any, site: Any, version: Any) -> None:
        """A server says who it is, or does not"""
        key = str(address or "")
        if host or key not in self._known:
            details = " ".join(str(each) for each in (site, version) if each)
            self._known[key] = _Known(str(host or key), details)
        if len(self._known) > _KEPT:
            self._known.pop(next(iter(self._known)))

    def _losses(self) -> dict[str, tuple[int, int]]:
        """Packets received and lost by the name that a server gives itself, else its address"""
        known = {each.host for each in self._known.values()}
        sums: dict[str, tuple[int, int]] = {}
        for server, _, received, lost, *_ in self.status.get("losses", ()):
            # It has the port behind it, or the program.
            names = (server, server.rpartition(":")[0], server.partition(" ")[0])
            name = next((each for each in names if each in known), server)
            before = sums.get(name, (0, 0))
            sums[name] = (before[0] + received, before[1] + lost)
        return sums

    def _directory(self, path: object) -> str:
        if not isinstance(path, str) or not path:
            return "(no path)"
        parts = path.strip("/").split("/")
        # A file right there is in a directory of fewer components.
        return "/" + "/".join(parts[: min(self.depth, len(parts) - 1)])

    def _change(self, read: Any) -> float:
        return self._changes(lambda status: {"": read(status)}).get("", 0.0)

    def _changes(self, read: Any) -> dict[str, float]:
        """Per second since the oldest status of the span; or as they are, for totals"""
        if not self._past:
            return {}
        (then, before), (now, status) = self._past[0], self._past[-1]
        newest = read(status)
        if self.is_total:
            return {name: float(count) for name, count in newest.items()}
        oldest = read(before)
        passed = now - then
        if passed <= 0:
            return dict.fromkeys(newest, 0.0)
        # A collector that was started anew counts from zero.
        return {name: max(0, n - oldest.get(name, 0)) / passed for name, n in newest.items()}


def _user(access: Mapping[str, Any]) -> str:
    names = ("token_subject", "auth_name", "user_name")
    name = next((access[each] for each in names if access.get(each)), None)
    vo = access.get("token_vo") or access.get("auth_vo")
    shown = str(name) if name else "(unknown)"
    # The last part of a distinguished name is the person.
    if shown.startswith("/") and "=" in shown:
        shown = shown.rpartition("=")[2]
    return f"{shown} ({vo})" if vo else shown


def _packets(status: Mapping[str, Any]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for server in status.get("servers", ()):
        address = str(server.get("address") or "")
        sums[address] = sums.get(address, 0) + int(server.get("packets") or 0)
    return sums


def _moved(status: Mapping[str, Any], operations: tuple[str, ...]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for address, _, operation, count, _ in status.get("io", ()):
        if operation in operations:
            sums[str(address or "")] = sums.get(str(address or ""), 0) + int(count)
    return sums
