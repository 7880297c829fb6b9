"""Packets that are missing, by the numbers that servers give them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

__all__ = ["Losses", "Sequence"]

#: Counters of one server that are followed: one for each stream and destination.
_SEQUENCES = 256

#: How many later packets a missing one may still come after.
_PATIENCE = 64


@dataclass
class Sequence:
    """One counter of a server, modulo 256."""

    received: int = 0
    lost: int = 0
    _last: int = -1
    #: Missing numbers, and how many packets had come when they were missed
    _missing: dict[int, int] = field(default_factory=dict)

    def see(self, number: int) -> None:
        """Takes the number of the next packet."""
        self.received += 1
        if self._last < 0:
            self._last = number
            return
        ahead = (number - self._last) % 256
        if ahead == 0:
            return
        if ahead >= 128:
            if self._missing.pop(number, None) is not None:
                self.lost -= 1
            return
        for missing in range(1, ahead):
            self._missing[(self._last + missing) % 256] = self.received
        self.lost += ahead - 1
        self._last = number
        for missing, since in list(self._missing.items()):
            if self.received - since > _PATIENCE:
                del self._missing[missing]


@dataclass
class Losses:
    """The counters of one server: its streams have their own, some one for each destination."""

    _sequences: dict[Hashable, tuple[str, Sequence]] = field(default_factory=dict)

    def see(self, key: Hashable, name: str, number: int) -> None:
        """Takes the number of a packet of the counter ``key``, which people call ``name``."""
        if key not in self._sequences and len(self._sequences) >= _SEQUENCES:
            return
        _, sequence = self._sequences.setdefault(key, (name, Sequence()))
        sequence.see(number)

    def by_name(self) -> dict[str, tuple[int, int]]:
        """Packets received and lost, by the name of the counter."""
        sums: dict[str, tuple[int, int]] = {}
        for name, sequence in self._sequences.values():
            received, lost = sums.get(name, (0, 0))
            sums[name] = (received + sequence.received, lost + sequence.lost)
        return sums
