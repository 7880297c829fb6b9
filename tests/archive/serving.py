"""The archive's server as a process, as users start it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.command import GRIDTAP, run

SEED = Path(__file__).resolve().parent.parent / "data" / "esmond" / "seed.json"


def fill(db: Path, items: Iterable[dict[str, Any]]) -> None:
    """Imports metadata with data, in the form of an exported line"""
    lines = "".join(json.dumps(item) + "\n" for item in items)
    run("archive", "import", "-", "--db", db, stdin=lines.encode())


class Server:
    """A running server"""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = address

    def get(self, path: str, key: str | None = None) -> Any:
        """The JSON at a path below the archive's root, or at one from an answer"""
        at = path if path.startswith("/") else f"/perfsonar/archive/{path}"
        request = urllib.request.Request(self.address + at)
        if key:
            request.add_header("Authorization", f"Token {key}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@contextmanager
def serving(db: Path, *options: str) -> Iterator[Server]:
    """A server on a free port"""
    command = [*GRIDTAP, "archive", "serve", "--db", str(db), "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield Server(process, _address(process))
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        print(line, end="", file=sys.stderr)
        if found := re.search(r"at (http://\S+?)/$", line):
            return found[1]
    raise AssertionError("the server ended before it was ready")
