"""Archives that fail, refuse, answer late or are slow: nothing is lost, nothing is there twice."""

from __future__ import annotations

import json
import os
import pty
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.esmond.conftest import Archive
from tests.esmond.server import Asked, Reply, Server, json_reply
from tests.esmond_cli.command import environment
from tests.esmond_cli.terminal import screen
from tests.gridftp_load.command import (
    HOSTS,
    access,
    events,
    line,
    load,
    loaded,
    points,
    start,
    state,
    stored,
    wanted,
)

STATE = "load_grid_ftp.pickle"
QUICK = {"BACKOFF_S": (0.05, 0.2)}

Answer = Callable[[Asked], Reply | None]


def write(folder: Path, *records: bytes) -> bytes:
    data = b"".join(records)
    (folder / "a.log").write_bytes(data)
    return data


def letters(folder: Path) -> list[dict[str, Any]]:
    text = (folder / f"{STATE}.dead-letter").read_text()
    return [json.loads(each) for each in text.splitlines()]


def between(archive: Archive, answer: Callable[[Asked, Answer], Reply | None]) -> Answer:
    """Puts something before the archive's own answers, which are returned"""
    forward = archive.server.answer
    archive.server.answer = lambda asked: answer(asked, forward)
    return forward


@pytest.mark.parametrize("status", [502, 503, 504, 429, None])
def test_away_for_a_while(status: int | None, archive: Archive, tmp_path: Path) -> None:
    data = write(tmp_path, *(line(number) for number in range(1, 6)))

    chance = random.Random(status)

    def flaky(asked: Asked, forward: Answer) -> Reply | None:
        if chance.random() < 0.5:
            return None if status is None else json_reply({"detail": "away"}, status)
        return forward(asked)

    forward = between(archive, flaky)
    got = load("-f", "a.log", *access(archive), cwd=tmp_path, limits=QUICK)
    assert (got.exit_status, loaded(got)) == (0, 5)
    archive.server.answer = forward
    assert points(archive) == wanted(data, tmp_path)


def test_away_for_long(archive: Archive, tmp_path: Path) -> None:
    data = write(tmp_path, line(1), line(2))
    nobody = ("-U", "http://127.0.0.1:9", "-u", "me", "-k", "abc", "--patience", "1")
    for _ in range(2):
        began = time.monotonic()
        got = load("-f", "a.log", *nobody, cwd=tmp_path)
        assert time.monotonic() - began < 20
        assert got.exit_status == 1
        # One line about it, besides those that begin a run.
        (said,) = events(got)[2:]
        assert said.startswith(
            "scan_and_load_netlogger.error MetadataPost failed, abort processing, not updating "
            "state - ERR: 'POST connection error: POST http://127.0.0.1:9/perfsonar/archive/: "
            "Connection refused'"
        )
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 2)
    assert points(archive) == wanted(data, tmp_path)


@pytest.mark.parametrize("way", [(), ("--aggregate",)])
def test_answers_that_come_too_late(way: tuple[str, ...], archive: Archive, tmp_path: Path) -> None:
    """Everything is done, but the first answers to it do not arrive"""
    data = write(tmp_path, *(line(number, size=10**9) for number in range(1, 6)))
    late: list[Asked] = []

    def slow(asked: Asked, forward: Answer) -> Reply | None:
        reply = forward(asked)
        if asked.method != "GET" and len(late) < 2:
            late.append(asked)
            time.sleep(1.5)
            return None
        return reply

    between(archive, slow)
    options = ("-f", "a.log", *access(archive), "--timeout", "1", *way)
    got = load(*options, cwd=tmp_path, limits=QUICK)
    assert (got.exit_status, loaded(got)) == (0, 5)
    assert [asked.method for asked in late] == ["POST", "POST"] or late
    assert points(archive) == wanted(data, tmp_path)


def test_one_record_that_is_refused(archive: Archive, tmp_path: Path) -> None:
    records = [line(number, size=4096) for number in range(1, 21)]
    write(tmp_path, *records)
    bad = wanted(records[6], tmp_path)[0][0]

    def picky(asked: Asked, forward: Answer) -> Reply | None:
        if asked.method == "PUT" and str(bad).encode() in asked.body:
            return json_reply({"detail": "not this one"}, 400)
        return forward(asked)

    between(archive, picky)
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (3, 19)
    (letter,) = letters(tmp_path)
    assert letter["record"] == records[6].decode().rstrip()
    assert (letter["line"], letter["log"]) == (7, "a.log")
    assert "status_code: 400" in letter["reason"]
    assert "not this one" in letter["reason"]
    rest = b"".join(records[:6] + records[7:])
    assert points(archive) == wanted(rest, tmp_path)
    assert state(tmp_path)["files"][0]["line"] == 21
    again = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (again.exit_status, loaded(again)) == (0, 0)


def test_one_test_that_an_archive_fails_on(archive: Archive, tmp_path: Path) -> None:
    records = [line(1), line(2, size=666), line(3)]
    write(tmp_path, *records)

    def failing(asked: Asked, forward: Answer) -> Reply | None:
        if b'"gridftp-bytes-transferred": 666' in asked.body:
            return Reply(500, b"<h1>Server Error (500)</h1>", {"Content-Type": "text/html"})
        return forward(asked)

    between(archive, failing)
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (3, 2)
    assert [letter["line"] for letter in letters(tmp_path)] == [2]


def test_an_archive_that_fails_on_everything(tmp_path: Path) -> None:
    """Its database may be down: no record is to blame"""
    write(tmp_path, *(line(number) for number in range(1, 31)))
    with Server(lambda _: Reply(500, b"<h1>Server Error (500)</h1>")) as server:
        got = load("-f", "a.log", "-U", server.url, "-u", "me", "-k", "abc", cwd=tmp_path)
        assert len(server.asked) < 30
    assert got.exit_status == 1
    assert not (tmp_path / f"{STATE}.dead-letter").exists()


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: Reply(200, b"<html>log in first</html>", {"Content-Type": "text/html"}),
        lambda _: Reply(201, b"<html>log in first</html>", {"Content-Type": "text/html"}),
        lambda _: Reply(301, b"", {"Location": "https://elsewhere/"}),
        lambda _: json_reply({"detail": "Not found."}, 404),
        lambda _: json_reply([], 201),
    ],
)
def test_what_is_no_archive(answer: Answer, tmp_path: Path) -> None:
    write(tmp_path, line(1), line(2))
    with Server(answer) as server:
        got = load("-f", "a.log", "-U", server.url, "-u", "me", "-k", "abc", cwd=tmp_path)
    assert got.exit_status in (1, 3)
    assert "MetadataPost failed" in got.stderr or letters(tmp_path)


def esmond(asked: Asked, forward: Answer) -> Reply | None:
    """As esmond 4.4: also a repeated number is a conflict, found before anything is stored"""
    if asked.method not in ("PUT", "POST") or asked.path.endswith("/archive/"):
        return forward(asked)
    key = asked.path.split("/")[4]
    body = asked.json()
    for item in body.get("data", []):
        for value in item["val"]:
            if value["event-type"] == "throughput":
                where = f"/esmond/perfsonar/archive/{key}/throughput/base"
                query = f"?time-start={item['ts']}&time-end={item['ts']}"
                there = forward(Asked("GET", where, {}, {}, b"", where + query))
                assert there is not None
                assert isinstance(there.body, bytes)
                if json.loads(there.body):
                    text = f"already exists with event type throughput at time {item['ts']}"
                    return json_reply({"detail": f"Time series value {text}"}, 409)
    return forward(asked)


def test_a_conflict_over_the_same_value_is_none(archive: Archive, tmp_path: Path) -> None:
    records = [line(number, size=4096) for number in range(1, 21)]
    data = write(tmp_path, *records[:10])
    between(archive, esmond)
    load("-f", "a.log", "-d", *access(archive), cwd=tmp_path)
    write(tmp_path, *records)
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 20), got.stderr
    assert points(archive) == wanted(data + b"".join(records[10:]), tmp_path)


def mates(first: int, count: int) -> list[bytes]:
    """Transfers alike that begin in one second, and last differently"""
    one = line(1, size=10**9)
    return [
        one.replace(b".750000", b".%06d" % (750_000 + 1000 * number)).rstrip()
        + b" retrans=%d\n" % number
        for number in range(first, first + count)
    ]


@pytest.mark.parametrize("way", [(), ("--aggregate",)])
@pytest.mark.parametrize("strict", [False, True])
def test_one_second_in_several_runs(
    way: tuple[str, ...], strict: bool, archive: Archive, tmp_path: Path
) -> None:
    if strict:
        between(archive, esmond)
    records: list[bytes] = []
    for count in (2, 1, 3):
        records += mates(len(records) + 1, count)
        write(tmp_path, *records)
        got = load("-f", "a.log", *access(archive), *way, cwd=tmp_path)
        assert (got.exit_status, loaded(got)) == (0, count), got.stderr
    # And all of it again, without the state.
    got = load("-f", "a.log", "-p", "other", *access(archive), *way, cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 6)
    retransmits = [
        number for _, value in points(archive, "streams-packet-retransmits") for number in value
    ]
    assert sorted(retransmits) == [1, 2, 3, 4, 5, 6]
    marks = sorted(int(test["metadata"].get("gridftp-same-second", 0)) for test in stored(archive))
    assert marks == ([0, 0, 1, 2, 3] if way else [0, 1, 2, 3, 4, 5])


def test_merged_in_one_second(archive: Archive, tmp_path: Path) -> None:
    write(tmp_path, *mates(1, 3))
    got = load("-f", "a.log", "--aggregate", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 3)
    # 3 GB from the common start to the last end, 503 ms later.
    ((_, rate),) = points(archive)
    assert rate == int(8 * 3e9 / 0.503)
    ((_, retransmits),) = points(archive, "streams-packet-retransmits")
    assert retransmits == [1, 2, 3]


def test_more_in_one_second_than_there_are_places(archive: Archive, tmp_path: Path) -> None:
    write(tmp_path, *mates(1, 5))
    options = ("-f", "a.log", *access(archive))
    got = load(*options, cwd=tmp_path, limits={"PLACES": 3})
    assert (got.exit_status, loaded(got)) == (3, 3)
    assert ["--aggregate" in letter["reason"] for letter in letters(tmp_path)] == [True, True]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_after_the_batch(
    number: signal.Signals, archive: Archive, tmp_path: Path
) -> None:
    data = write(tmp_path, *(line(number) for number in range(1, 40)))
    told: list[int] = []

    def signalling(asked: Asked, forward: Answer) -> Reply | None:
        if not told:
            told.append(1)
            process.send_signal(number)
        return forward(asked)

    between(archive, signalling)
    command = [*start({"PIECE_BYTES": 1500}), *HOSTS, "-f", "a.log", *access(archive)]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, env=environment()
    ) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"Got {number.name} - exiting." in said.decode()
    done = state(tmp_path)["files"][0]["line"] - 1
    assert 0 < done < 39
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    assert (got.exit_status, loaded(got)) == (0, 39 - done)
    assert points(archive) == wanted(data, tmp_path)


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    write(tmp_path, line(1))

    def silent(asked: Asked) -> Reply | None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        time.sleep(20)
        return None

    with Server(silent) as server:
        command = [*start(), *HOSTS, "-f", "a.log", "-U", server.url, "-u", "me", "-k", "abc"]
        with subprocess.Popen(
            command, cwd=tmp_path, stderr=subprocess.PIPE, env=environment()
        ) as process:
            began = time.monotonic()
            _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - began < 15
    assert b"Traceback" not in said


def test_nobody_waits_for_an_archive_that_is_away_when_told_to_end(tmp_path: Path) -> None:
    write(tmp_path, line(1))
    nobody = ("-U", "http://127.0.0.1:9", "-u", "me", "-k", "abc", "--patience", "600")
    with subprocess.Popen(
        [*start(), *HOSTS, "-f", "a.log", *nobody],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        time.sleep(3)
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 1


def test_progress_is_said_by_hundreds(archive: Archive, tmp_path: Path) -> None:
    write(tmp_path, *(line(number, size=number % 5) for number in range(1, 251)))
    got = load("-f", "a.log", *access(archive), cwd=tmp_path)
    said = [each for each in events(got) if each.endswith("records processed")]
    assert said[-1] == "scan_and_load_netlogger.info 200 records processed"
    got = load("-f", "a.log", "-d", "-P", "-p", "no", *access(archive), cwd=tmp_path)
    assert "records processed" not in got.stderr


def test_progress_on_a_terminal(archive: Archive, tmp_path: Path) -> None:
    write(tmp_path, line(1), b"garbage\n", line(2))
    command = [*start(), *HOSTS, "-f", "a.log", *access(archive)]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(command[0], command, environment(COLUMNS="90", LINES="24", TERM="xterm"))
    shown = b""
    try:
        while piece := os.read(terminal, 65_536):
            shown += piece
    except OSError:
        # Linux says so when the other side has closed.
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    seen = [each for each in screen(shown.decode()) if each]
    assert sum(each.startswith("ts=") for each in seen) == len(seen) - 1
    (bar,) = (each for each in seen if each.startswith("loading"))
    assert "100%" in bar
    assert "2 records" in bar
