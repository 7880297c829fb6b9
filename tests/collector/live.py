"""A collector that really receives, with sinks that really write."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gridtap import _core
from gridtap.collector.sinks.jsonl import JsonlSettings, JsonlSink
from gridtap.collector.sinks.parquet import ParquetSettings, ParquetSink
from gridtap.collector.sinks.protocol import Sink, StoredBatch
from gridtap.collector.spool import Spool
from gridtap.errors import RefusedError
from tests.xrootd.captures import DATA, split

__all__ = ["Live", "running"]


class Live:
    """A core, and a thread for each of its sinks.

    The second sink is given lines, which it refuses. The third is kept from everything by its
    filter.
    """

    def __init__(self, directory: Path) -> None:
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind(("127.0.0.1", 0))
        self._port = receiver.getsockname()[1]
        self._sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        every = {"records": ["accesses"], "profile": "native", "form": "lines", "batch_wait_s": 0.1}
        sinks = [
            {"name": "files", **every},
            {"name": "refusing", **every},
            {"name": "filtered", **every, "filter": {"servers": ["192.0.2.0/24"]}},
        ]
        settings = {
            "workers": 1,
            "host": "collector.example",
            "state": {"late_grace_s": 1},
            "sinks": sinks,
        }
        self.core = _core.Collector(json.dumps(settings), [receiver.fileno()])
        receiver.close()
        self.spool = Spool(directory / "spool", 1 << 20)
        self.spool.append(StoredBatch(3, "accesses", b"waiting"))
        self.rows = [self._row(sink["name"]) for sink in sinks]
        files = JsonlSink(JsonlSettings(path=str(directory / "a.jsonl")))
        parquet = ParquetSink(ParquetSettings(directory=str(directory / "set")))
        self._threads = [
            threading.Thread(target=self._pull, args=(number, sink))
            for number, sink in enumerate((files, parquet, files))
        ]
        self.core.start()
        for thread in self._threads:
            thread.start()

    def _row(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "written_records": 0,
            "refused_records": {},
            "failures": 0,
            "trouble": None,
            "waiting_bytes": 0,
            "lost_records": 0,
            "spool_records": self.spool.stored_records,
            "spool_bytes": self.spool.stored_bytes,
            "spool_dropped_records": self.spool.dropped_records,
        }

    def _pull(self, number: int, sink: Sink) -> None:
        row = self.rows[number]
        while not self.core.drained(number):
            batch = self.core.next(number, 0.2)
            if batch is None:
                continue
            try:
                sink.write(StoredBatch(batch.records, batch.kind, batch.data))
                row["written_records"] += batch.records
            except RefusedError as error:
                refused = row["refused_records"]
                refused[error.reason] = refused.get(error.reason, 0) + error.records

    def send(self, *names: str) -> None:
        """Sends the packets of captures"""
        for name in names:
            for packet in split((DATA / f"{name}.bin").read_bytes()):
                self.send_raw(packet)

    def send_raw(self, packet: bytes) -> None:
        self._sender.sendto(packet, ("127.0.0.1", self._port))

    def wait_for(self, accesses: int) -> dict[str, Any]:
        """The status once so many have ended"""
        for _ in range(500):
            status: dict[str, Any] = self.core.status()
            if sum(status["accesses"].values()) >= accesses:
                return status
            time.sleep(0.02)
        raise AssertionError(status["accesses"])

    def close(self) -> None:
        self.core.stop()
        for thread in self._threads:
            thread.join()
        self.spool.close()
        self._sender.close()


@contextmanager
def running(directory: Path) -> Iterator[Live]:
    live = Live(directory)
    try:
        yield live
    finally:
        live.close()
