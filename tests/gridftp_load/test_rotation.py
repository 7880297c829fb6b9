"""Logs that are rotated, however it is done: everything is loaded, once, in order."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.esmond.conftest import Archive
from tests.esmond_cli.command import Outcome
from tests.gridftp_load.command import access, events, line, load, loaded, points, state, wanted
from tests.gridftp_load.rotating import Log, pack


def some(*numbers: int) -> bytes:
    return b"".join(map(line, numbers))


class Loading:
    """A log, its archive, and the command"""

    def __init__(self, archive: Archive, folder: Path, **options: Any) -> None:
        self.archive, self.folder = archive, folder
        self.log = Log(folder, **options)

    def run(self, *arguments: str, expect: int | None = None) -> Outcome:
        line = ("-f", self.log.path, *access(self.archive), *arguments)
        got = load(*line, cwd=self.folder)
        assert got.exit_status == 0, got.stderr
        if expect is not None:
            assert loaded(got) == expect, got.stderr
        return got

    def check(self) -> None:
        """All that was ever written is there, and nothing else"""
        assert points(self.archive) == wanted(self.log.written, self.folder)


@pytest.fixture
def loading(archive: Archive, tmp_path: Path) -> Loading:
    return Loading(archive, tmp_path)


def test_a_log_that_grows(loading: Loading) -> None:
    loading.log.append(some(1, 2))
    loading.run(expect=2)
    loading.run(expect=0)
    loading.log.append(some(3))
    got = loading.run(expect=1)
    assert events(got)[0] == "main.start found last record: line 2 of gridftp.log, byte 524"
    assert events(got)[1] == f"main.process File {loading.log.path} passes last record check"
    loading.check()


def test_the_last_line_is_left_until_it_is_whole(loading: Loading) -> None:
    whole = some(1, 2)
    loading.log.append(whole[:-30])
    loading.run(expect=1)
    loading.log.append(whole[-30:])
    loading.run(expect=1)
    loading.check()


@pytest.mark.parametrize("by_copying", [False, True])
@pytest.mark.parametrize("end", ["", ".gz", ".xz", ".zst"])
def test_rotated(loading: Loading, by_copying: bool, end: str) -> None:
    if end == ".zst" and shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    loading.log.append(some(1, 2, 3))
    loading.run(expect=3)
    loading.log.append(some(4))
    old = loading.log.rotate(by_copying=by_copying)
    loading.log.append(some(5))
    name = pack(old, end) if end else old
    got = loading.run(expect=2)
    assert f"main.process File {name} was rotated away, finishing it" in events(got)
    loading.check()
    loading.run(expect=0)


@pytest.mark.parametrize("dated", [False, True])
def test_rotated_several_times_between_two_runs(
    archive: Archive, tmp_path: Path, dated: bool
) -> None:
    loading = Loading(archive, tmp_path, dated=dated)
    loading.log.append(some(1))
    loading.run(expect=1)
    loading.log.append(some(2))
    pack(loading.log.rotate())
    loading.log.append(some(3))
    pack(loading.log.rotate())
    loading.log.append(some(4))
    loading.log.rotate()
    loading.log.append(some(5))
    got = loading.run(expect=4)
    order = [each.split()[2] for each in events(got) if "rotated away" in each]
    assert [Path(each).suffix for each in order[:2]] == [".gz", ".gz"]
    assert len(order) == 3
    loading.check()


def test_rotated_and_nothing_new_yet(loading: Loading) -> None:
    loading.log.append(some(1))
    loading.run(expect=1)
    loading.log.rotate()
    loading.run(expect=0)
    # The new log becomes an old one before anything of it was loaded, and is packed.
    loading.log.append(some(2))
    pack(loading.log.rotate())
    loading.log.append(some(3))
    loading.run(expect=2)
    loading.check()


def test_a_server_writes_on_into_the_old_file(loading: Loading) -> None:
    loading.log.append(some(1))
    loading.run(expect=1)
    old = loading.log.rotate()
    loading.log.append(some(2))
    loading.run(expect=1)
    loading.log.append(some(3), old)
    loading.log.append(some(4))
    loading.run(expect=2)
    loading.check()
    assert [each["name"] for each in state(loading.folder)["files"]] == [
        "gridftp.log.1",
        "gridftp.log",
    ]
    loading.log.append(some(5), old)
    pack(old)
    loading.run(expect=1)
    loading.check()
    # What is packed does not grow any more.
    assert [each["name"] for each in state(loading.folder)["files"]] == ["gridftp.log"]


def test_rotated_to_a_name_that_nobody_expects(loading: Loading) -> None:
    loading.log.append(some(1))
    loading.run(expect=1)
    loading.log.append(some(2))
    loading.log.path.rename(loading.folder / "kept by hand")
    loading.log.path.touch()
    loading.log.append(some(3))
    loading.run(expect=2)
    loading.check()


def test_other_files_are_not_taken_for_the_log(loading: Loading) -> None:
    loading.log.append(some(1))
    loading.run(expect=1)
    for name in ("gridftp.log.bak", "gridftp.log.1.part", "gridftp.log2", "other.log.1"):
        (loading.folder / name).write_bytes(some(100))
    loading.log.append(some(2))
    loading.log.rotate()
    loading.log.append(some(3))
    loading.run(expect=2)
    loading.check()


def test_a_file_that_is_just_being_packed(loading: Loading) -> None:
    loading.log.append(some(1))
    loading.run(expect=1)
    old = loading.log.rotate()
    loading.log.append(some(2))
    old.with_name(f"{old.name}.gz").write_bytes(b"\x1f\x8b\x08\0\0")
    loading.run(expect=1)
    loading.check()


def test_the_old_log_is_gone(loading: Loading) -> None:
    loading.log.append(some(1, 2))
    loading.run(expect=2)
    loading.log.rotate().unlink()
    loading.log.append(some(3))
    got = loading.run(expect=1)
    text = "does not contain last log entry. Maybe rotated?- proceeding"
    assert events(got)[1] == f"main.warn File {loading.log.path} {text}"
    loading.check()
    assert "Maybe rotated" not in loading.run(expect=0).stderr


def test_cut_off_and_written_anew_to_the_same_length(loading: Loading) -> None:
    loading.log.append(some(11, 12))
    loading.run(expect=2)
    loading.log.rotate(by_copying=True)
    loading.log.append(some(13, 14, 15))
    loading.run(expect=3)
    loading.check()


def test_a_state_of_another_log_is_not_followed(loading: Loading) -> None:
    loading.log.append(some(1))
    loading.run(expect=1)
    loading.log.append(some(2))
    other = Log(loading.folder, "other.log")
    other.append(some(3))
    got = load("-f", other.path, "-d", *access(loading.archive), cwd=loading.folder)
    assert (got.exit_status, loaded(got)) == (0, 1)
    assert "Maybe rotated" in got.stderr
    loading.run(expect=1)


def test_delete_state_before_rotation(loading: Loading) -> None:
    """As esmond's guide has it: with -D from logrotate's prerotate"""
    loading.log.append(some(1))
    loading.run(expect=1)
    loading.log.append(some(2))
    loading.run("-D", expect=1)
    assert not (loading.folder / "load_grid_ftp.pickle").exists()
    loading.log.rotate()
    loading.log.append(some(3))
    got = loading.run(expect=1)
    assert events(got)[0] == "main.start no last record found"
    loading.check()


def test_each_run_a_record(loading: Loading) -> None:
    loading.log.append(some(1) + line(2, kind="LIST") + some(3, 4))
    for number in (1, 1, 1, 0):
        loading.run("-S", expect=number)
    loading.check()


def test_a_packed_log_by_hand(loading: Loading) -> None:
    loading.log.append(some(1, 2))
    old = pack(loading.log.rotate())
    got = load("-f", old, "-d", *access(loading.archive), cwd=loading.folder)
    assert (got.exit_status, loaded(got)) == (0, 2)
    assert sorted(path.name for path in loading.folder.iterdir() if "pickle" in path.name) == []
    loading.check()


@pytest.mark.parametrize("content", [b"", some(1, 2)])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_rotated_before_anything_was_acknowledged(
    loading: Loading, content: bytes, end: str
) -> None:
    """The first run finds the archive away, or nothing to load"""
    loading.log.append(content)
    line = ("-f", loading.log.path, "-U", "http://127.0.0.1:9", "--patience", "0")
    assert load(*line, cwd=loading.folder).exit_status == (1 if content else 0)
    if not content:
        loading.log.append(some(1, 2))
    old = loading.log.rotate()
    if content and end:
        pack(old, end)
    loading.log.append(some(3))
    got = loading.run(expect=3)
    assert events(got)[:2] == [
        "main.start no last record found",
        f"main.process No last record, processing {loading.log.path}",
    ]
    loading.check()
