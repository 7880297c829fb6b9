"""A real iperf3 over the loopback, through the command, into the archive."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.esmond.conftest import Archive
from tests.esmond_pipe.command import ENDS, access, pipe, stored
from tests.esmond_pipe.test_captures import summary, with_time

pytestmark = pytest.mark.skipif(shutil.which("iperf3") is None, reason="iperf3 is not installed")


def free_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        return port


def measured(folder: Path, *options: str) -> bytes:
    """The output of a client; its server serves once"""
    port = str(free_port())
    server = ["iperf3", "-s", "-1", "-p", port, "-B", "127.0.0.1", "--forceflush"]
    client = ["iperf3", "--json", "-c", "127.0.0.1", "-p", port, "-t", "2", *options]
    with subprocess.Popen(server, stdout=subprocess.PIPE, cwd=folder) as serving:
        try:
            assert serving.stdout is not None
            while b"listening" not in (line := serving.stdout.readline()):
                assert line, "iperf3 does not begin to serve"
            return subprocess.run(client, capture_output=True, timeout=30, check=True).stdout
        finally:
            serving.terminate()


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-P", "4"),
        ("-u", "-b", "20M"),
        ("-u", "-b", "10M", "-P", "2"),
        ("-R", "-O", "1"),
        ("-P", "2", "-i", "0.5"),
    ],
    ids=" ".join,
)
def test_one_direction(options: tuple[str, ...], archive: Archive, tmp_path: Path) -> None:
    output = measured(tmp_path, *options)
    got = pipe(output, *access(archive), *ENDS)
    assert got.exit_status == 0, got.stderr
    (test,) = stored(archive)
    assert test["values"] == expected(json.loads(output))


def expected(result: Any) -> dict[str, Any]:
    return with_time(summary(result), result["start"]["timestamp"]["timesecs"])


def test_both_directions(archive: Archive, tmp_path: Path) -> None:
    result = json.loads(output := measured(tmp_path, "--bidir"))
    assert pipe(output, *access(archive), *ENDS).exit_status == 0
    tests = {test["metadata"]["bw-bidirectional"]: test["values"] for test in stored(archive)}
    ts = result["start"]["timestamp"]["timesecs"]
    assert tests == {
        "forward": with_time(summary(result, "", True), ts),
        "reverse": with_time(summary(result, "_bidir_reverse", False), ts),
    }


def test_within_bwctls_output(archive: Archive, tmp_path: Path) -> None:
    """bwctl is no longer packaged; its lines are as it printed them"""
    output = measured(tmp_path)
    text = (
        b"bwctl: Using tool: iperf3\n"
        b"bwctl: Using 127.0.0.1 as the address for local sender\n"
        b"bwctl: Using 127.0.0.1 as the address for remote receiver\n"
        b"bwctl: start_tool: 4004305954.363226\n" + output + b"\nbwctl: stop_tool: 4004305965.8\n"
    )
    assert pipe(text, *access(archive)).exit_status == 0
    (test,) = stored(archive)
    assert test["values"] == expected(json.loads(output))
    assert test["metadata"]["tool-name"] == "bwctl/iperf3"


def test_nobody_serves(archive: Archive) -> None:
    line = ["iperf3", "--json", "-c", "127.0.0.1", "-p", str(free_port())]
    output = subprocess.run(line, capture_output=True, timeout=30, check=False).stdout
    assert pipe(output, *access(archive), *ENDS).exit_status == 0
    (test,) = stored(archive)
    ((_, value),) = test["values"]["failures"]
    assert "Connection refused" in value["error"]
