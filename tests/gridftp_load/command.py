"""esmond-ps-load-gridftp, run as users run it, and logs for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gridtap.gridftp import read_transfers
from tests.esmond.conftest import Archive
from tests.esmond_cli.command import Outcome, environment
from tests.esmond_pipe.command import access, events, stored

__all__ = ["access", "events", "stored"]

DATA = Path(__file__).resolve().parent.parent / "data" / "gridftp"

START = "from gridtap.cli.esmond_load import main; main()"

#: Addresses of the servers in the captures and samples: their names are of nobody
HOSTS = tuple(
    f"--host-address={host}"
    for host in (
        "dtn1.example.net=198.51.100.10",
        "dtn1.example.net=2001:db8:51::10",
        "dtn2.example.net=192.0.2.82",
        "dtn4.example.net=192.0.2.84",
    )
)


def start(limits: Mapping[str, Any] | None = None) -> list[str]:
    """The command of this interpreter, with ceilings that tests need not wait for"""
    changes = "".join(f"limits.{name} = {value}; " for name, value in (limits or {}).items())
    program = f"from gridtap.loader import limits; {changes}{START}" if changes else START
    return [sys.executable, "-c", program]


def load(
    *arguments: str | os.PathLike[str],
    cwd: Path,
    env: Mapping[str, str] | None = None,
    limits: Mapping[str, Any] | None = None,
    stdin: bytes = b"",
    hosts: Iterable[str] = HOSTS,
) -> Outcome:
    """Runs the command in a folder of its own, where its state is"""
    result = subprocess.run(
        [*start(limits), *hosts, *(os.fspath(argument) for argument in arguments)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment(**(env or {})),
        timeout=120,
        check=False,
    )
    outcome = Outcome(result.returncode, result.stdout.decode(), result.stderr.decode())
    assert "Traceback" not in outcome.stderr, outcome.stderr
    return outcome


def loaded(outcome: Outcome) -> int:
    """How many records it says it loaded"""
    found = re.search(r"event=scan_and_load_\w+\.end id=\d+ Loaded (\d+) records", outcome.stderr)
    assert found, outcome.stderr
    return int(found[1])


def lines(name: str) -> list[bytes]:
    """The lines of a log of the test data"""
    return (DATA / name).read_bytes().splitlines(keepends=True)


def line(number: int, *, size: int | None = None, kind: str = "RETR", **changes: str) -> bytes:
    """A record: the number makes it different from all others

    :param changes: of values, by their keys in lower case
    """
    values = {
        "DATE": f"20240312{8 + number // 3600:02d}{number // 60 % 60:02d}{number % 60:02d}.750000",
        "HOST": "dtn1.example.net",
        "PROG": "globus-gridftp-server",
        "NL.EVNT": "FTP_INFO",
        "START": f"20240312{8 + number // 3600:02d}{number // 60 % 60:02d}{number % 60:02d}.250000",
        "USER": "alice",
        "FILE": f"/data/{number}.nc",
        "BUFFER": "0",
        "BLOCK": "262144",
        "NBYTES": str(1000 + number if size is None else size),
        "VOLUME": "/",
        "STREAMS": "1",
        "STRIPES": "1",
        "DEST": "[203.0.113.25]",
        "TYPE": kind,
        "CODE": "226",
        "TASKID": "none",
    }
    values |= {name.upper().replace("_", "."): value for name, value in changes.items()}
    return " ".join(f"{key}={value}" for key, value in values.items()).encode() + b"\n"


def points(archive: Archive, event_type: str = "throughput") -> list[tuple[int, Any]]:
    """Second and value of every point of an event type that the archive holds, in order"""
    return sorted(point for test in stored(archive) for point in test["values"].get(event_type, []))


def wanted(log: bytes, folder: Path) -> list[tuple[int, int]]:
    """The points that a log should give: seconds and whole bits per second"""
    path = folder / "wanted.log"
    path.write_bytes(log)
    return sorted(
        (int(each.started_at), int(each.throughput_bps))
        for each in read_transfers(path)
        if each.operation in ("RETR", "STOR")
        and each.started_at is not None
        and each.throughput_bps is not None
    )


def state(folder: Path, name: str = "load_grid_ftp.pickle") -> Any:
    """The content of a state file"""
    return json.loads((folder / name).read_bytes())
