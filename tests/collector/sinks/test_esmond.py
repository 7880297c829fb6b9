"""Throughput in a real archive: each point once, whatever happens on the way."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridtap.collector.sinks.esmond import EsmondSettings, EsmondSink
from gridtap.collector.sinks.points import ArchivePoints
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.collector.sinks.remotes import Remote, Remotes, address_of
from gridtap.collector.sinks.transfers import Series, gather
from gridtap.errors import RefusedError, SinkSettingError, SinkUnavailableError
from gridtap.esmond import ApiConnect
from gridtap.esmond.writing import ArchiveWriter
from tests.cli.command import DATA
from tests.collector.sinks.archive import USER, Archive
from tests.collector.sinks.batches import CAPTURE, line_batches
from tests.esmond.conftest import Forward
from tests.esmond.server import Asked, Reply, Server, json_reply

SITE = {"batch.example": "192.0.2.7"}
BATCHES = line_batches(DATA / "two-servers.pcap")


class Clock:
    def __init__(self, now: float = 1_795_320_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    (tmp_path / "archive").mkdir()
    return Archive(tmp_path / "archive")


@pytest.fixture
def running(archive: Archive) -> Iterator[Archive]:
    with archive.running():
        yield archive


def sink_of(archive: Archive, clock: Clock | None = None, **more: Any) -> EsmondSink:
    given = {
        "url": archive.url,
        "directory": str(archive.directory / "waiting"),
        "user": USER,
        "key": archive.key,
        **more,
    }
    return EsmondSink(EsmondSettings(**given), clock=clock or Clock())


def expected(batches: list[StoredBatch], interval: int = 60, second: int = 1) -> Any:
    """What the archive is to have, worked out anew: clients' networks have the prefix 127.0.1."""
    sums: Any = defaultdict(lambda: defaultdict(lambda: [0, 0.0]))
    for batch in batches:
        for access in map(json.loads, bytes(batch.data).splitlines()):
            assert access["user_host"].startswith("[::ffff:127.0.1.")
            server = access["server_address"]
            begin = int(access["closed_at"]) - int(access["closed_at"]) % interval
            seconds = max(1.0, access["closed_at"] - access["opened_at"])
            for pair, moved in (
                ((server, "127.0.1.0"), access["read_bytes"] + access["readv_bytes"]),
                (("127.0.1.0", server), access["write_bytes"]),
            ):
                if moved:
                    sums[pair][begin + second][0] += moved
                    sums[pair][begin + second][1] += seconds
    return {
        pair: {ts: float(int(8 * moved / seconds)) for ts, (moved, seconds) in points.items()}
        for pair, points in sums.items()
    }


def test_points_of_each_pair(running: Archive) -> None:
    sink = sink_of(running)
    for batch in BATCHES:
        sink.write(batch)
    sink.close()
    assert len(expected(BATCHES)) == 4
    assert running.points() == expected(BATCHES)
    found = {one.source: one for one in ApiConnect(running.url).get_metadata()}
    one = found["127.0.0.11"]
    assert (one.input_source, one.input_destination) == ("ds1.site-a.example", "127.0.1.0/24")
    assert (one.tool_name, one.measurement_agent) == ("gridtap/xrootd", "127.0.0.11")
    throughput = one.get_event_type("throughput")
    assert throughput is not None
    assert throughput.summaries == [("average", "3600"), ("average", "86400")]


def test_intervals_of_arrival_have_seconds_of_their_own(running: Archive) -> None:
    clock = Clock()
    sink = sink_of(running, clock)
    for batch in BATCHES:
        sink.write(batch)
        clock.now += 60
        sink.tick(clock.now)
    whole = running.points()
    wanted: Any = defaultdict(dict)
    for number, batch in enumerate(BATCHES, 1):
        for pair, points in expected([batch], second=number).items():
            wanted[pair].update(points)
    assert whole == wanted
    sink.close()


def test_what_was_posted_already_is_not_there_twice(running: Archive) -> None:
    sink = sink_of(running)
    for batch in BATCHES:
        sink.write(batch)
    sink.flush()
    [segment] = (running.directory / "waiting").glob("*.seg")
    data = segment.read_bytes()
    sink.close()
    # As it is when the process dies after posting.
    segment.write_bytes(data)
    again = sink_of(running)
    again.tick(0.0)
    again.close()
    assert running.points() == expected(BATCHES)


def test_an_archive_that_is_down_for_a_while(archive: Archive) -> None:
    clock = Clock()
    sink = sink_of(archive, clock)
    sink.write(BATCHES[0])
    sink.write(BATCHES[1])
    clock.now += 60
    with pytest.raises(SinkUnavailableError, match="Connection refused"):
        sink.tick(clock.now)
    with pytest.raises(SinkUnavailableError, match="Connection refused"):
        sink.write(BATCHES[2])
    # The collector ends and begins anew meanwhile.
    with pytest.raises(SinkUnavailableError):
        sink.close()
    sink = sink_of(archive, clock)
    with archive.running():
        for batch in BATCHES[2:]:
            sink.write(batch)
        sink.close()
        wanted = expected(BATCHES[:2])
        for pair, points in expected(BATCHES[2:], second=2).items():
            wanted[pair] = wanted.get(pair, {}) | points
        assert archive.points() == wanted


def test_a_key_that_is_wrong_loses_nothing(running: Archive, tmp_path: Path) -> None:
    file = tmp_path / "key"
    sink = sink_of(running, key="", key_file=str(file))
    sink.write(BATCHES[0])
    clock = 1_795_330_000.0
    with pytest.raises(SinkUnavailableError, match="key: No such file"):
        sink.tick(clock)
    file.write_text("f" * 40 + "\n")
    with pytest.raises(SinkUnavailableError, match="401"):
        sink.tick(clock)
    file.write_text(f"{running.key}\n")
    sink.reopen()
    sink.tick(clock)
    sink.close()
    assert running.points() == expected(BATCHES[:1])


def test_an_archive_that_names_no_metadata_gets_no_points(running: Archive) -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Reply:
        asked.append(request)
        return json_reply(request.json(), 201)

    with Server(answer) as server:
        sink = sink_of(running, url=server.url)
        sink.write(BATCHES[0])
        with pytest.raises(SinkUnavailableError, match="gave no metadata-key"):
            sink.tick(1_795_330_000.0)
        with pytest.raises(SinkUnavailableError, match="gave no metadata-key"):
            sink.close()
    assert {request.method for request in asked} == {"POST"}
    again = sink_of(running)
    again.tick(1_795_330_000.0)
    again.close()
    assert running.points() == expected(BATCHES[:1])


def test_another_value_at_the_same_second_is_refused(running: Archive) -> None:
    [(pair, points), *_] = expected(BATCHES).items()
    sink = sink_of(running)
    for batch in BATCHES:
        sink.write(batch)
    sink.close()
    before = running.points()
    other = {ts: int(value) + 1 for ts, value in points.items()}
    names = {"127.0.1.0": "127.0.1.0/24", "127.0.0.11": "ds1.site-a.example"}
    names["127.0.0.12"] = "ds2.site-a.example"
    series = Series(*pair, names[pair[0]], names[pair[1]], server=max(pair, key=names.get))  # type: ignore[arg-type]
    writer = ArchiveWriter(running.url, USER, running.key, "esmond")
    archive = ArchivePoints(writer, agent="", interval_s=60)
    with pytest.raises(RefusedError) as got:
        archive.post(series, other, 7)
    archive.close()
    assert (got.value.reason, got.value.records) == ("conflict", 7)
    assert running.points() == before


class Esmond44:
    """Refuses every point that is there already, of the same value or not, as esmond 4.4 does"""

    def __init__(self, url: str) -> None:
        self._forward = Forward(url)
        self._there: set[tuple[str, int]] = set()
        self.refusals = 0

    def __call__(self, asked: Asked) -> Reply:
        if asked.method == "PUT" or "/base" in asked.path:
            key = asked.path.split("/archive/")[1].split("/")[0]
            body = asked.json() if asked.body else {}
            seconds = [one["ts"] for one in body.get("data", [body] if "ts" in body else [])]
            if any((key, ts) in self._there for ts in seconds):
                self.refusals += 1
                detail = json.dumps({"detail": "Time series value already exists"}).encode()
                return Reply(409, detail, {"content-type": "application/json"})
            self._there.update((key, ts) for ts in seconds)
        return self._forward(asked)


def test_the_same_again_for_an_archive_that_refuses_it(running: Archive) -> None:
    esmond = Esmond44(running.url)
    with Server(esmond) as server:
        for _ in range(2):
            sink = sink_of(running, url=server.url)
            for batch in BATCHES:
                sink.write(batch)
            sink.flush()
            [segment] = (running.directory / "waiting").glob("*.seg")
            data = segment.read_bytes()
            sink.close()
            segment.write_bytes(data)
            again = sink_of(running, url=server.url)
            again.tick(0.0)
            again.close()
        wanted = expected(BATCHES)
        # The second round is another segment, after the first.
        for pair, points in expected(BATCHES, second=2).items():
            wanted[pair].update(points)
        assert running.points() == wanted
    assert esmond.refusals > 4


def test_an_archive_that_was_set_up_anew(archive: Archive) -> None:
    """Its metadata is gone, and described again"""
    clock = Clock()
    empty = archive.database.read_bytes()
    sink = sink_of(archive, clock)
    with archive.running():
        sink.write(BATCHES[0])
        clock.now += 60
        sink.tick(clock.now)
    for path in archive.directory.glob("archive.db*"):
        path.unlink()
    archive.database.write_bytes(empty)
    with archive.running():
        sink.write(BATCHES[1])
        sink.close()
        assert archive.points() == expected([BATCHES[1]], second=2)


def test_clients_without_an_address_are_refused_and_counted(
    running: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    batches = line_batches(CAPTURE)
    clock = Clock()
    sink = sink_of(running, clock, resolve=False)
    for batch in batches[:-1]:
        sink.write(batch)
    clock.now += 60
    sink.tick(clock.now)
    with pytest.raises(RefusedError) as got:
        sink.write(batches[-1])
    assert (got.value.reason, got.value.records, got.value.is_late) == ("no_address", 25, True)
    sink.close()
    told = [(record.message, vars(record)["fields"]["records"]) for record in caplog.records]
    assert told == [("records_refused", 3)]
    assert running.points() == {}
    # They are not told again.
    sink = sink_of(running, resolve=False, addresses=SITE)
    for batch in batches:
        sink.write(batch)
    sink.close()
    pairs = {("127.0.0.11", "192.0.2.7"), ("127.0.0.12", "192.0.2.7")}
    assert set(running.points()) == pairs | {(to, of) for of, to in pairs}


def line(**more: Any) -> bytes:
    access = {
        "server_address": "198.51.100.1",
        "server_host": None,
        "user_host": "192.0.2.9",
        "opened_at": 100.0,
        "closed_at": 110.0,
        "read_bytes": 1_000,
        "readv_bytes": None,
        "write_bytes": 0,
    }
    return json.dumps(access | more).encode() + b"\n"


def gathered(*lines: bytes, **more: Any) -> Any:
    remotes = Remotes("site", more.get("addresses", {}), resolve=False)
    return gather([StoredBatch(len(lines), "accesses", b"".join(lines))], 60, remotes)


def test_sums() -> None:
    found = gathered(
        line(),
        line(readv_bytes=2_000, closed_at=119.9),
        line(closed_at=120.0),
        line(opened_at=110.0, write_bytes=500, read_bytes=0),
        line(read_bytes=0),
    )
    read = Series("198.51.100.1", "192.0.2.0", "198.51.100.1", "192.0.2.0/24", "198.51.100.1")
    write = Series("192.0.2.0", "198.51.100.1", "192.0.2.0/24", "198.51.100.1", "198.51.100.1")
    assert set(found.amounts) == {read, write}
    first, second = found.amounts[read][60], found.amounts[read][120]
    assert (first.records, first.moved_bytes, first.throughput) == (2, 4_000, int(32_000 / 29.9))
    assert (second.records, second.throughput) == (1, 400)
    # No duration is taken as a second.
    assert found.amounts[write][60].throughput == 4_000
    assert found.refused == {}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"no json\n", "not_native"),
        (b"[1]\n", "not_native"),
        (b'{"serverID": "1#2"}\n', "not_native"),
        (line(read_bytes="many"), "not_native"),
        (line(opened_at=None), "no_duration"),
        (line(closed_at=None), "no_duration"),
        (line(closed_at="now"), "not_native"),
        (line(user_host=None), "no_address"),
        (line(user_host="wn1.example.net"), "no_address"),
        (line(server_address=None), "no_address"),
        (line(server_address="server"), "no_address"),
    ],
)
def test_reasons_of_refusals(bad: bytes, reason: str) -> None:
    found = gathered(bad, line())
    assert found.refused == {reason: 1}
    assert len(found.amounts) == 1


@pytest.mark.parametrize(
    ("grouping", "hosts", "remote"),
    [
        ("site", ["192.0.2.9"], Remote("192.0.2.0", "192.0.2.0/24")),
        ("site", ["[::ffff:192.0.2.9]"], Remote("192.0.2.0", "192.0.2.0/24")),
        ("site", ["[2001:db8:1:2::9]"], Remote("2001:db8:1::", "2001:db8:1::/48")),
        ("site", ["WN1.a.example.net", "192.0.2.9"], Remote("192.0.2.0", "example.net")),
        ("site", ["wn1.a.Known.org", "192.0.2.9"], Remote("203.0.113.1", "known.org")),
        ("site", ["localhost"], Remote("127.0.0.0", "localhost")),
        ("site", ["wn1.a.invalid"], None),
        ("site", [], None),
        ("host", ["192.0.2.9"], Remote("192.0.2.9", "192.0.2.9")),
        ("host", ["wn1.a.example.net", "192.0.2.9"], Remote("192.0.2.9", "wn1.a.example.net")),
        ("host", ["localhost"], Remote("127.0.0.1", "localhost")),
        ("host", ["x" * 300], None),
    ],
)
def test_remotes(grouping: Any, hosts: list[str], remote: Remote | None) -> None:
    near = address_of("198.51.100.1")
    assert near is not None
    remotes = Remotes(grouping, {"known.org": "203.0.113.1"})
    for _ in range(2):
        assert remotes.of(hosts, near) == remote
    remotes.close()


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"url": ""}, "url"),
        ({"url": "ftp://archive"}, "url"),
        ({"directory": ""}, "directory"),
        ({"key": "a", "key_file": "b"}, "only one"),
        ({"interval": 0}, "interval"),
        ({"timeout": 0.0}, "timeout"),
        ({"remote": "planet"}, "remote"),
        ({"fsync": "often"}, "fsync"),
        ({"addresses": {"example.net": "example.org"}}, "example.net: not an address"),
        ({"measurement_agent": "here"}, "measurement_agent: not an address"),
    ],
)
def test_settings_that_cannot_be(more: dict[str, Any], what: str) -> None:
    given = {"url": "http://archive.example", "directory": "/nowhere", **more}
    with pytest.raises(SinkSettingError, match=what):
        EsmondSink(EsmondSettings(**given))


def test_the_key_is_not_shown() -> None:
    settings = EsmondSettings(url="http://a", directory="b", key="secret")
    assert "secret" not in repr(settings)
