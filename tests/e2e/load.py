"""Clients that keep a cluster busy and remember what they did."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.rawclient import RawClient
from tests.e2e.server import Server

#: Around the pages of 4096 bytes, and more than one chunk of xrdcp (8 MiB).
SIZES = (0, 1, 4096, 4097, 250_000, 2_000_000, 9_000_000)

#: Process ids that no real process has.
FIRST_RAW_PID = 900_000_000


@dataclass(frozen=True)
class Done:
    """One access as its client saw it: bytes by read, vector read, write, as the server counts"""

    pid: int
    path: str
    mode: str
    read: int
    readv: int
    written: int


@dataclass
class Load:
    """What all clients did so far"""

    redirector: Server
    servers: list[Server]
    folder: Path
    done: Counter[Done] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, seconds: float, workers: int) -> None:
        """Keeps that many clients going for so long, through the redirector and past it"""
        deadline = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._guard, args=(work, number, deadline))
            for work, count in ((self._copies, workers), (self._requests, 2))
            for number in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _guard(self, work: object, number: int, deadline: float) -> None:
        assert callable(work)
        try:
            work(number, deadline)
        except Exception as error:
            self.failures.append(repr(error))

    def _remember(self, *accesses: Done) -> None:
        with self._lock:
            self.done.update(accesses)

    def _copies(self, number: int, deadline: float) -> None:
        """xrdcp: a file up, and down twice, a process for each"""
        chance = random.Random(number)
        turn = 0
        while time.monotonic() < deadline:
            turn += 1
            size = chance.choice(SIZES)
            path = f"/store/worker {number}/file-{turn}.dat"
            local = self.folder / f"up-{number}"
            local.write_bytes(chance.randbytes(size))
            pid = self._copy(str(local), self.redirector.url(path))
            # xrdcp writes pages, and the server counts the checksum of each.
            pages = size + 4 * math.ceil(size / 4096)
            self._remember(Done(pid, path, "read-write", 0, 0, pages))
            for _ in range(2):
                back = self.folder / f"down-{number}"
                pid = self._copy(self.redirector.url(path), str(back))
                assert back.stat().st_size == size
                self._remember(Done(pid, path, "read", size, 0, 0))

    def _copy(self, source: str, target: str) -> int:
        process = self.redirector.client("xrdcp", "-f", "-N", source, target)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        return process.pid

    def _requests(self, number: int, deadline: float) -> None:
        """Single requests at one of the servers, many files a connection"""
        node = self.servers[number % len(self.servers)]
        chance = random.Random(1000 + number)
        login = 0
        while time.monotonic() < deadline:
            login += 1
            pid = FIRST_RAW_PID + number * 1_000_000 + login
            with RawClient(node.port, b"load", pid) as client:
                for turn in range(20):
                    self._write_and_read(client, pid, f"/store/raw-{number}-{turn}.dat", chance)
            # Some hundred accesses a second are plenty for a test of five minutes.
            time.sleep(0.1)

    def _write_and_read(
        self, client: RawClient, pid: int, path: str, chance: random.Random
    ) -> None:
        size = chance.randrange(1, 50_000)
        file = client.open(path, write=True)
        client.write(file, 0, bytes(size))
        client.close_file(file)
        file = client.open(path)
        got = len(client.read(file, 0, size))
        segments = [(chance.randrange(size), 1) for _ in range(chance.randrange(1, 8))]
        client.read_vector(file, segments)
        client.close_file(file)
        self._remember(
            Done(pid, path, "read-write", 0, 0, size),
            Done(pid, path, "read", got, len(segments), 0),
        )
