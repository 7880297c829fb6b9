"""``docs/collector.md`` says what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gridtap.collector import config_values
from gridtap.collector.config import TABLES
from gridtap.collector.config_sinks import Filter, SinkSettings
from gridtap.collector.dead_letters import MAX_BYTES
from gridtap.collector.sinks.registry import SINK_TYPES
from gridtap.collector.sinks.settings import settings_of

PAGE = Path(__file__).resolve().parent.parent.parent / "docs/collector.md"


def rows(settings: type[Any]) -> Iterator[str]:
    """What the page has to say about each key of a table"""
    for each in settings_of(settings):
        default = config_values.form_of(each.value_type, each.unit).show(each.default)
        yield f"| `{each.name}` | {f'`{default}`' if default else 'none'} | {each.meaning} |"


def test_every_key_is_there_with_its_default_and_meaning() -> None:
    text = PAGE.read_text()
    sections = dict(re.findall(r"^### `\[(.+?)\]`\n(.*?)(?=^##)", text, re.MULTILINE | re.DOTALL))
    expected = {name: list(rows(table)) for name, table in TABLES.items()}
    expected["sinks.NAME"] = [*rows(SinkSettings), *rows(Filter)]
    found = {
        name: [line for line in section.splitlines() if line.startswith("| `")]
        for name, section in sections.items()
    }
    assert found == expected


def test_figures_are_those_of_the_code() -> None:
    text = PAGE.read_text()
    assert f"{MAX_BYTES >> 20} MiB at most" in text
    assert "jsonl" in SINK_TYPES
