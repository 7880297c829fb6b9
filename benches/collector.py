"""How many packets does the collector take, beside a loop that throws them away?

    python benches/collector.py

Forty servers' traffic in real proportions is sent over loopback by ``gridtap replay``, as fast as
it can, to a loop that receives in batches and does nothing else, and right after that to ``gridtap
collect`` with JSON lines into /dev/null, at the rate that the loop took. Three times so; then at
ever smaller parts of that rate, until nothing is lost. A loss is a datagram that the kernel dropped
because a receive buffer of 64 MiB was full.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, SOCK_STREAM, socket
from typing import Any

import requests
from traffic import write_traffic

PACKETS = 2_000_000
#: Of the traffic whose paths are in the opens: logins and f packets, which hold 260 accesses each
LFN_PACKETS = 75_000
LFN_RATE = 8_000
#: At each step. The machine may be another's for a moment, and one full buffer ends a trial.
TRIALS = 3
STEPS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)

_ROOT = Path(__file__).resolve().parent.parent
_GRIDTAP = [sys.executable, "-m", "gridtap"]

CONFIG = """\
[listen]
addresses = ["127.0.0.1:{port}"]
receive_buffer = "64MiB"
[state]
directory = ""
late_grace = "0s"
[http]
listen = "127.0.0.1:{http}"
[log]
level = "error"
[sinks.lines]
type = "jsonl"
path = "-"
fsync = "never"
"""


@dataclass(frozen=True)
class Collected:
    """What became of the packets that were sent to a collector"""

    kernel_drops: int
    accesses: int
    cpu_seconds: float

    @property
    def accesses_per_cpu_second(self) -> float:
        return self.accesses / self.cpu_seconds


@dataclass(frozen=True)
class Trial:
    """The loop, and right after it the collector at a part of its rate"""

    step: float
    bare: float
    collected: Collected

    @property
    def rate(self) -> float:
        return self.step * self.bare


def measure() -> dict[str, float]:
    """Sustained packets per second of both, and accesses per second of CPU of the collector."""
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "traffic.pcap"
        packets = write_traffic(capture, PACKETS)
        trials = (
            _trial(capture, packets, step, Path(folder)) for step in STEPS for _ in range(TRIALS)
        )
        lossless = next((trial for trial in trials if trial.collected.kernel_drops == 0), None)
        if lossless is None:
            raise RuntimeError("packets were lost at the lowest rate, too")
        packets = write_traffic(capture, LFN_PACKETS, lfn=True)
        dense = [_collect(capture, packets, LFN_RATE, Path(folder)) for _ in range(TRIALS)]
    return {
        "bare": lossless.bare,
        "collector": lossless.rate,
        "ratio": lossless.step,
        "accesses_per_cpu_second": lossless.collected.accesses_per_cpu_second,
        "lfn_accesses_per_cpu_second": max(each.accesses_per_cpu_second for each in dense),
    }


def _trial(capture: Path, packets: int, step: float, folder: Path) -> Trial:
    bare = _bare(capture)
    return Trial(step, bare, _collect(capture, packets, step * bare, folder))


def _replay(capture: Path, port: int, rate: float) -> float:
    """Sends the packets; the rate at which that was possible"""
    command = [*_GRIDTAP, "replay", str(capture), "--to", f"127.0.0.1:{port}", "--spread"]
    done = subprocess.run(
        [*command, "--rate", str(rate)], check=True, text=True, stderr=subprocess.PIPE
    )
    told = re.search(r"rate\s+([0-9,]+) packets/s", done.stderr)
    assert told is not None, done.stderr
    return float(told[1].replace(",", ""))


def _bare(capture: Path) -> float:
    """The loop that throws packets away: what it took without loss"""
    port = _free_port(SOCK_DGRAM)
    command = ["cargo", "bench", "--quiet", "--no-default-features", "--bench", "receive"]
    with subprocess.Popen(
        [*command, "--", f"127.0.0.1:{port}"], cwd=_ROOT, text=True, stdout=subprocess.PIPE
    ) as loop:
        assert loop.stdout is not None
        loop.stdout.readline()
        _replay(capture, port, 0)
        got: dict[str, Any] = json.loads(loop.stdout.readline())
    assert got["kernel_drops"] == 0, "the bare loop lost packets"
    return float(got["packets"] / got["seconds"])


def _collect(capture: Path, packets: int, rate: float, folder: Path) -> Collected:
    port, http = _free_port(SOCK_DGRAM), _free_port(SOCK_STREAM)
    config = folder / "gridtap.toml"
    config.write_text(CONFIG.format(port=port, http=http))
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen([*_GRIDTAP, "collect", "-c", str(config)], stdout=nowhere)
    try:
        _status_when(http, lambda _: True)
        started = _cpu_seconds(process.pid)
        _replay(capture, port, rate)
        status = _status_when(http, lambda told: _taken(told) >= packets)
        drops = sum(each["kernel_drops"] for each in status["sockets"])
        spent = _cpu_seconds(process.pid) - started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    return Collected(drops, sum(status["accesses"].values()), spent)


def _taken(status: dict[str, Any]) -> int:
    drops = sum(each["kernel_drops"] for each in status["sockets"])
    return int(status["packets"]["received"]) + drops


def _status_when(http: int, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while True:
        try:
            status = requests.get(f"http://127.0.0.1:{http}/status", timeout=10).json()
            if done(status):
                found: dict[str, Any] = status
                return found
        except requests.ConnectionError:
            pass
        if time.monotonic() > deadline:
            raise RuntimeError("the collector does not answer")
        time.sleep(0.2)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port(kind: int) -> int:
    with closing(socket(AF_INET, kind)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
