"""Files of a bulk pull: their names, their contents, and what an interrupt leaves of them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.esmond.documents import counted, event_type, metadata, window_of
from tests.esmond.server import ROOT, Asked, Reply, Server, html_reply, json_reply
from tests.esmond_cli.archive import seeded, serving
from tests.esmond_cli.command import WINDOW, command_line, contents, environment, run

BULK = "esmond-ps-get-bulk"
TIMES = ("-S", "2024-03-12", "-E", "2024-03-13", "-I")
FIRST = 1710231310

#: Interrupts of each kind; 100 shows what the suite has no time for.
INTERRUPTS = int(os.environ.get("GRIDTAP_INTERRUPTS", "4"))


def points(count: int) -> list[dict[str, Any]]:
    return [{"ts": FIRST + second, "val": float(second)} for second in range(count)]


def several(keys: list[str], *names: str) -> list[dict[str, Any]]:
    """Metadata between the same two hosts"""
    return [metadata(key, *(event_type(name, key) for name in names)) for key in keys]


def an_archive(found: list[dict[str, Any]], data: Callable[[Asked], Reply]) -> Any:
    def answer(asked: Asked) -> Reply:
        return json_reply(counted(*found)) if asked.path == ROOT else data(asked)

    return answer


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet"])
def test_files_hold_what_get_prints(form: str, archive_url: str, tmp_path: Path) -> None:
    pair = ("-u", archive_url, "-s", "192.0.2.10", "-d", "192.0.2.20", "-t", "powstream", *WINDOW)
    assert run(BULK, *pair, "-o", form, "-D", tmp_path).exit_status == 0
    files = sorted(tmp_path.iterdir())
    assert len(files) == 8
    for file in files:
        name = file.name.split("_")[2]
        single = tmp_path / "single"
        got = run("esmond-ps-get", *pair, "-o", form, "-e", name, "--output-file", single)
        assert (got.exit_status, got.stdout, got.stderr) == (0, "", "")
        ending = b"\n" if form in ("csv", "json") else b""
        assert single.read_bytes() == file.read_bytes() + ending
        single.unlink()


def test_names_do_not_collide(tmp_path: Path) -> None:
    keys = ["aaaaaaaa" + "1" * 24, "aaaaaaaa" + "2" * 24, "aaaaaaaa" + "3" * 24, "b" * 32]
    archive = an_archive(several(keys, "throughput"), lambda _: json_reply(points(1)))
    with Server(archive) as server:
        got = run(BULK, "-u", server.url, *TIMES, "-o", "json", "-D", tmp_path)
    assert (got.exit_status, got.stderr) == (0, "")
    stem = "198.51.100.10_203.0.113.25_throughput_2024-03-12_2024-03-13"
    names = [f"{stem}{more}.json" for more in ("", "_aaaaaaaa", f"_{keys[2]}", "_bbbbbbbb")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    lines = [line for line in got.stdout.splitlines() if line.startswith("  * writing ")]
    assert lines == [f"  * writing {tmp_path / name}" for name in names]


def test_no_data_takes_no_name(tmp_path: Path) -> None:
    """The documented name is for the first file, not for the first test"""
    keys = ["a" * 32, "b" * 32]

    def data(asked: Asked) -> Reply:
        return json_reply([] if keys[0] in asked.path else points(2))

    with Server(an_archive(several(keys, "throughput"), data)) as server:
        got = run(BULK, "-u", server.url, *TIMES, "-o", "csv", "-D", tmp_path)
    assert "  * no data for that event type, skipping output.\n" in got.stdout
    stem = "198.51.100.10_203.0.113.25_throughput_2024-03-12_2024-03-13"
    assert [path.name for path in tmp_path.iterdir()] == [f"{stem}.csv"]


def test_existing_files_are_replaced_and_others_left_alone(tmp_path: Path) -> None:
    stem = "198.51.100.10_203.0.113.25_throughput_2024-03-12_2024-03-13.csv"
    (tmp_path / stem).write_text("old")
    (tmp_path / "mine.csv").write_text("mine")
    archive = an_archive(several(["a" * 32], "throughput"), lambda _: json_reply(points(2)))
    with Server(archive) as server:
        run(BULK, "-u", server.url, *TIMES, "-o", "csv", "-D", tmp_path)
    found = contents(tmp_path)
    assert sorted(found) == sorted([stem, "mine.csv"])
    assert found["mine.csv"] == "mine"
    assert found[stem].endswith("08:15:11,1.0\r\n")


def test_up_to_so_many_requests_at_once(tmp_path: Path) -> None:
    under_way, most = 0, 0

    def data(asked: Asked) -> Reply:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.05)
        under_way -= 1
        return json_reply(points(1))

    found = several([f"{number:032x}" for number in range(12)], "throughput")
    with Server(an_archive(found, data)) as server:
        for jobs in (1, 3):
            most = 0
            line = ("-u", server.url, *TIMES, "-o", "csv", "-D", tmp_path, "--jobs", str(jobs))
            assert run(BULK, *line).exit_status == 0
            assert most == jobs


def test_one_that_fails_leaves_the_others_and_resume_fetches_it(tmp_path: Path) -> None:
    keys = ["a" * 32, "b" * 32, "c" * 32]
    is_well = False

    def data(asked: Asked) -> Reply:
        if keys[0] in asked.path and not is_well:
            return html_reply(500, "<h1>Oops</h1>")
        return json_reply(window_of(points(3), asked))

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    with Server(an_archive(several(keys, "throughput"), data)) as server:
        line = ("-u", server.url, *TIMES, "-o", "csv")
        got = run(BULK, *line, "-D", broken)
        assert got.exit_status == 1
        error, advice = got.stderr.splitlines()
        assert error.startswith(f"{BULK}: GET {server.url}{ROOT}{keys[0]}/throughput/base")
        assert "500 Internal Server Error: Oops" in error
        assert advice == f"{BULK}: the same command with --resume goes on from here"
        assert len([path for path in broken.iterdir() if path.suffix == ".csv"]) == 2
        is_well = True
        before = len(server.asked)
        got = run(BULK, *line, "-D", broken, "--resume")
        assert (got.exit_status, got.stderr) == (0, "")
        assert [asked.path for asked in server.asked[before:]] == [
            ROOT,
            f"{ROOT}{keys[0]}/throughput/base",
        ]
        run(BULK, *line, "-D", whole)
    assert contents(broken) == contents(whole)


def test_resume_asks_for_the_window_of_the_interrupted_pull(tmp_path: Path) -> None:
    keys = ["a" * 32, "b" * 32]
    is_well = False

    def data(asked: Asked) -> Reply:
        if keys[1] in asked.path and not is_well:
            return html_reply(500, "<h1>Oops</h1>")
        return json_reply([{"ts": int(asked.query["time-start"]), "val": 1.0}])

    with Server(an_archive(several(keys, "throughput"), data)) as server:
        line = ("-u", server.url, "-I", "-o", "csv", "-D", tmp_path, "-S", "now-2h")
        assert run(BULK, *line).exit_status == 1
        time.sleep(1.1)
        is_well = True
        assert run(BULK, *line, "--resume").exit_status == 0
    first, second = sorted(contents(tmp_path).values())
    assert first == second


def test_resume_fetches_again_what_was_changed_since(tmp_path: Path) -> None:
    keys = ["a" * 32, "b" * 32]
    is_well = False

    def data(asked: Asked) -> Reply:
        if keys[1] in asked.path and not is_well:
            return html_reply(500, "<h1>Oops</h1>")
        return json_reply(window_of(points(3), asked))

    with Server(an_archive(several(keys, "throughput"), data)) as server:
        line = ("-u", server.url, *TIMES, "-o", "csv", "-D", tmp_path)
        run(BULK, *line)
        (file,) = (path for path in tmp_path.iterdir() if path.suffix == ".csv")
        good = file.read_bytes()
        file.write_bytes(good[:50])
        is_well = True
        assert run(BULK, *line, "--resume").exit_status == 0
    assert file.read_bytes() == good


def test_resume_with_nothing_to_go_on_with_is_a_pull(archive_url: str, tmp_path: Path) -> None:
    line = ("-u", archive_url, *WINDOW, "-o", "csv", "-D", tmp_path, "-t", "gridftp")
    assert run(BULK, *line, "--resume").exit_status == 0
    assert len(contents(tmp_path)) == 3


@pytest.mark.parametrize(
    "journal",
    [b"", b"{", b"[]\n", b'{"version": 2}\n', b'{"version": 1, "window": 3}\n', b"\xff\n"],
)
def test_a_journal_that_is_no_journal(journal: bytes, archive_url: str, tmp_path: Path) -> None:
    line = ("-u", archive_url, *WINDOW, "-o", "csv", "-D", tmp_path)
    with interrupted(line, tmp_path, after_lines=20):
        pass
    (path,) = tmp_path.glob(".*.journal")
    path.write_bytes(journal)
    assert run(BULK, *line, "--resume").exit_status == 0
    assert sorted(contents(tmp_path)) == sorted(whole_pull(archive_url, tmp_path / "whole"))


def test_a_second_pull_of_the_same_into_the_same_is_refused(tmp_path: Path) -> None:
    def data(asked: Asked) -> Reply:
        time.sleep(1)
        return json_reply(points(1))

    with Server(an_archive(several(["a" * 32], "throughput"), data)) as server:
        line = ("-u", server.url, *TIMES, "-o", "csv", "-D", tmp_path)
        with subprocess.Popen(command_line(BULK, *line), env=environment()) as first:
            while not list(tmp_path.glob(".*.journal")):
                time.sleep(0.01)
            got = run(BULK, *line)
            assert first.wait(30) == 0
    assert got.exit_status == 1
    assert got.line == f"{BULK}: {tmp_path}: another pull of the same query is under way"


def whole_pull(url: str, folder: Path) -> dict[str, str]:
    """Files of a pull of the whole seed that nothing interrupts"""
    folder.mkdir()
    got = run(BULK, "-u", url, *WINDOW, "-o", "csv", "-D", folder)
    assert (got.exit_status, got.stderr) == (0, "")
    return contents(folder)


@contextmanager
def interrupted(
    line: tuple[Any, ...], folder: Path, *, after_lines: int, kind: signal.Signals = signal.SIGKILL
) -> Iterator[subprocess.Popen[str]]:
    """A pull that gets a signal when it has printed so many lines"""
    with subprocess.Popen(
        command_line(BULK, *line),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as pull:
        assert pull.stdout is not None
        for _ in range(after_lines):
            pull.stdout.readline()
        time.sleep(random.random() * 0.01)
        pull.send_signal(kind)
        pull.communicate(timeout=60)
        yield pull


def assert_only_whole_files(folder: Path, whole: dict[str, str]) -> None:
    for name, text in contents(folder).items():
        if not name.startswith("."):
            assert whole[name] == text, name


@pytest.fixture(scope="module")
def whole(archive_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return whole_pull(archive_url, tmp_path_factory.mktemp("pull") / "whole")


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("number", range(INTERRUPTS))
def test_interrupt_and_resume(
    kind: signal.Signals, number: int, archive_url: str, whole: dict[str, str], tmp_path: Path
) -> None:
    line = ("-u", archive_url, *WINDOW, "-o", "csv", "-D", tmp_path)
    # Three lines a file, at least.
    after = random.Random(number).randrange(1, 3 * len(whole))
    with interrupted(line, tmp_path, after_lines=after, kind=kind) as pull:
        assert pull.returncode in (130, -kind, 0)
    assert_only_whole_files(tmp_path, whole)
    if kind is signal.SIGINT:
        assert [path for path in tmp_path.iterdir() if path.suffix == ".part"] == []
    got = run(BULK, *line, "--resume")
    assert (got.exit_status, got.stderr) == (0, "")
    assert contents(tmp_path) == whole


def test_an_interrupt_says_how_to_go_on(archive_url: str, tmp_path: Path) -> None:
    line = ("-u", archive_url, *WINDOW, "-o", "csv", "-D", tmp_path)
    with subprocess.Popen(
        command_line(BULK, *line),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as pull:
        assert pull.stdout is not None
        for _ in range(10):
            pull.stdout.readline()
        pull.send_signal(signal.SIGINT)
        _, said = pull.communicate(timeout=60)
    assert pull.returncode == 130
    assert said == f"{BULK}: the same command with --resume goes on from here\n"


def test_an_interrupt_does_not_wait_for_answers(tmp_path: Path) -> None:
    def data(asked: Asked) -> Reply:
        time.sleep(15)
        return json_reply([])

    with (
        Server(an_archive(several(["a" * 32], "throughput"), data)) as server,
        subprocess.Popen(
            command_line(BULK, "-u", server.url, *TIMES, "-o", "csv", "-D", tmp_path),
            stderr=subprocess.PIPE,
            env=environment(),
        ) as pull,
    ):
        while len(server.asked) < 2:
            time.sleep(0.01)
        begun = time.monotonic()
        pull.send_signal(signal.SIGINT)
        _, said = pull.communicate(timeout=60)
        assert time.monotonic() - begun < 5
    assert (pull.returncode, said) == (130, b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", range(INTERRUPTS))
def test_server_killed_and_resume(number: int, whole: dict[str, str], tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    seeded(db)
    folder = tmp_path / "out"
    folder.mkdir()
    after = random.Random(number).randrange(1, 3 * len(whole))
    with serving(db) as (url, server):
        line = ("-u", url, *WINDOW, "-o", "csv", "-D", folder)
        with subprocess.Popen(
            command_line(BULK, *line),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as pull:
            assert pull.stdout is not None
            for _ in range(after):
                pull.stdout.readline()
            server.kill()
            _, said = pull.communicate(timeout=60)
    assert "Traceback" not in said
    assert_only_whole_files(folder, whole)
    assert [path for path in folder.iterdir() if path.suffix == ".part"] == []
    if pull.returncode:
        assert pull.returncode == 1
        assert said.splitlines()[-1].endswith("--resume goes on from here")
        assert "GET http://127.0.0.1" in said
    port = int(url.rpartition(":")[2])
    with serving(db, port):
        got = run(BULK, *line, "--resume")
    assert (got.exit_status, got.stderr) == (0, "")
    assert contents(folder) == whole


def test_journal_is_one_line_for_each_event_type(archive_url: str, tmp_path: Path) -> None:
    line = ("-u", archive_url, *WINDOW, "-o", "csv", "-D", tmp_path)
    with interrupted(line, tmp_path, after_lines=30):
        pass
    (path,) = tmp_path.glob(".*.journal")
    header, *entries = [json.loads(text) for text in path.read_text().splitlines()]
    assert header == {"version": 1, "window": [1614556800, 1614729600]}
    assert entries
    for entry in entries:
        assert sorted(entry) == ["bytes", "event-type", "key", "name", "points", "rows"]
        if entry["name"]:
            assert (tmp_path / entry["name"]).stat().st_size == entry["bytes"]
