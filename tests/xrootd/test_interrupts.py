"""Ctrl-C ends a reader that waits or works, as it ends any Python code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parent.parent / "data" / "xrootd"

PROGRAM = """
import sys
from gridtap.xrootd import read_accesses, read_packets, read_records
source = sys.argv[2]
if source == "endless":
    class Endless:
        data = open(sys.argv[3], "rb").read()
        def read(self, size):
            return self.data[:size]
    source = Endless()
print("ready", flush=True)
try:
    reader = {"accesses": read_accesses, "packets": read_packets}[sys.argv[1]](source)
    for _ in reader:
        pass
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def start(reader: str, source: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PROGRAM, reader, source, str(DATA / "fstat-full.bin")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def interrupted(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.3)
    assert process.poll() is None, "it should wait"
    process.send_signal(signal.SIGINT)
    try:
        output, _ = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        return False
    finally:
        process.kill()
    return output == b"interrupted\n"


@pytest.mark.parametrize("reader", ["accesses", "packets"])
def test_while_waiting_for_standard_input(reader: str) -> None:
    assert interrupted(start(reader, "-"))


@pytest.mark.parametrize("reader", ["accesses", "packets"])
def test_after_some_standard_input(reader: str) -> None:
    process = start(reader, "-")
    assert process.stdin is not None
    process.stdin.write(DATA.joinpath("fstat-full.pcap").read_bytes()[:5000])
    process.stdin.flush()
    assert interrupted(process)


@pytest.mark.parametrize("reader", ["accesses", "packets"])
def test_while_waiting_for_a_pipe_to_be_opened(reader: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert interrupted(start(reader, str(pipe)))


@pytest.mark.parametrize("reader", ["accesses", "packets"])
def test_while_reading_without_end(reader: str) -> None:
    assert interrupted(start(reader, "endless"))


@pytest.mark.parametrize("reader", ["accesses", "packets"])
def test_while_skipping_damage_without_end(reader: str) -> None:
    assert interrupted(start(reader, "/dev/zero"))


@pytest.mark.parametrize("reader", ["accesses", "packets"])
def test_while_skipping_damage_in_a_long_file(reader: str, tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert interrupted(start(reader, str(path)))
