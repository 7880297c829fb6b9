"""A real XRootD server, real clients, real packets: the records say what the clients did.

Nothing is simulated, so whatever the server really sends must add up to exactly the accesses that
were made, no more and no less.
"""

from __future__ import annotations

import getpass
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gridtap.xrootd import FileAccess, Session, read_accesses, read_records
from tests.e2e import receiver
from tests.e2e.receiver import Datagram, receiving
from tests.e2e.scene import RAW_PID, Access, Scene, stop_quietly, wait_for
from tests.e2e.server import running, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")

MONITOR = (
    "all auth flush 1s window 1s fstat 1s lfn ops ssq xfr 1 ident 5s "
    "dest fstat files io user info 127.0.0.1:{port}"
)

FORMS = ["envelopes", "raw", "pcap"]

#: The command of this interpreter's installation, whatever the search path has.
GRIDTAP = [sys.executable, "-c", "from gridtap.cli.main import main; main()"]


class Recording:
    """What the clients did and the files of what the server sent"""

    def __init__(self, scene: Scene, files: dict[str, Path], began: float, ended: float) -> None:
        self.scene = scene
        self.files = files
        self.began = began
        self.ended = ended


def wait_for_packets(so_far: Callable[[], Sequence[Datagram]], scene: Scene) -> None:
    """Until every access has its close and every session its end"""

    def complete() -> bool:
        data = b"".join(datagram.payload for datagram in so_far())
        closes = read_accesses(io.BytesIO(data))
        # The t-stream is often first with a close; the mode is from the f-stream.
        closed = sum(access.close_seen is True and access.mode is not None for access in closes)
        sessions = read_records(io.BytesIO(data), "sessions")
        ended = sum(s.end_reason == "disconnect" for s in sessions if isinstance(s, Session))
        return closed >= len(scene.accesses) and ended >= len(scene.sessions)

    wait_for(complete, 20, f"the closes of {len(scene.accesses)} files\n{scene.server.log()}")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    folder = tmp_path_factory.mktemp("e2e")
    began = time.time()
    with receiving() as udp, running(MONITOR.format(port=udp.port)) as server:
        scene = Scene(server, folder)
        scene.play()
        wait_for_packets(udp.so_far, scene)
        # Whatever should not have come has time to come, too.
        time.sleep(2.5)
        server.stop()
        datagrams = udp.so_far()
        files = {
            "envelopes": receiver.write_envelopes(folder / "bus.jsonl", datagrams),
            "raw": receiver.write_raw(folder / "packets.bin", datagrams),
            "pcap": receiver.write_pcap(folder / "packets.pcap", datagrams, udp.port),
        }
        yield Recording(scene, files, began, time.time())


def facts(access: Access, got: Any) -> tuple[object, ...]:
    """What a record says about what is known of an access"""
    return tuple(
        None if expected is None and name != "auth_app" else got[name]
        for name, expected in vars(access).items()
    )


def check_accesses(expected: list[Access], records: list[dict[str, Any]]) -> None:
    """The records are exactly these accesses"""
    key = ("user_pid", "path", "mode")
    seen = Counter(tuple(record[name] for name in key) for record in records)
    wanted = Counter((access.user_pid, access.path, access.mode) for access in expected)
    assert seen == wanted
    by_key = {tuple(record[name] for name in key): record for record in records}
    for access in expected:
        record = by_key[access.user_pid, access.path, access.mode]
        assert facts(access, record) == tuple(vars(access).values())


@pytest.mark.parametrize("form", FORMS)
def test_exactly_the_accesses_that_were_made(recording: Recording, form: str) -> None:
    reader = read_accesses(recording.files[form])
    records = [access._asdict() for access in reader]
    check_accesses(recording.scene.accesses, records)
    for record in records:
        assert record["open_seen"] is True
        assert record["close_seen"] is True
        assert record["loss_suspected"] is False
    counts = reader.counts()
    assert counts["faults"] == {}
    assert counts["accesses"] == {"closed": len(records) - 2, "disconnect": 2}


@pytest.mark.parametrize("form", FORMS)
def test_who_where_and_when(recording: Recording, form: str) -> None:
    user = getpass.getuser()[:8]
    for access in read_accesses(recording.files[form]):
        assert isinstance(access, FileAccess)
        assert access.user_name == ("e2e" if access.user_pid == RAW_PID else user)
        assert access.user_protocol == "xroot"
        assert "127.0.0.1" in str(access.user_host) or "localhost" in str(access.user_host)
        assert access.server_port == recording.scene.server.port
        assert (access.server_site, access.server_instance) == ("E2E", "e2e")
        assert access.server_program == "xrootd"
        assert access.server_address == (None if form == "raw" else "127.0.0.1")
        assert access.opened_at is not None
        assert access.closed_at is not None
        # Whole seconds are all that the windows tell.
        assert recording.began - 1 <= access.opened_at <= access.closed_at <= recording.ended + 1


def test_operations_by_size(recording: Recording) -> None:
    accesses = [a for a in read_accesses(recording.files["pcap"]) if a.user_pid == RAW_PID]
    reading, writing = sorted(accesses, key=lambda access: str(access.mode))
    assert (reading.read_min_bytes, reading.read_max_bytes) == (1000, 3000)
    assert reading.read_sigma_bytes == pytest.approx(1000)
    assert (reading.readv_min_bytes, reading.readv_max_bytes) == (60, 60)
    assert (reading.readv_min_segments, reading.readv_max_segments) == (3, 3)
    assert (reading.write_min_bytes, reading.write_max_bytes) == (None, None)
    assert (writing.write_min_bytes, writing.write_max_bytes) == (300, 700)
    assert writing.write_sigma_bytes == pytest.approx(200)


@pytest.mark.parametrize("form", FORMS)
def test_exactly_the_sessions_that_were_held(recording: Recording, form: str) -> None:
    sessions = list(read_records(recording.files[form], "sessions"))
    assert all(isinstance(session, Session) for session in sessions)
    held = {s.user_pid: s.files for s in sessions if isinstance(s, Session)}
    assert held == recording.scene.sessions
    assert len(sessions) == len(held)
    by_pid: Counter[int] = Counter()
    for access in recording.scene.accesses:
        by_pid[access.user_pid] += access.read_bytes
    for session in sessions:
        assert isinstance(session, Session)
        assert session.end_reason == "disconnect"
        assert session.read_bytes == by_pid[session.user_pid or 0]


def test_every_open_is_in_the_io_events(recording: Recording) -> None:
    events = [event._asdict() for event in read_records(recording.files["pcap"], "io")]
    # Some servers tell of an open twice when they send both `auth` and `io`.
    opened = {event["path"] for event in events if event["operation"] == "open"}
    assert opened == {access.path for access in recording.scene.accesses}
    raw = [event for event in events if event["user_pid"] == RAW_PID]
    lengths = Counter((event["operation"], event["length_bytes"]) for event in raw)
    for event in [("read", 1000), ("read", 3000), ("readv", 60), ("write", 700), ("write", 300)]:
        assert lengths[event] == 1


@pytest.mark.parametrize("form", FORMS)
def test_the_command_says_the_same(recording: Recording, form: str) -> None:
    command = [*GRIDTAP, "decode", str(recording.files[form])]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    check_accesses(recording.scene.accesses, records)
    assert records == [access._asdict() for access in read_accesses(recording.files[form])]
    total = len(recording.scene.accesses)
    assert f"accesses  {total}  closed {total - 2}  disconnect 2" in result.stderr
    assert "faults    none" in result.stderr
    assert "loss      none" in result.stderr


def test_without_the_sender_the_records_are_the_same(recording: Recording) -> None:
    """Only a capture knows when packets came, and only a raw dump not who sent them"""

    def told(form: str) -> list[dict[str, Any]]:
        records = [access._asdict() for access in read_accesses(recording.files[form])]
        for record in records:
            record.update(server_address=None, server_udp_port=None)
        return records

    assert told("raw") == told("envelopes") == told("pcap")


@pytest.fixture
def sniffer(tmp_path: Path) -> Iterator[Callable[[int], tuple[Path, subprocess.Popen[bytes]]]]:
    """Starts tcpdump on the loopback device for a UDP port, where that is possible"""
    program = shutil.which("tcpdump")
    if program is None:
        pytest.skip("tcpdump is not installed")
    started: list[subprocess.Popen[bytes]] = []

    def start(port: int) -> tuple[Path, subprocess.Popen[bytes]]:
        path = tmp_path / "tcpdump.pcap"
        log = tmp_path / "tcpdump.log"
        command = [program, "-i", "lo", "-U", "-w", str(path), "udp", "dst", "port", str(port)]
        if os.geteuid() == 0:
            command[1:1] = ["-Z", "root"]
        with log.open("wb") as errors:
            process = subprocess.Popen(command, stderr=errors, stdin=subprocess.DEVNULL)
        started.append(process)
        wait_for(
            lambda: process.poll() is not None or b"listening on" in log.read_bytes(),
            10,
            "tcpdump",
        )
        if process.poll() is not None:
            pytest.skip(f"tcpdump may not capture: {log.read_text(errors='replace').strip()}")
        return path, process

    yield start
    for process in started:
        stop_quietly(process)


def test_what_tcpdump_captured(
    sniffer: Callable[[int], tuple[Path, subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    with receiving() as udp:
        path, tcpdump = sniffer(udp.port)
        with running(MONITOR.format(port=udp.port)) as server:
            scene = Scene(server, tmp_path)
            scene.upload(100_000, "/store/a.dat")
            scene.download(100_000, "/store/a.dat", "sniffed")
            wait_for_packets(udp.so_far, scene)
            server.stop()
        sent = udp.so_far()
        # tcpdump writes a packet as soon as it sees it, but not in our time.
        wait_for(lambda: _packets(path) >= len(sent), 10, "tcpdump to write all packets")
        stop_quietly(tcpdump)
        sent = udp.so_far()
    reader = read_accesses(path, ports=[udp.port])
    check_accesses(scene.accesses, [access._asdict() for access in reader])
    assert reader.counts()["datagrams"] == len(sent)
    assert reader.counts()["bytes"] == sum(len(datagram.payload) for datagram in sent)


def _packets(path: Path) -> int:
    reader = read_accesses(path)
    for _ in reader:
        pass
    count = reader.counts()["datagrams"]
    assert isinstance(count, int)
    return count
