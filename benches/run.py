"""Runs all benchmarks and prints one table of ratios and the bars they have to clear.

    make bench

Every figure is taken beside its rival in the same run. Rates depend on the machine; ratios hardly
do. A bar that is missed is marked, and the exit code is 1.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import esmond_commands
import load_gridftp
from capture import ACCESSES, write_capture

import archive
import collector
import gridftp

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Row:
    """One line of the table; ``bar`` is ``None`` where a figure is only information."""

    what: str
    beside: str
    got: float
    unit: str
    bar: float | None
    at_most: bool = False

    @property
    def holds(self) -> bool:
        if self.bar is None:
            return True
        return self.got <= self.bar if self.at_most else self.got >= self.bar


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout


def classes() -> list[Row]:
    """The class API beside xrootdlib 0.3.0."""
    table = run(sys.executable, "benches/compare_xrootdlib.py")
    print(table)
    ratio = float(re.findall(r"^\s*all .* ([0-9.]+)$", table, re.MULTILINE)[0])
    name = "Packet.from_buffer, every attribute read"
    return [Row(name, "xrootdlib 0.3.0", ratio, "x", 20)]


def fstat() -> list[Row]:
    """Rust decoding of the f-stream beside plain passes over the same bytes."""
    out = run("cargo", "bench", "--quiet", "--no-default-features", "--bench", "fstat")
    figures = json.loads(out.splitlines()[-1])
    name = "f-stream decoding in Rust"
    rate = figures["records_per_second"] / 1e6
    return [
        Row(name, "-", rate, "million records/s", 10),
        Row(name, "summing the wire's 32-bit words", figures["ratio_to_wire_words"], "x", 0.25),
        Row(name, "summing 64-bit host words", figures["ratio_to_host_words"], "x", None),
    ]


def command() -> list[Row]:
    """The whole command on one core, its start included."""
    core = min(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "accesses.bin"
        write_capture(capture)
        gridtap = Path(sys.executable).with_name("gridtap")
        arguments = ["decode", "--format", "jsonl", "-o", "/dev/null", "--quiet", str(capture)]
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run(
                [gridtap, *arguments],
                check=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            )
            best = min(best, time.perf_counter() - start)
    rate = ACCESSES / best / 1e6
    return [Row("gridtap decode to JSON lines, one core", "-", rate, "million accesses/s", 0.5)]


def state() -> list[Row]:
    """Heap bytes of an open file, counted."""
    test = ["cargo", "test", "--quiet", "--no-default-features", "--test", "state_size"]
    out = run(*test, "--", "--nocapture")
    size = float(re.findall(r"([0-9.]+) bytes for each open file", out)[0])
    return [Row("state of an open file besides its path", "-", size, "bytes", 160, at_most=True)]


def transfer_logs() -> list[Row]:
    """Scanning of GridFTP logs in Rust, every field read."""
    figures = gridftp.measure()
    rows = []
    for form, rate, newlines in (("netlogger", 1.0, 0.3), ("json", 0.4, None)):
        name, found = f"GridFTP log, {form}", figures[form]
        counting = found["ratio_to_counting_newlines"]
        rows += [
            Row(name, "-", found["bytes_per_second"] / 1e9, "GB/s", rate),
            Row(name, "counting line feeds", counting, "x", newlines),
            Row(name, "Python, line by line", found["python"], "x", 100),
        ]
    return rows


def esmond_archive() -> list[Row]:
    """The archive's server on one core, over HTTP."""
    figures = archive.measure()
    rates = figures["bulk"]
    one = rates.pop("one at a time")
    first, last = figures["listing"]
    growth = figures["growth"]
    name = "archive: bulk PUTs of 1,000"
    rows = [Row(f"{name}, {what}", "-", rate, "points/s", 20_000) for what, rate in rates.items()]
    worst, day = min(rates.values()), "archive: a day of one event type"
    return [
        *rows,
        Row(name + ", the slowest", "a point a request", worst / one, "x", None),
        Row("archive: query of 100,000 points", "-", figures["reading"], "points/s", 200_000),
        Row("archive: last page of 10,000 metadata", "first page", last / first, "x", 1.5, True),
        Row(f"{day}, of 20 million points", "of 1 million", growth[20] / growth[1], "x", 2, True),
    ]


def query_commands() -> list[Row]:
    """The commands that query an archive, over a round trip of 50 ms."""
    figures = esmond_commands.measure()
    ours, bare = figures["starting"]
    spent = figures["pulling"]
    name = "200 x 5 series over 50 ms: get-bulk"
    original = spent["one at a time, a connection each"]
    single = spent["one at a time"]
    return [
        Row("esmond-ps-get --help", "a bare interpreter", ours / bare, "x", 4, True),
        Row(f"{name} --jobs 16", "--jobs 1", single / spent["16 at a time"], "x", 8),
        Row(f"{name} (--jobs 4)", "--jobs 1", single / spent["4 at a time"], "x", None),
        Row(
            f"{name} (--jobs 4)",
            "a connection a request",
            original / spent["4 at a time"],
            "x",
            None,
        ),
        Row("get-bulk of 5 million points", "-", figures["memory"], "MB at most", 150, True),
    ]


def gridftp_loading() -> list[Row]:
    """A day's GridFTP log into an archive, beside posting one thing at a time."""
    figures = load_gridftp.measure()
    rows = []
    for way, has_bar in (
        ("a dozen sizes, --aggregate", True),
        ("every size, --aggregate", True),
        ("a dozen sizes, default", True),
        ("every size, default", False),
    ):
        name, found = f"loading GridFTP logs: {way}", figures[way]
        requests = found["requests_per_record"]
        rows += [
            Row(name, "one at a time", found["ratio"], "x", 20 if has_bar else None),
            Row(name, "-", requests, "requests/record", 0.1 if has_bar else None, True),
        ]
    return rows


def collecting() -> list[Row]:
    """The collector beside a loop that only receives."""
    figures = collector.measure()
    name = "collector, JSON lines: packets without loss"
    return [
        Row(name, "receiving alone", figures["ratio"], "x", 0.9),
        Row(name, "-", figures["collector"], "packets/s", None),
        Row(
            "collector, one core, paths in packets of their own",
            "-",
            figures["accesses_per_cpu_second"],
            "accesses/s",
            None,
        ),
        Row(
            "collector, one core, f-stream with lfn",
            "-",
            figures["lfn_accesses_per_cpu_second"],
            "accesses/s",
            500_000,
        ),
    ]


def main() -> int:
    rows = [
        *classes(),
        *fstat(),
        *command(),
        *state(),
        *transfer_logs(),
        *esmond_archive(),
        *query_commands(),
        *gridftp_loading(),
        *collecting(),
    ]
    print(f"{'what':60} {'beside':32} {'figure':>26}  bar")
    for row in rows:
        figure = f"{row.got:.3g} {row.unit}"
        bar = "-"
        if row.bar is not None:
            bar = f"{'<=' if row.at_most else '>='} {row.bar:g}{'' if row.holds else '  MISSED'}"
        print(f"{row.what:60} {row.beside:32} {figure:>26}  {bar}")
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
