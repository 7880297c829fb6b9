"""``docs/load-gridftp.md`` says what is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gridtap.cli.esmond_load import INTERRUPTED
from gridtap.cli.esmond_load_options import LOAD_OPTIONS
from gridtap.cli.esmond_load_run import GAVE_UP, NOT_STORED
from gridtap.loader import limits
from gridtap.loader.mapping import JSON_TYPES
from tests.esmond.conftest import Archive
from tests.esmond_cli.command import environment
from tests.gridftp_load.command import START, access, line, load, state
from tests.gridftp_load.test_golden import PAGE

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
    assert documented == [(o.short, o.long, o.metavar) for o in LOAD_OPTIONS]


def test_help_has_every_option(tmp_path: Path) -> None:
    got = load("--help", cwd=tmp_path)
    assert (got.exit_status, got.stderr) == (0, "")
    assert [o.long for o in LOAD_OPTIONS if o.long not in got.stdout] == []


def test_help_loads_nothing_heavy() -> None:
    heavy = "{'click', 'requests', 'dateutil', 'ssl', 'gridtap._core'}"
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
    assert documented == sorted([0, GAVE_UP, 2, NOT_STORED, INTERRUPTED])


def test_every_event_type_is_named() -> None:
    named = [name for cells in rows("What is stored") for name in re.findall(r"`(.*?)`", cells[0])]
    assert [name for name in JSON_TYPES if name not in named] == []


def test_the_state_is_as_shown(archive: Archive, tmp_path: Path) -> None:
    shown = re.search(r"^## State\n.*?```json\n(.*?)```", TEXT, re.M | re.S)
    assert shown
    (tmp_path / "a.log").write_bytes(line(1))
    load("-f", "a.log", *access(archive), cwd=tmp_path)
    example, real = json.loads(shown[1]), state(tmp_path)
    assert list(example) == list(real)
    assert list(example["files"][0]) == list(real["files"][0])


def test_numbers_are_those_of_the_code() -> None:
    assert f"{limits.PIECE_BYTES >> 20} MiB of log" in TEXT
    assert f"up to {limits.PLACES - 1}." in TEXT
    assert (limits.SHOWN_FAULTS, limits.EARLIER_LOGS) == (1000, 8)
    assert "the first thousand" in TEXT
    assert "up to seven files" in TEXT


@pytest.mark.parametrize("command", re.findall(r"^\$ (esmond-ps-load-gridftp .*)$", TEXT, re.M))
def test_examples_are_understood(command: str, archive: Archive, tmp_path: Path) -> None:
    """With the archive of the tests, they run"""
    places = {"/var/log/": "", "/var/lib/gridtap/": "", "https://ma.example.org": archive.url}
    for place, here in places.items():
        command = command.replace(place, here)
    for name in ("gridftp-transfer.log", "gridftp-transfer.log-20240312.gz"):
        (tmp_path / name).write_bytes(line(1))
    arguments = [*command.split()[1:], "-u", archive.username, "-k", archive.api_key]
    got = load(*arguments, cwd=tmp_path)
    assert (got.exit_status, got.stdout) == (0, ""), got.stderr
