"""The tables ``[sinks.NAME]`` of a configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from gridtap.collector.config_reader import Place, read_table, table_of
from gridtap.collector.config_values import Network
from gridtap.collector.sinks.registry import SINK_TYPES, SinkType
from gridtap.collector.sinks.settings import Setting, settings_of

__all__ = ["Filter", "Kind", "Profile", "SinkConfig", "SinkSettings", "read_sink"]

#: Kinds of record that a sink may take
Kind = Literal[
    "accesses", "sessions", "redirects", "io", "plugins", "servers", "summaries", "packets"
]

#: Forms that records may be written in
Profile = Literal["native", "osg-go", "osg-py", "wlcg", "otel", "envelope"]

#: A sink's name is a directory's name and a label of metrics
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Filter:
    """``filter`` of a sink: which records it takes; an empty list is no condition."""

    vos: Annotated[tuple[str, ...], Setting("only of these virtual organisations")] = ()
    not_vos: Annotated[tuple[str, ...], Setting("not of these")] = ()
    path_prefixes: Annotated[
        tuple[str, ...], Setting("only of paths that start with one of these")
    ] = ()
    not_path_prefixes: Annotated[tuple[str, ...], Setting("not of these")] = ()
    sites: Annotated[tuple[str, ...], Setting("only of servers of these sites")] = ()
    servers: Annotated[tuple[Network, ...], Setting("only of servers in these networks")] = ()
    wlcg: Annotated[
        bool | None, Setting("only what is WLCG's (`true`), or only what is not (`false`)")
    ] = None


@dataclass(frozen=True)
class SinkSettings:
    """``[sinks.NAME]``: the keys that every type of sink has."""

    records: Annotated[
        tuple[Kind, ...], Setting("kinds of record; `packets` with the profile `envelope`")
    ] = ("accesses",)
    profile: Annotated[Profile, Setting("form of the records")] = "native"
    strict: Annotated[bool, Setting("with the faults of the program whose form the profile is")] = (
        False
    )
    time_unit: Annotated[Literal["s", "ms"], Setting("of times in the profile `wlcg`")] = "s"
    queue: Annotated[
        int, Setting("records in memory; when it is full, the oldest are dropped", "bytes")
    ] = 64 << 20
    batch: Annotated[
        int,
        Setting(
            "records that are handed to the sink at once; if not set, half a queue at most", "bytes"
        ),
    ] = 1 << 20
    batch_wait: Annotated[float, Setting("the longest that a record waits for others", "s")] = 1.0
    spool: Annotated[
        int, Setting("records on disk while the sink is slow or down; 0: none", "bytes")
    ] = 1 << 30


@dataclass(frozen=True)
class SinkConfig:
    """One sink.

    :param own: settings that only its type has
    """

    name: str
    type: SinkType
    own: Any
    general: SinkSettings = field(default_factory=SinkSettings)
    filter: Filter = field(default_factory=Filter)


def read_sink(name: str, found: object, place: Place) -> SinkConfig:
    """Reads the table of one sink.

    :raises ConfigError: no such type, an unknown key, a value that is wrong
    """
    table = table_of(found, place)
    if not _NAME.fullmatch(name):
        raise place.error("a sink's name has up to 64 letters, digits, - and _")
    kind = _type(table, place)
    general = [each.name for each in settings_of(SinkSettings)]
    own = [each.name for each in settings_of(kind.settings)]
    for key in table:
        if key not in ("type", "filter", *general, *own):
            raise place.unknown("key", key, ["type", "filter", *general, *own])
    settings = read_table(SinkSettings, _part(table, general), place)
    if settings.profile == "envelope" and "records" not in table:
        settings = replace(settings, records=("packets",))
    if "batch" not in table:
        settings = replace(settings, batch=max(1, min(settings.batch, settings.queue // 2)))
    _check(kind, settings, place)
    below = place.below("filter")
    return SinkConfig(
        name,
        kind,
        read_table(kind.settings, _part(table, own), place),
        settings,
        read_table(Filter, table_of(table.get("filter", {}), below), below),
    )


def _part(table: Mapping[str, object], keys: list[str]) -> dict[str, object]:
    return {key: table[key] for key in keys if key in table}


def _type(table: Mapping[str, object], place: Place) -> SinkType:
    wanted = f"one of {', '.join(SINK_TYPES)}"
    if "type" not in table:
        raise place.error(f"type is missing: wanted {wanted}")
    name = table["type"]
    if not isinstance(name, str):
        raise place.wrong("type", wanted, name)
    if name not in SINK_TYPES:
        raise place.unknown("type", name, SINK_TYPES)
    return SINK_TYPES[name]


def _check(kind: SinkType, settings: SinkSettings, place: Place) -> None:
    """What goes together, and what does not"""
    if not settings.records:
        raise place.wrong("records", "one kind or more", [])
    if kind.native and settings.profile != "native":
        raise place.wrong("profile", f'"native" for the type {kind.name}', settings.profile)
    if kind.form == "arrow" and len(settings.records) != 1:
        raise place.wrong("records", f"one kind for the type {kind.name}", list(settings.records))
    for each in settings.records:
        if kind.kinds is not None and each not in kind.kinds:
            wanted = f"some of {', '.join(sorted(kind.kinds))} for the type {kind.name}"
            raise place.wrong("records", wanted, list(settings.records))
        if (each == "packets") != (settings.profile == "envelope"):
            raise place.error(
                f"records = {list(settings.records)} do not go with profile = "
                f'"{settings.profile}": packets have the profile envelope, and it has no others'
            )
