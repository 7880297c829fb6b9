"""The query commands, run as users run them: each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import gridtap

#: Function of each command, as pyproject.toml names it
ENTRIES = {
    "esmond-ps-get": "get",
    "esmond-ps-get-bulk": "get_bulk",
    "esmond-ps-get-endpoints": "get_endpoints",
    "esmond-ps-get-metadata": "get_metadata",
}

_SOURCES = Path(gridtap.__file__).resolve().parent.parent

#: The window of the seeded archive
WINDOW = ("--start-time", "2021-03-01", "--end-time", "2021-03-03", "--ip")


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    exit_status: int
    stdout: str
    stderr: str
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The one line on standard error; fails if there are more, or fewer"""
        assert self.stderr.count("\n") == 1, self.stderr
        assert "Traceback" not in self.stderr
        return self.stderr.rstrip("\n")


def command_line(command: str, *arguments: str | os.PathLike[str]) -> list[str]:
    """What to execute"""
    start = f"from gridtap.cli.esmond_entry import {ENTRIES[command]} as run; run()"
    return [sys.executable, "-c", start, *(os.fspath(argument) for argument in arguments)]


def environment(**more: str) -> dict[str, str]:
    """Variables for a command: none that change its help or its credentials"""
    drop = {"COLUMNS", "ESMOND_USER", "ESMOND_KEY"}
    kept = {name: value for name, value in os.environ.items() if name not in drop}
    return {**kept, "PYTHONPATH": os.fspath(_SOURCES), "NO_PROXY": "*", **more}


def run(
    command: str,
    *arguments: str | os.PathLike[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> Outcome:
    """Runs a command to its end"""
    result = subprocess.run(
        command_line(command, *arguments),
        capture_output=True,
        cwd=cwd,
        env=environment(**(env or {})),
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        check=False,
    )
    return Outcome(result.returncode, result.stdout.decode(), result.stderr.decode())


def contents(directory: Path) -> dict[str, str]:
    """Every file of a directory, hidden ones too, with its line ends as they are"""
    return {path.name: path.read_bytes().decode() for path in directory.iterdir() if path.is_file()}
