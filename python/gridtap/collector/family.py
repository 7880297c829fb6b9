"""What a family of metrics is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Family", "Labels", "Row", "Snapshot", "at", "by_name", "of_sinks"]

#: Values, in the order of the family's labels
Labels = tuple[str, ...]

Row = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The collector at one moment.

    :param core: status of the core
    :param sinks: for each sink what happens behind the core: ``name``, ``written_records``,
        ``refused_records`` by reason, ``failures``, ``trouble`` (why it takes nothing, or None),
        ``waiting_bytes``, ``lost_records``, ``spool_records``, ``spool_bytes``,
        ``spool_dropped_records``
    """

    core: Mapping[str, Any]
    sinks: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Family:
    """Time series of one name.

    :param name: as scraped
    :param meaning: one line
    :param rows: gives label values and number of each series
    :param is_moment: of equal series the newest counts; otherwise they are added up
    """

    name: str
    kind: Literal["counter", "gauge"]
    meaning: str
    rows: Callable[[Snapshot], Iterable[Row]]
    labels: tuple[str, ...] = ()
    is_moment: bool = False


def at(*path: str) -> Callable[[Snapshot], list[Row]]:
    """One number of the core's status, by the keys that lead to it"""

    def rows(now: Snapshot) -> list[Row]:
        found: Any = now.core
        for key in path:
            found = found[key]
        return [((), float(found))]

    return rows


def by_name(*path: str) -> Callable[[Snapshot], Iterator[Row]]:
    """An object of the core's status that has a number for each name"""

    def rows(now: Snapshot) -> Iterator[Row]:
        found: Any = now.core
        for key in path:
            found = found[key]
        for name, number in found.items():
            yield (name,), number

    return rows


def of_sinks(key: str, *, behind: bool = False) -> Callable[[Snapshot], Iterator[Row]]:
    """A number of each sink

    :param behind: of what happens behind the core
    """

    def rows(now: Snapshot) -> Iterator[Row]:
        for sink in now.sinks if behind else now.core["sinks"]:
            yield (sink["name"],), sink[key]

    return rows
