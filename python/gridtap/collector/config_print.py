"""A configuration as TOML: every key with its value and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from gridtap.collector.config import TABLES, Config
from gridtap.collector.config_sinks import SinkConfig
from gridtap.collector.config_values import form_of, quote
from gridtap.collector.sinks.settings import settings_of

__all__ = ["printed"]

#: A key with a longer value has its meaning on the line above
_WIDTH = 48


def printed(config: Config) -> str:
    """TOML that says the same as the configuration, defaults included, but for secrets."""
    lines: list[str] = []
    for name in TABLES:
        lines += [f"[{name}]", *_lines(getattr(config, name)), ""]
    for sink in config.sinks:
        lines += [*_sink(sink), ""]
    return "\n".join(lines)


def _sink(sink: SinkConfig) -> Iterator[str]:
    yield f"[sinks.{sink.name}]"
    yield f"type = {quote(sink.type.name)}"
    yield from _lines(sink.own)
    yield from _lines(sink.general)
    yield f"filter = {{ {', '.join(f'{key} = {value}' for key, value, _ in _pairs(sink.filter))} }}"


def _lines(table: Any) -> Iterator[str]:
    for key, value, meaning in _pairs(table):
        pair = f"{key} = {value}"
        if len(pair) <= _WIDTH:
            yield f"{pair:{_WIDTH}}  # {meaning}"
        else:
            yield from (f"# {meaning}", pair)


def _pairs(table: Any) -> Iterator[tuple[str, str, str]]:
    """Key, value and meaning of what has a value and is no secret"""
    secrets = {field.name for field in fields(table) if not field.repr}
    for each in settings_of(type(table)):
        value = getattr(table, each.name)
        shown = form_of(each.value_type, each.unit).show(value)
        if shown and not (each.name in secrets and value):
            yield each.name, shown, each.meaning
