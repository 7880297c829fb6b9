"""Logs of real servers in the archive: esmond-ps-get shows the transfers that the clients made."""

from __future__ import annotations

import json
import lzma
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.esmond.conftest import Archive
from tests.esmond_cli.command import run
from tests.gridftp_load.command import DATA, access, load, loaded, stored

TRUTH = json.loads((DATA / "truth.json").read_text())

#: Ports of the servers, as they stand in the clients' commands
PORTS = {"one": ":28110/", "two": ":28111/"}

#: What the servers' names resolve to
ADDRESSES = {
    "one": ("192.0.2.81", "2001:db8::81"),
    "two": ("192.0.2.82", "2001:db8::82"),
}


@dataclass(frozen=True)
class Made:
    """A transfer that a client made.

    :param least: bytes; less than ``most`` where the client was cut off, or sizes are not told
    """

    is_sent: bool
    peer: str
    began: float
    ended: float
    streams: int
    least: int
    most: int


def options(server: str) -> tuple[str, ...]:
    return tuple(f"--host-address={address}" for address in ADDRESSES[server])


def transfers(server: str) -> list[Made]:
    """What clients did at a server, as they saw it.

    Parts of files and additions are not loaded. Clients that were cut off have moved something.
    """
    made = []
    for command in TRUTH["commands"]:
        words, kind = command["command"], command.get("type")
        if PORTS[server] not in words or kind not in ("RETR", "STOR", "both"):
            continue
        size = command.get("size")
        is_cut = isinstance(size, str)
        if (command["exit_status"] != 0 and not is_cut) or " -off " in words:
            continue
        if kind == "both":
            kind = "RETR" if words.index(PORTS[server]) == words.index(":281") else "STOR"
        most = int(size.split()[-1]) if is_cut else 1 << 40 if size is None else size
        one = Made(
            kind == "RETR",
            command.get("address", "127.0.0.1"),
            command["started"],
            command["ended"],
            command.get("streams", 1),
            1 if is_cut or size is None else size,
            most,
        )
        made += [one] * command.get("files", 1)
    return made


def get(archive: Archive, source: str, destination: str) -> list[dict[str, Any]]:
    """What esmond-ps-get shows"""
    got = run(
        "esmond-ps-get",
        *("--url", archive.url, "-s", source, "-d", destination, "-e", "throughput"),
        *("--start-time", "2026-11-22", "--end-time", "2026-11-23", "-o", "json", "--ip"),
    )
    assert got.exit_status == 0, got.stderr
    rows = json.loads(got.stdout)
    return [] if rows == [{"msg": "No data found."}] else rows


def shown(archive: Archive, server: str) -> list[tuple[Made, float]]:
    """All transfers of a server, both ways, as esmond-ps-get and -get-metadata show them"""
    described = {
        test["metadata"]["metadata-key"]: (test["metadata"], dict(test["values"]["throughput"]))
        for test in stored(archive)
    }
    found = []
    for own in ADDRESSES[server]:
        for peer in ("127.0.0.1", "::1"):
            for source, destination in ((own, peer), (peer, own)):
                for row in get(archive, source, destination):
                    shown_at = datetime.fromisoformat(f"{row['timestamp']}+00:00")
                    ts, rate = int(shown_at.timestamp()), row["value"]
                    key = next(
                        key
                        for key, (metadata, values) in described.items()
                        if (metadata["source"], metadata["destination"]) == (source, destination)
                        and values.get(ts) == rate
                    )
                    metadata, values = described[key]
                    del values[ts]
                    streams = int(metadata["bw-parallel-streams"])
                    size = int(metadata["gridftp-bytes-transferred"])
                    found.append((Made(source == own, peer, ts, ts, streams, size, size), rate))
    assert not any(values for _, values in described.values())
    return found


@pytest.mark.parametrize(
    ("server", "log"),
    [
        ("one", "one-transfer.log"),
        ("one", "one-server.log.gz"),
        ("two", "two-transfer.log"),
        ("two", "two-server.log"),
        ("two", "two-transfer.log.xz"),
        ("two", "two-transfer.log.zst"),
    ],
)
def test_the_archive_has_what_clients_did(
    server: str, log: str, archive: Archive, tmp_path: Path
) -> None:
    line = ("-f", DATA / log, *access(archive), *options(server))
    got = load(*line, cwd=tmp_path, hosts=())
    assert got.exit_status == 0, got.stderr
    made, rows = transfers(server), shown(archive, server)
    assert loaded(got) == len(made) == len(rows)
    left = list(made)
    # Those of which most is known are matched first.
    for one, rate in sorted(rows, key=lambda row: -row[0].least):
        match = min((each for each in left if fits(one, each)), key=lambda each: each.most)
        left.remove(match)
        assert rate * (match.ended - match.began + 1) >= 8 * one.least * 0.99
    assert left == []
    again = load(*line, cwd=tmp_path, hosts=())
    assert (again.exit_status, loaded(again)) == (0, 0)


def fits(one: Made, made: Made) -> bool:
    """Whether the archive's transfer can be what a client did"""
    return (
        (one.is_sent, one.peer, one.streams) == (made.is_sent, made.peer, made.streams)
        and int(made.began) <= one.began <= made.ended
        and made.least <= one.least <= made.most
    )


def test_merged(archive: Archive, tmp_path: Path) -> None:
    line = ("-f", DATA / "one-transfer.log", *access(archive), *options("one"), "--aggregate")
    got = load(*line, cwd=tmp_path, hosts=())
    assert (got.exit_status, loaded(got)) == (0, len(transfers("one")))
    tests = stored(archive)
    assert all("gridftp-bytes-transferred" not in test["metadata"] for test in tests)
    seconds = Counter(
        (test["metadata"]["source"], test["metadata"]["bw-parallel-streams"], ts)
        for test in tests
        for ts, _ in test["values"].get("throughput", [])
    )
    assert sum(seconds.values()) < loaded(got)


def test_packed_logs_are_those_that_were_packed() -> None:
    assert (
        lzma.decompress((DATA / "two-transfer.log.xz").read_bytes())
        == (DATA / "two-transfer.log").read_bytes()
    )
