"""The known defects of the original command, by their numbers: each a test that it would fail."""

from __future__ import annotations

import fcntl
import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.esmond.conftest import Archive
from tests.esmond.server import Reply, Server, json_reply
from tests.esmond_cli.command import environment
from tests.gridftp_load.command import (
    access,
    events,
    line,
    lines,
    load,
    loaded,
    points,
    start,
    state,
    stored,
    wanted,
)

STATE = "load_grid_ftp.pickle"


def write(folder: Path, *records: bytes, name: str = "a.log") -> str:
    (folder / name).write_bytes(b"".join(records))
    return name


def test_c_14_the_state_is_text_for_its_owner(archive: Archive, tmp_path: Path) -> None:
    log = write(tmp_path, line(1))
    load("-f", log, *access(archive), cwd=tmp_path)
    content = state(tmp_path)
    assert (content["version"], content["log"]) == (1, str(tmp_path / log))
    assert stat.S_IMODE((tmp_path / STATE).stat().st_mode) == 0o600
    assert "alice" not in (tmp_path / STATE).read_text()


def test_c_14_a_repeated_line_is_not_gone_back_to(archive: Archive, tmp_path: Path) -> None:
    twice = line(1)
    log = write(tmp_path, twice, line(2), twice)
    load("-f", log, *access(archive), cwd=tmp_path)
    archive.server.asked.clear()
    write(tmp_path, twice, line(2), twice, line(3))
    got = load("-f", log, *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)
    assert len(archive.server.asked) == 2


def test_c_14_a_log_is_not_read_twice(archive: Archive, tmp_path: Path) -> None:
    """Of what is loaded only its beginning and its end are looked at, whatever is between"""
    log = write(tmp_path, *(line(number) for number in range(1, 40)))
    load("-f", log, *access(archive), cwd=tmp_path)
    data = (tmp_path / log).read_bytes()
    blank = b"\0" * (len(data) - 4096)
    (tmp_path / log).write_bytes(data[:2048] + blank + data[-2048:] + line(40))
    got = load("-f", log, *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)


@pytest.mark.parametrize("last", [line(2, kind="MLSD"), line(2, kind="ERET"), b"\n"])
def test_c_15_ignored_lines_do_not_disturb(archive: Archive, tmp_path: Path, last: bytes) -> None:
    log = write(tmp_path, line(1), last)
    load("-f", log, *access(archive), cwd=tmp_path)
    write(tmp_path, line(1), last, line(3))
    got = load("-f", log, *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)
    assert points(archive) == wanted(line(1) + line(3), tmp_path)


@pytest.mark.parametrize(
    "bad",
    [
        line(2, file="/with blanks/and = signs"),
        b"[1] Tue Mar 12 08:22:50 2024 :: Transfer stats: " + line(2),
        line(2)[:150] + line(3),
        b"garbage\n",
        b'["a"]\n',
        b"\xff\xfe\x00\n",
    ],
)
def test_c_16_one_line_stops_nothing(archive: Archive, tmp_path: Path, bad: bytes) -> None:
    log = write(tmp_path, line(1), bad, line(4))
    got = load("-f", log, *access(archive), cwd=tmp_path)
    assert got.exit_status in (0, 3)
    assert {ts for ts, _ in wanted(line(1) + line(4), tmp_path)} <= {
        ts for ts, _ in points(archive)
    }
    again = load("-f", log, *access(archive), cwd=tmp_path)
    assert (again.exit_status, loaded(again)) == (0, 0)


def test_c_16_a_json_listing_stops_nothing(archive: Archive, tmp_path: Path) -> None:
    listing = next(each for each in lines("samples-json.log") if b'"LIST"' in each)
    last = next(each for each in lines("samples-json.log") if b"t-1009" in each)
    log = write(tmp_path, listing, last)
    got = load("-J", "-f", log, *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)


def test_c_17_json_failures_and_files(archive: Archive, tmp_path: Path) -> None:
    log = write(tmp_path, *(each for each in lines("samples-json.log") if b"t-10" in each))
    got = load("-J", "-F", "-f", log, *access(archive), cwd=tmp_path)
    assert loaded(got) == 8
    tests = stored(archive)
    files = {test["metadata"].get("gridftp-file") for test in tests}
    assert "/proj/M\u00fcller data/run 1.nc" in files
    (failed,) = (test for test in tests if test["values"]["failures"])
    assert failed["values"]["failures"] == [
        (1710231500, {"error": "426 Connection closed; transfer aborted."})
    ]
    assert failed["values"]["throughput"] == []


def test_c_17_what_was_posted_in_vain_is_there(archive: Archive, tmp_path: Path) -> None:
    log = write(tmp_path, *(each for each in lines("samples-json.log") if b"t-1001" in each))
    load("-J", "-f", log, *access(archive), cwd=tmp_path)
    (test,) = stored(archive)
    for name in ("iostat", "mpstat", "rusage", "streams-tcpinfo"):
        assert len(test["values"][name]) == 1, name
    assert test["values"]["mpstat"][0][1]["usr"] == 3.1


def test_c_17_names_are_looked_up_and_nulls_left_out(archive: Archive, tmp_path: Path) -> None:
    log = write(tmp_path, *(each for each in lines("samples-json.log") if b"t-1005" in each))
    got = load("-J", "-f", log, *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 1)
    body = archive.server.asked[0].json()
    assert (body["source"], body["input-source"]) == ("198.51.100.10", "dtn1.example.net")
    assert None not in body.values()


def test_c_18_a_failed_post_is_no_success(tmp_path: Path) -> None:
    log = write(tmp_path, line(1))
    with Server(lambda _: json_reply({"detail": "no"}, 403)) as server:
        got = load("-f", log, "-U", server.url, "-u", "me", "-k", "abc", cwd=tmp_path)
    assert got.exit_status == 1
    assert state(tmp_path)["files"][0]["offset_bytes"] == 0
    (said,) = (each for each in events(got) if ".error" in each)
    assert said.startswith(
        "scan_and_load_netlogger.error MetadataPost failed, abort processing, not updating state "
        "- ERR: 'POST error: status_code: 403"
    )


def test_c_18_what_was_stored_before_a_failure_is_not_sent_again(
    archive: Archive, tmp_path: Path
) -> None:
    log = write(tmp_path, *(line(number) for number in range(1, 13)))
    forward, broken = archive.server.answer, []

    def answer(asked: Any) -> Reply | None:
        if len(archive.server.asked) > 15:
            broken.append(asked)
            return json_reply({"detail": "away"}, 503)
        return forward(asked)

    archive.server.answer = answer
    small = {"PIECE_BYTES": 600}
    line_ = ("-f", log, *access(archive), "--patience", "0", "--jobs", "1")
    got = load(*line_, cwd=tmp_path, limits=small)
    assert got.exit_status == 1
    assert broken
    done = state(tmp_path)["files"][0]["line"] - 1
    assert 0 < done < 12
    archive.server.answer = forward
    archive.server.asked.clear()
    again = load(*line_, cwd=tmp_path, limits=small)
    assert (again.exit_status, loaded(again)) == (0, 12 - done)
    assert points(archive) == wanted((tmp_path / log).read_bytes(), tmp_path)


@pytest.mark.parametrize("more", [(), ("-d",)])
def test_c_18_no_state_to_delete_is_no_failure(
    archive: Archive, tmp_path: Path, more: tuple[str, ...]
) -> None:
    log = write(tmp_path)
    got = load("-f", log, "-D", *more, *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 0)


def test_c_18_overlapping_runs_are_kept_out(archive: Archive, tmp_path: Path) -> None:
    log = write(tmp_path, line(1))
    with (tmp_path / f"{STATE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        got = load("-f", log, *access(archive), cwd=tmp_path)
        assert got.exit_status == 1
        assert events(got) == [
            f"main.fatal {STATE}: another run is using it (it holds {STATE}.lock)"
        ]
        assert archive.server.asked == []
        # Nothing is kept out that has no state.
        assert load("-f", log, "-d", *access(archive), cwd=tmp_path).exit_status == 0
    assert load("-f", log, *access(archive), cwd=tmp_path).exit_status == 0


def test_c_19_requests_and_connections_are_shared(archive: Archive, tmp_path: Path) -> None:
    records = [line(number, size=4096) for number in range(1, 201)]
    log = write(tmp_path, *records)
    got = load("-f", log, *access(archive), "--jobs", "2", cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 200)
    assert len(archive.server.asked) == 2
    assert archive.server.connections <= 2
    assert points(archive) == wanted(b"".join(records), tmp_path)


def test_c_19_a_name_is_looked_up_once(archive: Archive, tmp_path: Path) -> None:
    log = write(tmp_path, *(line(number) for number in range(1, 21)))
    count = (
        "import atexit, gridtap.esmond.resolve as r; f = r._lookup; n = []; "
        "r._lookup = lambda host, family: n.append(host) or ['192.0.2.7']; "
        "atexit.register(lambda: open('lookups', 'w').write(str(len(n)))); "
    )
    command = start()
    command[-1] = count + command[-1]
    done = subprocess.run(
        [*command, "-f", log, *access(archive)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"Loaded 20 records" in done.stderr
    assert (tmp_path / "lookups").read_text() == "1"


@pytest.mark.parametrize("more", [(), ("-V",)])
def test_c_21_nothing_of_a_record_is_logged(
    archive: Archive, tmp_path: Path, more: tuple[str, ...]
) -> None:
    secret = {"user": "secretary", "file": "/top/secret.dat"}
    bad = [
        line(1, **secret),
        line(2, **secret, dest="[0.0.0.0]"),
        line(3, **secret)[:120] + b"\n",
        line(4, **secret, code="abc"),
        b'{"event_type": "Transfer-End", "user": "secretary", "file": "/top/secret.dat"\n',
    ]
    log = write(tmp_path, *bad)
    first = load("-f", log, *more, *access(archive), cwd=tmp_path)
    assert first.exit_status == 3
    second = load("-f", log, *more, *access(archive), cwd=tmp_path)
    for got in (first, second):
        assert "secret" not in got.stderr + got.stdout
    assert first.stdout == ""
    letters = tmp_path / f"{STATE}.dead-letter"
    assert stat.S_IMODE(letters.stat().st_mode) == 0o600
    assert "secret" in json.loads(letters.read_text().splitlines()[0])["record"]


def test_c_21_the_log_can_go_to_a_file(archive: Archive, tmp_path: Path) -> None:
    log = write(tmp_path, line(1))
    (tmp_path / "logs").mkdir()
    got = load("-f", log, "-l", "logs", *access(archive), cwd=tmp_path)
    assert (got.exit_status, got.stdout, got.stderr) == (0, "", "")
    text = (tmp_path / "logs" / "esmond-ps-load-gridftp.log").read_text()
    assert "event=scan_and_load_netlogger.end" in text
