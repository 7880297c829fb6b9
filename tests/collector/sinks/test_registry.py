"""The registry is complete, and says the truth about its sinks."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gridtap.collector.sinks as package
from gridtap.collector.sinks.registry import SINK_TYPES, SinkType
from gridtap.collector.sinks.settings import NamedSetting, settings_of
from gridtap.xrootd.records import RECORDS
from tests.collector.sinks.contract.places import PLACES

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "sinks.md").read_text()

TYPES = pytest.mark.parametrize("kind", SINK_TYPES.values(), ids=lambda kind: kind.name)


def test_every_type_is_held_to_the_contract() -> None:
    assert set(PLACES) == set(SINK_TYPES)


def test_every_sink_is_registered() -> None:
    folder = Path(package.__file__).parent
    sinks = {
        path.stem for path in folder.glob("*.py") if "form: ClassVar[Form] =" in path.read_text()
    }
    assert sinks == set(SINK_TYPES)


@TYPES
def test_a_row_agrees_with_its_sink(kind: SinkType) -> None:
    assert kind.make.form == kind.form  # type: ignore[attr-defined]
    assert kind.form != "arrow" or kind.native
    assert kind.kinds is None or kind.kinds <= set(RECORDS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind.settings(**dict.fromkeys(_required(kind), "x")).fsync = "never"


def _required(kind: SinkType) -> list[str]:
    return [one.name for one in settings_of(kind.settings) if one.is_required]


def _shown(setting: NamedSetting) -> str:
    """A default as the page shows it"""
    value: Any = setting.default
    if setting.is_required:
        return "required"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if setting.unit == "bytes":
        for factor, name in ((1 << 30, "GiB"), (1 << 20, "MiB")):
            if value and value % factor == 0:
                return f'`"{value // factor}{name}"`'
    if setting.unit == "s":
        for factor, name in ((86_400, "d"), (60, "m"), (1, "s")):
            if value and value % factor == 0:
                return f'`"{int(value) // factor}{name}"`'
    if isinstance(value, str):
        return f'`"{value}"`'
    return f"`{value}`"


@TYPES
def test_every_setting_is_documented(kind: SinkType) -> None:
    section = PAGE.split(f"\n## `{kind.name}`")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    wanted = [(one.name, _shown(one), one.meaning) for one in settings_of(kind.settings)]
    assert rows == wanted


def test_every_reason_of_refusal_is_documented() -> None:
    folder = Path(package.__file__).parent
    text = "".join(path.read_text() for path in folder.glob("*.py"))
    used = set(re.findall(r'RefusedError\(\s*"(\w+)"', text))
    used |= set(re.findall(r'(?:refused\[|refusals\.add\(\s*)"(\w+)"', text))
    used |= set(re.findall(r'reason = "(\w+)" if .* else "(\w+)"', text)[0])
    assert len(used) > 5
    assert (
        set(re.findall(r"^\| `(\w+)` \| `(?:parquet|esmond|jsonl)` \| .+ \|$", PAGE, re.MULTILINE))
        == used
    )


def test_extras_are_needed_only_by_what_uses_them() -> None:
    script = """
import sys
sys.modules["pyarrow"] = None
sys.modules["prometheus_client"] = None
from gridtap.collector.http import HttpServer, Observed
from gridtap.collector.sinks.registry import SINK_TYPES
from gridtap.errors import MissingExtraError

kind = SINK_TYPES["parquet"]
for make in (
    lambda: kind.make(kind.settings(directory="/nowhere")),
    lambda: HttpServer("127.0.0.1", 0, Observed(dict, list, list)),
):
    try:
        make()
    except MissingExtraError as error:
        print(error)
"""
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert told.splitlines() == [
        "a sink of type parquet needs an extra: pip install 'gridtap[arrow]'",
        "the HTTP endpoint of the collector needs an extra: pip install 'gridtap[collector]'",
    ]
