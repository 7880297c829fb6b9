"""Logs, options and files that are none: a line that says what, and nothing good lost."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gridtap.esmond.event_types import EVENT_TYPES
from gridtap.loader.mapping import JSON_TYPES
from tests.cli.command import obey_permissions
from tests.esmond.conftest import Archive
from tests.esmond_cli.command import environment
from tests.gridftp_load.command import (
    HOSTS,
    START,
    access,
    events,
    line,
    load,
    loaded,
    points,
    start,
    state,
    wanted,
)
from tests.gridftp_load.rotating import Log, pack

NOWHERE = ("-U", "http://127.0.0.1:9", "-u", "me", "-k", "abc")
STATE = "load_grid_ftp.pickle"


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize(
    ("bad", "kind", "count"),
    [
        (noise(100_000).replace(b"\n", b""), "not_a_record", 1),
        (b"x" * 3_000_000, "long_line", 1),
        (line(5)[:120], "cut_record", 1),
        (b'{"event_type": "Transfer-End", "host": ', "bad_json", 1),
        ("DATE=\u2460".encode("utf-16"), "not_a_record", 1),
        (line(5, start="20241399999999.000000").rstrip(), "bad_time", 0),
        (line(5, dest="[203.0.113.999]").rstrip(), "bad_address", 0),
        (line(5, start="20240312081010.000000", date="20240312081009.0").rstrip(), "clock_step", 0),
    ],
)
def test_bad_lines_are_named_and_counted(
    bad: bytes, kind: str, count: int, archive: Archive, tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(line(1) + bad + b"\n" + line(2))
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (3, 2)
    assert points(archive) == wanted(line(1) + line(2), tmp_path)
    place = f"a.log line 2 byte {len(line(1))}"
    said = [each for each in events(got) if place in each]
    if kind == "bad_json":
        text = f"skipping - log line is not valid json: {place}"
        assert said == [f"scan_and_load_netlogger.error {text}"]
    else:
        assert any(f"{kind}: {place}" in each for each in said), got.stderr
    summary = next(each for each in events(got) if "readable" in each or "not stored," in each)
    assert ("lines not readable" in summary) == bool(count)
    again = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (again.exit_status, loaded(again)) == (0, 0)


@pytest.mark.parametrize("size", ["-5", "99999999999999999999999", "many"])
def test_impossible_sizes(size: str, archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(line(1) + line(2, nbytes=size) + line(3))
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (3, 2)
    assert points(archive) == wanted(line(1) + line(3), tmp_path)


def test_a_size_that_an_archive_can_not_hold(archive: Archive, tmp_path: Path) -> None:
    huge = line(2, size=2**62)
    (tmp_path / "a.log").write_bytes(line(1) + huge + line(3))
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (3, 2)
    (letter,) = letters(tmp_path)
    assert letter["record"] == huge.decode().rstrip()
    assert "Value must be an integer" in letter["reason"]


def letters(folder: Path) -> list[dict[str, object]]:
    text = (folder / f"{STATE}.dead-letter").read_text()
    return [json.loads(each) for each in text.splitlines()]


def test_a_path_that_is_not_utf_8(archive: Archive, tmp_path: Path) -> None:
    record = line(1).replace(b"/data/1.nc", b"/data/\xff\xfe.nc")
    (tmp_path / "a.log").write_bytes(record)
    got = load("-f", "a.log", "-F", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)
    assert archive.server.asked[0].json()["gridftp-file"] == "/data/\ufffd\ufffd.nc"


def test_an_endless_line_through_a_pipe(archive: Archive, tmp_path: Path) -> None:
    data = line(1) + b"x" * (64 << 20) + b"\n" + line(2)
    got = load("-f", "/dev/stdin", *access(archive), cwd=tmp_path, stdin=data)
    assert (got.exit_status, loaded(got)) == (3, 2)
    assert "long_line" in got.stderr
    # There is no place in a pipe to go on at.
    assert not (tmp_path / STATE).exists()


def test_memory_does_not_grow_with_a_line(archive: Archive, tmp_path: Path) -> None:
    size = int(os.environ.get("GRIDTAP_LINE_MIB", "256")) << 20
    with (tmp_path / "a.log").open("wb") as file:
        file.write(line(1))
        # A hole: zeros without a line feed.
        file.seek(size, os.SEEK_CUR)
        file.write(b"\n" + line(2))
    # Asked of the process itself: what the system tells of a child begins with its parent's.
    peak = "import atexit, shutil; atexit.register(shutil.copy, '/proc/self/status', 'status'); "
    program, run_, text = start()
    got = subprocess.run(
        [program, run_, peak + text, *HOSTS, "-f", "a.log", *access(archive)],
        cwd=tmp_path,
        capture_output=True,
        env=environment(),
        timeout=100,
        check=False,
    )
    assert (got.returncode, b"Loaded 2 records" in got.stderr) == (3, True), got.stderr
    status = (tmp_path / "status").read_text()
    kilobytes = int(status.split("VmHWM:")[1].split()[0])
    print(f"{size >> 20} MiB in a line: {kilobytes >> 10} MiB of memory")
    assert kilobytes < 150 << 10


def test_faults_without_end_are_counted(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"\x01garbage\n" * 50 + line(1))
    got = load("-f", "a.log", *access(archive), cwd=tmp_path, limits={"SHOWN_FAULTS": 7})
    assert (got.exit_status, loaded(got)) == (3, 1)
    assert sum("skipping - not_a_record" in each for each in events(got)) == 7
    assert "further faults of the kind not_a_record are only counted" in got.stderr
    assert "50 lines not readable" in got.stderr


def test_a_damaged_packed_log(archive: Archive, tmp_path: Path) -> None:
    log = Log(tmp_path)
    records = b"".join(line(number, size=4096) for number in range(1, 3000))
    log.append(records)
    packed = pack(log.rotate())
    packed.write_bytes(packed.read_bytes()[:-9000])
    got = load("-f", packed, "-d", *access(archive), cwd=tmp_path)
    assert got.exit_status == 3
    assert "bad_compression" in got.stderr
    assert 0 < loaded(got) < 2999
    whole = wanted(records, tmp_path)
    assert set(points(archive)) <= set(whole)


def test_a_log_replaced_while_it_is_read(archive: Archive, tmp_path: Path) -> None:
    """The archive's first answer comes after the log was copied, cut off and begun anew"""
    log = Log(tmp_path)
    log.append(b"".join(line(number) for number in range(1, 30)))
    forward, replaced = archive.server.answer, threading.Lock()

    def answer(asked: object) -> object:
        if replaced.acquire(blocking=False):
            log.rotate(by_copying=True)
            log.append(b"".join(line(number) for number in range(31, 90)))
        return forward(asked)  # type: ignore[arg-type]

    archive.server.answer = answer  # type: ignore[assignment]
    got = load("-f", log.path, *access(archive), cwd=tmp_path, limits={"PIECE_BYTES": 1500})
    assert (got.exit_status, loaded(got)) == (0, 88)
    assert points(archive) == wanted(log.written, tmp_path)
    assert len(state(tmp_path)["files"]) == 2


def test_a_log_renamed_while_it_is_read(archive: Archive, tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.append(b"".join(line(number) for number in range(1, 30)))
    forward, replaced = archive.server.answer, threading.Lock()

    def answer(asked: object) -> object:
        if replaced.acquire(blocking=False):
            old = log.rotate()
            log.append(line(30), old)
            log.append(line(31))
        return forward(asked)  # type: ignore[arg-type]

    archive.server.answer = answer  # type: ignore[assignment]
    got = load("-f", log.path, *access(archive), cwd=tmp_path, limits={"PIECE_BYTES": 1500})
    assert (got.exit_status, loaded(got)) == (0, 31)
    assert points(archive) == wanted(log.written, tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"not a state",
        b'{"version": 2}',
        b'{"version": 1}',
        b'{"version": 1, "log": "x", "updated_at": 1, "files": [{"name": 1}]}',
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ],
)
def test_state_files_that_are_none_stay_as_they_are(content: bytes, tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(content)
    (tmp_path / "a.log").write_bytes(line(1))
    got = load("-f", "a.log", *NOWHERE, cwd=tmp_path)
    assert got.exit_status == 1
    (said,) = events(got)
    assert said.startswith(f"main.fatal {STATE}: ")
    assert (tmp_path / STATE).read_bytes() == content


def test_a_state_that_can_not_be_written(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(line(1))
    folder = tmp_path / "ro"
    folder.mkdir()
    folder.chmod(0o555)
    command = [*obey_permissions(), sys.executable, "-c", START]
    line_ = ("-f", "a.log", "-p", f"{folder}/state", *access(archive))
    got = subprocess.run(
        [*command, *line_], cwd=tmp_path, capture_output=True, env=environment(), timeout=60
    )
    assert got.returncode == 1
    assert "main.fatal id=" in got.stderr.decode()
    assert got.stderr.decode().rstrip().endswith(f"{folder}/state.lock: Permission denied")
    assert archive.server.asked == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_for_dead_letters(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(line(1, dest="[0.0.0.0]") + line(2))
    got = load("-f", "a.log", "--dead-letter", "/dev/full", *access(archive), cwd=tmp_path)
    assert got.exit_status == 1
    assert events(got)[-1] == "main.fatal /dev/full: No space left on device"
    # Nothing was lost: the next run goes over it again.
    assert state(tmp_path)["files"][0]["offset_bytes"] == 0
    again = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (again.exit_status, loaded(again)) == (3, 1)


def test_a_log_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(line(1))
    (tmp_path / "a.log").chmod(0)
    command = [*obey_permissions(), sys.executable, "-c", START]
    got = subprocess.run(
        [*command, "-f", "a.log", *NOWHERE],
        cwd=tmp_path,
        capture_output=True,
        env=environment(),
        timeout=60,
    )
    assert got.returncode == 1
    assert got.stderr.decode().rstrip().endswith("a.log: Permission denied")


def test_dead_letters_can_be_loaded(archive: Archive, tmp_path: Path) -> None:
    name = {"host": "dtn9.invalid"}
    records = line(1, **name) + line(2) + line(3, **name)
    (tmp_path / "a.log").write_bytes(records)
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (3, 1)
    again = "".join(f"{each['record']}\n" for each in letters(tmp_path)).encode()
    options = ("--host-address", "dtn9.invalid=192.0.2.9", *access(archive))
    got = load("-f", "/dev/stdin", *options, cwd=tmp_path, stdin=again)
    assert (got.exit_status, loaded(got)) == (0, 2)
    assert points(archive) == wanted(records, tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-l", "nonesuch"), "nonesuch log path does not exist."),
        (("-l", "nonesuch", "-f", "nonesuch"), "nonesuch log path does not exist."),
        ((), "Filename is required."),
        (("-f", "./x/../nonesuch"), "nonesuch does not exist"),
        (("-f", "."), ". is a directory"),
        (("-x",), "no such option: -x"),
        (("-f",), "-f option requires 1 argument"),
        (("-f", "a.log", "--timeout", "abc"), "option --timeout: invalid integer value: 'abc'"),
        (("-f", "a.log", "--timeout", "-1"), "--timeout can not be negative: -1"),
        (("-f", "a.log", "--patience", "-1"), "--patience can not be negative: -1"),
        (("-f", "a.log", "--jobs", "0"), "--jobs must be 1 to 64: 0"),
        (("-f", "a.log", "--host-address", "a.b"), "--host-address: 'a.b' does not appear to be"),
        (("-f", "a.log", "--ca-bundle", "nonesuch"), "--ca-bundle nonesuch does not exist."),
        (("-f", "a.log", "-U", "ftp://x"), "--url is not the URL of an archive: 'ftp://x'"),
        (("-f", "a.log", "-k", "a\nb"), "the API key is none"),
        (("-f", "a.log", "--key-file", "nonesuch"), "--key-file nonesuch: No such file"),
    ],
)
def test_options(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").touch()
    got = load(*options, cwd=tmp_path, hosts=())
    assert (got.exit_status, got.stdout) == (2, "")
    usage, _, error = got.stderr.partition("\n\n")
    assert usage.startswith("Usage: esmond-ps-load-gridftp [ -f FILE")
    assert error.startswith(f"esmond-ps-load-gridftp: error: {said}")
    assert error.count("\n") == 1


def test_abbreviations_mean_what_they_always_meant(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(line(1))
    env = {"ESMOND_USER": archive.username, "ESMOND_KEY": archive.api_key}
    options = ("--file", "a.log", "--pickle", "s", "--ur", archive.url, "--sc", "esmond", "--no-p")
    got = load(*options, "word", cwd=tmp_path, env=env)
    assert (got.exit_status, loaded(got)) == (0, 1)
    assert (tmp_path / "s").exists()
    bundle = load("-dPJvf", "a.log", "--url", archive.url, "-sesmond", cwd=tmp_path, env=env)
    assert (bundle.exit_status, loaded(bundle)) == (0, 1)


def test_a_key_in_a_file(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(line(1))
    key = tmp_path / "key"
    key.write_text(f"{archive.api_key}\n")
    key.chmod(0o640)
    options = ("-f", "a.log", "-U", archive.url, "-s", "esmond", "-u", "me", "--key-file", "key")
    got = load(*options, cwd=tmp_path)
    assert got.exit_status == 2
    assert "--key-file key: others may read it; chmod 600 key" in got.stderr
    key.chmod(0o600)
    assert load(*options, cwd=tmp_path).exit_status == 0


def test_no_credentials_are_no_error_of_the_command_line(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(line(1))
    got = load("-f", "a.log", "-U", archive.url, "-s", "esmond", cwd=tmp_path)
    assert got.exit_status == 1
    said = events(got)
    assert said[0] == "main.warn username and api_key not set"
    assert "status_code: 401" in said[-1]


def test_a_dry_run_sends_and_writes_nothing(archive: Archive, tmp_path: Path) -> None:
    records = line(1) + line(2) + b"garbage\n" + line(3, dest="[0.0.0.0]")
    (tmp_path / "a.log").write_bytes(records)
    got = load("-f", "a.log", "--dry-run", *access(archive), cwd=tmp_path)
    assert got.exit_status == 3
    assert events(got)[-1] == ("scan_and_load_netlogger.end Would load 2 records of 2 tests")
    assert archive.server.asked == []
    assert [path.name for path in tmp_path.iterdir() if "pickle" in path.name] == []


def test_event_types_are_those_of_the_table() -> None:
    assert set(JSON_TYPES) <= set(EVENT_TYPES)
