"""Clients that load an archive and remember what it acknowledged."""

from __future__ import annotations

import http.client
import threading
from collections import defaultdict
from random import Random
from typing import Any

from gridtap.archive.values import REPLACEABLE
from tests.archive import samples
from tests.archive.process import Caller

#: Metadata key and event type to values by second
Points = dict[tuple[str, str], dict[int, Any]]

#: Points that all clients write to the same measurement: nobody overwrites another's.
SHARED = "throughput"


class Loader(threading.Thread):
    """One client: writes until the server goes away, one request after the other.

    :ivar made: keys of the metadata whose making was acknowledged
    :ivar acknowledged: points that have to be there
    :ivar under_way: points of the request that had no answer: all there, or none
    :ivar refused: answers that are no acknowledgement
    """

    def __init__(self, port: int, number: int, shared: str, random: Random) -> None:
        super().__init__(daemon=True)
        self.made: list[str] = []
        self.acknowledged: Points = defaultdict(dict)
        self.under_way: Points = {}
        self.refused: list[tuple[int, Any]] = []
        self.writes = 0
        self._caller = Caller(port)
        self._destination = f"2001:db8::{number:x}"
        self._shared = shared
        self._random = random
        # No two clients share a second.
        self._next = 1_700_000_000 + number * 1_000_000

    def run(self) -> None:
        try:
            key = self._make()
            while key:
                draw = self._random.random()
                if draw < 0.15:
                    self._post(key)
                elif draw < 0.3:
                    self._put(self._shared, {SHARED: self._fresh(self._random.randint(200, 1_000))})
                else:
                    self._put(key, self._batch(key))
        except (OSError, http.client.HTTPException):
            pass
        finally:
            self._caller.close()

    def _make(self) -> str | None:
        status, body = self._caller.call("POST", "", samples.description(self._destination))
        if status != 201:
            self.refused.append((status, body))
            return None
        self.made.append(body["metadata-key"])
        return self.made[-1]

    def _fresh(self, number: int) -> dict[int, Any]:
        start = self._next
        self._next += number * 7
        data_type = samples.EVENTS[SHARED][0]
        return {start + 7 * each: samples.value(self._random, data_type) for each in range(number)}

    def _batch(self, key: str) -> dict[str, dict[int, Any]]:
        """New points of each event type; old ones again, with another value where one may"""
        batch: dict[str, dict[int, Any]] = {}
        total = self._random.randint(200, 1_000)
        for event_type, (data_type, _) in samples.EVENTS.items():
            number = total // len(samples.EVENTS)
            times = range(self._next, self._next + 7 * number, 7)
            batch[event_type] = {ts: samples.value(self._random, data_type) for ts in times}
            known = self.acknowledged[key, event_type]
            for ts in self._random.sample(sorted(known), min(len(known), 20)):
                is_other = data_type in REPLACEABLE
                old = known[ts]
                batch[event_type][ts] = samples.value(self._random, data_type) if is_other else old
        self._next += 7 * total
        return batch

    def _put(self, key: str, batch: dict[str, dict[int, Any]]) -> None:
        rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for event_type, values in batch.items():
            for ts, value in values.items():
                rows[ts].append({"event-type": event_type, "val": value})
        data = [{"ts": ts, "val": row} for ts, row in rows.items()]
        self._random.shuffle(data)
        self._write(
            "PUT", f"{key}/", {"data": data}, {(key, name): each for name, each in batch.items()}
        )

    def _post(self, key: str) -> None:
        event_type = self._random.choice(list(samples.EVENTS))
        value = samples.value(self._random, samples.EVENTS[event_type][0])
        self._next += 7
        points = {(key, event_type): {self._next: value}}
        self._next += 7
        body = {"ts": self._next - 7, "val": value}
        self._write("POST", f"{key}/{event_type}/base", body, points)

    def _write(self, method: str, path: str, body: object, points: Points) -> None:
        self.under_way = points
        status, answer = self._caller.call(method, path, body)
        if status == 201:
            self.writes += 1
            for series, values in points.items():
                self.acknowledged[series].update(values)
        else:
            self.refused.append((status, answer))
        self.under_way = {}
