"""A collector process that is looked at from outside: its status and its memory."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.collector.process import Collector, free_port
from tests.e2e import server


class ObservedCollector(Collector):
    """A collector on a UDP port of 127.0.0.1 that answers over HTTP

    :param sections: the rest of its configuration
    :param listen: the rest of ``[listen]``
    """

    def __init__(self, directory: Path, sections: str, listen: str = "") -> None:
        self.port = free_port()
        http = f"127.0.0.1:{server.free_port()}"
        self._status_url = f"http://{http}/status"
        super().__init__(
            directory,
            f'[listen]\naddresses = ["127.0.0.1:{self.port}"]\n{listen}\n'
            f'[http]\nlisten = "{http}"\n{sections}',
        )

    def __enter__(self) -> ObservedCollector:
        super().__enter__()
        return self

    def status(self) -> dict[str, Any]:
        with urllib.request.urlopen(self._status_url) as answer:
            status: dict[str, Any] = json.load(answer)
        return status

    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def wait_for_closes(self, count: int) -> dict[str, Any]:
        """Until so many accesses have ended with a close: they wait for what may come late"""
        deadline = time.monotonic() + 60
        while (status := self.status())["accesses"].get("closed", 0) < count:
            assert time.monotonic() < deadline, (status["accesses"], count)
            time.sleep(0.1)
        return status

    def wait_for_packets(self, count: int) -> None:
        """Until so many were received or dropped by the kernel"""
        deadline = time.monotonic() + 60
        while (got := _arrived(self.status())) < count:
            assert time.monotonic() < deadline, (got, count)
            time.sleep(0.1)


def _arrived(status: dict[str, Any]) -> int:
    dropped = sum(socket["kernel_drops"] for socket in status["sockets"])
    return int(status["packets"]["received"]) + int(dropped)
