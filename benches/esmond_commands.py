"""How fast do the query commands pull from a distant archive and start, in how much memory?

    python benches/esmond_commands.py

A real server process holds the data. Between it and the commands stands a relay that makes the way
as long as a network would: half the round trip in each direction, and one more before a new
connection carries anything.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

ROUND_TRIP = 0.05
METADATA = 200
EVENT_TYPES = (
    "throughput",
    "packet-retransmits",
    "packet-count-sent",
    "packet-count-lost",
    "path-mtu",
)
POINTS = 20
MANY = 5_000_000
START = 1_710_201_600

_GRIDTAP = [sys.executable, "-m", "gridtap", "archive"]
_BULK = Path(sys.executable).with_name("esmond-ps-get-bulk")
_GET = Path(sys.executable).with_name("esmond-ps-get")


class Relay:
    """Forwards connections to a port on this host, over a long way."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.port = 0
        threading.Thread(
            target=self._loop.run_until_complete, args=[self._run()], daemon=True
        ).start()
        self._ready.wait()

    async def _run(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=256)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(ROUND_TRIP)
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        last: asyncio.Future[None] = loop.create_future()
        last.set_result(None)
        while piece := await source.read(1 << 16):
            arrived = loop.create_future()
            loop.call_later(ROUND_TRIP / 2, self._arrive, target, piece, arrived)
            last = arrived
        await last
        target.close()

    def _arrive(
        self, target: asyncio.StreamWriter, piece: bytes, arrived: asyncio.Future[None]
    ) -> None:
        if not target.is_closing():
            target.write(piece)
        arrived.set_result(None)


@contextmanager
def serving(db: Path) -> Iterator[int]:
    """The port of a server on that file."""
    command = [*_GRIDTAP, "serve", "--db", db, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            yield int(server.stderr.readline().strip().rstrip("/").rsplit(":", 1)[1])
        finally:
            server.terminate()


def describe(number: int, event_types: tuple[str, ...]) -> dict[str, Any]:
    return {
        "subject-type": "point-to-point",
        "source": f"10.0.{number // 250}.{number % 250}",
        "destination": "192.0.2.1",
        "measurement-agent": "192.0.2.1",
        "tool-name": "bwctl/iperf3",
        "event-types": [{"event-type": name} for name in event_types],
    }


def fill(db: Path) -> None:
    """200 metadata with five event types each."""
    lines = []
    for number in range(METADATA):
        points = [[START + 60 * k, number + k] for k in range(POINTS)]
        data = [{"event-type": name, "points": points} for name in EVENT_TYPES]
        post = describe(number, EVENT_TYPES)
        lines.append(json.dumps({"metadata-key": f"{number:032x}", "post": post, "data": data}))
    command = [*_GRIDTAP, "import", "-", "--db", db]
    subprocess.run(command, input="\n".join(lines).encode(), check=True, capture_output=True)


def pull(port: int, *options: str) -> float:
    """Seconds of a bulk pull of everything."""
    with tempfile.TemporaryDirectory() as folder:
        command = [_BULK, "-u", f"http://127.0.0.1:{port}", "-o", "csv", "-I", "-D", folder]
        window = ["-S", "2024-03-12", "-E", "now"]
        start = time.perf_counter()
        subprocess.run([*command, *window, *options], check=True, capture_output=True)
        spent = time.perf_counter() - start
        files = sum(path.suffix == ".csv" for path in Path(folder).iterdir())
        assert files == METADATA * len(EVENT_TYPES), files
    return spent


def one_at_a_time(port: int) -> float:
    """Seconds for the same data as the original clients ask for them: a connection a request."""
    root = f"http://127.0.0.1:{port}"
    window = {"time-start": START, "limit": 1000}
    start = time.perf_counter()
    found = requests.get(f"{root}/esmond/perfsonar/archive/", timeout=60).json()
    for metadata in found:
        for event in metadata["event-types"]:
            points = requests.get(root + event["base-uri"], params=window, timeout=60).json()
            assert len(points) == POINTS
    return time.perf_counter() - start


def pulling() -> dict[str, float]:
    """Seconds to pull 200 x 5 series over a round trip of 50 ms."""
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "archive.db"
        fill(db)
        with serving(db) as port:
            far = Relay(port).port
            return {
                "one at a time, a connection each": one_at_a_time(far),
                "one at a time": pull(far, "--jobs", "1"),
                "4 at a time": pull(far),
                "16 at a time": pull(far, "--jobs", "16"),
            }


def memory() -> float:
    """Peak megabytes of a bulk pull of five million points."""
    from gridtap.archive.storage import Point, SqliteStorage

    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "archive.db"
        post = json.dumps({"metadata-key": "0" * 32, "post": describe(0, EVENT_TYPES[:1])})
        subprocess.run([*_GRIDTAP, "import", "-", "--db", db], input=post.encode(), check=True)
        storage = SqliteStorage(db, seconds=None)
        for begin in range(0, MANY, 50_000):
            times = range(START + begin, START + begin + 50_000)
            storage.write("0" * 32, [Point(EVENT_TYPES[0], ts, (ts % 997, None)) for ts in times])
        storage.close()
        with serving(db) as port:
            url = f"http://127.0.0.1:{port}"
            command = [_BULK, "-u", url, "-o", "csv", "-I", "-D", folder, "-S", "2024-03-12"]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as bulk:
                _, status, usage = os.wait4(bulk.pid, 0)
                bulk.returncode = os.waitstatus_to_exitcode(status)
        assert bulk.returncode == 0
        csv = next(Path(folder).glob("*.csv"))
        with csv.open("rb") as file:
            assert sum(1 for _ in file) == MANY + 1
    return usage.ru_maxrss * resource_unit() / 1e6


def resource_unit() -> int:
    """Bytes of what the system counts memory in."""
    return 1 if sys.platform == "darwin" else 1024


def starting() -> tuple[float, float]:
    """Milliseconds of ``esmond-ps-get --help`` and of a bare interpreter, in turn."""

    def spent(*command: str | Path) -> float:
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    pairs = [(spent(_GET, "--help"), spent(sys.executable, "-c", "")) for _ in range(21)]
    ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    return ours * 1e3, bare * 1e3


def measure() -> dict[str, Any]:
    """All figures."""
    return {"starting": starting(), "pulling": pulling(), "memory": memory()}


if __name__ == "__main__":
    print(json.dumps(measure()))
