"""The archive of the golden cases: the embedded one, with their seed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.esmond_cli.command import environment

DATA = Path(__file__).resolve().parent.parent / "data" / "esmond"

_GRIDTAP = [sys.executable, "-c", "from gridtap.cli.main import main; main()", "archive"]


def seeded(db: Path) -> None:
    """Makes an archive file that holds the seed"""
    command = [*_GRIDTAP, "import", "--db", str(db), str(DATA / "seed.json")]
    subprocess.run(command, check=True, capture_output=True, env=environment(), timeout=60)


@contextmanager
def serving(db: Path, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server of an archive file: its URL, without path, and its process"""
    command = [*_GRIDTAP, "serve", "--db", str(db), "--port", str(port)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(PYTHONUNBUFFERED="1"),
    ) as server:
        try:
            yield _url_of(server), server
        finally:
            server.terminate()
            server.communicate(timeout=20)


def _url_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    said = ""
    for line in server.stdout:
        said += line
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/esmond/perfsonar/archive/", line):
            return found[1]
    raise AssertionError(f"the archive did not start: {said}")
