"""``gridtap collect`` where it does not collect: checks, dry runs, printed configurations."""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from pathlib import Path

import pytest

from gridtap.collector.config import load_config
from tests.cli.command import obey_permissions, run, run_on_terminal, without_net_admin
from tests.collector.process import free_port
from tests.collector.traffic import DATA

MIXED = DATA / "v610-mixed.pcap"


def written(directory: Path, more: str = "", port: int | None = None, buffer: str = "4KiB") -> Path:
    """A configuration with a sink"""
    path = directory / "gridtap.toml"
    path.write_text(f"""
[listen]
addresses = ["127.0.0.1:{port or free_port()}"]
receive_buffer = "{buffer}"
[state]
directory = "{directory / "state"}"
[sinks.all]
type = "jsonl"
path = "{directory / "all.jsonl"}"
{more}
""")
    return path


def warnings(config: Path, *before: str) -> list[str]:
    result = run("collect", "-c", config, "--check", before=before)
    assert result.stdout.startswith(f"{config}: OK: ".encode())
    return result.stderr.decode().splitlines()


def test_check(tmp_path: Path) -> None:
    port = free_port()
    config = written(tmp_path, port=port)
    result = run("collect", "-c", config, "--check")
    assert result.stdout.decode() == (
        f"{config}: OK: listens on 127.0.0.1:{port} with 1 worker\n"
        "  all: accesses as native to jsonl\n"
    )
    assert result.stderr == b""
    # Nothing was made.
    assert os.listdir(tmp_path) == ["gridtap.toml"]


def test_check_looks_at_the_host(tmp_path: Path) -> None:
    most = int(Path("/proc/sys/net/core/rmem_max").read_text())
    asked = f"{most + 1}B"
    assert warnings(written(tmp_path, buffer=asked), *without_net_admin()) == [
        f"warning: listen.receive_buffer: asked the kernel for {most + 1:,} bytes, it grants "
        f"{most:,}; bursts may be lost. It helps to run: sysctl -w net.core.rmem_max={most + 1}"
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        (warning,) = warnings(written(tmp_path, port=held.getsockname()[1]))
        assert "the port is in use" in warning
        assert warning.endswith("; as it should be while the collector runs")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    before = obey_permissions()
    config = tmp_path / "gridtap.toml"
    config.write_text(written(tmp_path).read_text().replace(str(tmp_path), str(closed)))
    assert warnings(config, *before) == [
        f"warning: state.directory: {closed / 'state'} cannot be written to",
        f"warning: sinks.all: {closed} cannot be written to",
    ]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("rotate = 1", "[sinks.all] unknown key 'rotate'; the nearest known one is 'rotate_size'"),
        ('queue = "1kB"\nbatch = "1kB"', "queue"),
    ],
)
def test_check_of_what_cannot_be_used(tmp_path: Path, more: str, told: str) -> None:
    config = written(tmp_path, more)
    result = run("collect", "-c", config, "--check", check=2)
    assert result.stdout == b""
    (line,) = result.stderr.decode().splitlines()
    assert line.startswith(f"gridtap: {config}: ")
    assert told in line


def test_printed_configuration(tmp_path: Path) -> None:
    config = written(tmp_path)
    printed = tmp_path / "printed.toml"
    printed.write_bytes(run("collect", "-c", config, "--print-config").stdout)
    assert load_config(printed).sinks == load_config(config).sinks
    assert load_config(printed).listen == load_config(config).listen
    # Flags are a configuration too.
    flags = ["--listen", "127.0.0.1:1234", "--profile", "osg-go"]
    printed.write_bytes(run("collect", *flags, "--print-config").stdout)
    found = load_config(printed)
    assert [str(each) for each in found.listen.addresses] == ["127.0.0.1:1234"]
    assert (found.sinks[0].general.profile, found.sinks[0].own.path) == ("osg-go", "-")
    assert found.state.directory is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "there is no /etc/gridtap/gridtap.toml"),
        (["-c", "x", "--listen", "a:1"], "are for a run without --config"),
        (["-c", "x", "--check", "--print-config"], "exclude each other"),
        (["-c", "/nonexistent/x"], "gridtap: /nonexistent/x: No such file or directory"),
        (["--listen", "9930"], "gridtap: command line: [listen] addresses: wanted a list of"),
        (["--profile", "osg"], "gridtap: command line: [sinks.output] profile: wanted one of"),
    ],
)
def test_wrong_usage(arguments: list[str], told: str) -> None:
    result = run("collect", *arguments, check=2)
    assert told in result.stderr.decode()


FILTERED = """
[sinks.cms]
type = "jsonl"
path = "-"
filter = { wlcg = true }
[sinks.logins]
type = "jsonl"
path = "-"
records = ["sessions", "servers"]
"""


def test_dry_run_says_who_gets_what(tmp_path: Path) -> None:
    config = written(tmp_path, FILTERED)
    result = run("collect", "-c", config, "--dry-run", MIXED)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    kinds = Counter(row["kind"] for row in rows)
    accesses = run("decode", "-q", MIXED).stdout.splitlines()
    assert kinds["accesses"] == len(accesses) > 0
    for row in rows:
        assert row["summary"]
        assert list(row["sinks"]) == ["all", "cms", "logins"]
        assert (row["sinks"]["all"] == "take") == (row["kind"] == "accesses")
        assert (row["sinks"]["logins"] == "take") == (row["kind"] in ("sessions", "servers"))
    reasons = Counter(row["sinks"]["cms"] for row in rows if row["kind"] == "accesses")
    is_wlcg = [
        record["auth_vo"] == "cms" or (record["path"] or "").startswith(("/store", "/user/dteam"))
        for record in map(json.loads, accesses)
    ]
    assert reasons == Counter("take" if each else "wlcg" for each in is_wlcg)
    summary = result.stderr.decode().splitlines()
    assert summary[0].startswith(f"all       takes {len(accesses):,} of {len(rows):,}  kind ")
    assert len(summary) == 3
    assert os.listdir(tmp_path) == ["gridtap.toml"]


def test_dry_run_on_a_terminal(tmp_path: Path) -> None:
    config = written(tmp_path, FILTERED)
    code, shown = run_on_terminal("collect", "-c", config, "--dry-run", MIXED, columns=100)
    assert code == 0
    lines = shown.decode().splitlines()
    assert lines[0].split() == ["kind", "all", "cms", "logins", "record"]
    assert lines[1].split()[0] in ("servers", "sessions", "accesses", "plugins")
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize(
    ("name", "told"), [("none.pcap", "No such file or directory"), (".", "Is a directory")]
)
def test_dry_run_of_what_is_no_capture(tmp_path: Path, name: str, told: str) -> None:
    capture = tmp_path / name
    result = run("collect", "-c", written(tmp_path), "--dry-run", capture, check=2)
    (line,) = result.stderr.decode().splitlines()
    assert line.startswith(f"gridtap: {capture}: {told}")


def test_help_is_short() -> None:
    lines = run("collect", "--help").stdout.decode().splitlines()
    assert len(lines) < 45
