"""Configurations: what is read, what is refused and how that is said."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from gridtap.collector.compatible import DIALECTS, Dialect
from gridtap.collector.config import TABLES, Config, load_config, read_config
from gridtap.collector.config_core import core_settings
from gridtap.collector.config_print import printed
from gridtap.collector.config_sinks import Filter, SinkSettings
from gridtap.collector.config_values import Address, form_of
from gridtap.collector.sinks.registry import SINK_TYPES
from gridtap.collector.sinks.settings import settings_of
from gridtap.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent.parent

#: A sink that says nothing that is not needed
SINK = '[sinks.out]\ntype = "jsonl"\npath = "/data/out.jsonl"\n'

EVERYTHING = """
[listen]
addresses = ["0.0.0.0:9930", "[2001:db8::1]:9931", "localhost:9932"]
workers = 2
receive_buffer = "8MiB"
allow = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]
max_packets_per_second_per_sender = 5000
max_senders = 20
[state]
directory = "/data/state"
max_memory = "2GB"
file_ttl = "36h"
session_ttl = "2d"
server_ttl = "1w"
late_grace = "500ms"
restart_grace = "1.5m"
trace_wait = "10s"
snapshot_every = "0s"
[dns]
reverse = true
cache_ttl = "10m"
timeout = "250ms"
max_entries = 10
[wlcg]
vos = ["cms", "atlas"]
path_prefixes = []
[profiles]
collector_host = "collector.example.org"
logical_dirnames = [["/a", 1], ["/b/", "/b"]]
[http]
listen = "[::1]:9931"
[metrics]
compatibility = ["shoveler", "pelican"]
[log]
level = "debug"
format = "json"
[sinks.first-1]
type = "jsonl"
path = "/data/a.jsonl"
rotate_size = "10kB"
rotate_every = "1h"
keep = 3
fsync = "always"
records = ["accesses", "plugins"]
profile = "wlcg"
strict = true
time_unit = "ms"
queue = "1MiB"
batch = 1000
batch_wait = "2s"
spool = "0"
filter = { vos = ["cms"], not_vos = ["x"], path_prefixes = ["/p"], not_path_prefixes = ["/q"], \
sites = ["S"], servers = ["192.0.2.9"], wlcg = false }
[sinks.raw]
type = "jsonl"
path = "-"
profile = "envelope"
"""


def read(text: str) -> Config:
    return read_config(tomllib.loads(text), "test.toml")


def test_every_key_is_read() -> None:
    config = read(EVERYTHING)
    assert [str(each) for each in config.listen.addresses] == [
        "0.0.0.0:9930",
        "[2001:db8::1]:9931",
        "localhost:9932",
    ]
    assert (config.listen.workers, config.listen.receive_buffer) == (2, 8 << 20)
    assert config.listen.allow == ("192.0.2.0/24", "2001:db8::/32", "198.51.100.7/32")
    state = config.state
    assert (state.directory, state.max_memory) == (Path("/data/state"), 2_000_000_000)
    assert (state.file_ttl, state.session_ttl, state.server_ttl) == (129_600, 172_800, 604_800)
    assert (state.late_grace, state.restart_grace, state.snapshot_every) == (0.5, 90, 0)
    assert (config.dns.reverse, config.dns.timeout) == (True, 0.25)
    assert config.profiles.logical_dirnames == (("/a", 1), ("/b/", "/b"))
    assert config.http.listen == Address("::1", 9931)
    assert config.metrics.compatibility == ("shoveler", "pelican")
    first, raw = config.sinks
    assert (first.name, first.type.name) == ("first-1", "jsonl")
    assert first.own.rotate_size == 10_000
    assert (first.general.batch, first.general.batch_wait, first.general.spool) == (1000, 2, 0)
    assert (first.filter.servers, first.filter.wlcg) == (("192.0.2.9/32",), False)
    assert (raw.general.records, raw.filter) == (("packets",), Filter())
    # Nothing that can be said is left out above.
    told = tomllib.loads(EVERYTHING)
    for name, table in TABLES.items():
        assert set(told[name]) == {each.name for each in settings_of(table)}
    sink = told["sinks"]["first-1"]
    assert {each.name for each in settings_of(SinkSettings)} <= set(sink)
    assert {each.name for each in settings_of(Filter)} == set(sink["filter"])


@pytest.mark.parametrize("text", [EVERYTHING, SINK])
def test_what_is_printed_is_the_same_configuration(text: str) -> None:
    config = read(text)
    lines = printed(config)
    assert read(lines) == config
    for table in (*TABLES.values(), SinkSettings):
        for each in settings_of(table):
            assert f"{each.name} = " in lines
            assert f"# {each.meaning}" in lines


def test_a_small_queue_has_room_for_two_batches() -> None:
    def batch(more: str) -> int:
        return read(SINK + more).sinks[0].general.batch

    assert batch("") == 1 << 20
    assert batch('queue = "1MiB"') == 1 << 19
    assert batch('queue = "1MiB"\nbatch = "1KiB"') == 1 << 10


def test_dialects_are_those_of_the_metrics() -> None:
    assert set(get_args(Dialect)) == set(DIALECTS)


def test_secrets_are_not_printed() -> None:
    config = read("""
[sinks.archive]
type = "esmond"
url = "https://archive.example.org"
directory = "/data/archive"
user = "alice"
key = "abracadabra"
interval = "5m"
addresses = { "example.org" = "192.0.2.1" }
""")
    lines = printed(config)
    assert "abracadabra" not in lines
    assert 'user = "alice"' in lines
    (sink,) = config.sinks
    assert (sink.own.key, sink.own.interval) == ("abracadabra", 300)
    assert sink.own.addresses == {"example.org": "192.0.2.1"}
    (again,) = read(lines).sinks
    assert replace(again, own=replace(again.own, key="abracadabra")) == sink


def test_every_setting_of_every_sink_has_a_form() -> None:
    for kind in SINK_TYPES.values():
        for each in settings_of(kind.settings):
            form = form_of(each.value_type, each.unit)
            if not each.is_required:
                # What is printed is TOML, and means the same.
                shown = form.show(each.default)
                value = tomllib.loads(f"x = {shown}")["x"] if shown else None
                assert value is None or form.read(value) == each.default, (kind.name, each.name)
        shared = {each.name for each in settings_of(SinkSettings)} | {"type", "filter"}
        assert not shared & {each.name for each in settings_of(kind.settings)}, kind.name


def wrong() -> list[tuple[str, str]]:
    """Configurations, and what is said about them"""
    path = ROOT / "tests/data/collector/wrong-configurations.txt"
    blocks = path.read_text().split("\n\n")[1:]
    return [(text, told.strip()) for text, _, told in (block.rpartition("-> ") for block in blocks)]


@pytest.mark.parametrize(("text", "told"), wrong())
def test_what_is_wrong_is_said_in_one_line(text: str, told: str) -> None:
    if "sinks" not in told and "sinks" not in text:
        text += f"\n{SINK}"
    with pytest.raises(ConfigError) as caught:
        read(text)
    line = str(caught.value)
    assert told in line
    assert line.startswith("test.toml: ")
    assert "\n" not in line


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(ConfigError, match=f"{missing}: No such file or directory"):
        load_config(missing)
    bad = tmp_path / "bad.toml"
    bad.write_text("[listen\n")
    with pytest.raises(ConfigError, match=r"bad.toml: not TOML: .*line 1"):
        load_config(bad)
    bad.write_bytes(b"a = '\xff'")
    with pytest.raises(ConfigError, match=r"bad.toml: not TOML: not UTF-8 at byte 5"):
        load_config(bad)
    bad.write_text(SINK)
    assert load_config(bad) == replace(read(SINK), file=str(bad))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1B", 1),
        ("1kB", 1_000),
        ("1 KiB", 1_024),
        ("64mib", 64 << 20),
        ("1.5GiB", 3 << 29),
        ("2TB", 2_000_000_000_000),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert form_of(int, "bytes").read(text) == size


def test_the_core_gets_all_of_it() -> None:
    told = json.loads(core_settings(read(EVERYTHING)))
    sink = told["sinks"][0]
    assert told["workers"] == 2
    assert told["host"] == "collector.example.org"
    assert told["gate"]["max_packets_per_second"] == 5000
    assert told["state"]["late_grace_s"] == 0.5
    assert told["dns"]["timeout_s"] == 0.25
    assert told["wlcg"] == {"vos": ["cms", "atlas"], "path_prefixes": []}
    assert told["logical_dirnames"] == [["/a", 1], ["/b/", "/b"]]
    assert sink["filter"]["wlcg"] is False
    assert (sink["form"], sink["time_unit"], sink["queue_bytes"]) == ("lines", "ms", 1 << 20)
    assert told["sinks"][1]["filter"]["wlcg"] is None
    # Without a name of its own it is this host's.
    assert json.loads(core_settings(read(SINK)))["host"]
