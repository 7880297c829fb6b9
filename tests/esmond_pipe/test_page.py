"""``docs/esmond-pipe.md`` says what is there."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from gridtap.cli.esmond_pipe import INTERRUPTED
from gridtap.cli.esmond_pipe_options import PIPE_OPTIONS
from gridtap.cli.esmond_pipe_run import NOT_STORED, UNUSABLE
from gridtap.iperf3.measurement import REGISTERED
from tests.esmond.conftest import Archive
from tests.esmond_cli.command import environment
from tests.esmond_pipe.command import DATA, START, access, pipe
from tests.esmond_pipe.test_golden import PAGE

TEXT = PAGE.read_text()


def rows(title: str) -> list[list[str]]:
    """Cells of the tables of a section"""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    assert found, title
    lines = [line for line in found[1].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_option_has_its_row() -> None:
    documented = [
        (cells[0].strip("`") or None, cells[1].strip("`"), cells[2].strip("`") or None)
        for cells in rows("Options")[2:]
    ]
    assert documented == [(o.short, o.long, o.metavar) for o in PIPE_OPTIONS]


def test_help_has_every_option() -> None:
    got = pipe(b"", "--help")
    assert (got.exit_status, got.stderr) == (0, "")
    assert [o.long for o in PIPE_OPTIONS if o.long not in got.stdout] == []


def test_help_loads_nothing_heavy() -> None:
    heavy = "{'click', 'requests', 'dateutil', 'ssl'}"
    probe = f"import sys\ntry:\n    {START}\nfinally:\n    print({heavy} & set(sys.modules))"
    got = subprocess.run(
        [sys.executable, "-c", probe, "--help"],
        capture_output=True,
        env=environment(),
        timeout=60,
        check=True,
    )
    assert got.stdout.endswith(b"\nset()\n")


def test_every_exit_code_has_its_row() -> None:
    documented = [int(cells[0]) for cells in rows("Exit codes")[2:]]
    assert documented == sorted([0, 2, NOT_STORED, INTERRUPTED, UNUSABLE])


def test_every_event_type_is_named() -> None:
    named = [name for cells in rows("What is stored") for name in re.findall(r"`(.*?)`", cells[0])]
    assert [name for name in REGISTERED if name not in named] == []


@pytest.mark.parametrize("line", re.findall(r"\| (esmond-ps-pipe .*)$", TEXT, re.M))
def test_examples_are_understood(line: str, archive: Archive) -> None:
    """With the archive of the tests, they run"""
    url, user = "https://ma.example.org", ("-u", archive.username, "-k", archive.api_key)
    arguments = line.replace(url, archive.url).split()[1:]
    name = "tcp-1-stream.json" if "--source" in line else "bwctl-verbose-tcp-1-stream.txt"
    got = pipe((DATA / name).read_bytes(), *arguments, *user)
    assert (got.exit_status, got.stdout) == (0, ""), got.stderr
    assert access(archive)[1] in arguments
