"""``gridtap doctor`` as users run it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time

import pytest

from tests.cli.command import DATA, GRIDTAP, run, run_on_terminal
from tests.doctor.ports import free_udp_port, wait_until_bound

BASIC = DATA / "fstat-basic.pcap"


def test_text() -> None:
    result = run("doctor", BASIC, "--collector", "c.example:9930", check=1)
    text = result.stdout.decode()
    assert text.startswith(
        "ds1.site-a.example:21094 (xrootd, v5.5.3, ds1, SITE_A, 127.0.0.11): 8 packets in 10 s\n"
    )
    assert re.search(r"^  error +no_closes: 31 files were opened", text, re.MULTILINE)
    line = next(line for line in text.splitlines() if "xrootd.monitor all" in line)
    assert line.endswith(" dest fstat info user c.example:9930")
    assert text.endswith("\n8 packets of 1 server: 3 findings\n")
    assert "\x1b" not in text


def test_json() -> None:
    report = json.loads(run("doctor", BASIC, "--format", "json", check=1).stdout)
    assert report["datagrams"] == 8
    assert report["kernel_drops"] is None
    (server,) = report["servers"]
    assert (server["instance"], server["codes"]) == ("ds1", {"=": 2, "u": 4, "f": 2})
    by_id = {finding["id"]: finding for finding in report["findings"]}
    assert set(by_id) == {"no_closes", "no_lfn", "no_auth"}
    closes = by_id["no_closes"]
    assert closes["evidence"]["opens"] == 31
    assert closes["severity"] == "error"
    assert "xfr 5" in closes["remedy"]
    assert " lfn ops ssq xfr 5 " in closes["configuration"][0]
    assert closes["server"]["address"] == "127.0.0.11"


def test_nothing_to_do() -> None:
    result = run("doctor", DATA / "fstat-full.pcap", "--ignore", "no_auth")
    assert result.stdout == b"21 packets of 1 server: nothing to do\n"


def test_ports_and_mtu() -> None:
    arguments = ["doctor", DATA / "two-dests.pcap", "--format", "json"]
    report = json.loads(run(*arguments, "--port", "9931", check=1).stdout)
    configuration = report["findings"][0]["configuration"][0]
    assert configuration.endswith(" HOST:9931")
    large = json.loads(run(*arguments, "--mtu", "9000", check=1).stdout)
    assert "fragmenting_datagrams" not in {finding["id"] for finding in large["findings"]}
    assert " fbsz 8960 " in large["findings"][0]["configuration"][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.pcap"], "gridtap doctor: nowhere.pcap: No such file"),
        (["--listen", "192.0.2.1:9930"], "gridtap doctor: 192.0.2.1:9930: "),
        (["--listen", "no.such.host.invalid:1"], "gridtap doctor: no.such.host.invalid: "),
        (["--listen", "9930"], "'9930' is not HOST:PORT"),
        (["x", "--listen", "[::1]:9930"], "a CAPTURE and --listen exclude each other"),
        (["x", "--ignore", "nothing"], "'nothing' is not one of"),
        (["x", "--mtu", "1"], "not in the range"),
    ],
)
def test_one_line_says_what_is_wrong(arguments: list[str], said: str) -> None:
    result = run("doctor", *arguments, check=2)
    assert said in result.stderr.decode()
    assert result.stdout == b""


def test_a_port_that_is_taken() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{udp.getsockname()[1]}"
        result = run("doctor", "--listen", where, "--seconds", "1", check=2)
    assert result.stderr.decode() == f"gridtap doctor: {where}: Address already in use\n"


def test_ctrl_c_ends_with_what_was_seen() -> None:
    port = free_udp_port()
    command = [*GRIDTAP, "doctor", "--listen", f"127.0.0.1:{port}", "--seconds", "600"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    packet = (DATA / "fstat-full.bin").read_bytes()
    packet = packet[: int.from_bytes(packet[2:4], "big")]
    wait_until_bound(port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(packet, ("127.0.0.1", port))
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=10)
    # The identification of a capture is whole, and all there is.
    assert output == b"1 packet of 1 server: nothing to do\n"
    assert errors == b""
    assert process.returncode == 0


def test_colours_on_a_terminal() -> None:
    code, shown = run_on_terminal("doctor", BASIC)
    assert code == 1
    assert b"\x1b[31m\x1b[1merror" in shown
