"""A collector process with its configuration, its status and its memory."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.server import free_port

GRIDTAP = [sys.executable, "-c", "from gridtap.cli.main import main; main()"]


@dataclass(frozen=True)
class Collector:
    """A running collector"""

    process: subprocess.Popen[bytes]
    folder: Path
    #: Where it listens for packets, and for HTTP.
    port: int
    http_port: int

    def status(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/status") as answer:
            status: dict[str, Any] = json.load(answer)
        return status

    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def stop(self) -> None:
        """Ends it as systemd would, and sees it end well"""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.log()

    def wait_for_closes(self, count: int) -> dict[str, Any]:
        """Until so many accesses have ended with a close: they wait for what may come late"""
        deadline = time.monotonic() + 60
        while (status := self.status())["accesses"].get("closed", 0) < count:
            assert time.monotonic() < deadline, (status["accesses"], count)
            time.sleep(0.1)
        return status

    def wait_for_packets(self, count: int) -> dict[str, Any]:
        """Until so many were received or dropped by the kernel"""
        deadline = time.monotonic() + 60
        while True:
            status = self.status()
            dropped = sum(socket["kernel_drops"] for socket in status["sockets"])
            if status["packets"]["received"] + dropped >= count:
                return status
            assert time.monotonic() < deadline, (status["packets"], dropped, count)
            time.sleep(0.1)


@contextmanager
def collecting(folder: Path, sections: str, listen: str = "") -> Iterator[Collector]:
    """A collector on a port of 127.0.0.1; ``sections`` is the rest of its TOML"""
    port, http_port = free_port(), free_port()
    config = folder / "gridtap.toml"
    config.write_text(
        f'[listen]\naddresses = ["127.0.0.1:{port}"]\n{listen}\n'
        f'[http]\nlisten = "127.0.0.1:{http_port}"\n' + sections
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*GRIDTAP, "collect", "-c", str(config)], stderr=log, stdin=subprocess.DEVNULL
        )
    collector = Collector(process, folder, port, http_port)
    try:
        _wait_until_ready(collector)
        yield collector
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def _wait_until_ready(collector: Collector) -> None:
    deadline = time.monotonic() + 30
    url = f"http://127.0.0.1:{collector.http_port}/readyz"
    while True:
        assert collector.process.poll() is None, collector.log()
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            assert time.monotonic() < deadline, collector.log()
            time.sleep(0.1)
