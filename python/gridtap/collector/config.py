"""The configuration of a collector: every key, its default and what it means.

One dataclass is one table of the TOML file; sinks bring their own. Nothing else knows a default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from gridtap.collector.compatible import Dialect
from gridtap.collector.config_reader import Place, read_table, table_of
from gridtap.collector.config_sinks import SinkConfig, read_sink
from gridtap.collector.config_values import Address, Network, Positive
from gridtap.collector.sinks.settings import Setting, settings_of
from gridtap.errors import ConfigError

__all__ = [
    "TABLES",
    "Config",
    "Dns",
    "Http",
    "Listen",
    "Log",
    "Metrics",
    "Profiles",
    "State",
    "Wlcg",
    "load_config",
    "read_config",
]


_EVERYWHERE = (Address("::", 9930),)
_METRICS = Address("127.0.0.1", 9931)
_ONE, _SENDERS, _ANSWERS = Positive(1), Positive(10_000), Positive(100_000)


@dataclass(frozen=True)
class Listen:
    """``[listen]``: where packets come in, and whose."""

    addresses: Annotated[
        tuple[Address, ...], Setting("UDP addresses; `[::]` takes IPv4 as well")
    ] = _EVERYWHERE
    workers: Annotated[
        Positive, Setting("threads that receive; the kernel gives each its senders")
    ] = _ONE
    receive_buffer: Annotated[int, Setting("asked of the kernel for each socket", "bytes")] = (
        64 << 20
    )
    allow: Annotated[tuple[Network, ...], Setting("senders that are listened to; empty: all")] = ()
    max_packets_per_second_per_sender: Annotated[
        int, Setting("what a sender sends above this is rejected; 0: no ceiling")
    ] = 0
    max_senders: Annotated[Positive, Setting("senders whose rates are watched at a time")] = (
        _SENDERS
    )


@dataclass(frozen=True)
class State:
    """``[state]``: what the collector remembers, and where."""

    directory: Annotated[
        Path | None, Setting("snapshots, spools and dead letters; empty: none of these")
    ] = Path("/var/lib/gridtap")
    max_memory: Annotated[
        int, Setting("of open files, sessions and servers; the least recently used go", "bytes")
    ] = 1 << 30
    file_ttl: Annotated[
        float, Setting("an open file of which nothing is heard for this long ends", "s")
    ] = 86_400.0
    session_ttl: Annotated[float, Setting("the same for a login", "s")] = 86_400.0
    server_ttl: Annotated[float, Setting("the same for a server", "s")] = 86_400.0
    late_grace: Annotated[float, Setting("wait for packets that come out of order", "s")] = 5.0
    restart_grace: Annotated[
        float, Setting("wait for late packets of a server that was started anew", "s")
    ] = 60.0
    trace_wait: Annotated[float, Setting("wait of a t-stream's close for the f-stream's", "s")] = (
        300.0
    )
    snapshot_every: Annotated[
        float, Setting("how often the state is saved; `0s`: at the end only", "s")
    ] = 60.0


@dataclass(frozen=True)
class Dns:
    """``[dns]``: names of servers that are known by their address."""

    reverse: Annotated[bool, Setting("ask for names, without waiting for them")] = False
    cache_ttl: Annotated[float, Setting("how long an answer holds", "s")] = 3_600.0
    timeout: Annotated[float, Setting("how long an answer may take", "s")] = 2.0
    max_entries: Annotated[Positive, Setting("answers kept")] = _ANSWERS


@dataclass(frozen=True)
class Wlcg:
    """``[wlcg]``: which accesses are WLCG's."""

    vos: Annotated[tuple[str, ...], Setting("those of these virtual organisations")] = ("cms",)
    path_prefixes: Annotated[tuple[str, ...], Setting("and those of these paths")] = (
        "/store",
        "/user/dteam",
    )


@dataclass(frozen=True)
class Profiles:
    """``[profiles]``: what the profiles of records need to know."""

    collector_host: Annotated[str, Setting("name of this host in records; empty: the system's")] = (
        ""
    )
    logical_dirnames: Annotated[
        tuple[tuple[str, int | str], ...],
        Setting(
            "`logical_dirname` by prefix of the path, the first that fits: so many components, or "
            "a text"
        ),
    ] = (
        ("/user", 2),
        ("/osgconnect/public", 3),
        ("/osgconnect/protected", 3),
        ("/ospool/PROTECTED", 3),
        ("/ospool", 4),
        ("/path-facility", 3),
        ("/hcc", 5),
        ("/pnfs/fnal.gov/usr", 4),
        ("/gwdata", 2),
        ("/chtc/", "/chtc"),
        ("/icecube/", "/icecube"),
        ("/igwn", 3),
        ("/store", 2),
        ("/user/dteam", 2),
    )


@dataclass(frozen=True)
class Http:
    """``[http]``: metrics and health."""

    listen: Annotated[
        Address | None, Setting("address of /metrics, /healthz and /readyz; empty: none")
    ] = _METRICS


@dataclass(frozen=True)
class Metrics:
    """``[metrics]``: what /metrics tells."""

    compatibility: Annotated[
        tuple[Dialect, ...],
        Setting("other collectors under whose names metrics are told as well"),
    ] = ()


@dataclass(frozen=True)
class Log:
    """``[log]``: what is told on standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Setting("the least that is told")
    ] = "info"
    format: Annotated[Literal["text", "json"], Setting("lines for people, or JSON lines")] = "text"


@dataclass(frozen=True)
class Config:
    """A whole configuration.

    :param file: what errors call it
    """

    file: str
    sinks: tuple[SinkConfig, ...]
    listen: Listen = field(default_factory=Listen)
    state: State = field(default_factory=State)
    dns: Dns = field(default_factory=Dns)
    wlcg: Wlcg = field(default_factory=Wlcg)
    profiles: Profiles = field(default_factory=Profiles)
    http: Http = field(default_factory=Http)
    metrics: Metrics = field(default_factory=Metrics)
    log: Log = field(default_factory=Log)


#: The tables of a file, but for the sinks
TABLES: Mapping[str, type[Any]] = {
    "listen": Listen,
    "state": State,
    "dns": Dns,
    "wlcg": Wlcg,
    "profiles": Profiles,
    "http": Http,
    "metrics": Metrics,
    "log": Log,
}


def load_config(path: Path) -> Config:
    """Reads a file.

    :raises ConfigError: it cannot be read, is not TOML, or says what it should not
    """
    try:
        document = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not TOML: not UTF-8 at byte {error.start}") from error
    return read_config(document, str(path))


def read_config(document: Mapping[str, object], file: str) -> Config:
    """Reads what TOML says.

    :param file: what errors call it
    :raises ConfigError: an unknown key or table, a value that is wrong, no sinks
    """
    place = Place(file)
    for name, found in document.items():
        if name not in TABLES and name != "sinks":
            raise _unknown(name, found, place)
    tables = {
        name: read_table(
            settings, table_of(document.get(name, {}), place.below(name)), place.below(name)
        )
        for name, settings in TABLES.items()
    }
    below = place.below("sinks")
    sinks = table_of(document.get("sinks", {}), below)
    if not sinks:
        raise ConfigError(f"{file}: no sinks: add a table such as [sinks.records]")
    read = tuple(read_sink(name, table, below.below(name)) for name, table in sinks.items())
    return Config(file, read, **tables)


def _unknown(name: str, found: object, place: Place) -> ConfigError:
    if isinstance(found, Mapping):
        return place.unknown("table", name, [*TABLES, "sinks"])
    for table, settings in TABLES.items():
        if name in (each.name for each in settings_of(settings)):
            return place.error(f"unknown key {name!r}: it belongs into the table [{table}]")
    return place.unknown("key", name, [*TABLES, "sinks"])
