"""Archives to talk to."""

from __future__ import annotations

import http.client
import subprocess
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gridtap.esmond import ApiConnect, ApiFilters
from tests.cli.command import GRIDTAP, run
from tests.esmond.server import Asked, Reply, Server


@dataclass
class Archive:
    """An archive that may be written to.

    :param server: what stands before it, and notes what it is asked
    """

    url: str
    username: str
    api_key: str
    server: Server

    def connect(self, filters: ApiFilters | None = None) -> ApiConnect:
        return ApiConnect(self.url, filters)

    @property
    def credentials(self) -> dict[str, str]:
        return {"username": self.username, "api_key": self.api_key}


#: Headers that are about one connection only.
_HOP = {"connection", "content-length", "transfer-encoding", "date", "server"}


class Forward:
    """Answers with what the server at a URL answers"""

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url).netloc

    def __call__(self, asked: Asked) -> Reply:
        connection = http.client.HTTPConnection(self._place, timeout=30)
        try:
            connection.request(asked.method, asked.target, asked.body or None, asked.headers)
            got = connection.getresponse()
            body = got.read()
        finally:
            connection.close()
        kept = {name: value for name, value in got.getheaders() if name.lower() not in _HOP}
        return Reply(got.status, body, kept)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The file of the archive, empty"""
    return tmp_path / "archive.db"


@pytest.fixture
def archive(database: Path) -> Iterator[Archive]:
    """gridtap's own archive, served by its command"""
    key = run("archive", "user", "add", "pS_user", "--db", database).stdout.decode().strip()
    command = [*GRIDTAP, "archive", "serve", "--db", str(database), "--port", "0"]
    log = database.with_suffix(".log")
    with log.open("wb") as file, subprocess.Popen(command, stderr=file) as serving:
        try:
            with Server(Forward(_announced(log, serving))) as server:
                yield Archive(server.url, "pS_user", key, server)
        finally:
            serving.terminate()


def _announced(log: Path, serving: subprocess.Popen[bytes]) -> str:
    """The URL that a server says it serves at"""
    for _ in range(600):
        said = log.read_text()
        if "\n" in said:
            return said.splitlines()[0].split()[-1]
        assert serving.poll() is None, said
        time.sleep(0.05)
    raise AssertionError("the archive does not begin to serve")


@pytest.fixture(autouse=True)
def _warnings_are_noticed() -> Iterator[None]:
    """A test that does not expect a warning fails when there is one"""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
