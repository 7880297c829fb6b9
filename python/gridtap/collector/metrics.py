"""The collector's counters as Prometheus reads them.

A *family* is a row of a table: :py:data:`~.families.FAMILIES` are gridtap's own,
:py:data:`~.compatible.DIALECTS` have the names that other collectors made known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gridtap.collector.compatible import DIALECTS, Dialect
from gridtap.collector.families import FAMILIES
from gridtap.collector.family import Family, Labels, Snapshot

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["CollectorMetrics"]

#: Time series of one family. Servers name themselves, and a label costs the memory of who scrapes.
_MOST_ROWS = 10_000

#: Characters of a label's value
_LABEL_CHARS = 128


class CollectorMetrics:
    """A collector in the sense of ``prometheus_client``: register it with a registry.

    :param core: the core's status
    :param sinks: a row for each sink, of what the core does not know; see
        :py:class:`~.family.Snapshot`
    :param dialects: of :py:data:`~.compatible.DIALECTS`, to be told besides the own names
    :param most_rows: of a family. Later ones are summed up in one row, all labels ``other``
    :raises KeyError: no such dialect
    """

    def __init__(
        self,
        core: Callable[[], Mapping[str, Any]],
        sinks: Callable[[], Sequence[Mapping[str, Any]]],
        dialects: Collection[Dialect] = (),
        *,
        most_rows: int = _MOST_ROWS,
    ) -> None:
        self._core = core
        self._sinks = sinks
        self._families = [*FAMILIES, *(each for name in dialects for each in DIALECTS[name])]
        self._most_rows = most_rows
        # Who has a row keeps it: a counter that moves between rows would go backwards.
        self._known: dict[str, set[Labels]] = {each.name: set() for each in self._families}

    def collect(self) -> Iterator[Metric]:
        """All families, as they are now."""
        now = Snapshot(self._core(), self._sinks())
        for family in self._families:
            yield self._told(family, now)

    def describe(self) -> list[Metric]:
        """Nothing: a registry then does not ask for everything to learn the names."""
        return []

    def _told(self, family: Family, now: Snapshot) -> Metric:
        from prometheus_client.core import Metric

        # The client library knows counters by names that end so. Others cannot be called counters,
        # as neither of its formats has them; queries do not care.
        is_counter = family.kind == "counter" and family.name.endswith("_total")
        kind = "counter" if is_counter else "gauge" if family.kind == "gauge" else "unknown"
        metric = Metric(
            family.name.removesuffix("_total") if is_counter else family.name, family.meaning, kind
        )
        for values, number in self._bounded(family, family.rows(now)).items():
            labels = dict(zip(family.labels, values, strict=True))
            metric.add_sample(family.name, labels, number)
        return metric

    def _bounded(self, family: Family, rows: Iterable[tuple[Labels, float]]) -> dict[Labels, float]:
        known = self._known[family.name]
        sums: dict[Labels, float] = {}
        for values, number in rows:
            key = tuple(value[:_LABEL_CHARS] for value in values)
            if key not in known:
                if len(known) >= self._most_rows:
                    key = ("other",) * len(family.labels)
                else:
                    known.add(key)
            others = sums.get(key, 0)
            sums[key] = max(others, number) if family.is_moment else others + number
        return sums
