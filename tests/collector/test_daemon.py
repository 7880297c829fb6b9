"""The collector as a process: real packets in, records out, through signals and crashes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from collections import Counter
from pathlib import Path
from urllib.request import urlopen

import pytest

from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.collector.spool import Spool
from tests.cli.command import GRIDTAP, run
from tests.collector.process import Collector, free_port, lines, wait_for
from tests.collector.traffic import DATA, Sender, of_another_server, packets

FULL = DATA / "fstat-full.pcap"


def accesses(path: Path) -> list[dict[str, object]]:
    """What ``gridtap decode`` makes of a capture"""
    return [json.loads(line) for line in run("decode", "-q", path).stdout.splitlines()]


def same(some: list[dict[str, object]], others: list[dict[str, object]]) -> bool:
    """Whether these are the same records, in whatever order"""
    return sorted(map(json.dumps, some)) == sorted(map(json.dumps, others))


def end_after(collector: Collector, path: Path, records: int) -> None:
    """Ends a collector when a file has so many records: the newest wait for late packets"""
    wait_for(lambda: len(lines(path)) >= records)
    assert collector.stop() == 0


def configuration(directory: Path, port: int, more: str = "", listen: str = "") -> str:
    return f"""
[listen]
addresses = ["127.0.0.1:{port}"]
receive_buffer = "200KiB"
{listen}
[state]
directory = "{directory / "state"}"
late_grace = "200ms"
[http]
listen = ""
[sinks.out]
type = "jsonl"
path = "{directory / "out.jsonl"}"
batch_wait = "50ms"
{more}
"""


@pytest.mark.parametrize("capture", ["fstat-full", "restart", "two-servers", "multistream"])
@pytest.mark.parametrize("workers", [1, 3])
def test_records_are_those_of_decode(tmp_path: Path, capture: str, workers: int) -> None:
    path, port = DATA / f"{capture}.pcap", free_port()
    toml = configuration(tmp_path, port, listen=f"workers = {workers}")
    toml = toml.replace(f'directory = "{tmp_path / "state"}"', 'directory = ""')
    with Collector(tmp_path, toml) as collector, Sender(("127.0.0.1", port)) as sender:
        sender.send(packets(path), 0.001)
        assert collector.stop() == 0
    # Nothing is kept for another run, so that everything open has ended.
    assert same(lines(tmp_path / "out.jsonl"), accesses(path))


def test_sigterm_in_between_ends_no_open_twice(tmp_path: Path) -> None:
    expected, some, port = accesses(FULL), packets(FULL), free_port()
    parts = [some[:5], some[5:9], some[9:14], some[14:]]
    with Sender(("127.0.0.1", port)) as sender:
        for number, part in enumerate(parts):
            # The state fits any number of workers.
            toml = configuration(tmp_path, port, listen=f"workers = {1 + number % 3}")
            with Collector(tmp_path, toml) as collector:
                assert ("restored" in collector.stderr()) == (number > 0)
                sender.send(part)
                assert collector.stop() == 0
                # What the kernel had received is in the state.
                assert f"stopped packets={len(part)} " in collector.stderr()
        with Collector(tmp_path, toml) as collector:
            end_after(collector, tmp_path / "out.jsonl", len(expected))
    assert same(lines(tmp_path / "out.jsonl"), expected)


def test_a_state_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "state").mkdir()
    (tmp_path / "state/state.snapshot").write_bytes(b"nonsense")
    with Collector(tmp_path, configuration(tmp_path, port)) as collector:
        assert "error not_restored" in collector.stderr()
        assert collector.stop() == 0
    assert (tmp_path / "state/state.unreadable").read_bytes() == b"nonsense"


class Traffic(threading.Thread):
    """Sends the same capture as if from many servers, until it is told to end"""

    def __init__(self, port: int, pause_s: float) -> None:
        super().__init__()
        self.rounds = 0
        self._port = port
        self._pause_s = pause_s
        self._is_over = threading.Event()

    def run(self) -> None:
        some = packets(FULL)
        while not self._is_over.is_set():
            with Sender(("127.0.0.1", self._port)) as sender:
                sender.send(of_another_server(some, self.rounds), self._pause_s)
            self.rounds += 1

    def __enter__(self) -> Traffic:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()


def by_server(records: list[dict[str, object]]) -> Counter[object]:
    return Counter(record["server_address"] for record in records)


def test_sighup_loses_nothing(tmp_path: Path) -> None:
    port = free_port()
    toml = configuration(tmp_path, port)
    more = f"""
[sinks.second]
type = "jsonl"
path = "{tmp_path / "second.jsonl"}"
"""
    out, each = tmp_path / "out.jsonl", len(accesses(FULL))
    with Collector(tmp_path, toml) as collector:
        with Traffic(port, 0.0005) as traffic:
            for number in range(8):
                before = len(lines(out))
                wait_for(lambda before=before: len(lines(out)) > before)
                if number == 4:
                    out.rename(tmp_path / "moved.jsonl")
                collector.reload(toml + more if number % 2 else toml)
        moved = tmp_path / "moved.jsonl"
        end_after(collector, out, each * traffic.rounds - len(lines(moved)))
    records = lines(moved) + lines(out)
    assert by_server(records) == {
        of_another_server(packets(FULL)[:1], number)[0].host: each
        for number in range(traffic.rounds)
    }
    assert lines(tmp_path / "second.jsonl")
    assert collector.stderr().count("info reloaded") == 8
    assert sum("RELOADING=1" in message for message in collector.told) == 8


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("[listen\n", "not TOML"),
        ("[listen]\nworker = 2\n", "unknown key 'worker'; the nearest known one is 'workers'"),
        ("sinks = {}\n", "no sinks"),
    ],
)
def test_a_wrong_configuration_changes_nothing(tmp_path: Path, wrong: str, told: str) -> None:
    port = free_port()
    with (
        Collector(tmp_path, configuration(tmp_path, port)) as collector,
        Sender(("127.0.0.1", port)) as sender,
    ):
        collector.reload(wrong)
        failed = [line for line in collector.stderr().splitlines() if "not_reloaded" in line]
        assert len(failed) == 1
        assert told in failed[0]
        sender.send(packets(FULL), 0.001)
        end_after(collector, tmp_path / "out.jsonl", len(accesses(FULL)))
    assert same(lines(tmp_path / "out.jsonl"), accesses(FULL))


def test_what_a_reload_cannot_change_is_said(tmp_path: Path) -> None:
    port = free_port()
    with Collector(tmp_path, configuration(tmp_path, port)) as collector:
        collector.reload(configuration(tmp_path, free_port(), listen="workers = 2"))
        assert "warning needs_restart table=listen" in collector.stderr()
        assert "info reloaded" in collector.stderr()
        assert collector.stop() == 0


def test_sigkill_loses_what_the_policy_allows(tmp_path: Path) -> None:
    """With ``always`` each record is on disk before the next; what is open is in the snapshot."""
    port, expected = free_port(), accesses(FULL)
    toml = configuration(tmp_path, port, 'fsync = "always"\n').replace(
        "[http]", 'snapshot_every = "1s"\n[http]'
    )
    some = packets(FULL)
    out = tmp_path / "out.jsonl"
    with Sender(("127.0.0.1", port)) as sender:
        with Collector(tmp_path, toml) as collector:
            sender.send(some[:12])
            wait_for(lambda: lines(out))
            written = lines(out)
            # A snapshot that has seen all of it
            snapshot = tmp_path / "state/state.snapshot"
            wait_for(snapshot.exists)
            first = snapshot.stat().st_mtime_ns
            wait_for(lambda: snapshot.stat().st_mtime_ns != first)
            collector.process.kill()
            assert collector.wait() == -signal.SIGKILL
        with Collector(tmp_path, toml) as collector:
            sender.send(some[12:])
            end_after(collector, out, len(expected))
    records = lines(out)
    assert records[: len(written)] == written
    assert same(records, expected)


def test_a_spool_survives_sigkill(tmp_path: Path) -> None:
    port, later = free_port(), tmp_path / "later"
    toml = configuration(tmp_path, port).replace(
        str(tmp_path / "out.jsonl"), str(later / "out.jsonl")
    )
    expected = accesses(FULL)
    size = sum(len(json.dumps(each, separators=(",", ":"))) + 1 for each in expected)
    with Collector(tmp_path, toml) as collector, Sender(("127.0.0.1", port)) as sender:
        sender.send(packets(FULL), 0.001)
        spool = tmp_path / "state/spool/out"
        wait_for(lambda: sum(path.stat().st_size for path in spool.glob("*.seg")) > size)
        collector.process.kill()
        assert collector.wait() == -signal.SIGKILL
        assert f'sink_unavailable sink=out reason="{later / "out.jsonl"}: ' in collector.stderr()
    later.mkdir()
    with Collector(tmp_path, toml) as collector:
        wait_for(lambda: len(lines(later / "out.jsonl")) >= len(expected))
        assert collector.stop() == 0
    assert same(lines(later / "out.jsonl"), expected)


def test_a_spool_whose_sink_is_gone_is_told_of(tmp_path: Path) -> None:
    left = tmp_path / "state/spool/gone"
    Spool(left, 1 << 20).append(StoredBatch(1, None, b"{}\n"))
    with Collector(tmp_path, configuration(tmp_path, free_port())) as collector:
        assert f"warning spool_without_sink path={left}\n" in collector.stderr()
        assert collector.stop() == 0


def test_restart_under_socket_activation_loses_nothing(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        toml = configuration(tmp_path, port)
        some = packets(FULL)
        with Sender(("127.0.0.1", port)) as sender:
            # Before, between and after: nobody reads, the kernel keeps them.
            sender.send(some[:3])
            for part in (some[3:9], some[9:15], some[15:]):
                with Collector(tmp_path, toml, (held,)) as collector:
                    assert collector.stop() == 0
                sender.send(part)
            with Collector(tmp_path, toml, (held,)) as collector:
                end_after(collector, tmp_path / "out.jsonl", len(accesses(FULL)))
    assert same(lines(tmp_path / "out.jsonl"), accesses(FULL))


def test_two_collectors_do_not_share_a_state(tmp_path: Path) -> None:
    with Collector(tmp_path, configuration(tmp_path, free_port())) as collector:
        other = tmp_path / "other.toml"
        other.write_text(configuration(tmp_path, free_port()))
        result = run("collect", "-c", other, check=2)
        assert result.stderr.decode() == (
            f"gridtap: state.directory: {tmp_path / 'state'} is in use by another collector "
            f"(process {collector.process.pid})\n"
        )
        assert collector.stop() == 0


def test_what_keeps_it_from_starting(tmp_path: Path) -> None:
    config = tmp_path / "gridtap.toml"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        config.write_text(configuration(tmp_path, port))
        result = run("collect", "-c", config, check=2)
        assert f"gridtap: cannot listen on 127.0.0.1:{port}: the port is in use" in (
            result.stderr.decode()
        )
    (tmp_path / "file").write_text("")
    config.write_text(configuration(tmp_path / "file", free_port()))
    result = run("collect", "-c", config, check=2)
    assert f"{tmp_path / 'file/state'}: Not a directory" in result.stderr.decode()


def test_the_service_manager_is_told(tmp_path: Path) -> None:
    toml = configuration(tmp_path, free_port())
    with Collector(tmp_path, toml, watchdog_s=1.0) as collector:
        collector.wait_until_told("WATCHDOG=1")
        collector.wait_until_told("WATCHDOG=1")
        assert collector.stop() == 0
        collector.wait_until_told("STOPPING=1")


def test_it_is_observed_over_http(tmp_path: Path) -> None:
    port = free_port()
    http = f"127.0.0.1:{free_port()}"
    toml = configuration(tmp_path, port).replace(
        'listen = ""', f'listen = "{http}"\n[metrics]\ncompatibility = ["shoveler"]'
    )
    some = packets(FULL)
    with Collector(tmp_path, toml) as collector:
        with Sender(("127.0.0.1", port)) as sender:
            sender.send(some, 0.001)
        wait_for(lambda: len(lines(tmp_path / "out.jsonl")) == len(accesses(FULL)))
        for page in ("healthz", "readyz"):
            with urlopen(f"http://{http}/{page}", timeout=10) as answer:
                assert answer.status == 200
        with urlopen(f"http://{http}/metrics", timeout=10) as answer:
            metrics = answer.read().decode()
        assert f"\nshoveler_packets_received {float(len(some))}\n" in metrics
        assert collector.stop() == 0
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        taken = f"127.0.0.1:{held.getsockname()[1]}"
        config = tmp_path / "gridtap.toml"
        config.write_text(toml.replace(http, taken))
        result = run("collect", "-c", config, check=2)
        assert f"[http] listen: {taken}: Address already in use" in result.stderr.decode()


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    # A pipe that nobody reads keeps its sink, and so the first signal, waiting.
    pipe = tmp_path / "pipe"

    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    port = free_port()
    toml = configuration(tmp_path, port).replace(str(tmp_path / "out.jsonl"), str(pipe))
    try:
        with Collector(tmp_path, toml) as collector:
            with Sender(("127.0.0.1", port)) as sender:
                some = packets(FULL)
                for number in range(5):
                    sender.send(of_another_server(some, number), 0.0005)
            collector.process.send_signal(signal.SIGTERM)
            collector.wait_until_told("STOPPING=1")
            assert collector.stop() == -signal.SIGTERM
    finally:
        os.close(reader)


def test_without_a_configuration(tmp_path: Path) -> None:

    port = free_port()
    process = subprocess.Popen(
        [*GRIDTAP, "collect", "--listen", f"127.0.0.1:{port}", "-o", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    while b"info started" not in process.stderr.readline():
        assert process.poll() is None
    with Sender(("127.0.0.1", port)) as sender:
        sender.send(packets(FULL), 0.001)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert same([json.loads(line) for line in output.splitlines()], accesses(FULL))


def test_it_ends_when_nobody_reads_its_output() -> None:

    process = subprocess.Popen(
        [*GRIDTAP, "collect", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(30) == 141
