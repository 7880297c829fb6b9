"""The documents say what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gridtap.cli.archive import archive
from gridtap.cli.collect import collect
from gridtap.cli.decode import decode
from gridtap.cli.doctor import doctor
from gridtap.cli.replay import replay_command
from gridtap.cli.scan import scan
from gridtap.cli.top import top

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_reference_pages_are_what_the_code_says() -> None:
    check = [sys.executable, ROOT / "docs/generate.py", "--check"]
    result = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """A command and those below it, by their full names"""
    if isinstance(command, click.Group):
        for verb, below in command.commands.items():
            yield from commands(below, f"{name} {verb}")
    else:
        yield name, command


DOCUMENTED = {
    "command.md": [("gridtap decode", decode)],
    "collector.md": [("gridtap collect", collect)],
    "gridftp.md": [("gridtap scan", scan)],
    "doctor.md": [("gridtap doctor", doctor)],
    "top.md": [("gridtap top", top)],
    "replay.md": [("gridtap replay", replay_command)],
    "archive.md": list(commands(archive, "gridtap archive")),
}


@pytest.mark.parametrize("page", DOCUMENTED)
def test_every_command_and_option_is_documented(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    for name, command in DOCUMENTED[page]:
        assert name in text
        options = [each for parameter in command.params for each in parameter.opts if "-" in each]
        assert options
        missing = [each for each in options if not re.search(rf"[` ]{each}\b", text)]
        assert missing == [], name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target
