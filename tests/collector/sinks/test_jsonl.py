"""Lines in files: whole ones only, rotated, and there after a crash as far as was promised."""

from __future__ import annotations

import errno
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gridtap.collector.sinks.jsonl import JsonlSettings, JsonlSink
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.errors import SinkSettingError, SinkUnavailableError
from tests.collector.full_disk import small_disk
from tests.collector.sinks.batches import line_batches

DAY = 86_400.0
#: 2026-11-24 00:00:00 UTC
MIDNIGHT = 1_795_478_400.0


class Clock:
    """A clock that stands still until it is set"""

    def __init__(self, now: float = MIDNIGHT + 3_600) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def lines(count: int, begin: int = 0) -> StoredBatch:
    data = b"".join(b'{"n":%d}\n' % number for number in range(begin, begin + count))
    return StoredBatch(count, "accesses", data)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_batches_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "accesses.jsonl"
    real = line_batches()
    for half in (real[:3], real[3:]):
        sink = JsonlSink(JsonlSettings(path=str(path)))
        for batch in half:
            sink.write(batch)
        sink.close()
    assert path.read_bytes() == b"".join(batch.data for batch in real)
    assert len(path.read_text().splitlines()) == 28


def test_rotation_by_size(tmp_path: Path) -> None:
    clock = Clock()
    settings = JsonlSettings(path=str(tmp_path / "a.jsonl"), rotate_size=100, keep=3)
    sink = JsonlSink(settings, clock=clock)
    for number in range(6):
        if number == 3:
            clock.now += 1
        sink.write(lines(10, 10 * number))
    sink.close()
    assert names(tmp_path) == [
        "a.20261124T010001Z-1.jsonl",
        "a.20261124T010001Z-2.jsonl",
        "a.20261124T010001Z.jsonl",
        "a.jsonl",
    ]
    for name, number in zip(names(tmp_path), [3, 4, 2, 5], strict=True):
        assert (tmp_path / name).read_bytes() == lines(10, 10 * number).data


def test_the_newest_are_kept_when_many_are_of_one_second(tmp_path: Path) -> None:
    settings = JsonlSettings(path=str(tmp_path / "a"), rotate_size=1, keep=1)
    sink = JsonlSink(settings, clock=Clock())
    for number in range(5):
        sink.write(lines(1, number))
    sink.close()
    assert names(tmp_path) == ["a", "a.20261124T010000Z-3"]
    assert (tmp_path / "a.20261124T010000Z-3").read_bytes() == lines(1, 3).data


def test_a_batch_larger_than_a_file_gets_its_own(tmp_path: Path) -> None:
    sink = JsonlSink(JsonlSettings(path=str(tmp_path / "a"), rotate_size=10), clock=Clock())
    sink.write(lines(10))
    sink.write(lines(10, 10))
    sink.close()
    assert names(tmp_path) == ["a", "a.20261124T010000Z"]


@pytest.mark.parametrize("by", ["write", "tick"])
def test_rotation_at_midnight_in_utc(tmp_path: Path, by: str) -> None:
    clock = Clock(MIDNIGHT - 1)
    sink = JsonlSink(JsonlSettings(path=str(tmp_path / "a.jsonl")), clock=clock)
    sink.write(lines(1))
    clock.now = MIDNIGHT - 0.001
    sink.tick(clock.now)
    assert names(tmp_path) == ["a.jsonl"]
    clock.now = MIDNIGHT + 0.5
    if by == "tick":
        sink.tick(clock.now)
        assert names(tmp_path) == ["a.20261124T000000Z.jsonl"]
    sink.write(lines(1, 1))
    assert names(tmp_path) == ["a.20261124T000000Z.jsonl", "a.jsonl"]
    # A day without records makes no file.
    for day in range(1, 4):
        clock.now = MIDNIGHT + day * DAY
        sink.tick(clock.now)
    assert len(names(tmp_path)) == 2
    sink.close()


def test_the_file_of_yesterday_is_rotated_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(1).data)
    os.utime(path, (MIDNIGHT - 10, MIDNIGHT - 10))
    sink = JsonlSink(JsonlSettings(path=str(path)), clock=Clock())
    sink.tick(MIDNIGHT + 3_600)
    assert names(tmp_path) == ["a.20261124T010000Z.jsonl"]
    sink.close()


def test_rotated_files_are_compressed(tmp_path: Path) -> None:
    # One that an earlier process left, and one that is no business of ours.
    (tmp_path / "a.20260101T000000Z.jsonl").write_bytes(b"early\n")
    (tmp_path / "a.txt").write_bytes(b"other\n")
    settings = JsonlSettings(path=str(tmp_path / "a.jsonl"), rotate_size=10, compress=True)
    sink = JsonlSink(settings, clock=Clock())
    for number in range(3):
        sink.write(lines(10, 10 * number))
    sink.close()
    assert names(tmp_path) == [
        "a.20260101T000000Z.jsonl.gz",
        "a.20261124T010000Z-1.jsonl.gz",
        "a.20261124T010000Z.jsonl.gz",
        "a.jsonl",
        "a.txt",
    ]
    packed = tmp_path / "a.20261124T010000Z-1.jsonl.gz"
    assert gzip.decompress(packed.read_bytes()) == lines(10, 10).data


def test_an_unfinished_line_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    torn = b'{"path":"' + b"x" * 200_000
    path.write_bytes(lines(3).data + torn)
    sink = JsonlSink(JsonlSettings(path=str(path)))
    sink.write(lines(2, 3))
    sink.close()
    assert path.read_bytes() == lines(5).data
    assert (tmp_path / "a.jsonl.torn").read_bytes() == torn + b"\n"


def test_a_full_disk_leaves_whole_lines_and_each_once() -> None:
    with small_disk(1 << 20) as disk:
        path = disk / "a.jsonl"
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(600_000))
        sink = JsonlSink(JsonlSettings(path=str(path)))
        stored, batch = 0, lines(2_000)
        while shutil.disk_usage(disk).free > len(batch.data):
            sink.write(batch)
            stored += 1
            batch = lines(2_000, 2_000 * stored)
        assert stored > 5
        with pytest.raises(SinkUnavailableError, match=r"a\.jsonl: No space left on device"):
            sink.write(batch)
        assert path.read_bytes() == lines(2_000 * stored).data
        ballast.unlink()
        sink.write(lines(2_000, 2_000 * stored))
        sink.close()
        assert path.read_bytes() == lines(2_000 * (stored + 1)).data


_LIMITED = """
import resource, sys, errno
from gridtap.collector.sinks.jsonl import JsonlSettings, JsonlSink
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.errors import SinkUnavailableError

resource.setrlimit(resource.RLIMIT_FSIZE, (1_005, resource.RLIM_INFINITY))
sink = JsonlSink(JsonlSettings(path=sys.argv[1]))
batch = StoredBatch(10, None, (b"x" * 29 + b"\\n") * 10)
for _ in range(3):
    sink.write(batch)
for _ in range(2):
    try:
        sink.write(batch)
    except SinkUnavailableError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
sink.write(batch)
sink.close()
"""


def test_a_write_that_is_cut_short_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    command = [sys.executable, "-c", _LIMITED, str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == f"{path}: {os.strerror(errno.EFBIG)}\n" * 2
    assert path.read_bytes() == (b"x" * 29 + b"\n") * 40


def test_logrotate(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    sink = JsonlSink(JsonlSettings(path=str(path)))
    sink.write(lines(1))
    path.rename(tmp_path / "a.1")
    sink.write(lines(1, 1))
    sink.reopen()
    sink.write(lines(1, 2))
    # copytruncate: what follows begins at the start.
    os.truncate(path, 0)
    sink.write(lines(1, 3))
    sink.close()
    assert (tmp_path / "a.1").read_bytes() == lines(2).data
    assert path.read_bytes() == lines(1, 3).data


def test_two_sinks_of_one_file(tmp_path: Path) -> None:
    settings = JsonlSettings(path=str(tmp_path / "a.jsonl"))
    first, second = JsonlSink(settings), JsonlSink(settings)
    first.write(lines(1))
    with pytest.raises(SinkUnavailableError, match="another process, or another sink"):
        second.write(lines(1))
    first.close()
    second.write(lines(1, 1))
    second.close()


@pytest.mark.parametrize(
    ("path", "reason"), [("none/a.jsonl", "No such file"), (".", "Is a directory")]
)
def test_places_that_cannot_be(tmp_path: Path, path: str, reason: str) -> None:
    sink = JsonlSink(JsonlSettings(path=str(tmp_path / path)))
    with pytest.raises(SinkUnavailableError, match=reason):
        sink.write(lines(1))
    sink.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [("rotate_size", -1), ("rotate_every", -1.0), ("keep", -1), ("fsync", "often"), ("path", "")],
)
def test_settings_that_cannot_be(name: str, value: object) -> None:
    settings = replace(JsonlSettings(path="a"), **{name: value})  # type: ignore[arg-type]
    with pytest.raises(SinkSettingError, match=name):
        JsonlSink(settings)


_STDOUT = """
import sys
from gridtap.collector.sinks.jsonl import JsonlSettings, JsonlSink
from gridtap.collector.sinks.protocol import StoredBatch

settings = JsonlSettings(path="-", rotate_size=10, rotate_every=1.0)
sink = JsonlSink(settings, clock=iter(range(9)).__next__)
for number in range(3):
    sink.write(StoredBatch(1, None, b'{"long enough": %d}\\n' % number))
sink.tick(100.0)
sink.reopen()
sink.close()
"""


@pytest.mark.parametrize("to", ["pipe", "file"])
def test_standard_output(tmp_path: Path, to: str) -> None:
    command = [sys.executable, "-c", _STDOUT]
    if to == "pipe":
        said = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path).stdout
    else:
        with (tmp_path / "out").open("wb") as out:
            subprocess.run(command, stdout=out, check=True, cwd=tmp_path)
        said = (tmp_path / "out").read_bytes()
    assert [json.loads(line)["long enough"] for line in said.splitlines()] == [0, 1, 2]
    assert names(tmp_path) == (["out"] if to == "file" else [])


def test_a_pipe_with_a_name(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    sink = JsonlSink(JsonlSettings(path=str(path)))
    with pytest.raises(SinkUnavailableError, match="No such device or address"):
        sink.write(lines(2))
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as reader:
        for _ in range(500):
            try:
                sink.write(lines(2))
                break
            except SinkUnavailableError:
                time.sleep(0.01)
        sink.tick(MIDNIGHT)
        sink.close()
        assert reader.stdout is not None
        assert reader.stdout.read() == lines(2).data


_TRACED = """
import sys
from gridtap.collector.sinks.jsonl import JsonlSettings, JsonlSink
from gridtap.collector.sinks.protocol import StoredBatch

path, policy = sys.argv[1:]
settings = JsonlSettings(path=path, fsync=policy, fsync_every=10.0, rotate_every=0.0)
sink = JsonlSink(settings)
for second in range(40):
    sink.write(StoredBatch(1, None, b"{}\\n"))
    sink.tick(1000.0 + second)
sink.flush()
sink.close()
"""


@pytest.mark.parametrize(("policy", "count"), [("never", 0), ("interval", 5), ("always", 40)])
def test_fsync_policies_are_kept(tmp_path: Path, policy: str, count: int) -> None:
    trace = tmp_path / "trace"
    command = [sys.executable, "-c", _TRACED, str(tmp_path / "a.jsonl"), policy]
    strace = ["strace", "-f", "-e", "trace=fsync,fdatasync", "-o", str(trace)]
    try:
        subprocess.run([*strace, *command], check=True)
    except FileNotFoundError:
        pytest.skip("strace is not installed")
    assert trace.read_text().count("fdatasync(") == count
