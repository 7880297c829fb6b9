"""The archive's server as a process of its own, to be killed, starved and talked to."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gridtap.archive.auth import new_user
from gridtap.archive.storage import SqliteStorage

#: Path of the archive behind the address of the server
ROOT = "/esmond/perfsonar/archive/"

#: A key that may write, once ``prepare`` has seen the file
KEY = "0123456789abcdef0123"

_RUN = "from gridtap.cli.main import main; main()"
_READY = re.compile(r" at http://127\.0\.0\.1:(\d+)/")


def command(limits: Mapping[str, float] | None = None) -> list[str]:
    """The command of this interpreter, with ceilings that tests need not wait for"""
    changes = "".join(f"limits.{name} = {value}; " for name, value in (limits or {}).items())
    program = f"from gridtap.archive import limits; {changes}{_RUN}" if changes else _RUN
    return [sys.executable, "-c", program]


def gridtap(*arguments: str | Path, before: Sequence[str] = ()) -> tuple[int, str]:
    """Runs ``gridtap archive`` to its end: exit code and standard error"""
    result = subprocess.run(
        [*before, *command(), "archive", *(os.fspath(each) for each in arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    return result.returncode, result.stderr.decode()


def prepare(db: Path) -> Path:
    """Makes a file with a user whose key is ``KEY``"""
    with closing(SqliteStorage(db)) as storage:
        new_user(storage, "tester", KEY)
    return db


class Caller:
    """One client with one connection; not for several threads"""

    def __init__(self, port: int, key: str | None = KEY) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Token {key}"

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and decoded body

        :raises OSError, http.client.HTTPException: there was no answer
        """
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, ROOT + path, sent, self._headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())

    def get(self, path: str) -> Any:
        """The body of a good answer"""
        status, body = self.call("GET", path)
        assert status == 200, (path, status, body)
        return body

    def close(self) -> None:
        self._connection.close()


class Server:
    """A running server and what it says"""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._lines: list[str] = []
        self._is_ready = threading.Event()
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self._is_ready.wait(20)
        found = _READY.search(self.log())
        assert found, f"the server did not start\n{self.log()}"
        self.port = int(found[1])

    def _listen(self) -> None:
        # A pipe, so that no limit on files is met by the log.
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line.decode())
            if _READY.search(self._lines[-1]):
                self._is_ready.set()
        self._is_ready.set()

    def log(self) -> str:
        """All that it has said on standard error"""
        return "".join(self._lines)

    def caller(self, key: str | None = KEY) -> closing[Caller]:
        """A client, closed at the end of the block"""
        return closing(Caller(self.port, key))

    def connect(self) -> socket.socket:
        """A bare connection"""
        return socket.create_connection(("127.0.0.1", self.port), 20)

    def kill(self) -> None:
        """Ends it as a power cut would, as far as a process can tell"""
        self.process.kill()
        self.process.wait(20)
        self._reader.join(20)

    def stop(self) -> None:
        """Ends it as an administrator would"""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        finally:
            self.kill()

    def resident_kilobytes(self) -> int:
        """Memory that it occupies now"""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])


@contextmanager
def serving(
    db: Path,
    *options: str,
    before: Sequence[str] = (),
    limits: Mapping[str, float] | None = None,
) -> Iterator[Server]:
    """A server for that file on a port of its own

    :param before: what to put before the command
    :param limits: ceilings to change
    """
    process = subprocess.Popen(
        [*before, *command(limits), "archive", "serve", "--db", str(db), "--port", "0", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            server = Server(process)
            yield server
            server.stop()
        finally:
            process.kill()


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits for something to come true"""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)
