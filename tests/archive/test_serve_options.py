"""Options of ``gridtap archive serve`` that make no sense: one line, and nothing is served."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.command import GRIDTAP


def refused(*options: str) -> str:
    """The last line of what the command says before it ends with an error"""
    command = [*GRIDTAP, "archive", "serve", *options]
    result = subprocess.run(command, capture_output=True, timeout=60)
    assert result.returncode == 2
    assert result.stdout == b""
    text = result.stderr.decode()
    assert "Traceback" not in text
    line = text.splitlines()[-1]
    assert line.startswith(("gridtap: ", "Error: "))
    return line


@pytest.mark.parametrize(
    ("option", "value"),
    [("--port", "70000"), ("--port", "x"), ("--trust-proxy", "10.0.0.0/33"), ("--values", "full"),
     ("--trust-proxy", "proxy.example.org"), ("--host", "nonesuch.invalid")],
)  # fmt: skip
def test_the_value_is_named(tmp_path: Path, option: str, value: str) -> None:
    assert value in refused("--db", str(tmp_path / "archive.db"), "--port", "0", option, value)


@pytest.mark.parametrize("place", ["/dev/null", "/", "/dev/null/archive.db"])
def test_places_that_hold_no_file(place: str) -> None:
    assert place in refused("--db", place, "--port", "0")
