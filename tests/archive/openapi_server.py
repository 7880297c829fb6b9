"""A real server whose archive has a metadata of every event type, and what to ask it."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridtap.esmond.event_types import ALLOWED_SUMMARIES, EVENT_TYPES, DataType
from tests.cli.command import GRIDTAP, run

#: Understood whatever the script alias is
ROOT = "/perfsonar/archive/"
START_S = 30.0

#: A value of each data type
VALUES: Mapping[DataType, Any] = {
    DataType.INTEGER: 7,
    DataType.FLOAT: 0.25,
    DataType.PERCENTAGE: {"numerator": 1, "denominator": 3},
    DataType.HISTOGRAM: {"10.5": 3, "11": 1},
    DataType.SUBINTERVAL: [{"start": 0, "duration": "1.0", "val": 5}],
    DataType.JSON: {"error": "none"},
}


@dataclass(frozen=True)
class Served:
    """A server that runs

    :param key: may write
    :param metadata_keys: of what its archive has, one for each subject type
    """

    host: str
    port: int
    key: str
    metadata_keys: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.port}"

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request with the key: status, headers, body"""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            fields = {"Authorization": f"Token {self.key}", "Content-Type": "application/json"}
            connection.request(method, path, body, fields | dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def write(self, method: str, path: str, content: object) -> Any:
        """A write that succeeds: what it answers"""
        status, _, body = self.send(method, path, json.dumps(content).encode())
        assert status == 201, body
        return json.loads(body)


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Served]:
    """Runs ``gridtap archive serve`` on a seeded archive"""
    db, log = folder / "archive.db", folder / "stderr.txt"
    key = run("archive", "user", "add", "writer", "--db", db).stdout.decode().strip()
    command = [*GRIDTAP, "archive", "serve", "--db", str(db), "--port", "0", *options]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        served = Served("127.0.0.1", _port(process, log), key)
        yield Served(served.host, served.port, key, tuple(_seed(served)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert "Traceback" not in log.read_text(), log.read_text()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"at http://[\d.]+:(\d+)/\n", log.read_text()):
            return int(found[1])
        time.sleep(0.02)
    raise AssertionError(f"the server is not ready:\n{log.read_text()}")


def _seed(served: Served) -> Iterator[str]:
    """Two metadata of all event types and summaries, with a point of each"""
    event_types = [
        {
            "event-type": name,
            "summaries": [
                {"summary-type": kind, "summary-window": 3600}
                for kind in ALLOWED_SUMMARIES[each.data_type]
            ],
        }
        for name, each in EVENT_TYPES.items()
    ]
    subject = {
        "source": "198.51.100.10",
        "measurement-agent": "198.51.100.10",
        "event-types": event_types,
        "time-duration": 30,
    }
    values = [
        {"event-type": name, "val": VALUES[each.data_type]} for name, each in EVENT_TYPES.items()
    ]
    for fields in (
        {"subject-type": "point-to-point", "destination": "2001:db8::1"},
        {"subject-type": "network-element"},
    ):
        key = served.write("POST", ROOT, subject | fields)["metadata-key"]
        served.write("PUT", f"{ROOT}{key}/", {"data": [{"ts": 1_700_000_000, "val": values}]})
        yield key
