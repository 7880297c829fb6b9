"""``gridtap top`` on a terminal, without one, and against a collector's status."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from gridtap.replay import ReplaySettings, replay
from gridtap.top.sources import LiveSource
from gridtap.xrootd import read_accesses
from tests.cli.command import DATA, run
from tests.doctor.ports import free_udp_port, wait_until_bound
from tests.top.terminal import Terminal

CLUSTER = DATA / "redir-cluster.pcap"


def sent(port: int) -> None:
    replay(CLUSTER, ("127.0.0.1", port), ReplaySettings(local="spread"))


def test_a_capture_without_a_terminal() -> None:
    text = run("top", CLUSTER).stdout.decode()
    lines = text.splitlines()
    accesses = list(read_accesses(CLUSTER))
    assert lines[0].startswith(f"{CLUSTER}"[:40])
    assert f"{len(accesses)} accesses ended, 0 packets lost" in lines[1]
    rows = {line.split()[0]: line for line in lines if "SITE_A" in line}
    assert set(rows) == {"ds1.site-a.example", "ds2.site-a.example"}
    for name, row in rows.items():
        read = sum(
            (access.read_bytes or 0) + (access.readv_bytes or 0)
            for access in accesses
            if access.server_host == name
        )
        assert f" {read / 1e6:.3g} MB " in row
    assert re.search(r"^rdr\.site-a\.example:21194 +27 ", text, re.MULTILINE)
    for user in ("alice", "bob", "carol", "dave"):
        assert re.search(rf"^{user} ", text, re.MULTILINE)
    assert "/store/data " in text
    assert "\x1b" not in text


def test_depth_of_directories() -> None:
    assert "/store/data " not in run("top", CLUSTER, "--depth", "1").stdout.decode()
    assert re.search(r"/store/data/run\d+ ", run("top", CLUSTER, "--depth", "3").stdout.decode())


def test_a_live_screen_follows_packets_keys_and_sizes() -> None:
    port = free_udp_port()
    with Terminal("top", "--listen", f"127.0.0.1:{port}", "--interval", "0.2") as terminal:
        wait_until_bound(port)
        terminal.wait_for(lambda text: "0 accesses ended" in text)
        sent(port)
        text = terminal.wait_for(lambda text: "28 accesses ended" in text and "alice" in text)
        assert f"listening on 127.0.0.1:{port}" in text
        assert "packets/s ↓" in text
        assert len(text.splitlines()) <= 24
        # Three servers, in the order of their rates.
        names = re.findall(r"^(ds1|ds2|rdr)\.site-a\.example", text, re.MULTILINE)
        assert sorted(names) == ["ds1", "ds2", "rdr"]
        terminal.type("s")
        terminal.wait_for(lambda text: "read/s ↓" in text)
        terminal.resize(120, 40)
        terminal.wait_for(lambda text: re.search(r"^server {60,}.*loss", text, re.MULTILINE))
        terminal.type("q")
        assert terminal.end() == 0
        # What was seen last stays.
        assert "28 accesses ended" in terminal.text
    assert b"\x1b[?1049h" in terminal.raw, "a screen of its own"
    assert b"\x1b[?1049l" in terminal.raw, "which it leaves"
    assert b"\x1b[?25h" in terminal.raw, "with the cursor shown again"


def test_no_color_means_none() -> None:
    port = free_udp_port()
    arguments = ("top", "--listen", f"127.0.0.1:{port}", "--seconds", "1")
    with Terminal(*arguments, NO_COLOR="1") as terminal:
        assert terminal.end() == 0
    assert re.findall(rb"\x1b\[[0-9;]*3[0-7]m", terminal.raw) == []


def test_ctrl_c_ends_it() -> None:
    port = free_udp_port()
    with Terminal("top", "--listen", f"127.0.0.1:{port}") as terminal:
        terminal.wait_for(lambda text: "q quit" in text)
        terminal.type("\x03")
        assert terminal.end() == 0
        assert "Traceback" not in terminal.text


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (60, 16), (200, 60), (20, 5)])
def test_every_size_is_kept(columns: int, lines: int) -> None:
    with Terminal("top", str(CLUSTER), "--seconds", "1", columns=columns, lines=lines) as terminal:
        assert terminal.end() == 0
        assert "Traceback" not in terminal.text


@contextmanager
def serving(status: dict[str, Any], code: int = 200) -> Iterator[str]:
    """The status of a collector at a URL"""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(status).encode() if self.path == "/status" else b"{}"
            self.send_response(code if self.path == "/status" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Quietly"""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def real_status() -> dict[str, Any]:
    """That of a real collector, with packets in it"""
    port = free_udp_port()
    source = LiveSource("127.0.0.1", port)
    try:
        sent(port)
        for _ in range(100):
            if source.status()["packets"]["received"] == 96:
                break
            threading.Event().wait(0.05)
        return dict(source.status())
    finally:
        source.close()


def test_a_running_collector_is_asked() -> None:
    status = real_status()
    assert status["packets"]["received"] == 96
    with serving(status) as url:
        text = run("top", "--url", url, "--seconds", "0.5").stdout.decode()
        assert run("top", "--url", f"{url}/status", "--seconds", "0.5").stdout
    assert f"{status['state']['files']} files open" in text
    assert "rdr.site-a.example SITE_A v5.5.3" in text
    assert "user" not in text
    # Nothing changed between the two looks.
    assert re.search(r"^rdr\.site-a\.example SITE_A v5\.5\.3 +0 +0 B +0 B", text, re.MULTILINE)


def test_answers_that_are_none() -> None:
    with serving({"hello": 1}) as url:
        result = run("top", "--url", url, "--seconds", "1", check=2)
        assert result.stderr.decode() == (
            f"gridtap top: {url}/status: this is no collector's status\n"
        )
    with serving({}, 503) as url:
        result = run("top", "--url", url, "--seconds", "1", check=2)
        assert result.stderr.decode() == (f"gridtap top: {url}/status: 503 Service Unavailable\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.pcap"], "gridtap top: nowhere.pcap: No such file"),
        (["--listen", "192.0.2.1:9930"], "gridtap top: 192.0.2.1:9930: "),
        (["--url", "localhost:9931"], "no URL of a collector, as in http://localhost:9931"),
        (["--url", "http://127.0.0.1:1"], "gridtap top: http://127.0.0.1:1/status: "),
        (["x", "--url", "http://h"], "exclude each other"),
        (["--sort", "size"], "is not one of"),
    ],
)
def test_one_line_says_what_is_wrong(arguments: list[str], said: str) -> None:
    result = run("top", *arguments, check=2)
    assert said in result.stderr.decode()
    assert result.stdout == b""


def test_a_port_that_is_taken() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{udp.getsockname()[1]}"
        result = run("top", "--listen", where, check=2)
    assert result.stderr.decode() == f"gridtap top: {where}: Address already in use\n"
