"""docs/esmond-client.md says what is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import gridtap.esmond.errors
from gridtap.errors import GridtapError
from gridtap.esmond import ApiFilters, Limits
from gridtap.esmond.errors import EsmondError
from tests.cli.command import run
from tests.esmond.conftest import Archive
from tests.esmond.server import DATA

HERE = Path(__file__).resolve().parent
PAGE = (HERE.parent.parent / "docs" / "esmond-client.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def database(database: Path) -> Path:
    run("archive", "import", DATA / "seed.json", "--db", database)
    return database


def test_every_example_runs(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    there = {
        "https://archive.example.org": archive.url,
        '"loader"': f'"{archive.username}"',
        '"the key"': f'"{archive.api_key}"',
    }
    names: dict[str, Any] = {}
    said = []
    for example in EXAMPLES:
        for theirs, ours in there.items():
            example = example.replace(theirs, ours)
        exec(compile(example, "esmond-client.md", "exec"), names)
        said.append(capsys.readouterr().out)
    reading, _, many, counting, tables, writing, errors = said

    assert "192.0.2.10 192.0.2.20 [('aggregation', '3600'), ('average', " in reading
    assert "2021-03-01 00:00:00+00:00 9412345678.0\n" in reading
    assert "[<DataPoint: ts:2021-03-01 00:00:00 val:" in reading
    # The free-form filter leaves one metadata; its fourth throughput is outside the window.
    assert many.splitlines() == [
        "failures 3",
        "packet-retransmits 3",
        "packet-retransmits-subintervals 1",
        "throughput 3",
        "throughput-subintervals 2",
    ]
    assert int(counting) == names["table"].num_rows > 0
    assert tables == "ts: timestamp[s, tz=UTC] not null\nval: double\n"
    assert list(names["columns"]) == ["ts", "val"]
    assert writing == ""
    stored = {
        one.event_type: [(point.ts_epoch, point.val) for point in one.iter_data()]
        for one in names["metadata"].get_all_event_types()
    }
    assert stored == {
        "failures": [(1710231320, {"error": "connection refused"})],
        "throughput": [(1710231310, 2e9)],
    }
    assert int(errors) >= 1


def test_every_setting_is_listed_with_its_default() -> None:
    settings = {
        name: value for name, value in vars(ApiFilters()).items() if not name.startswith("_")
    }
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| `([^`]*)` \|", PAGE, re.MULTILINE)
    listed = {
        name: eval(default, {"Limits": Limits})
        for names, default in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    assert listed == settings
    assert f"retries={Limits().retries}" in PAGE


def test_every_filter_is_named() -> None:
    filters = [
        name
        for name, value in vars(ApiFilters).items()
        if not name.startswith("_") and hasattr(value, "among")
    ]
    assert len(filters) == 17
    assert [name for name in filters if f"`{name}`" not in PAGE] == []


def test_every_defect_has_its_row_and_its_tests() -> None:
    numbers = [f"{number:02d}" for number in range(1, 28)]
    assert re.findall(r"^\| A-(\d\d) \|", PAGE, re.MULTILINE) == numbers
    tests = "".join(path.read_text() for path in sorted(HERE.glob("test_defects_*.py")))
    assert sorted(set(re.findall(r"^def test_a(\d\d)_", tests, re.MULTILINE))) == numbers


def test_the_tree_of_errors_is_whole() -> None:
    drawn = gridtap.esmond.errors.__doc__ or ""
    for name in gridtap.esmond.errors.__all__:
        kind = getattr(gridtap.esmond.errors, name)
        assert re.search(rf"\b{name}\b", drawn), name
        assert issubclass(kind, EsmondError)
    assert issubclass(EsmondError, GridtapError)
