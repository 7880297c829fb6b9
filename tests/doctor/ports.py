"""UDP ports of this host."""

from __future__ import annotations

import socket
import time
from pathlib import Path


def free_udp_port() -> int:
    """A port that nobody has now"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_bound(port: int) -> None:
    """Until a process has an IPv4 socket at the port"""
    deadline = time.monotonic() + 20
    while f":{port:04X} " not in Path("/proc/net/udp").read_text():
        assert time.monotonic() < deadline, "nobody listens"
        time.sleep(0.1)
