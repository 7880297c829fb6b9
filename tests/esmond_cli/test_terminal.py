"""What is for people: the progress bar, colors, and a terminal that nobody else commands."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.esmond.documents import KEY, counted, event_type, metadata, one_metadata
from tests.esmond.server import ROOT, Asked, Reply, Server, html_reply, json_reply
from tests.esmond_cli.command import WINDOW, run
from tests.esmond_cli.terminal import run_on_terminal, screen

TIMES = ("-S", "2024-03-12", "-E", "2024-03-13", "-I")
POINTS = [{"ts": 1710231310 + second, "val": 1.0} for second in range(500)]


def an_archive(count: int, *, broken: str = "none", pause_s: float = 0.02) -> Any:
    keys = [f"{number:032x}" for number in range(count)]
    found = [
        metadata(key, event_type("failures", key), event_type("throughput", key)) for key in keys
    ]

    def answer(asked: Asked) -> Reply:
        if asked.path == ROOT:
            return json_reply(counted(*found))
        time.sleep(pause_s)
        return html_reply(500, "Oops") if broken in asked.path else json_reply(POINTS)

    return answer


def bulk(url: str, folder: Path) -> tuple[str, ...]:
    return ("esmond-ps-get-bulk", "-u", url, *TIMES, "-o", "csv", "-D", str(folder))


@pytest.mark.parametrize("columns", [90, 70])
def test_progress_bar(columns: int, tmp_path: Path) -> None:
    with Server(an_archive(12, pause_s=0.4)) as server:
        status, sent = run_on_terminal(*bulk(server.url, tmp_path), columns=columns)
    assert status == 0
    shown = [line for line in screen(sent) if line]
    assert re.fullmatch(
        r"pulling  \[#+\]  100%  12/12 tests, 12,000 points, [\d.]+ kB *", shown[-1]
    )
    assert len([line for line in shown if line.startswith("  * writing ")]) == 24
    bars = re.findall(r"pulling[^\r]*", sent)
    assert len(bars) >= 24
    assert max(len(re.sub(r"\x1b\[\S+?[A-Za-z]", "", bar).rstrip("\n")) for bar in bars) <= columns
    # Time left, as soon as there is something to judge by.
    assert any(re.search(r"%  \d\d:\d\d:\d\d  [1-9]", bar) for bar in bars)


def test_progress_counts_what_could_not_be_had_as_done(tmp_path: Path) -> None:
    with Server(an_archive(3, broken="1/throughput")) as server:
        status, sent = run_on_terminal(*bulk(server.url, tmp_path))
    assert status == 1
    assert "100%  3/3 tests, 2,500 points" in sent
    assert "500 Internal Server Error" in sent


def test_no_bar_where_nobody_looks(tmp_path: Path) -> None:
    with Server(an_archive(2)) as server:
        got = run(*bulk(server.url, tmp_path))
    assert (got.exit_status, got.stderr) == (0, "")
    assert "pulling" not in got.stdout


def test_a_bar_beside_output_that_goes_to_a_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Server(an_archive(2)) as server:
        out = tmp_path / "out"
        out.mkdir()
        status, sent = run_on_terminal(*bulk(server.url, out), stdout=log)
    assert status == 0
    assert "2/2 tests" in sent
    assert "writing" not in sent
    assert log.read_text().count("  * writing ") == 4


def test_plots_have_colors_on_a_terminal_only(archive_url: str) -> None:
    pair = ("-s", "192.0.2.10", "-d", "192.0.2.20", "-e", "throughput", "--plot")
    line = ("esmond-ps-get", "-u", archive_url, *WINDOW, *pair)
    status, sent = run_on_terminal(*line)
    assert status == 0
    assert "\x1b[38;5;" in sent
    assert len(sent.rstrip().splitlines()) <= 24
    assert "\x1b" not in run(*line).stdout


def test_an_archive_does_not_command_a_terminal() -> None:
    evil = {"error": "\x1b]0;title\x07\x1b[2Jgone\x9b1m\r\nnext\tline"}
    test = metadata(KEY, event_type("failures"))
    with Server(one_metadata(test, [{"ts": 1710231310, "val": evil}])) as server:
        ends = ("-s", "198.51.100.10", "-d", "203.0.113.25", "-e", "failures")
        line = ("esmond-ps-get", "-u", server.url, *ends, *TIMES)
        _, sent = run_on_terminal(*line)
        piped = run(*line).stdout
    assert "\x1b" not in sent
    assert "\x9b" not in sent
    assert "\ufffd]0;title\ufffd\ufffd[2Jgone\ufffd1m" in sent
    # Elsewhere it is what the archive says, to the byte.
    assert evil["error"] in piped
