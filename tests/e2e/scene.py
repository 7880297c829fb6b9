"""What clients do to a server, and what the server's packets must say about it."""

from __future__ import annotations

import math
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.rawclient import RawClient
from tests.e2e.server import Server

#: Around the pages of 4096 bytes, an empty file, and more than one chunk of xrdcp (8 MiB).
SIZES = (0, 1, 4096, 4097, 250_000, 9_000_000)

RAW_PID = 4321


@dataclass(frozen=True)
class Access:
    """One access as :class:`gridtap.xrootd.FileAccess` must have it. ``None``: anything will do"""

    user_pid: int
    path: str
    mode: str
    read_bytes: int
    write_bytes: int
    close_reason: str = "closed"
    auth_app: str | None = "xrdcp"
    file_size_bytes: int = 0
    read_ops: int | None = None
    readv_ops: int = 0
    readv_bytes: int = 0
    readv_segments: int = 0
    write_ops: int | None = None


@dataclass
class Scene:
    """The accesses and sessions that happened"""

    server: Server
    folder: Path
    accesses: list[Access] = field(default_factory=list)
    #: Client process, files opened
    sessions: dict[int, int] = field(default_factory=dict)

    def run(self, *command: str, fails: bool = False, **environment: str) -> int:
        """Runs a client to its end and answers its process id"""
        process = self.server.client(*command, **environment)
        output, _ = process.communicate(timeout=30)
        assert (process.returncode != 0) is fails, (command, output)
        self.sessions[process.pid] = 0
        return process.pid

    def upload(self, size: int, path: str) -> None:
        local = self.folder / f"up-{size}"
        local.write_bytes(os.urandom(size))
        pid = self.run("xrdcp", "-f", "-N", str(local), self.server.url(path))
        # xrdcp writes pages, and the server counts the checksum of each.
        written = size + 4 * math.ceil(size / 4096)
        self.sessions[pid] = 1
        self.accesses.append(Access(pid, path, "read-write", 0, written, read_ops=0))

    def download(self, size: int, path: str, app: str) -> None:
        local = self.folder / f"down-{size}"
        url = self.server.url(path)
        pid = self.run("xrdcp", "-f", "-N", url, str(local), XRD_APPNAME=app)
        assert local.stat().st_size == size
        self.sessions[pid] = 1
        self.accesses.append(
            Access(pid, path, "read", size, 0, auth_app=app, file_size_bytes=size, write_ops=0)
        )

    def kill_during_upload(self, path: str) -> None:
        """The server adds pages to the totals at a close by the client only: it reports 0 bytes"""
        process = self.server.client("xrdcp", "-f", "-N", "-", self.server.url(path))
        stdin = process.stdin
        assert stdin is not None
        try:
            stdin.write(bytes(100_000))
            stdin.flush()
            target = self.server.base / "data" / path.lstrip("/")
            wait_for(target.exists, 10, "the upload to begin")
        finally:
            process.kill()
            process.wait(10)
            process.stdout.close() if process.stdout else None
            stdin.close()
        self.sessions[process.pid] = 1
        self.accesses.append(Access(process.pid, path, "read-write", 0, 0, "disconnect"))

    def read_raw_and_vanish(self, path: str, size: int) -> None:
        """Plain reads, vector reads and writes; the second file is open when the client goes"""
        with RawClient(self.server.port, b"e2e", RAW_PID) as client:
            source = client.open(path)
            assert len(client.read(source, 0, 1000)) == 1000
            assert len(client.read(source, 1000, 3000)) == 3000
            client.read_vector(source, [(0, 10), (100, 20), (500, 30)])
            client.close_file(source)
            target = client.open("/store/raw/cut off.dat", write=True)
            client.write(target, 0, b"x" * 700)
            client.write(target, 700, b"y" * 300)
        self.sessions[RAW_PID] = 2
        self.accesses += [
            Access(
                RAW_PID,
                path,
                "read",
                4000,
                0,
                auth_app=None,
                file_size_bytes=size,
                read_ops=2,
                readv_ops=1,
                readv_bytes=60,
                readv_segments=3,
                write_ops=0,
            ),
            Access(
                RAW_PID,
                "/store/raw/cut off.dat",
                "read-write",
                0,
                1000,
                "disconnect",
                auth_app=None,
                read_ops=0,
                write_ops=2,
            ),
        ]

    def play(self) -> None:
        """Everything, in order"""
        for size in SIZES:
            path = f"/store/up {size}.dat"
            self.upload(size, path)
            self.download(size, path, f"e2e-{size}")
        self.run("xrdfs", self.server.address, "ls", "/store")
        self.run("xrdfs", self.server.address, "stat", "/store/up 1.dat")
        missing = self.server.url("/store/missing.dat")
        self.run("xrdcp", "-f", "-N", missing, str(self.folder / "none"), fails=True)
        self.read_raw_and_vanish("/store/up 250000.dat", 250_000)
        self.kill_during_upload("/store/killed.dat")


def wait_for(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits until something is so, and fails if it does not come to be"""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


def stop_quietly(process: subprocess.Popen[bytes]) -> None:
    """Ends a helper process"""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
