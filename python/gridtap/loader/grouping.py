"""Transfers by the test and the second that they have in an archive.

An archive has one point of an event type at one second of a test, and transfers that begin in one
second are nothing unusual.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gridtap.gridftp import Transfer
from gridtap.loader.mapping import Description, has_failed, points, second_of

__all__ = ["Group", "Sample", "group"]


@dataclass(slots=True)
class Sample:
    """The points of one second of a test.

    :param transfers: that they are made of, in the log's order
    """

    ts: int
    transfers: tuple[Transfer, ...]
    points: list[tuple[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.points = points(self.transfers)

    @property
    def main(self) -> tuple[str, Any]:
        """The point that tells it from other transfers"""
        return self.points[0]

    @property
    def is_replaceable(self) -> bool:
        """Whether an archive would put it in the place of another's without a word: numbers it
        refuses, JSON it replaces
        """
        return self.main[0] != "throughput"


@dataclass(slots=True)
class Group:
    """What is to be stored of one test.

    :param displaced: transfers whose second another of them has taken
    """

    samples: list[Sample]
    displaced: list[Transfer]


def group(
    transfers: Iterable[tuple[Description, Transfer]], is_merging: bool
) -> tuple[dict[Description, Group], int]:
    """Samples of each test, and how many transfers were logged more than once.

    :param is_merging: transfers of one second become one sample; otherwise the first takes it
    """
    seconds: dict[Description, dict[tuple[int, bool], list[Transfer]]] = {}
    repeated = 0
    for test, transfer in transfers:
        place = (second_of(transfer), has_failed(transfer))
        mates = seconds.setdefault(test, {}).setdefault(place, [])
        if any(_is_same(mate, transfer) for mate in mates):
            repeated += 1
        else:
            mates.append(transfer)
    return {test: _group(found, is_merging) for test, found in seconds.items()}, repeated


def _group(found: dict[tuple[int, bool], list[Transfer]], is_merging: bool) -> Group:
    samples, displaced = [], []
    for (ts, _), mates in found.items():
        if is_merging:
            samples.append(Sample(ts, tuple(mates)))
        else:
            samples.append(Sample(ts, (mates[0],)))
            displaced += mates[1:]
    return Group(samples, displaced)


def _is_same(one: Transfer, other: Transfer) -> bool:
    """Whether two records are one transfer: everything but where they stand."""
    return _without_place(one) == _without_place(other)


def _without_place(transfer: Transfer) -> Sequence[object]:
    return transfer[:-3]
