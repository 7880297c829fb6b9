"""``gridtap replay`` and :py:func:`gridtap.replay.replay` over the loopback device."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from gridtap.replay import ReplayError, ReplaySettings, replay
from gridtap.xrootd import read_accesses
from tests.cli.command import DATA, GRIDTAP, run, run_on_terminal
from tests.e2e.receiver import Receiver, receiving, write_pcap

TWO = DATA / "two-servers.pcap"


def all_of(udp: Receiver, count: int) -> None:
    deadline = time.monotonic() + 5
    while len(udp.so_far()) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(udp.so_far()) == count


def test_records_of_a_spread_replay_are_those_of_the_capture(tmp_path: Path) -> None:
    with receiving() as udp:
        settings = ReplaySettings(local="spread", rate=2_000)
        counts = replay(TWO, ("127.0.0.1", udp.port), settings)
        all_of(udp, counts["sent"])
    received = write_pcap(tmp_path / "received.pcap", udp.so_far(), udp.port)
    # Their order hangs on when packets came.
    records = Counter(repr(access) for access in read_accesses(received))
    assert records == Counter(repr(access) for access in read_accesses(TWO))
    assert {each.host for each in udp.so_far()} == {"127.0.0.11", "127.0.0.12"}


def test_the_command_sends_and_says_what_it_did() -> None:
    with receiving() as udp:
        to = f"127.0.0.1:{udp.port}"
        result = run(
            "replay", TWO, "--to", to, "--loss", "0.2", "--duplicate", "0.2", "--seed", "3"
        )
        text = result.stderr.decode()
        found = re.search(r"^sent +(\d+) \(([\d,]+) bytes\)  lost (\d+)  duplicated (\d+)", text)
        assert found, text
        sent, lost, duplicated = (int(found[n]) for n in (1, 3, 4))
        assert sent == 65 - lost + duplicated
        all_of(udp, sent)
    assert sum(len(each.payload) for each in udp.so_far()) == int(found[2].replace(",", ""))
    assert "127.0.0.11:" in text
    assert "127.0.0.12:" in text
    assert result.stdout == b""


def test_quiet_says_nothing() -> None:
    with receiving() as udp:
        result = run("replay", TWO, "--to", f"127.0.0.1:{udp.port}", "-q", "--count", "5")
        all_of(udp, 5)
    assert result.stderr == b""


def test_ports_of_a_capture() -> None:
    capture = DATA / "two-dests.pcap"
    with receiving() as udp:
        counts = replay(capture, ("127.0.0.1", udp.port), ports=[9931])
        all_of(udp, counts["sent"])
    data = b"".join(each.payload for each in udp.so_far())
    assert data == (DATA / "two-dests.port9931.bin").read_bytes()


def test_ipv6() -> None:
    dump = DATA / "fstat-full.bin"
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.bind(("::1", 0))
        udp.settimeout(2)
        to = f"[::1]:{udp.getsockname()[1]}"
        run("replay", dump, "--to", to, "--count", "1")
        packet = udp.recv(65_536)
    assert packet
    assert dump.read_bytes().startswith(packet)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.pcap", "--to", "127.0.0.1:9"], "gridtap replay: nowhere.pcap: No such file"),
        ([TWO, "--to", "no.such.host.invalid:9"], "gridtap replay: no.such.host.invalid: "),
        ([TWO, "--to", "127.0.0.1:9", "--from", "192.0.2.1"], "gridtap replay: 127.0.0.1:9: "),
        ([TWO, "--to", "127.0.0.1:9", "--from", "here"], "'here' is no IP address"),
        ([TWO, "--to", "192.0.2.1:9", "--spread"], "do not reach 192.0.2.1"),
        ([TWO, "--to", "127.0.0.1"], "'127.0.0.1' is not HOST:PORT"),
        ([TWO, "--to", "127.0.0.1:65536"], "'127.0.0.1:65536' is not HOST:PORT"),
        ([TWO, "--to", "::1:9"], "an IPv6 address stands in brackets"),
        ([TWO, "--to", "127.0.0.1:9", "--rate", 1, "--speed", 1], "exclude each other"),
        ([TWO, "--to", "127.0.0.1:9", "--loss", 2], "not in the range"),
        ([DATA / "fstat-full.bin", "--to", "127.0.0.1:9", "--speed", 1], "give --rate instead"),
    ],
)
def test_one_line_says_what_is_wrong(arguments: list[object], said: str) -> None:
    result = run("replay", *map(str, arguments), check=2)
    text = result.stderr.decode()
    assert said in text
    assert text.count("\n") == 1 or text.startswith("Usage:")


def test_settings_are_checked_from_python_too() -> None:
    with pytest.raises(ReplayError, match="loss is a probability"):
        replay(TWO, ("127.0.0.1", 9), ReplaySettings(loss=-1))


def test_times_of_the_capture_are_kept() -> None:
    with receiving() as udp:
        replay(TWO, ("127.0.0.1", udp.port), ReplaySettings(speed=20.0))
        all_of(udp, 65)
    took = udp.so_far()[-1].received_at - udp.so_far()[0].received_at
    # The capture lasts 20 s or so; however slow the machine, it is never faster than asked.
    assert took >= 0.5


def test_an_endless_replay_ends_with_ctrl_c() -> None:
    with receiving() as udp:
        to = f"127.0.0.1:{udp.port}"
        command = [*GRIDTAP, "replay", str(TWO), "--to", to, "--repeat", "0", "--rate", "500"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 20
        while len(udp.so_far()) < 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 130, errors
    assert b"Traceback" not in errors
    assert len(udp.so_far()) >= 200


def test_a_long_replay_shows_its_progress() -> None:
    with receiving() as udp:
        to = f"127.0.0.1:{udp.port}"
        code, shown = run_on_terminal("replay", TWO, "--to", to, "--rate", "30")
    assert code == 0
    assert b"two-servers.pcap" in shown
    assert b"100%" in shown
