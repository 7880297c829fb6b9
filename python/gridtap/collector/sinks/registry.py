"""The types of sinks, by the names that configuration files give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gridtap.collector.sinks.esmond import EsmondSettings, EsmondSink
from gridtap.collector.sinks.jsonl import JsonlSettings, JsonlSink
from gridtap.collector.sinks.parquet import ParquetSettings, ParquetSink
from gridtap.collector.sinks.protocol import Form, Sink

__all__ = ["SINK_TYPES", "SinkType"]


@dataclass(frozen=True, slots=True)
class SinkType:
    """A type of sink.

    :param name: as configuration files have it
    :param settings: dataclass of what is configured
    :param make: makes a sink of settings
    :param form: of its batches
    :param kinds: of records that it takes; None: any, also mixed
    :param native: it takes only the profile ``native``
    """

    name: str
    settings: type[Any]
    make: Callable[[Any], Sink]
    form: Form
    kinds: frozenset[str] | None = None
    native: bool = False


def _table(*rows: SinkType) -> Mapping[str, SinkType]:
    return MappingProxyType({row.name: row for row in rows})


#: Every type of sink by name
SINK_TYPES: Mapping[str, SinkType] = _table(
    SinkType("jsonl", JsonlSettings, JsonlSink, JsonlSink.form),
    SinkType("parquet", ParquetSettings, ParquetSink, ParquetSink.form, native=True),
    SinkType(
        "esmond",
        EsmondSettings,
        EsmondSink,
        EsmondSink.form,
        kinds=frozenset({"accesses"}),
        native=True,
    ),
)
