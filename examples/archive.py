"""An archive filled and queried: a server starts, results go in, hourly summaries come out. Then
the log of a real GridFTP server is loaded, and its transfers are shown.

python examples/archive.py
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import requests

LOG = Path(__file__).resolve().parent.parent / "tests/data/gridftp/one-transfer.log"
LOAD = [sys.executable, "-c", "from gridtap.cli.esmond_load import main; main()"]
GET = [sys.executable, "-c", "from gridtap.cli.esmond_entry import get; get()"]

GRIDTAP = [sys.executable, "-m", "gridtap", "archive"]
NOON = 1_710_244_800

TEST = {
    "subject-type": "point-to-point",
    "source": "198.51.100.10",
    "destination": "203.0.113.25",
    "measurement-agent": "198.51.100.10",
    "tool-name": "bwctl/iperf3",
    "input-source": "dtn1.example.net",
    "input-destination": "dtn9.example.com",
    "time-duration": 30,
    "event-types": [
        {
            "event-type": "throughput",
            "summaries": [{"summary-type": "average", "summary-window": 3600}],
        },
        {
            "event-type": "packet-loss-rate",
            "summaries": [{"summary-type": "aggregation", "summary-window": 3600}],
        },
    ],
}


@contextmanager
def serving(db: Path) -> Iterator[str]:
    """The address of a server on that file."""
    command = [*GRIDTAP, "serve", "--db", db, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            server.stderr.readline()
            yield server.stderr.readline().split()[-1]
        finally:
            server.terminate()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "archive.db"
        add = [*GRIDTAP, "user", "add", "demo", "--db", db]
        key = subprocess.run(add, check=True, text=True, capture_output=True).stdout.strip()
        with serving(db) as api, requests.Session() as session:
            session.headers["Authorization"] = f"Token {key}"
            show(session, fill(session, api))
        with serving(db) as api:
            load(api, key)


def load(api: str, key: str) -> None:
    """Loads a GridFTP log, and prints what the server sent over IPv4."""
    with tempfile.TemporaryDirectory() as folder:
        line = ["-f", LOG, "-p", Path(folder) / "state", "-U", api, "-u", "demo", "-k", key]
        # The host name of the capture is nobody's.
        names = ["--host-address", "198.51.100.10", "--host-address", "2001:db8:51::10"]
        print(f"\nGridFTP log: {LOG.name}", flush=True)
        subprocess.run([*LOAD, *line, *names], check=True)
    ends = ["-s", "198.51.100.10", "-d", "127.0.0.1", "-e", "throughput"]
    window = ["--start-time", "2026-11-22", "--end-time", "2026-11-23", "--ip", "-o", "csv"]
    subprocess.run([*GET, "-u", api, *ends, *window], check=True)


def fill(session: requests.Session, api: str) -> dict[str, str]:
    """Registers a test and writes six hours of it, a result every ten minutes."""
    answer = session.post(api, json=TEST)
    answer.raise_for_status()
    metadata: dict[str, str] = answer.json()
    data = []
    for number in range(36):
        rate = 9.4e9 - 2e9 * max(0.0, math.sin(number / 6))
        lost = {"numerator": number % 5, "denominator": 600}
        values = [
            {"event-type": "throughput", "val": round(rate)},
            {"event-type": "packet-loss-rate", "val": lost},
        ]
        data.append({"ts": NOON + 600 * number, "val": values})
    session.put(metadata["url"], json={"data": data}).raise_for_status()
    print(f"archive: {metadata['url']}")
    print(f"{len(data)} results of {metadata['source']} -> {metadata['destination']} written\n")
    return metadata


def show(session: requests.Session, metadata: dict[str, str]) -> None:
    """Prints hourly throughput and loss."""
    hours: dict[int, list[float]] = {}
    for place in ("throughput/averages/3600", "packet-loss-rate/aggregations/3600"):
        answer = session.get(metadata["url"] + place, params={"time-start": NOON})
        answer.raise_for_status()
        for point in answer.json():
            hours.setdefault(point["ts"], []).append(point["val"])
    print("hour (UTC)          throughput     loss")
    for ts, (rate, loss) in hours.items():
        hour = datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d %H:%M")
        print(f"{hour}    {rate / 1e9:5.2f} Gbit/s   {loss:6.2%}")


if __name__ == "__main__":
    main()
