"""Real servers, started by the command as their users start them."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.archive.client import ALIAS, Client
from tests.cli.command import GRIDTAP, run

START_S = 30.0
STOP_S = 15.0


def add_user(db: Path, name: str, *options: str) -> str:
    """Makes a user: the key that the command shows once"""
    shown = run("archive", "user", "add", name, "--db", db, *options).stdout.decode()
    assert re.fullmatch(r"[0-9a-f]{40}\n", shown), shown
    return shown.strip()


@dataclass(frozen=True)
class Running:
    """A server that has said where it listens"""

    host: str
    port: int


@contextmanager
def serving(db: Path, log: Path, *options: str, before: Sequence[str] = ()) -> Iterator[Running]:
    """Runs ``gridtap archive serve``

    At the end the server must stop when it is told to, and never have logged a traceback.
    """
    command = [*before, *GRIDTAP, "archive", "serve", "--db", str(db), "--port", "0", *options]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        yield _ready(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"SIGTERM did not stop it:\n{log.read_text()}") from None
    assert code in (0, -signal.SIGTERM), log.read_text()
    assert "Traceback" not in log.read_text(), log.read_text()


def _ready(process: subprocess.Popen[bytes], log: Path) -> Running:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        for line in log.read_text().splitlines(keepends=True):
            if line.endswith("\n") and (match := re.search(r"http://([\d.]+):(\d+)/", line)):
                return Running(match[1], int(match[2]))
        time.sleep(0.02)
    raise AssertionError(f"the server is not ready:\n{log.read_text()}")


@dataclass
class Archive:
    """A server that runs, and a client of it whose key may write"""

    client: Client
    db: Path
    #: What the server writes on stderr
    log: Path


@dataclass
class Servers:
    """Starts servers, each on an archive of its own; one per set of options is enough"""

    folder: Path
    running: ExitStack
    started: dict[tuple[str, ...], Archive] = field(default_factory=dict)

    def get(self, *options: str, alias: str = ALIAS) -> Client:
        """A client of the server that runs with these options"""
        return self.archive(*options, alias=alias).client

    def archive(self, *options: str, alias: str = ALIAS) -> Archive:
        if options not in self.started:
            self.started[options] = self.start(*options, alias=alias)
        return self.started[options]

    def start(self, *options: str, alias: str = ALIAS, before: Sequence[str] = ()) -> Archive:
        """A new server on a new archive, whatever runs already"""
        folder = self.folder / f"archive-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        db, log = folder / "archive.db", folder / "stderr.txt"
        key = add_user(db, "writer")
        server = self.running.enter_context(serving(db, log, *options, before=before))
        return Archive(Client(server.host, server.port, key, alias), db, log)
