"""How fast is a day's GridFTP log loaded, beside posting one at a time, in how many requests?

    python benches/load_gridftp.py

A real server process on one core, the loader on another. The log has one server, 100 peers, and a
day of transfers: with a dozen sizes, as of data sets cut into files, and with sizes that are all
different. Then the rival posts the first records of the same log to the same archive, as the
original command does, but on a kept connection: metadata, throughput, retransmits.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridtap.esmond.answers import Answer
from gridtap.esmond.errors import EventTypePostException
from gridtap.esmond.http import Access, Request, Transport
from gridtap.esmond.post import EventTypePost, MetadataPost
from gridtap.gridftp import Transfer, read_transfers
from gridtap.loader.archive import Archive
from gridtap.loader.batch import Batch
from gridtap.loader.hosts import Hosts
from gridtap.loader.loading import Loader, Paths
from gridtap.loader.mapping import Choice, describe, points, second_of
from gridtap.loader.reporting import Reporter
from gridtap.loader.sending import Sender

RECORDS = 50_000
#: Of the case that makes two requests for each.
FEW_RECORDS = 5_000
PAIRS = 100
RIVAL_RECORDS = 400
DAY = 1_710_201_600
SIZES = [round(1e6 * 2.1**power) for power in range(12)]

_GRIDTAP = [sys.executable, "-m", "gridtap", "archive"]
_SERVER = "198.51.100.10"


class Counting(Transport):
    """Connections that count what they are used for."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0
        self._counting = threading.Lock()

    def send(self, request: Request, access: Access) -> Answer:
        with self._counting:
            self.requests += 1
        return super().send(request, access)


class Silent(Reporter):
    """Nobody."""


def write_log(path: Path, size: Callable[[random.Random], int], records: int) -> None:
    """A day of transfers, in the order of their ends."""
    numbers = random.Random(11)
    rows = []
    for _ in range(records):
        start = DAY + numbers.random() * 86_000
        count = size(numbers)
        rows.append((start + count / numbers.uniform(1e7, 5e8), start, count))
    with path.open("w") as file:
        for end, start, count in sorted(rows):
            peer = numbers.randrange(PAIRS)
            # Each peer either fetches or delivers, as tier sites do: 100 pairs of ends.
            kind = "RETR" if peer % 2 else "STOR"
            file.write(
                f"DATE={_stamp(end)} HOST=dtn1.example.net PROG=globus-gridftp-server "
                f"NL.EVNT=FTP_INFO START={_stamp(start)} USER=u{peer} FILE=/data/{count:x}.nc "
                f"BUFFER=4194304 BLOCK=262144 NBYTES={count} VOLUME=/ STREAMS=4 STRIPES=1 "
                f"DEST=[203.0.113.{peer}] TYPE={kind} CODE=226 TASKID=none "
                f"retrans={numbers.randrange(9)},0,{numbers.randrange(9)},0\n"
            )


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H%M%S.%f")


LOGS: dict[str, Callable[[random.Random], int]] = {
    "a dozen sizes": lambda numbers: numbers.choice(SIZES),
    "every size": lambda numbers: numbers.randrange(10**6, 10**10),
}


@contextmanager
def serving(db: Path) -> Iterator[tuple[str, str]]:
    """URL and key of a server on the first core; the caller moves to another."""
    user = [*_GRIDTAP, "user", "add", "bench", "--db", db]
    key = subprocess.run(user, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    cores = sorted(os.sched_getaffinity(0))
    server = subprocess.Popen(
        [*_GRIDTAP, "serve", "--db", db, "--port", "0"],
        text=True,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {cores[0]}),
    )
    os.sched_setaffinity(0, {cores[-1]})
    try:
        assert server.stderr is not None
        address = server.stderr.readline().split()[-1].rstrip("/")
        yield address, key
    finally:
        os.sched_setaffinity(0, set(cores))
        server.terminate()
        server.wait()


def load(log: Path, url: str, key: str, choice: Choice, records: int) -> dict[str, float]:
    """Records a second and requests a record of a load, state and all."""
    transport, stopping = Counting(), threading.Event()
    archive = Archive(url, "bench", key, "esmond", transport=transport)
    hosts = Hosts([_SERVER])
    state = log.with_suffix(f".{choice.aggregate}.state")
    start = time.perf_counter()
    with closing(Batch(Sender(archive, 60, stopping), hosts, choice, 4)) as batch:
        loader = Loader(Paths(log, state), choice, batch, Silent(), stopping)
        loader.run()
    spent = time.perf_counter() - start
    assert (loader.counts.loaded, loader.counts.is_complete) == (records, True)
    return {
        "records_per_second": records / spent,
        "requests_per_record": transport.requests / records,
    }


def one_at_a_time(log: Path, url: str, key: str) -> float:
    """Records a second of posting metadata and points, each with a request."""
    transport, hosts = Transport(), Hosts([_SERVER])
    records = [each for each, _ in zip(read_transfers(log), range(RIVAL_RECORDS), strict=False)]
    start = time.perf_counter()
    for transfer in records:
        _post(transfer, hosts, url, key, transport)
    return len(records) / (time.perf_counter() - start)


def _post(transfer: Transfer, hosts: Hosts, url: str, key: str, transport: Transport) -> None:
    # Told apart from what the loader stored: points that are there already cost less.
    test = describe(transfer, hosts, Choice(), 0)
    post = MetadataPost(
        url,
        "bench",
        key,
        "point-to-point",
        test.source,
        test.destination,
        "gridftp-one-at-a-time",
        test.agent,
        test.input_source,
        test.input_destination,
        transport=transport,
    )
    for name in test.event_types:
        post.add_event_type(name)
    for name, value in test.parameters:
        post.add_freeform_key_value(name, value)
    metadata_key = post.post_metadata().metadata_key
    for name, value in points([transfer]):
        single = EventTypePost(url, "bench", key, metadata_key, name, transport=transport)
        single.add_data_point(second_of(transfer), value)
        with suppress(EventTypePostException):
            # Of two alike in one second, the second is refused; it has cost a request.
            single.post_data()


def measure() -> dict[str, Any]:
    """Figures by log and way of loading; ``ratio`` is to one at a time."""
    figures: dict[str, Any] = {}
    for name, size in LOGS.items():
        with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "a.db") as (url, key):
            log, few = Path(folder) / "transfer.log", Path(folder) / "few.log"
            write_log(log, size, RECORDS)
            write_log(few, size, FEW_RECORDS)
            rival = one_at_a_time(log, url, key)
            is_slow = name == "every size"
            figures[f"{name}, one at a time"] = {"records_per_second": rival}
            for way, choice, each, records in (
                ("--aggregate", Choice(aggregate=True), log, RECORDS),
                ("default", Choice(), *((few, FEW_RECORDS) if is_slow else (log, RECORDS))),
            ):
                found = load(each, url, key, choice, records)
                figures[f"{name}, {way}"] = {
                    **found,
                    "ratio": found["records_per_second"] / rival,
                }
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
