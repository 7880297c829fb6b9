"""esmond-ps-pipe, run as users run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.esmond.conftest import Archive
from tests.esmond_cli.command import Outcome, environment

DATA = Path(__file__).resolve().parent.parent / "data" / "iperf3"

#: What iperf3 alone does not say
ENDS = ("--source", "127.0.0.1", "--destination", "127.0.0.1")

START = "from gridtap.cli.esmond_pipe import main; main()"


def pipe(
    stdin: bytes | Path,
    *arguments: str | os.PathLike[str],
    env: Mapping[str, str] | None = None,
) -> Outcome:
    """Runs the command on bytes, or on a file of the test data"""
    data = stdin if isinstance(stdin, bytes) else (DATA / stdin).read_bytes()
    result = subprocess.run(
        [sys.executable, "-c", START, *(os.fspath(argument) for argument in arguments)],
        input=data,
        capture_output=True,
        env=environment(**(env or {})),
        timeout=60,
        check=False,
    )
    return Outcome(result.returncode, result.stdout.decode(), result.stderr.decode())


def access(archive: Archive) -> tuple[str, ...]:
    """Options for an archive"""
    return ("-U", archive.url, "-u", archive.username, "-k", archive.api_key, "-s", "esmond")


def events(outcome: Outcome) -> list[str]:
    """Event and text of each line that was logged"""
    lines = outcome.stderr.splitlines()
    found = [
        re.fullmatch(r"ts=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} event=(\S+) id=\d+ (.*)", line)
        for line in lines
    ]
    assert all(found), outcome.stderr
    return [f"{line[1]} {line[2]}" for line in found if line]


def capture(name: str) -> Any:
    """The JSON of a result"""
    return json.loads((DATA / name).read_text())


def stored(archive: Archive) -> list[dict[str, Any]]:
    """Everything that an archive holds: its tests, and the values of each by event type

    Values exactly as posted; esmond's answers cut floats to four decimals.
    """
    tests = []
    for metadata in archive.connect().get_metadata():
        values = {
            event_type.event_type: [
                (point.ts_epoch, point.val) for point in event_type.get_data().data
            ]
            for event_type in metadata.get_all_event_types()
        }
        tests.append({"metadata": metadata._data, "values": values})
    return tests
