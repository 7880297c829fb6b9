"""Input, options and archives that are none: a line that says what, and the right status."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import obey_permissions
from tests.esmond.conftest import Archive
from tests.esmond.server import Asked, Reply, Server, json_reply
from tests.esmond_cli.command import environment
from tests.esmond_pipe.command import DATA, ENDS, START, access, capture, events, pipe

NOWHERE = ("-U", "http://127.0.0.1:9", "-u", "me", "-k", "abc")
BARE = (DATA / "tcp-1-stream.json").read_bytes()
WRAPPED = (DATA / "bwctl-verbose-tcp-1-stream.txt").read_bytes()

#: What the original says when bwctl's lines are not there
NOT_BWCTL = [
    "id_and_extract.error did not find bwctl: start_tool token to extract JSON from output",
    "id_and_extract.error bwctl must be run with the --verbose flag",
    "id_and_extract.error could not extract tool_name",
    "id_and_extract.error could not extract input_source",
    "id_and_extract.error could not extract input_destination",
    "id_and_extract.error could not load json_block: ",
]
FATAL = [
    "main.fatal could not extract metadata and valid json from input",
    "main.fatal exiting",
]


def refused(data: bytes, *arguments: str) -> list[str]:
    """What is said about input that cannot be used"""
    got = pipe(data, *NOWHERE, *arguments)
    assert (got.exit_status, got.stdout) == (255, "")
    said = events(got)
    assert said[0] == "main.start reading input"
    return said[1:]


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"garbage\n", bytes(range(256)) * 100, b"\xff\xfe{\x00", b"bwctl: \n"]
)
def test_input_of_another_kind(data: bytes) -> None:
    assert refused(data) == NOT_BWCTL + FATAL


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated(share: float) -> None:
    (problem, *fatal) = refused(BARE[: int(len(BARE) * share)], *ENDS)
    assert problem.startswith("id_and_extract.error could not load json_block: ")
    assert "line " in problem
    assert fatal == FATAL


def test_input_without_end() -> None:
    command = [sys.executable, "-c", START, *NOWHERE]
    with open("/dev/zero", "rb") as zeros:
        got = subprocess.run(
            command, stdin=zeros, capture_output=True, env=environment(), timeout=60, check=False
        )
    assert got.returncode == 255
    assert b"more than 134217728 bytes of input" in got.stderr


def test_truncated_within_bwctl() -> None:
    (problem, *fatal) = refused(WRAPPED[: len(WRAPPED) // 2])
    assert problem.startswith("id_and_extract.error could not load json_block: ")
    assert fatal == FATAL


def test_several_results_without_bwctl_are_not_guessed_at() -> None:
    (problem, *_) = refused(BARE + BARE, *ENDS)
    assert "Extra data" in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"start": NaN}', "NaN is no number of JSON"),
        ('{"start": ' + "9" * 5000 + "}", "Exceeds the limit"),
    ],
)
def test_json_that_is_none(text: str, said: str) -> None:
    data = WRAPPED[: WRAPPED.index(b"{")] + text.encode() + b"\nbwctl: stop_tool: 1\n"
    (problem, *fatal) = refused(data)
    assert said in problem
    assert fatal == FATAL


def test_what_is_missing_of_bwctls_lines() -> None:
    lines = WRAPPED.replace(b"remote sender", b"somebody").replace(b"Using tool", b"No tool")
    assert refused(lines) == [
        "id_and_extract.error could not extract tool_name",
        "id_and_extract.error could not extract input_source",
        *FATAL,
    ]


def test_verbose_shows_the_input() -> None:
    got = pipe(b"gar\nbage", *NOWHERE, "-v")
    assert got.exit_status == 255
    assert "event=main.debug" in got.stderr
    assert " gar\nbage\n" in got.stderr
    assert "bage" not in pipe(b"gar\nbage", *NOWHERE).stderr


def test_a_tool_that_would_act_on_a_terminal() -> None:
    data = WRAPPED.replace(b"tool: iperf3", b"tool: \x1b[2Jx")
    assert refused(data)[0] == r"main.fatal there is no handler for input type: \x1b[2Jx"


def cut(*path: Any) -> bytes:
    """A result without something"""
    result = place = capture("tcp-4-streams.json")
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return json.dumps(result).encode()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("start",), "not a result of iperf3: no start"),
        (("start", "connected"), "start.connected is missing"),
        (("start", "timestamp", "timesecs"), "start.timestamp.timesecs is missing"),
        (("start", "test_start"), "start.test_start is missing"),
        (("end",), "end is missing"),
        (("end", "sum_received", "bits_per_second"), "end.sum_received.bits_per_second is missing"),
        (("intervals",), "intervals is missing"),
        (("intervals", 2, "sum"), "intervals[2].sum is missing"),
        (("intervals", 1, "streams", 3, "socket"), "intervals[1].streams[3].socket is missing"),
    ],
)
def test_a_result_without_something(path: tuple[Any, ...], said: str) -> None:
    assert refused(cut(*path), *ENDS)[1:] == [f"main.error unable to process input: {said}"]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("end", "sum_received", "bits_per_second"), "fast", "bits_per_second is no number"),
        (("end", "sum_received", "bits_per_second"), True, "bits_per_second is no number"),
        (("start", "test_start", "protocol"), 6, "protocol is no text"),
        (("start", "connected"), [], "start.connected is empty"),
        (("start", "connected"), 7, "start.connected is no array"),
        (("start", "connected", 0, "local_host"), "dtn1", "local_host is no address: 'dtn1'"),
        (("intervals",), {}, "intervals is no array"),
        (("error",), 5, "error is no text"),
    ],
)
def test_a_result_with_something_else(path: tuple[Any, ...], value: Any, said: str) -> None:
    result = place = capture("tcp-1-stream.json")
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    (_, problem) = refused(json.dumps(result).encode(), *ENDS)
    assert problem.startswith("main.error unable to process input: ")
    assert problem.endswith(said)


def test_a_refused_connection_to_hosts_that_nobody_knows() -> None:
    ends = ("--source", "dtn1.invalid", "--destination", "dtn9.invalid")
    got = pipe(Path("refused.json"), *NOWHERE, *ends)
    assert got.exit_status == 3
    assert "Unable to find address for host dtn1.invalid" in events(got)[-1]


def test_nobody_listens() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        got = pipe(BARE, "-U", url, "-u", "me", "-k", "abc", *ENDS)
    assert (got.exit_status, got.stdout) == (3, "")
    assert events(got)[2:] == [
        "process_iperf3.error MetadataPost failed, abort processing, not updating record state - "
        f"ERROR: POST connection error: POST {url}/perfsonar/archive/: Connection refused"
    ]


def test_a_refused_key(archive: Archive) -> None:
    got = pipe(BARE, "-U", archive.url, "-u", "me", "-k", "wrong", "-s", "esmond", *ENDS)
    assert got.exit_status == 3
    (said,) = events(got)[2:]
    assert "status_code: 401" in said or "status_code: 403" in said


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: None,
        lambda _: Reply(500, b"<html>\n\x1b[2J" + b"x" * 100_000),
        lambda _: Reply(201, b"no json"),
        lambda _: Reply(201, b"{}"),
        lambda _: json_reply([], 201),
    ],
)
def test_archives_that_fail(answer: Any) -> None:
    with Server(answer) as server:
        got = pipe(BARE, "-U", server.url, "-u", "me", "-k", "abc", *ENDS)
    assert got.exit_status == 3
    said = events(got)
    assert "Traceback" not in got.stderr
    assert len(said) == 3
    assert said[-1].startswith("process_iperf3.error MetadataPost failed")


def test_an_archive_that_takes_the_test_but_not_its_results() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.method == "POST":
            return json_reply({"metadata-key": "0" * 32}, 201)
        return json_reply({"detail": "the database is away"}, 503)

    with Server(answer) as server:
        got = pipe(BARE, "-U", server.url, "-u", "me", "-k", "abc", *ENDS)
        assert [asked.method for asked in server.asked] == ["POST", "PUT"]
    assert got.exit_status == 3
    assert events(got)[2:] == [
        'write.warning POST error: status_code: 503, message: {"detail": "the database is away"}',
        "process_iperf3.end finished",
    ]


def test_an_archive_that_does_not_answer() -> None:
    def silent(asked: Asked) -> None:
        time.sleep(3)

    with Server(silent) as server:
        line = ("-U", server.url, "-u", "me", "-k", "abc", "--timeout", "1")
        got = pipe(BARE, *line, *ENDS)
    assert got.exit_status == 3
    assert "MetadataPost failed" in events(got)[-1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("-l", "/nonesuch"), "/nonesuch log path does not exist."),
        (("-l", "/nonesuch", "-u", ""), "/nonesuch log path does not exist."),
        (("-u", ""), "both --user and --key args are required."),
        (("-k", ""), "both --user and --key args are required."),
        (("-k", "abc\n"), "--key is no API key"),
        (("-x",), "no such option: -x"),
        (("-U",), "-U option requires 1 argument"),
        (("--timeout", "abc"), "option --timeout: invalid integer value: 'abc'"),
        (("--timeout", "-1"), "--timeout can not be negative: -1"),
        (("--ca-bundle", "/nonesuch"), "--ca-bundle /nonesuch does not exist."),
        (("--agent", "a.invalid"), "--agent arg had invalid hostname: a.invalid"),
        (("-U", "ftp://x"), "--url is not the URL of an archive: 'ftp://x'"),
    ],
)
def test_options(line: tuple[str, ...], said: str) -> None:
    got = pipe(BARE, *NOWHERE, *line)
    assert (got.exit_status, got.stdout) == (2, "")
    usage, _, error = got.stderr.partition("\n\n")
    assert usage.startswith("Usage: esmond-ps-pipe [ -U ESMOND_REST_URL")
    assert error.startswith(f"esmond-ps-pipe: error: {said}")
    assert error.count("\n") == 1


def test_abbreviations_mean_what_they_always_meant(archive: Archive) -> None:
    line = ("--ur", archive.url, "--u", archive.username, "--k", archive.api_key)
    env = {"ESMOND_USER": archive.username, "ESMOND_KEY": archive.api_key}
    ambiguous = pipe(BARE, *line)
    assert ambiguous.exit_status == 2
    assert "ambiguous option: --u" in ambiguous.stderr
    for script_alias in (("--s", "esmond"), ("--script=esmond",), ("-vsesmond",)):
        got = pipe(BARE, "--ur", archive.url, *script_alias, *ENDS, "word", env=env)
        assert got.exit_status == 0, got.stderr


def test_credentials_of_the_environment(archive: Archive) -> None:
    env = {"ESMOND_USER": archive.username, "ESMOND_KEY": archive.api_key}
    got = pipe(BARE, "-U", archive.url, "-s", "esmond", *ENDS, env=env)
    assert got.exit_status == 0


def test_a_log_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    command = [*obey_permissions(), sys.executable, "-c", START, *NOWHERE, "-l", str(tmp_path)]
    got = subprocess.run(command, input=BARE, capture_output=True, env=environment(), timeout=60)
    assert got.returncode == 2
    assert got.stderr.decode().endswith(
        f"esmond-ps-pipe: error: {tmp_path}/esmond-ps-pipe.log: Permission denied\n"
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_log_that_is_full_loses_nothing(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "esmond-ps-pipe.log").symlink_to("/dev/full")
    got = pipe(BARE, *access(archive), *ENDS, "-l", tmp_path)
    assert got.exit_status == 0
    assert len(archive.server.asked) == 2
    assert "No space left on device" in got.stderr
    assert "event=main.exit" in got.stderr


def test_interrupted() -> None:
    command = [sys.executable, "-c", START, *NOWHERE]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stderr is not None
        assert b"reading input" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read() == b""
