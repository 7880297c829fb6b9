"""How fast does the archive take points, give them back, and list what it has?

    python benches/archive.py [--plot FILE]

A real server process on one core, this client on another. Everything goes over HTTP.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

API = "/esmond/perfsonar/archive/"
START = 1_600_000_020

#: The growing archive: series that get a point a minute, day after day.
SERIES = 200
DAY_POINTS = 1_440
MILLIONS = (1, 2, 5, 10, 20)

_GRIDTAP = [sys.executable, "-c", "from gridtap.cli.main import main; main()", "archive"]


class Client:
    """A connection to a server, with a key."""

    def __init__(self, port: int, key: str) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = {"Authorization": f"Token {key}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: str | None = None) -> bytes:
        self._http.request(method, path, body, self._headers)
        answer = self._http.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return text

    def describe(self, number: int, **extra: Any) -> str:
        """Registers a measurement; returns its key."""
        body = {
            "subject-type": "point-to-point",
            "source": f"10.0.{number // 250}.{number % 250}",
            "destination": "192.0.2.1",
            "measurement-agent": "192.0.2.1",
            "tool-name": "bwctl/iperf3",
            "time-duration": 30,
            "event-types": [{"event-type": "throughput"}],
            **extra,
        }
        return str(json.loads(self.call("POST", API, json.dumps(body)))["metadata-key"])


@contextmanager
def server(db: Path) -> Iterator[Client]:
    """A server on the first core; the caller moves to another."""
    verb = "rotate" if db.exists() else "add"
    user = [*_GRIDTAP, "user", verb, "bench", "--db", db]
    key = subprocess.run(user, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    cores = sorted(os.sched_getaffinity(0))
    serve = [*_GRIDTAP, "serve", "--db", db, "--port", "0"]
    process = subprocess.Popen(
        serve,
        text=True,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {cores[0]}),
    )
    os.sched_setaffinity(0, {cores[-1]})
    try:
        assert process.stderr is not None
        port = int(process.stderr.readline().strip().rstrip("/").rsplit(":", 1)[1])
        yield Client(port, key)
    finally:
        os.sched_setaffinity(0, set(cores))
        process.terminate()
        process.wait()


def put(event_type: str, start: int, count: int, value: Callable[[int], Any]) -> str:
    """The body of a bulk PUT, a point a minute."""
    data = [
        {"ts": start + 60 * number, "val": [{"event-type": event_type, "val": value(number)}]}
        for number in range(count)
    ]
    return json.dumps({"data": data})


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bulk(client: Client) -> dict[str, float]:
    """Points a second in PUTs of 1,000, without summaries and with three of them."""
    windows = [{"summary-type": "aggregation", "summary-window": w} for w in (300, 3600, 86400)]
    kinds: dict[str, Callable[[int], Any]] = {
        "throughput": lambda number: 9_400_000_000 + number,
        "packet-loss-rate": lambda number: {"numerator": number % 7, "denominator": 600},
        "histogram-owdelay": lambda number: {f"{10 + k / 100:.2f}": k + number for k in range(10)},
    }
    rates = {}
    for number, (event_type, value) in enumerate(kinds.items()):
        for summaries in ([], windows):
            events = [{"event-type": event_type, "summaries": summaries}]
            key = client.describe(10_000 + number, **{"event-types": events})
            bodies = [put(event_type, START + 60_000 * k, 1_000, value) for k in range(30)]
            spent = seconds(partial(_send, client, "PUT", f"{API}{key}/", bodies))
            rates[f"{event_type}, {len(summaries)} summaries"] = 30_000 / spent
    # The rival: what esmond's own clients do, a point a request.
    key = client.describe(10_009)
    posts = [json.dumps({"ts": START + k, "val": k}) for k in range(500)]
    path = f"{API}{key}/throughput/base"
    rates["one at a time"] = 500 / seconds(partial(_send, client, "POST", path, posts))
    return rates


def _send(client: Client, method: str, path: str, bodies: list[str]) -> None:
    for body in bodies:
        client.call(method, path, body)


def reading(client: Client) -> float:
    """Points a second of a query that gives 100,000."""
    key = client.describe(10_010)
    for k in range(20):
        body = put("throughput", START + 300_000 * k, 5_000, lambda number: number)
        client.call("PUT", f"{API}{key}/", body)
    path = f"{API}{key}/throughput/base?time-start=0&limit=100000"
    spent = min(seconds(lambda: client.call("GET", path)) for _ in range(5))
    got = json.loads(client.call("GET", path))
    assert len(got) == 100_000
    return len(got) / spent


def listing(client: Client) -> tuple[float, float]:
    """Milliseconds of a page of 100 metadata at the beginning and at the end of 10,000."""
    for number in range(10_000):
        client.describe(number)

    def page(offset: int) -> float:
        path = f"{API}?limit=100&offset={offset}"
        return statistics.median(seconds(lambda: client.call("GET", path)) for _ in range(50))

    return page(0) * 1e3, page(9_900) * 1e3


def growth() -> dict[int, float]:
    """Milliseconds to read a day of one event type, by millions of points in the archive."""
    from gridtap.archive.storage import Point, SqliteStorage

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "growing.db"
        with server(db) as client:
            keys = [client.describe(number) for number in range(SERIES)]
        # Filled without HTTP: what is measured is reading.
        storage = SqliteStorage(db, seconds=None)
        chance = random.Random(1)
        day = written = 0
        for millions in MILLIONS:
            while written < millions * 1_000_000:
                begin = START + 86_400 * day
                for key in keys:
                    times = range(begin, begin + 86_400, 60)
                    points = [Point("throughput", ts, (ts % 9973, None)) for ts in times]
                    storage.write(key, points)
                written += SERIES * DAY_POINTS
                day += 1
            with server(db) as client:
                found[millions] = _days(client, keys, day, chance)
        storage.close()
    return found


def _days(client: Client, keys: list[str], days: int, chance: random.Random) -> float:
    def one() -> float:
        begin = START + 86_400 * chance.randrange(days)
        path = f"{API}{chance.choice(keys)}/throughput/base"
        query = f"?time-start={begin}&time-end={begin + 86_399}"
        spent = seconds(lambda: client.call("GET", path + query))
        assert client.call("GET", path + query).count(b"ts") == DAY_POINTS
        return spent

    return statistics.median(one() for _ in range(300)) * 1e3


def plot(figures: dict[int, float], path: Path) -> None:
    """The growth, drawn."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    axes.plot(list(figures), list(figures.values()), marker="o", color="#0072b2")
    axes.axhline(2 * figures[1], color="#d55e00", linestyle="--", label="twice the first: the bar")
    axes.set_xlabel("million points in the archive")
    axes.set_ylabel("one day of one event type, ms")
    axes.set_ylim(bottom=0)
    axes.set_xticks(list(figures))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def measure(with_growth: bool = True) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "bench.db") as client:
        figures: dict[str, Any] = {"bulk": bulk(client), "reading": reading(client)}
    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "bench.db") as client:
        figures["listing"] = listing(client)
    if with_growth:
        figures["growth"] = growth()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", type=Path, help="draw the growth into this SVG file")
    arguments = parser.parse_args()
    figures = measure()
    if arguments.plot:
        plot(figures["growth"], arguments.plot)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
