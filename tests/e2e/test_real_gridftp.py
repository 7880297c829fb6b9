"""A real GridFTP server and its client: what was transferred can be read back from an archive."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.esmond.conftest import Archive, archive, database
from tests.esmond_cli.command import run
from tests.gridftp_load.command import access, load, loaded, points

__all__ = ["archive", "database"]

SERVER = shutil.which("globus-gridftp-server") or shutil.which(
    "globus-gridftp-server", path="/usr/sbin"
)
CLIENT = shutil.which("globus-url-copy")

pytestmark = pytest.mark.skipif(
    SERVER is None or CLIENT is None,
    reason="globus-gridftp-server or globus-url-copy is not installed "
    "(Debian: globus-gridftp-server-progs, globus-gass-copy-progs)",
)

#: Bytes of the files; each gives a metadata of its own.
SIZES = {"small": 70_000, "middle": 3 << 20, "large": 40 << 20}


@dataclass(frozen=True)
class Gridftp:
    """A running server

    :param root: folder that everybody may use
    """

    port: int
    log: Path
    root: Path

    def copy(self, source: str, target: str, *options: str) -> None:
        assert CLIENT is not None
        subprocess.run([CLIENT, *options, source, target], check=True, timeout=60)

    def url(self, name: str) -> str:
        return f"ftp://127.0.0.1:{self.port}{self.root}/{name}"


@contextmanager
def serving(folder: Path) -> Iterator[Gridftp]:
    assert SERVER is not None
    root = folder / "data"
    root.mkdir()
    for each in (root, folder, *folder.parents):
        if each.owner() == getpass.getuser() and each != Path("/"):
            each.chmod(each.stat().st_mode | 0o055)
    root.chmod(0o777)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = folder / "transfer.log"
    anonymous = ("nobody", "nogroup") if os.geteuid() == 0 else (getpass.getuser(), "")
    options = ["-aa", "-anonymous-user", anonymous[0], "-p", str(port), "-Z", str(log)]
    if anonymous[1]:
        options += ["-anonymous-group", anonymous[1]]
    with subprocess.Popen([SERVER, "-s", *options], stdout=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert server.poll() is None, "the server does not start"
                time.sleep(0.05)
            yield Gridftp(port, log, root)
        finally:
            server.terminate()


def lines(log: Path, count: int) -> None:
    """Waits until so many transfers are logged: the server writes after the client has left"""
    for _ in range(200):
        if log.exists() and log.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text() if log.exists() else "no log")


def shown(archive: Archive, source: str, destination: str) -> list[float]:
    """What esmond-ps-get shows, in order"""
    got = run(
        "esmond-ps-get",
        *("--url", archive.url, "-s", source, "-d", destination, "-e", "throughput", "-o", "json"),
    )
    assert got.exit_status == 0, got.stderr
    return sorted(row["value"] for row in json.loads(got.stdout))


def test_transfers_are_read_back(archive: Archive, tmp_path: Path) -> None:
    began = int(time.time())
    with serving(tmp_path) as gridftp:
        for name, size in SIZES.items():
            (gridftp.root / name).write_bytes(os.urandom(size))
            (gridftp.root / name).chmod(0o644)
            gridftp.copy(gridftp.url(name), f"file://{tmp_path}/{name}.got")
            assert (tmp_path / f"{name}.got").stat().st_size == size
        lines(gridftp.log, 3)
        options = (*access(archive), "--host-address", "192.0.2.1")
        first = load("-f", gridftp.log, *options, cwd=tmp_path, hosts=())
        assert (first.exit_status, loaded(first)) == (0, 3), first.stderr
        # The server holds its log open; what it writes next is found behind the first part.
        for name in SIZES:
            gridftp.copy(f"file://{tmp_path}/{name}.got", gridftp.url(f"{name}.up"), "-p", "2")
            assert (gridftp.root / f"{name}.up").stat().st_size == SIZES[name]
        lines(gridftp.log, 6)
        second = load("-f", gridftp.log, *options, cwd=tmp_path, hosts=())
        assert (second.exit_status, loaded(second)) == (0, 3), second.stderr
    ended = int(time.time())
    for source, destination in (("192.0.2.1", "127.0.0.1"), ("127.0.0.1", "192.0.2.1")):
        assert len(shown(archive, source, destination)) == 3
        found = sorted(
            (int(test.get_freeform_key_value("gridftp-bytes-transferred")))
            for test in archive.connect().get_metadata()
            if test.source == source
        )
        assert found == sorted(SIZES.values())
    assert all(began <= ts <= ended for ts, _ in points(archive))
    streams = [value for _, value in points(archive, "streams-packet-retransmits")]
    # Uploads had two connections, and the server counts what was sent again on each.
    assert sorted(map(len, streams)) == [0, 0, 0, 2, 2, 2]
