"""The core of the collector as Python sees it: sockets and captures in, batches out."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gridtap import _core
from gridtap.xrootd import read_accesses

CAPTURE = Path(__file__).resolve().parent.parent / "data" / "xrootd" / "fstat-full.pcap"

# Whatever should happen happens long before this, on the slowest of machines.
DEADLINE_S = 120.0

ACCESSES = {"name": "accesses", "records": ["accesses"]}
PACKETS = {
    "name": "packets",
    "records": ["packets"],
    "profile": "envelope",
    "batch_wait_s": 0.01,
}


def settings(*sinks: dict[str, Any], **others: Any) -> str:
    return json.dumps({"workers": 1, "sinks": sinks, **others})


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


def send(server: socket.socket, *payloads: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for payload in payloads:
            client.sendto(payload, server.getsockname())


def test_a_capture_that_is_fed_gives_the_records_that_reading_it_gives() -> None:
    collector = _core.Collector(settings(ACCESSES), [])
    collector.feed(CAPTURE)
    batch = collector.next(0, 0.0)
    assert batch is not None
    expected = list(read_accesses(CAPTURE))
    lines = [json.loads(line) for line in bytes(batch.data).splitlines()]
    assert [line["path"] for line in lines] == [access.path for access in expected]
    assert (batch.sink, batch.records, batch.kind) == (0, len(expected), "accesses")
    assert batch.oldest_received_at == pytest.approx(1795320198, abs=60)
    assert bytes(batch.data).endswith(b"\n")
    assert collector.next(0, 0.0) is None
    assert not collector.drained(0)
    collector.stop()
    assert collector.drained(0)


def test_a_view_of_a_batch_stays_as_it_is_until_it_is_gone(server: socket.socket) -> None:
    collector = _core.Collector(settings(PACKETS), [server.fileno()])
    collector.start()
    send(server, b"first")
    batch = collector.next(0, DEADLINE_S)
    assert batch is not None
    view = batch.data
    assert view.readonly
    before = bytes(view)
    del batch
    # Memory that was free would be used for one of these.
    for _ in range(20):
        send(server, b"another")
        assert collector.next(0, DEADLINE_S) is not None
    assert view == before
    collector.stop()


def test_an_arrow_batch_has_the_same_rows_as_lines() -> None:
    sinks = ACCESSES, {**ACCESSES, "name": "arrow", "form": "arrow"}
    collector = _core.Collector(settings(*sinks), [])
    collector.feed(CAPTURE)
    lines, arrow = collector.next(0, 0.0), collector.next(1, 0.0)
    assert lines is not None
    assert arrow is not None
    table = pa.table(arrow)
    assert table.to_pylist() == [json.loads(line) for line in bytes(lines.data).splitlines()]
    assert (arrow.records, arrow.data) == (table.num_rows, b"")
    with pytest.raises(ValueError, match="lines"):
        lines.__arrow_c_stream__()


def test_packets_become_batches_and_a_stop_leaves_nothing_behind(server: socket.socket) -> None:
    collector = _core.Collector(settings(PACKETS), [server.fileno()])
    collector.start()
    before = time.time()
    send(server, b"first")
    batch = collector.next(0, DEADLINE_S)
    assert batch is not None
    assert before - 1 <= batch.oldest_received_at <= time.time() + 1
    send(server, b"second", b"third")
    collector.stop()
    batches = []
    while not collector.drained(0):
        last = collector.next(0, DEADLINE_S)
        assert last is not None
        batches.append(last)
    assert sum(batch.records for batch in batches) == 2
    assert collector.next(0, DEADLINE_S) is None
    status = collector.status()
    assert status["packets"]["received"] == 3
    assert status["sinks"][0]["records"] == 3
    assert status["sockets"][0]["address"] == "{}:{}".format(*server.getsockname())


def test_a_thread_that_waits_for_a_batch_holds_nobody_up(server: socket.socket) -> None:
    collector = _core.Collector(settings(PACKETS), [server.fileno()])
    collector.start()
    taken: list[_core.Batch | None] = []
    waiting = threading.Thread(target=lambda: taken.append(collector.next(0, DEADLINE_S)))
    waiting.start()
    # With the interpreter lock held by the waiting thread none of this would happen.
    assert collector.status()["packets"]["received"] == 0
    assert waiting.is_alive()
    send(server, b"x")
    waiting.join(DEADLINE_S)
    assert taken[0] is not None
    assert taken[0].records == 1
    collector.stop()


def test_a_stop_ends_every_wait(server: socket.socket) -> None:
    collector = _core.Collector(settings(PACKETS), [server.fileno()])
    collector.start()
    taken: list[_core.Batch | None] = []
    waiting = threading.Thread(target=lambda: taken.append(collector.next(0, 10 * DEADLINE_S)))
    waiting.start()
    collector.stop()
    waiting.join(DEADLINE_S)
    assert taken == [None]


def test_the_status_has_every_counter() -> None:
    collector = _core.Collector(settings(ACCESSES, PACKETS), [])
    collector.feed(CAPTURE)
    status = collector.status()
    assert status["packets"]["received"] == sum(status["packets"]["by_code"].values())
    assert status["records"]["accesses"] == sum(status["accesses"].values())
    assert {row[2] for row in status["io"]} == {"read", "readv", "write"}
    assert {row[1] for row in status["losses"]} >= {"main", "f"}
    assert status["state"]["max_bytes"] == 1 << 30
    assert set(status["state"]["evicted"]) == {"files", "sessions", "servers"}
    assert set(status["dns"]) == {"lookups", "failures", "cached", "pending"}
    assert abs(status["now"] - time.time()) < DEADLINE_S
    assert status["uptime_s"] >= 0
    names = [sink["name"] for sink in status["sinks"]]
    assert names == ["accesses", "packets"]
    assert [collector.index(name) for name in names] == [0, 1]


def test_servers_are_told_of_while_they_are_known(server: socket.socket) -> None:
    collector = _core.Collector(settings(ACCESSES), [server.fileno()])
    collector.start()
    ident = b"=/xrootd.7:1@srv.example.org\n&site=HERE&port=1094&inst=anon&pgm=xrootd&ver=v6"
    body = (0).to_bytes(4) + ident
    started = 1_700_000_000
    send(server, b"=\0" + (8 + len(body)).to_bytes(2) + started.to_bytes(4) + body)
    eventually(lambda: bool(collector.status()["servers"]))
    (known,) = collector.status()["servers"]
    assert known.pop("last_seen_at") == pytest.approx(time.time(), abs=DEADLINE_S)
    assert known == {
        "address": "127.0.0.1",
        "host": "srv.example.org",
        "instance": "anon",
        "site": "HERE",
        "program": "xrootd",
        "version": "v6",
        "started_at": started,
        "packets": 1,
    }
    assert collector.status()["state"]["servers"] == 1
    collector.stop()


def test_a_reload_keeps_numbers_and_a_bad_one_changes_nothing(server: socket.socket) -> None:
    collector = _core.Collector(settings(PACKETS), [server.fileno()])
    collector.start()
    collector.reload(settings(ACCESSES, PACKETS))
    assert (collector.index("packets"), collector.index("accesses")) == (0, 1)
    with pytest.raises(ValueError, match="workers"):
        collector.reload(settings(ACCESSES, workers=2))
    with pytest.raises(ValueError, match="nope"):
        collector.index("nope")
    send(server, b"x")
    assert collector.next(0, DEADLINE_S) is not None
    collector.stop()


def test_an_explanation_says_which_sink_takes_what() -> None:
    other = {"name": "other", "records": ["accesses"], "filter": {"vos": ["nobody"]}}
    collector = _core.Collector(settings(ACCESSES, other), [])
    explained = [line for line in collector.explain(CAPTURE) if line[0] == "accesses"]
    assert len(explained) == len(list(read_accesses(CAPTURE)))
    assert all(line[2] == [("accesses", "take"), ("other", "vo")] for line in explained)
    assert collector.status()["packets"]["received"] == 0


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{", "EOF"),
        ("[]", "invalid"),
        (json.dumps({"workers": 0, "sinks": []}), "workers is 0"),
        (json.dumps({"workers": 1, "sinks": [], "nope": 1}), "nope"),
        (settings({**ACCESSES, "nope": 1}), "nope"),
        (settings({**ACCESSES, "records": ["nope"]}), "nope"),
        (settings({**ACCESSES, "records": []}), "no kind of record"),
        (settings({**ACCESSES, "profile": "nope"}), "nope"),
        (settings({**ACCESSES, "form": "arrow", "profile": "wlcg"}), "wlcg"),
        (settings({**ACCESSES, "form": "arrow", "records": ["io", "servers"]}), "one kind"),
        (settings({**ACCESSES, "queue_bytes": 1000}), "queue_bytes"),
        (settings({**ACCESSES, "batch_wait_s": -1}), "batch_wait_s"),
        (settings({**ACCESSES, "filter": {"servers": ["nope"]}}), "nope"),
        (settings(ACCESSES, ACCESSES), "two sinks"),
        (settings(ACCESSES, gate={"allow": ["192.0.2.0/33"]}), "invalid IP"),
        (settings(ACCESSES, state={"file_ttl_s": -1}), "file_ttl_s"),
    ],
)
def test_settings_that_will_not_do_are_refused_in_one_line(text: str, cause: str) -> None:
    with pytest.raises(ValueError, match=cause) as caught:
        _core.Collector(text, [])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("family", "kind", "cause"),
    [
        (socket.AF_INET, socket.SOCK_STREAM, "no UDP socket"),
        (socket.AF_INET, socket.SOCK_DGRAM, "not bound"),
        (socket.AF_UNIX, socket.SOCK_DGRAM, "no UDP socket"),
    ],
)
def test_sockets_that_will_not_do_are_refused(
    family: socket.AddressFamily, kind: socket.SocketKind, cause: str
) -> None:
    with socket.socket(family, kind) as sock:
        number = sock.fileno()
        with pytest.raises(ValueError, match=f"socket {number}: .*{cause}"):
            _core.Collector(settings(ACCESSES), [number])
    with pytest.raises(ValueError, match=f"socket {number}"):
        _core.Collector(settings(ACCESSES), [number])


def test_what_is_out_of_order_is_refused(server: socket.socket) -> None:
    with pytest.raises(RuntimeError, match="no socket"):
        _core.Collector(settings(ACCESSES), []).start()
    collector = _core.Collector(settings(ACCESSES), [server.fileno()])
    collector.start()
    with pytest.raises(RuntimeError, match="started before"):
        collector.start()
    with pytest.raises(RuntimeError, match="before the start"):
        collector.feed(CAPTURE)
    with pytest.raises(IndexError, match="no sink 1"):
        collector.next(1, 0.0)
    with pytest.raises(ValueError, match="timeout_s"):
        collector.next(0, -1.0)
    with pytest.raises(FileNotFoundError):
        collector.explain("no-such-capture.pcap")
    collector.stop()


def test_a_state_is_saved_and_restored(server: socket.socket, tmp_path: Path) -> None:
    path = tmp_path / "state"
    collector = _core.Collector(settings(ACCESSES), [server.fileno()])
    collector.start()
    send(server, b"=\0\0\x1d\0\0\0\1\0\0\0\0=/xrootd.7:1@srv\n")
    eventually(lambda: collector.status()["state"]["servers"] == 1)
    collector.save(path)
    saved = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    collector.stop(path)
    assert [file.name for file in tmp_path.iterdir()] == ["state"]
    restored = _core.Collector(settings(ACCESSES), [])
    assert restored.restore(path) == 1
    assert restored.status()["state"]["servers"] == 1
    with pytest.raises(RuntimeError, match="before the start"):
        collector.restore(path)
    path.write_bytes(saved[:-1])
    with pytest.raises(ValueError, match=f"{path} ends early"):
        _core.Collector(settings(ACCESSES), []).restore(path)
    with pytest.raises(FileNotFoundError) as caught:
        _core.Collector(settings(ACCESSES), []).restore(tmp_path / "none")
    assert caught.value.filename == str(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        restored.stop(tmp_path / "none" / "state")


def test_a_collector_that_is_let_go_ends_its_threads(server: socket.socket) -> None:
    collector = _core.Collector(settings(ACCESSES), [server.fileno()])
    collector.start()

    def workers() -> int:
        names = [task.read_text() for task in Path("/proc/self/task").glob("*/comm")]
        return sum(name.startswith("gridtap-udp") for name in names)

    eventually(lambda: workers() == 1)
    del collector
    eventually(lambda: workers() == 0)
