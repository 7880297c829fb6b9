"""From accesses to the throughput between servers and remote sites."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.collector.sinks.remotes import Remotes, address_of

__all__ = ["Amount", "Series", "Transfers", "gather"]

#: Shortest duration that counts, in seconds. Servers tell times in whole seconds, so that a shorter
#: access has no throughput that could be known.
_SHORTEST_S = 1.0

#: Keys of an access that say between whom it was
_ENDS = ("server_address", "server_host", "user_host", "auth_host")


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """Data from somewhere to somewhere, one of which is a server.

    :param server: address of the server
    """

    source: str
    destination: str
    input_source: str
    input_destination: str
    server: str


@dataclass(slots=True)
class Amount:
    """What the accesses of one interval moved.

    :param seconds: sum of the times that they were open
    """

    records: int = 0
    moved_bytes: int = 0
    seconds: float = 0.0

    @property
    def throughput(self) -> int:
        """Bits per second"""
        return int(8 * self.moved_bytes / self.seconds)


@dataclass(slots=True)
class Transfers:
    """What a set of accesses amounts to.

    :param amounts: by series and second in which the interval begins
    :param refused: accesses of which nothing can be said, by reason
    """

    amounts: dict[Series, dict[int, Amount]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)


def gather(batches: Iterable[StoredBatch], interval_s: int, remotes: Remotes) -> Transfers:
    """Sums accesses up by series and interval of their end.

    :param batches: lines of native accesses
    """
    result = Transfers()
    ends = _Ends(remotes)
    for batch in batches:
        for line in bytes(batch.data).splitlines():
            _add(result, line, interval_s, ends)
    return result


def _add(result: Transfers, line: bytes, interval_s: int, ends: _Ends) -> None:
    try:
        access = json.loads(line)
        was_read = int(access["read_bytes"] or 0) + int(access["readv_bytes"] or 0)
        was_written = int(access["write_bytes"] or 0)
        if not was_read and not was_written:
            return
        if access["opened_at"] is None or access["closed_at"] is None:
            result.refused["no_duration"] += 1
            return
        seconds = max(float(access["closed_at"]) - float(access["opened_at"]), _SHORTEST_S)
        begin = int(float(access["closed_at"]) // interval_s) * interval_s
    except (ValueError, KeyError, TypeError, OverflowError):
        result.refused["not_native"] += 1
        return
    pair = ends.of(access)
    if pair is None:
        result.refused["no_address"] += 1
        return
    for series, moved in zip(pair, (was_read, was_written), strict=True):
        if moved:
            amount = result.amounts.setdefault(series, {}).setdefault(begin, Amount())
            amount.records += 1
            amount.moved_bytes += moved
            amount.seconds += seconds


class _Ends:
    """The series of accesses: the same few clients and servers over and over"""

    def __init__(self, remotes: Remotes) -> None:
        self._remotes = remotes
        self._known: dict[tuple[Any, ...], tuple[Series, Series] | None] = {}

    def of(self, access: Mapping[str, Any]) -> tuple[Series, Series] | None:
        """The series of what was read, and of what was written; None if an end has no address"""
        key = tuple(str(access.get(name) or "") for name in _ENDS)
        if key not in self._known:
            self._known[key] = self._found(*key)
        return self._known[key]

    def _found(
        self, server_address: str, server_host: str, *client: str
    ) -> tuple[Series, Series] | None:
        server = address_of(server_address)
        if server is None:
            return None
        remote = self._remotes.of([host for host in client if host], server)
        if remote is None:
            return None
        address, name = str(server), server_host or str(server)
        return (
            Series(address, remote.address, name, remote.name, address),
            Series(remote.address, address, remote.name, name, address),
        )
