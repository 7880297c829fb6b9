"""A real server with poor monitoring, and the same server with the doctor's advice."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.cli.command import GRIDTAP
from tests.doctor.ports import free_udp_port, wait_until_bound
from tests.e2e.rawclient import RawClient
from tests.e2e.server import Server, running, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")

#: Neither ``xfr`` nor ``user``, and all buffers as large as they are by default
POOR = "all flush 1s window 1s fstat 2s dest fstat files 127.0.0.1:{port}"

#: The server authenticates nobody, so no word of the directive brings authentication data.
IGNORED = "no_auth"


def use(server: Server) -> None:
    """Enough opens of long names within one interval for a packet above any Ethernet's"""
    name = "/store/" + "/".join(["a directory with a long name"] * 6)
    folder = server.base / "data" / name.strip("/")
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"file-{number}.dat").write_bytes(b"x" * 5000)
    for path in [server.base / "data" / "store", *(server.base / "data" / "store").rglob("*")]:
        path.chmod(0o755)
    # More than a trace buffer of the size of a datagram, too.
    for client in range(3):
        with RawClient(server.port, b"doctor", 4000 + client) as connection:
            for number in range(40):
                handle = connection.open(f"{name}/file-{number}.dat")
                connection.read(handle, 0, 5000)
                connection.close_file(handle)


def examined(monitor: str, port: int) -> tuple[int, dict[str, Any]]:
    """Exit code and report of the doctor, who listens before the server starts"""
    where = f"127.0.0.1:{port}"
    arguments = ["doctor", "--listen", where, "--seconds", "60", "--format", "json"]
    doctor = subprocess.Popen(
        [*GRIDTAP, *arguments, "--ignore", IGNORED], stdout=subprocess.PIPE, text=True
    )
    try:
        wait_until_bound(port)
        with running(monitor) as server:
            use(server)
            # Two intervals, so that all that was kept back has come.
            time.sleep(5)
        doctor.send_signal(signal.SIGINT)
        output, _ = doctor.communicate(timeout=20)
    finally:
        doctor.kill()
    return doctor.returncode, json.loads(output)


def test_the_advice_mends_what_was_found() -> None:
    port = free_udp_port()
    code, report = examined(POOR.format(port=port), port)
    by_id = {finding["id"]: finding for finding in report["findings"]}
    assert code == 1
    assert set(by_id) == {"no_closes", "no_users", "no_lfn", "fragmenting_datagrams"}
    assert by_id["no_closes"]["evidence"]["opens"] == 120
    (line,) = by_id["no_closes"]["configuration"]
    assert line.endswith(f" 127.0.0.1:{port}")
    # As advised, but for the time that a test has.
    monitor = line.removeprefix("xrootd.monitor ")
    monitor = re.sub(r"\bfstat 60s", "fstat 2s", re.sub(r"\bflush 30s", "flush 1s", monitor))
    code, report = examined(monitor, port)
    assert (code, report["findings"]) == (0, [])
    (server,) = report["servers"]
    assert server["codes"]["f"] > 10, "the opens and closes of 120 files in packets that fit"


def test_large_packets_are_found_and_mended() -> None:
    port = free_udp_port()
    large = (
        f"all auth flush 1s window 1s fstat 3s lfn ops ssq xfr 1 dest fstat user 127.0.0.1:{port}"
    )
    code, report = examined(large, port)
    assert code == 1
    (finding,) = report["findings"]
    assert finding["id"] == "fragmenting_datagrams"
    assert finding["evidence"]["f_largest_bytes"] > 1472
    monitor = finding["configuration"][0].removeprefix("xrootd.monitor ")
    code, report = examined(monitor.replace("fstat 60s", "fstat 2s"), port)
    assert (code, report["findings"]) == (0, [])
