"""Archives and surroundings that fail: one line that says what, a status, and nothing half-made."""

from __future__ import annotations

import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import obey_permissions
from tests.esmond.documents import KEY, counted, event_type, metadata, one_metadata
from tests.esmond.server import DATA, ROOT, Asked, Reply, Server, html_reply, json_reply
from tests.esmond_cli.command import ENTRIES, Outcome, command_line, environment, run

TIMES = ("-S", "2024-03-12", "-E", "2024-03-13", "-I")
ENDS = ("-s", "198.51.100.10", "-d", "203.0.113.25", "-e", "throughput")
FIRST = 1710231310
POINTS: list[dict[str, Any]] = [{"ts": FIRST + second, "val": 1.0} for second in range(3)]

Answer = Callable[[Asked], Reply | None]


def get(url: str, *arguments: str, timeout: float = 60) -> Outcome:
    return run("esmond-ps-get", "-u", url, *ENDS, *TIMES, *arguments, timeout=timeout)


def listing(command: str, url: str, folder: Path, *arguments: str) -> Outcome:
    """Any of the commands, with what it needs"""
    needs = {"esmond-ps-get": ENDS, "esmond-ps-get-bulk": ("-o", "csv", "-D", str(folder))}
    return run(command, "-u", url, *TIMES, *needs.get(command, ()), *arguments)


def an_archive(data: Answer) -> Answer:
    """One whose search works"""

    def answer(asked: Asked) -> Reply | None:
        return json_reply(counted(metadata())) if asked.path == ROOT else data(asked)

    return answer


@pytest.fixture
def nobody() -> Iterator[str]:
    """The URL of a port where nobody listens"""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


@pytest.mark.parametrize("command", ENTRIES)
def test_nobody_listens(command: str, nobody: str, tmp_path: Path) -> None:
    got = listing(command, nobody, tmp_path)
    assert (got.exit_status, got.stdout) == (1, "")
    assert got.line == f"{command}: GET {nobody}{ROOT}: Connection refused"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ENTRIES)
@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (json_reply({"detail": "Invalid token."}, 401), "401 Unauthorized: Invalid token."),
        (html_reply(500, "<h1>Server Error (500)</h1>"), "500 Internal Server Error: Server Error"),
        (Reply(200, b'[{"url": "https://ma.exa'), "not whole JSON: "),
        (Reply(200, b"<p>Welcome</p>", {"Content-Type": "text/html"}), "JSON expected, but text/h"),
        (json_reply({"msg": "hello"}), "a JSON array expected, but dict came"),
    ],
    ids=["401", "500-html", "truncated", "html", "object"],
)
def test_search_fails(command: str, reply: Reply, said: str, tmp_path: Path) -> None:
    with Server(lambda _: reply) as server:
        got = listing(command, server.url, tmp_path)
    assert (got.exit_status, got.stdout) == (1, "")
    assert got.line.startswith(f"{command}: GET {server.url}{ROOT}")
    assert said in got.line
    assert list(tmp_path.iterdir()) == []


def test_connection_breaks_off_in_a_body() -> None:
    whole = json_reply(counted(metadata())).body
    assert isinstance(whole, bytes)
    with Server(lambda _: Reply(200, whole[:40], length=len(whole), cut=True)) as server:
        got = get(server.url)
    assert (got.exit_status, got.stdout) == (1, "")
    assert got.line.startswith(f"esmond-ps-get: GET {server.url}{ROOT}")


@pytest.mark.parametrize("command", ENTRIES)
def test_self_signed_certificate_names_both_ways_out(command: str, tmp_path: Path) -> None:
    with Server(one_metadata(metadata(), POINTS), tls=True) as server:
        got = listing(command, server.url, tmp_path)
        assert (got.exit_status, got.stdout) == (1, "")
        assert "certificate not trusted" in got.line
        assert "--ca-bundle FILE" in got.line
        assert "--no-ssl-verify" in got.line
        for way_out in (("--ca-bundle", str(DATA / "self-signed.crt")), ("--no-ssl-verify",)):
            got = listing(command, server.url, tmp_path, *way_out)
            assert (got.exit_status, got.stderr) == (0, "")


def test_a_body_that_does_not_end() -> None:
    def dripping(_: Asked) -> Reply:
        return Reply(200, drops())

    def drops() -> Iterator[bytes]:
        while True:
            time.sleep(0.05)
            yield b" "

    with Server(dripping) as server:
        got = get(server.url, "--timeout", "1")
    assert (got.exit_status, got.stdout) == (1, "")
    assert "the body is not at its end after 10 s" in got.line


def test_a_server_that_says_nothing() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        got = get(f"http://127.0.0.1:{silent.getsockname()[1]}", "--timeout", "1")
    assert (got.exit_status, got.stdout) == (1, "")
    assert got.line.endswith("nothing received for 1 s")


def test_pages_that_repeat() -> None:
    """The same full page for ever, whatever time it is asked for"""
    page = [{"ts": FIRST + second, "val": 1.0} for second in range(1000)]
    with Server(an_archive(lambda _: json_reply(page))) as server:
        got = get(server.url, "-o", "csv")
    assert got.exit_status == 1
    assert got.line.endswith("the page repeats earlier points only")
    # Each of them once, and the output ends as output does.
    assert got.stdout.count(",throughput,") == 1000
    assert got.stdout.endswith("\r\n\n")


@pytest.mark.parametrize(
    ("form", "whole"),
    [
        ("human", "value: 1.0\n\n"),
        ("json", "]\n"),
        ("csv", "\r\n\n"),
        ("jsonl", "}\n"),
    ],
)
def test_what_came_before_a_failure_is_kept(form: str, whole: str) -> None:
    good = json_reply([{"ts": FIRST, "val": 1.0}])
    keys = [f"{number:032x}" for number in range(3)]

    def answer(asked: Asked) -> Reply:
        if asked.path == ROOT:
            found = (metadata(key, event_type("throughput", key)) for key in keys)
            return json_reply(counted(*found))
        return html_reply(500, "<h1>Oops</h1>") if keys[1] in asked.path else good

    with Server(answer) as server:
        got = get(server.url, "-o", form)
    assert got.exit_status == 1
    assert got.stdout.endswith(whole)
    assert got.stdout.count("2024-03-12 08:15:10") == 2
    assert f"{keys[1]}/throughput/base" in got.line


def test_no_data_is_not_what_a_failure_is_called() -> None:
    with Server(an_archive(lambda _: html_reply(500, "<h1>Oops</h1>"))) as server:
        for form in ("human", "json", "csv", "jsonl"):
            got = get(server.url, "-o", form)
            assert (got.exit_status, got.stdout) == (1, "")
            assert "500" in got.line


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("start", "not a date"),
        ("end", "2021-13-45"),
        ("start", "now-2x"),
        ("end", "9" * 14),
    ],
)
def test_wrong_dates(option: str, value: str, nobody: str) -> None:
    got = run("esmond-ps-get", "-u", nobody, *ENDS, f"--{option}-time", value)
    assert (got.exit_status, got.stdout) == (255, "")
    assert got.line == f"could not parse --{option}-time arg: {value}"


def test_unknown_event_type(nobody: str) -> None:
    got = run("esmond-ps-get-endpoints", "-u", nobody, "-e", "nonesuch")
    assert (got.exit_status, got.stdout) == (255, "")
    first, *others = got.stderr.splitlines()
    assert first == "nonesuch is not a valid event type"
    assert others == run("esmond-ps-get-endpoints", "-L").stdout.splitlines()


@pytest.mark.parametrize(
    "url", ["ma.example.org", "ftp://ma.example.org", "http://", "http://[::1"]
)
def test_not_a_url(url: str) -> None:
    got = run("esmond-ps-get-endpoints", "-u", url)
    assert (got.exit_status, got.stdout) == (255, "")
    assert got.line.startswith(f"--url is not the URL of an archive: '{url}'")


def test_a_bundle_that_is_not_there(nobody: str, tmp_path: Path) -> None:
    got = get(nobody, "--ca-bundle", str(tmp_path / "none.pem"))
    assert (got.exit_status, got.stdout) == (255, "")
    assert got.line == f"--ca-bundle {tmp_path / 'none.pem'} does not exist."


def test_a_bundle_that_is_none(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("no certificate at all")
    with Server(one_metadata(metadata(), POINTS), tls=True) as server:
        got = get(server.url, "--ca-bundle", str(bundle))
    assert (got.exit_status, got.stdout) == (1, "")
    assert got.line.startswith(f"esmond-ps-get: GET {server.url}{ROOT}")


def test_no_limit_on_silence() -> None:
    with Server(one_metadata(metadata(), POINTS)) as server:
        got = get(server.url, "--timeout", "0")
    assert (got.exit_status, got.stderr) == (0, "")


@pytest.mark.parametrize("command", ENTRIES)
def test_an_interrupt_is_no_traceback(command: str, tmp_path: Path) -> None:
    def slow(_: Asked) -> Reply:
        time.sleep(5)
        return json_reply([])

    needs = {"esmond-ps-get": ENDS, "esmond-ps-get-bulk": ("-o", "csv", "-D", str(tmp_path))}
    with Server(slow) as server:
        line = command_line(command, "-u", server.url, *TIMES, *needs.get(command, ()))
        with subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        ) as query:
            while not server.asked:
                time.sleep(0.01)
            query.send_signal(signal.SIGINT)
            out, error = query.communicate(timeout=30)
    assert (query.returncode, out, error) == (130, b"", b"")
    assert list(tmp_path.iterdir()) == []


def in_these_conditions(
    before: list[str], arguments: list[str], prepare: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*before, *arguments],
        capture_output=True,
        env=environment(),
        preexec_fn=prepare,
        timeout=60,
        check=False,
    )


def test_a_directory_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with Server(one_metadata(metadata(), POINTS)) as server:
        bulk = command_line(
            "esmond-ps-get-bulk", "-u", server.url, *TIMES, "-o", "csv", "-D", tmp_path
        )
        got = in_these_conditions(obey_permissions(), bulk)
        assert (got.returncode, got.stdout) == (1, b"")
        assert got.stderr.decode() == f"esmond-ps-get-bulk: {tmp_path}: Permission denied\n"
        file = tmp_path / "out.csv"
        single = command_line(
            "esmond-ps-get", "-u", server.url, *ENDS, *TIMES, "-o", "csv", "--output-file", file
        )
        got = in_these_conditions(obey_permissions(), single)
        assert (got.returncode, got.stdout) == (1, b"")
        assert got.stderr.decode() == f"esmond-ps-get: {file}: Permission denied\n"
    assert list(tmp_path.iterdir()) == []


def small_files() -> None:
    """A disk that is full after 20 kB"""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet"])
def test_full_disk(form: str, tmp_path: Path) -> None:
    many = [{"ts": FIRST + second, "val": second * 1.37} for second in range(5000)]
    found = metadata(KEY, event_type("failures"), event_type("throughput"))
    with Server(one_metadata(found, many)) as server:
        bulk = command_line(
            "esmond-ps-get-bulk", "-u", server.url, *TIMES, "-o", form, "-D", tmp_path
        )
        got = in_these_conditions([], bulk, small_files)
        assert got.returncode == 1
        assert got.stderr.decode() == f"esmond-ps-get-bulk: {tmp_path}: File too large\n"
        assert list(tmp_path.iterdir()) == []
        file = tmp_path / f"out.{form}"
        single = command_line(
            "esmond-ps-get", "-u", server.url, *ENDS, *TIMES, "-o", form, "--output-file", file
        )
        got = in_these_conditions([], single, small_files)
        assert got.returncode == 1
        assert got.stderr.decode() == f"esmond-ps-get: {file}: File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_full_disk_behind_standard_output() -> None:
    with Server(one_metadata(metadata(), POINTS)) as server, open("/dev/full", "w") as full:
        line = command_line("esmond-ps-get", "-u", server.url, *ENDS, *TIMES, "-o", "csv")
        got = subprocess.run(
            line, stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=60, check=False
        )
    assert got.returncode == 1
    assert got.stderr.decode() == "esmond-ps-get: standard output: No space left on device\n"


def test_whoever_reads_has_enough() -> None:
    many = [{"ts": FIRST + second, "val": 1.0} for second in range(80_000)]
    with Server(one_metadata(metadata(), many)) as server:
        line = command_line("esmond-ps-get", "-u", server.url, *ENDS, *TIMES, "-o", "jsonl")
        with subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        ) as command:
            assert command.stdout is not None
            assert command.stderr is not None
            command.stdout.readline()
            command.stdout.close()
            assert command.wait(60) == 141
            assert command.stderr.read() == b""


def test_texts_that_no_encoding_has(tmp_path: Path) -> None:
    point = {"ts": FIRST, "val": {"error": "half a pair: \ud800, and \u20ac"}}
    found = metadata(KEY, event_type("failures"))
    with Server(one_metadata(found, [point])) as server:
        for form in ("human", "csv", "json", "jsonl"):
            for encoding in ("utf-8", "ascii"):
                wanted = (*ENDS[:4], "-e", "failures", *TIMES, "-o", form)
                line = command_line("esmond-ps-get", "-u", server.url, *wanted)
                got = subprocess.run(
                    line,
                    capture_output=True,
                    env=environment(PYTHONIOENCODING=encoding),
                    timeout=60,
                    check=False,
                )
                assert (got.returncode, got.stderr) == (0, b"")
                assert b"\\ud800" in got.stdout
            got = run("esmond-ps-get-bulk", "-u", server.url, *TIMES, "-o", "csv", "-D", tmp_path)
            assert (got.exit_status, got.stderr) == (0, "")


def test_output_that_is_closed() -> None:
    with Server(one_metadata(metadata(), POINTS)) as server:
        line = command_line("esmond-ps-get", "-u", server.url, *ENDS, *TIMES)
        got = subprocess.run(
            ["sh", "-c", 'exec "$@" >&-', "sh", *line],
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=60,
            check=False,
        )
    assert b"Traceback" not in got.stderr, got.stderr


def test_an_address_of_data_that_is_none_concerns_its_event_type_only(tmp_path: Path) -> None:
    broken = {**event_type("failures"), "base-uri": "nonsense"}
    found = metadata(KEY, broken, event_type("throughput"))
    with Server(one_metadata(found, POINTS)) as server:
        got = run("esmond-ps-get", "-u", server.url, *ENDS[:4], "-e", "failures", *TIMES)
        assert (got.exit_status, got.stdout) == (1, "")
        assert got.line == ("esmond-ps-get: the archive gave an address without a path: 'nonsense'")
        got = run("esmond-ps-get-bulk", "-u", server.url, *TIMES, "-o", "csv", "-D", tmp_path)
        assert got.exit_status == 1
        assert "an address without a path: 'nonsense'" in got.stderr
        assert len(list(tmp_path.glob("*_throughput_*.csv"))) == 1


def test_hidden_names_and_paths_in_what_an_archive_says(tmp_path: Path) -> None:
    """Nothing that an archive calls its hosts leads out of the directory"""
    inside = tmp_path / "inside"
    inside.mkdir()
    found = metadata(
        KEY,
        event_type("throughput"),
        source="../../outside",
        destination="/etc/passwd\n",
    )
    with Server(one_metadata(found, POINTS)) as server:
        got = run("esmond-ps-get-bulk", "-u", server.url, *TIMES, "-o", "csv", "-D", inside)
    assert (got.exit_status, got.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    name = ".._.._outside__etc_passwd__throughput_2024-03-12_2024-03-13.csv"
    assert [path.name for path in inside.iterdir()] == [name]
