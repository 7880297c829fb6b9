"""What the original commands printed, and what ours print where they deviate on purpose.

The golden cases are outputs of esmond_client 4.4 against an esmond server with the archive of
``seed.json``. Cases named in ``deviations.json`` are expected as it says; each names the rows of
the table of deviations in ``docs/esmond-commands.md`` that it deviates by. All others are expected
byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.esmond_cli.archive import DATA
from tests.esmond_cli.command import ENTRIES, Outcome, contents, run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "esmond-commands.md"

CASES: dict[str, dict[str, Any]] = {
    case["name"]: case
    for command in ENTRIES
    for case in json.loads((DATA / f"{command}.json").read_text())["cases"]
}
DEVIATIONS: dict[str, dict[str, Any]] = json.loads((DATA / "deviations.json").read_text())


def outcome_of(case: dict[str, Any], url: str, folder: Path) -> Outcome:
    """Runs a case; addresses and paths are replaced as in the golden files"""
    out = folder / "out"
    out.mkdir()
    places = {url: "{url}", str(out): "{out}", str(folder): "{cwd}"}
    arguments = [a.replace("{url}", url).replace("{out}", str(out)) for a in case["args"]]
    got = run(case["tool"], *arguments, cwd=folder)
    texts = [got.stdout, got.stderr]
    for place, name in places.items():
        texts = [text.replace(place, name) for text in texts]
    return Outcome(got.exit_status, *texts, contents(out))


def expected(case: dict[str, Any]) -> Outcome:
    """What is expected of a case"""
    # With the word corrected that keeps the original bulk command from writing any file.
    wanted = {**case, **case.get("text_mode", {}), **DEVIATIONS.get(case["name"], {})}
    return Outcome(
        wanted["exit_status"], wanted.get("stdout", ""), wanted["stderr"], wanted.get("files", {})
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory whose name is wrapped in the help text as the golden ones were"""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="gridtap") as path:
        yield Path(path)


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, archive_url: str, folder: Path) -> None:
    case = CASES[name]
    got, want = outcome_of(case, archive_url, folder), expected(case)
    if "stdout_sha256" in case:
        assert got.stdout.startswith(case["stdout_head"])
        assert hashlib.sha256(got.stdout.encode()).hexdigest() == case["stdout_sha256"]
        want = Outcome(want.exit_status, got.stdout, want.stderr, want.files)
    assert got == want


def test_deviations_deviate_and_are_documented() -> None:
    table = set(re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE.read_text(), re.M))
    assert table
    for name, deviation in DEVIATIONS.items():
        assert set(deviation["deviations"]) <= table, name
        original = {**CASES[name], **CASES[name].get("text_mode", {})}
        keys = set(deviation) - {"deviations"}
        assert any(original.get(key) != deviation[key] for key in keys), name
