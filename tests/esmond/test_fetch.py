"""Many at once, but not too many."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gridtap.esmond import ApiConnect, ApiFilters, EventType, fetch_many
from gridtap.esmond.errors import StatusError
from tests.esmond.documents import counted, event_type, metadata, window_of
from tests.esmond.server import ROOT, Asked, Reply, Server, html_reply, json_reply


class Slow:
    """An archive some way off; counts how many requests it has at once"""

    def __init__(self, latency_s: float, points: int = 3) -> None:
        self.latency_s = latency_s
        self.points = [{"ts": 1000 + n, "val": float(n)} for n in range(points)]
        self.most = self._now = 0
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Reply:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self.latency_s)
        with self._lock:
            self._now -= 1
        if "/bad" in asked.path:
            return html_reply(500, "<h1>Server Error (500)</h1>")
        if asked.path == ROOT:
            return json_reply(counted(*(metadata(f"{n:032x}") for n in range(20))))
        return json_reply(window_of(self.points, asked))


def nodes(url: str, names: list[str]) -> list[EventType]:
    filters = ApiFilters()
    return [EventType(event_type("throughput", name), url, filters) for name in names]


def test_a_few_at_once_and_in_order() -> None:
    slow = Slow(0.05)
    with Server(slow) as server:
        conn = ApiConnect(server.url)
        found = (one for each in conn.get_metadata() for one in each.get_all_event_types())
        begun = time.monotonic()
        fetched = list(fetch_many(found))
        took = time.monotonic() - begun
        # A connection for each of the four, the first of which found the metadata.
        assert server.connections <= 5
    keys = [one.node.base_uri.split("/")[4] for one in fetched]
    assert keys == [f"{n:032x}" for n in range(20)]
    assert all(one.error is None and one.result is not None for one in fetched)
    assert [len(one.result or ()) for one in fetched] == [3] * 20
    assert slow.most == 4
    assert took < 21 * 0.05


def test_as_many_as_wanted() -> None:
    slow = Slow(0.05)
    with Server(slow) as server:
        list(fetch_many(nodes(server.url, ["k"] * 12), concurrency=6))
        assert slow.most == 6
        with pytest.raises(ValueError, match="at least 1, not 0"):
            fetch_many([], concurrency=0)


def test_one_that_fails_does_not_stop_the_others() -> None:
    with Server(Slow(0)) as server:
        fetched = list(fetch_many(nodes(server.url, ["a", "bad", "c"])))
    assert [type(one.error) for one in fetched] == [type(None), StatusError, type(None)]
    assert [one.result is None for one in fetched] == [False, True, False]


def test_anything_can_be_done_with_each() -> None:
    def count(node: EventType) -> int:
        return sum(len(page) for page in node.iter_pages())

    with Server(Slow(0, 2500)) as server:
        assert [one.result for one in fetch_many(nodes(server.url, ["a", "b"]), count)] == [
            2500
        ] * 2


def test_nodes_are_taken_as_needed() -> None:
    taken: list[int] = []

    def endless(url: str) -> Iterator[EventType]:
        [one] = nodes(url, ["a"])
        while True:
            taken.append(1)
            yield one

    with Server(Slow(0)) as server:
        fetched = fetch_many(endless(server.url), concurrency=2)
        assert taken == []
        for _ in range(5):
            next(fetched)
        assert len(taken) <= 5 + 4
        fetched.close()  # type: ignore[attr-defined]


def test_closing_stops_soon() -> None:
    # Each would take 100 pages of 50 ms.
    with Server(Slow(0.05, 100_000)) as server:
        first, *others = nodes(server.url, ["a"] * 20)
        first.filters.page_size = 1000

        def all_of_them() -> Iterator[Any]:
            yield from others

        fetched = fetch_many(all_of_them(), concurrency=2)
        failing = fetch_many(nodes(server.url, ["bad", *["a"] * 20]), concurrency=2)
        begun = time.monotonic()
        next(failing)
        failing.close()  # type: ignore[attr-defined]
        assert time.monotonic() - begun < 2
        asked = len(server.asked)
        time.sleep(0.3)
        assert len(server.asked) == asked
        fetched.close()  # type: ignore[attr-defined]


def test_errors_of_the_caller_are_not_caught() -> None:
    def broken(_: EventType) -> None:
        raise KeyError("mine")

    with Server(Slow(0)) as server, pytest.raises(KeyError, match="mine"):
        list(fetch_many(nodes(server.url, ["a"]), broken))
