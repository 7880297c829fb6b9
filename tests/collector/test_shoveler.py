"""Configurations of the OSG shoveler and collector made ours."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gridtap.collector.config import read_config
from gridtap.collector.shoveler import Imported, import_shoveler
from gridtap.collector.shoveler_keys import KEYS, environment_name
from gridtap.errors import ConfigError
from tests.cli.command import run

DATA = Path(__file__).resolve().parent.parent / "data" / "collector"
#: Every key that those programs read
ALL = DATA / "shoveler-all.yaml"
#: A configuration with keys of published examples, which nobody reads
PUBLISHED = DATA / "shoveler-published.yaml"


def imported(path: Path, **environment: str) -> Imported:
    found = import_shoveler(path, environment)
    # Whatever comes out can be used.
    read_config(tomllib.loads(found.toml()), "imported")
    return found


@pytest.mark.parametrize("yaml", [ALL, PUBLISHED], ids=lambda path: path.stem)
def test_golden(yaml: Path) -> None:
    found = imported(yaml)
    expected = yaml.with_suffix(".toml").read_text()
    assert found.toml().replace(str(yaml), yaml.name) == expected


def test_the_golden_file_has_all_keys() -> None:
    import yaml

    def flat(table: dict[str, object], above: str = "") -> set[str]:
        names: set[str] = set()
        for key, value in table.items():
            if isinstance(value, dict):
                names |= flat(value, f"{above}{key}.")
            else:
                names.add(f"{above}{key}")
        return names

    assert flat(yaml.safe_load(ALL.read_text())) == {*KEYS, "map.192.0.2.1"}


def test_every_key_is_mapped_or_reported() -> None:
    notes = imported(ALL).notes
    for key, reason in KEYS.items():
        told = [note for note in notes if note.startswith(f"{key}: ")]
        assert told == [f"{key}: {reason}"] if reason else True
    assert "map.192.0.2.1: senders cannot be renamed" in notes


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("amqp_url", "amqp.url"),
        ("amqp_exchange", "amqp.exchange"),
        ("amqp_token", "amqp.token_location"),
        ("metrics_port", "metrics.port"),
        ("amqp_publish_workers", "amqp.publish_workers"),
    ],
)
def test_unknown_keys_of_published_examples(key: str, nearest: str) -> None:
    note = f"{key}: unknown key; the nearest known one is {nearest!r}"
    assert note in imported(PUBLISHED).notes


@pytest.mark.parametrize("prefix", ["SHOVELER_", "COLLECTOR_"])
def test_environment_variables_go_first(tmp_path: Path, prefix: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("listen: {port: 1, ip: 192.0.2.1}\nwlcg: {vos: [a]}\n")
    found = imported(
        file,
        **{
            f"{prefix}LISTEN_PORT": "9999",
            f"{prefix}WLCG_VOS": "cms, dteam",
            f"{prefix}STATE_ENABLE_DNS_ENRICHMENT": "true",
            f"{prefix}STATE_ENTRY_TTL": "1h30m",
            f"{prefix}LISTEN_PROT": "3",
            "HOME": "/root",
        },
    )
    assert found.document["listen"] == {"addresses": ["192.0.2.1:9999"]}
    assert found.document["wlcg"]["vos"] == ["cms", "dteam"]
    assert found.document["dns"] == {"reverse": True}
    assert found.document["state"] == {"file_ttl": "5400s", "session_ttl": "5400s"}
    assert (
        f"unknown environment variable {prefix}LISTEN_PROT; the nearest known one is "
        f"'{prefix}LISTEN_PORT'"
    ) in found.notes
    assert not any("HOME" in note for note in found.notes)


def test_every_key_has_an_environment_variable(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("")
    names = {f"SHOVELER_{environment_name(key)}": "1" for key in KEYS}
    assert len(names) == len(KEYS)
    notes = imported(file, **names, COLLECTOR_MAP_X="192.0.2.1").notes
    assert not any("unknown" in note for note in notes)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("listen: {port: nine}", "listen.port = 'nine': wanted a port"),
        ("listen: {port: 70000}", "listen.port = 70000: wanted a port"),
        ("state: {entry_ttl: soon}", "state.entry_ttl = 'soon': wanted a number of seconds"),
        ("debug: maybe", "debug = 'maybe': wanted true or false"),
        ("output: {type: tape}", "output.type = 'tape': wanted mq, file or both"),
        ("verify: false", "verify = false: packets are always checked"),
        ("input: {type: rabbitmq}", "input.type = rabbitmq: only UDP is read"),
        ('"a\\nb": 1', "unknown key"),
    ],
)
def test_values_that_cannot_be_mapped(tmp_path: Path, text: str, note: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    assert any(note in each for each in imported(file).notes)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: [", "not YAML: "),
        (b"- 1", "not a configuration: wanted keys and values"),
        (b"a: !!python/object:os.system {}", "not YAML: "),
        (b"\xff\xfe\x00", "not YAML: "),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        import_shoveler(file, {})
    assert str(caught.value).startswith(f"{file}: {told}")
    assert "\n" not in str(caught.value)


def test_without_pyyaml() -> None:
    code = (
        "import sys; sys.modules['yaml'] = None; sys.argv = ['gridtap', 'collect', "
        f"'--import-shoveler', {str(PUBLISHED)!r}]\n"
        "from gridtap.cli.main import main; main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.returncode == 2
    assert result.stderr == (
        b"gridtap: Reading YAML needs an extra: pip install 'gridtap[collector]'\n"
    )


def test_the_command(tmp_path: Path) -> None:
    target = tmp_path / "gridtap.toml"
    result = run("collect", "--import-shoveler", PUBLISHED, "-o", target, check=1)
    assert result.stdout == b""
    lines = result.stderr.decode().splitlines()
    assert f"{PUBLISHED}: amqp_url: unknown key; the nearest known one is 'amqp.url'" in lines
    assert target.read_bytes() == run("collect", "--import-shoveler", PUBLISHED, check=1).stdout
    missing = tmp_path / "none.yaml"
    result = run("collect", "--import-shoveler", missing, check=2)
    assert result.stderr == f"gridtap: {missing}: No such file or directory\n".encode()
    result = run("collect", "--import-shoveler", PUBLISHED, "-o", tmp_path / "no/f", check=2)
    assert result.stderr.splitlines()[-1].endswith(b"no/f: No such file or directory")
