"""``docs/esmond-commands.md`` says what is there."""

from __future__ import annotations

import re

import pytest

from gridtap.cli.esmond_checks import REFUSED
from gridtap.cli.esmond_options import COMMANDS, FORMATS, OPTIONS
from gridtap.cli.esmond_query import FAILED, INTERRUPTED, UNREAD
from gridtap.esmond.event_types import EVENT_TYPES
from gridtap.esmond.querying.families import BASE_COLUMNS, layout_of
from tests.esmond_cli.command import run
from tests.esmond_cli.test_golden import PAGE

TEXT = PAGE.read_text()


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    assert found, title
    return found[1]


def rows(title: str) -> list[list[str]]:
    """Cells of the tables of a section"""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_option_has_its_row() -> None:
    documented = [
        (cells[0].strip("`") or None, cells[1].strip("`"), cells[2].strip("`") or None)
        for cells in rows("Options")[2:]
    ]
    assert documented == [(o.short, o.long, o.metavar) for o in OPTIONS]


def test_every_exit_code_has_its_row() -> None:
    documented = [int(cells[0]) for cells in rows("Exit codes")[2:]]
    assert documented == sorted([0, FAILED, 2, INTERRUPTED, UNREAD, REFUSED])


def test_every_format_and_every_column_is_named() -> None:
    named = [cells[0].strip("`") for cells in rows("Formats")]
    assert [name for name in named if name in FORMATS] == list(FORMATS)
    columns = {
        column
        for name in EVENT_TYPES
        for summary in (None, "statistics")
        for column in layout_of(name, summary).columns
    }
    text = section("Formats")
    assert [name for name in (*columns, *BASE_COLUMNS) if f"`{name}`" not in text] == []


def test_every_command_is_named() -> None:
    assert re.findall(r"^\| `(esmond-ps-[a-z-]+)` \|", TEXT, re.M) == list(COMMANDS)


@pytest.mark.parametrize(
    "line", re.findall(r"^\$ (esmond-ps-.*)$", TEXT, re.M), ids=lambda line: line[:40]
)
def test_examples_are_understood(line: str, archive_url: str, tmp_path: object) -> None:
    """With the archive of the tests and hosts that exist, they run"""
    replaced = line.replace("https://ma.example.org", archive_url)
    replaced = re.sub(r"dtn\d\.example\.(net|com)", "192.0.2.1", replaced)
    command, *arguments = replaced.replace("-D measurements", f"-D {tmp_path}").split()
    got = run(command, *arguments)
    assert (got.exit_status, got.stderr) == (0, "")
