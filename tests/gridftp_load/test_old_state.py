"""State files of the original command: converted, and never run."""

from __future__ import annotations

import io
import json
import os
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtap.loader import old_state
from tests.esmond.conftest import Archive
from tests.gridftp_load.command import access, events, line, lines, load, loaded, points, state
from tests.gridftp_load.command import wanted as wanted_points
from tests.gridftp_load.rotating import Log, pack

STATE = "load_grid_ftp.pickle"

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def record(data: bytes) -> dict[str, str]:
    """A line as the original command keeps it"""
    pairs = (word.split("=") for word in data.decode().split())
    return {key.lower().replace(".", "_"): value for key, value in pairs}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@given(value=st.dictionaries(st.text(), PLAIN))
def test_plain_values_are_read(protocol: int, value: dict[str, Any]) -> None:
    assert old_state.read(pickle.dumps(value, protocol)) == value


@given(data=st.binary(max_size=200))
def test_anything_else_is_refused_or_plain(data: bytes) -> None:
    with suppress(old_state.BadPickleError):
        assert isinstance(old_state.read(data), dict)


def test_what_python_2_wrote() -> None:
    written = (
        b"(dp0\nS'nl_evnt'\np1\nS'FTP_INFO'\np2\nsS'start'\np3\nS'20240312081510.250000'\np4\ns."
    )
    assert old_state.looks_pickled(written)
    assert old_state.read(written) == {"nl_evnt": "FTP_INFO", "start": "20240312081510.250000"}


class Evil:
    """Unpickled, it leaves a file"""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def hostile(marker: Path) -> dict[str, bytes]:
    """Pickles that do harm, or are none"""
    evil = {f"evil, protocol {p}": pickle.dumps({"date": Evil(marker)}, p) for p in range(6)}
    deep = b"(" + b"]" * 50_000 + b"."
    return evil | {
        "a class": b"cos\nsystem\n(S'touch x'\ntR.",
        "an instance": b"(S'touch x'\nios\nsystem\n.",
        "an extension": b"\x80\x02\x82\x01.",
        "a persistent id": b"(dS'a'\nPx\ns.",
        "a long chain": deep,
        "an endless memo": b"}q\x00" + b"h\x00" * 100_000 + b".",
        "itself": b"}q\x00X\x01\x00\x00\x00ah\x00s.",
        "too many values": b"}}.",
        "nothing": b"(",
        "unhashable": b"(]]d.",
        "cut": pickle.dumps({"date": "20240312081510.250000"})[:-10],
        "a huge length": b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fx.",
        "a huge number": b"(S'date'\nI" + b"9" * 100_000 + b"\nd.",
        "large": pickle.dumps({"date": "x" * (2 << 20)}),
    }


def test_hostile_pickles_are_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "run"
    for name, data in hostile(marker).items():
        try:
            found = old_state.read(data)
        except old_state.BadPickleError:
            continue
        # What can be read is a dictionary, whatever it holds.
        assert name == "itself"
        assert isinstance(found, dict)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["evil, protocol 0", "a class", "itself", "cut"])
def test_the_command_ignores_them(name: str, archive: Archive, tmp_path: Path) -> None:
    marker = tmp_path / "run"
    data = hostile(marker)[name]
    (tmp_path / STATE).write_bytes(data)
    (tmp_path / "a.log").write_bytes(line(1))
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)
    assert events(got)[0].startswith("main.warn ")
    assert not marker.exists()
    # Now it is one of ours.
    assert state(tmp_path)["version"] == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_converted(protocol: int, archive: Archive, tmp_path: Path) -> None:
    written = [line(1), line(2, dest="1[203.0.113.9]"), line(3)]
    (tmp_path / STATE).write_bytes(pickle.dumps(record(written[1]), protocol))
    (tmp_path / "a.log").write_bytes(b"".join(written))
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)
    assert events(got)[:3] == [
        f"main.start {STATE} is of the original command; converted",
        f"main.start found last record: line 2 of a.log, byte {len(written[0] + written[1])}",
        "main.process File a.log passes last record check",
    ]
    assert points(archive) == wanted_points(written[2], tmp_path)
    assert state(tmp_path)["files"][0]["offset_bytes"] == len(b"".join(written))


def test_converted_although_there_is_nothing_new(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(pickle.dumps(record(line(1)), 0))
    (tmp_path / "a.log").write_bytes(line(1))
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 0)
    assert state(tmp_path)["files"][0]["line"] == 2


def test_converted_from_the_json_form(archive: Archive, tmp_path: Path) -> None:
    written = [each for each in lines("samples-json.log") if each.startswith(b'{"event_type"')]
    row = json.loads(written[1])
    for name in ("iostat", "mpstat", "getrusage"):
        row[name] = {
            key.lower().replace("/", "_").replace("%", ""): value
            for key, value in row[name].items()
        }
    (tmp_path / "load_grid_ftp.json.pickle").write_bytes(pickle.dumps(row, 0))
    (tmp_path / "a.log").write_bytes(b"".join(written[:3]))
    got = load("-J", "-f", "a.log", *access(archive), cwd=tmp_path)
    position = len(written[0] + written[1])
    assert f"line 2 of a.log, byte {position}" in got.stderr


def test_c_15_a_state_that_points_to_an_ignored_line(archive: Archive, tmp_path: Path) -> None:
    written = [line(1), line(2, kind="MLSD"), line(3)]
    (tmp_path / STATE).write_bytes(pickle.dumps(record(written[1]), 0))
    (tmp_path / "a.log").write_bytes(b"".join(written))
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)
    assert points(archive) == wanted_points(written[2], tmp_path)


def test_converted_after_a_rotation(archive: Archive, tmp_path: Path) -> None:
    log = Log(tmp_path, "a.log")
    log.append(line(1) + line(2))
    pack(log.rotate())
    log.append(line(3))
    (tmp_path / STATE).write_bytes(pickle.dumps(record(line(1)), 0))
    got = load("-f", log.path, *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 2)
    assert points(archive) == wanted_points(line(2) + line(3), tmp_path)


def test_a_line_that_is_nowhere(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(pickle.dumps(record(line(9)), 0))
    (tmp_path / "a.log").write_bytes(line(1))
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)
    text = "does not contain last log entry. Maybe rotated?- proceeding"
    assert events(got)[0] == f"main.warn File a.log {text}"


def test_the_empty_file_that_the_original_leaves(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / STATE).touch()
    (tmp_path / "a.log").write_bytes(line(1))
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)
    assert "is empty, as the original command may leave it" in events(got)[0]


def test_memo_and_marks_that_are_not_there() -> None:
    for data in (b"g1\n.", b"(d", b"}s.", b"}u.", b"]e.", b"0."):
        with pytest.raises(old_state.BadPickleError):
            old_state.read(io.BytesIO(data).read())
