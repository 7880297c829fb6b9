"""Scanning of GridFTP transfer logs: logs to read, and a line-by-line Python parse beside it.

The Python parse does what scripts for these logs do, and yields the same fields as the scanner:
times as epoch seconds, numbers as numbers, the peer without brackets, the throughput.
"""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
import time
from calendar import timegm
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

#: Records of each log.
NETLOGGER = 400_000
JSON = 100_000

#: Lines that Python parses; the rest would take no other time.
PARSED = 20_000

_START = 1_710_231_310
_NUMBERS = ("BUFFER", "BLOCK", "NBYTES", "STREAMS", "STRIPES", "CODE")


def _stamp(micros: int) -> str:
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H%M%S") + f".{rest:06d}"


def _netlogger(numbers: random.Random) -> Iterator[str]:
    at = _START * 1_000_000
    for number in range(NETLOGGER):
        at += numbers.randrange(2_000_000)
        end = at + numbers.randrange(1, 90_000_000)
        streams = numbers.choice((1, 2, 4, 8))
        lost = ",".join(str(numbers.randrange(30)) for _ in range(streams))
        tail = f" retrans={lost}" if streams > 1 else ""
        peer = "2001:db8:25::7" if number % 10 == 0 else f"203.0.113.{numbers.randrange(1, 250)}"
        kind = "STOR" if number % 3 == 0 else "RETR"
        yield (
            f"DATE={_stamp(end)} HOST=dtn1.example.net PROG=globus-gridftp-server "
            f"NL.EVNT=FTP_INFO START={_stamp(at)} USER=user{numbers.randrange(40)} "
            f"FILE=/proj/climate/cmip6/run{number % 997:03d}/tas_{number:08d}.nc BUFFER=4194304 "
            f"BLOCK=262144 NBYTES={numbers.randrange(10**10)} VOLUME=/ STREAMS={streams} "
            f"STRIPES=1 DEST=[{peer}] TYPE={kind} CODE=226 TASKID=none{tail}\n"
        )


def _json(numbers: random.Random) -> Iterator[str]:
    at = _START
    for number in range(JSON):
        at += numbers.randrange(2)
        streams = numbers.choice((1, 2, 4))
        event = {
            "event_type": "Transfer-End",
            "transferID": f"t-{number}",
            "start_timestamp": f"{at}.250000",
            "end_timestamp": f"{at + numbers.randrange(1, 90)}.750000",
            "host": "198.51.100.10\n",
            "prog": "globus-gridftp-server",
            "user": f"user{numbers.randrange(40)}",
            "file": f"/proj/climate/cmip6/run{number % 997:03d}/tas_{number:08d}.nc",
            "volume": "/proj",
            "tcp_bufsize": 4194304,
            "globus_blocksize": 262144,
            "nbytes": numbers.randrange(10**10),
            "nstreams": streams,
            "dest": f"203.0.113.{numbers.randrange(1, 250)}",
            "cmd_type": "RETR",
            "ret_code": 226,
            "iostat": {"Dev": "sdb", "tps": 310.5, "Blk_read/s": 41200.0, "Blk_wrtn/s": 12.0},
            "mpstat": {"%usr": 3.1, "%nice": 0.0, "%sys": 9.4, "%iowait": 1.2, "%idle": 84.1},
            "getrusage": {"ru_utime": 1.9, "ru_stime": 6.2, "ru_maxrss": 18240},
            "streams": [
                {
                    "stripe": 0,
                    "stream": stream,
                    "TCPinfo": {
                        "rtt": 45000 + stream,
                        "rttvar": 500,
                        "snd_cwnd": 512,
                        "total_retrans": numbers.randrange(30),
                    },
                }
                for stream in range(streams)
            ],
        }
        yield json.dumps(event) + "\n"


def _seconds(stamp: str) -> float:
    whole = time.strptime(stamp[:14], "%Y%m%d%H%M%S")
    return timegm(whole) + int(stamp[15:].ljust(6, "0")) / 1e6


def _peer(text: str) -> str | None:
    address = ip_address(text.strip("[]"))
    return None if address.is_unspecified else str(address)


def _rate(nbytes: int, started_at: float, ended_at: float) -> float | None:
    return 8 * nbytes / (ended_at - started_at) if ended_at > started_at else None


def parse_netlogger(line: str) -> dict[str, Any]:
    """One record, as scripts read it."""
    values = dict(pair.split("=", 1) for pair in line.split())
    numbers = {name: int(values[name]) for name in _NUMBERS}
    started_at, ended_at = _seconds(values["START"]), _seconds(values["DATE"])
    lost = values.get("retrans")
    return {
        "started_at": started_at,
        "ended_at": ended_at,
        "operation": values["TYPE"],
        "host": values["HOST"],
        "remote_address": _peer(values["DEST"]),
        "path": values["FILE"],
        "user": values["USER"],
        "volume": values["VOLUME"],
        "program": values["PROG"],
        "event": values["NL.EVNT"],
        "task_id": None if values.get("TASKID") in (None, "none") else values["TASKID"],
        "retransmits": None if lost is None else [int(count) for count in lost.split(",")],
        "throughput_bps": _rate(numbers["NBYTES"], started_at, ended_at),
        **numbers,
    }


def _tidy(values: dict[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {key.lower().replace("/", "_").replace("%", ""): each for key, each in values.items()}


def parse_json(line: str) -> dict[str, Any]:
    """One record, as scripts read it."""
    values = json.loads(line)
    started_at, ended_at = float(values["start_timestamp"]), float(values["end_timestamp"])
    streams = values.get("streams", [])
    connections = [each | {"TCPinfo": _tidy(each["TCPinfo"])} for each in streams]
    return {
        **values,
        "started_at": started_at,
        "ended_at": ended_at,
        "host": values["host"].strip(),
        "remote_address": _peer(values["dest"]),
        "stripes": max(each["stripe"] for each in streams) + 1 if streams else None,
        "retransmits": [each["TCPinfo"].get("total_retrans") for each in streams],
        "iostat": _tidy(values.get("iostat")),
        "mpstat": _tidy(values.get("mpstat")),
        "rusage": _tidy(values.get("getrusage")),
        "tcp_info": connections,
        "throughput_bps": _rate(int(values["nbytes"]), started_at, ended_at),
    }


def _python_rate(log: Path, parse: Callable[[str], dict[str, Any]]) -> float:
    """Records a second of the better of two passes."""
    with log.open(encoding="utf-8") as file:
        lines = [line for line, _ in zip(file, range(PARSED), strict=False)]
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        for line in lines:
            parse(line)
        best = min(best, time.perf_counter() - start)
    return len(lines) / best


def measure() -> dict[str, dict[str, float]]:
    """Figures of both forms; ``python`` is how many times as fast as the Python parse it is."""
    numbers = random.Random(5)
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder) / "netlogger.log", Path(folder) / "json.log"]
        for log, lines in zip(logs, (_netlogger(numbers), _json(numbers)), strict=True):
            with log.open("w", encoding="utf-8") as file:
                file.writelines(lines)
        command = ["cargo", "bench", "--quiet", "--no-default-features", "--bench", "gridftp", "--"]
        out = subprocess.run(
            [*command, *logs], cwd=ROOT, check=True, text=True, capture_output=True
        )
        figures = dict(zip(("netlogger", "json"), json.loads(out.stdout), strict=True))
        for (form, log), parse in zip(
            zip(figures, logs, strict=True), (parse_netlogger, parse_json), strict=True
        ):
            rate = _python_rate(log, parse)
            figures[form]["python"] = figures[form]["records_per_second"] / rate
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
