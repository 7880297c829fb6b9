"""``gridtap scan``: every format, packed logs, the summary, and all that can go wrong."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from pathlib import Path

import pytest

from gridtap.gridftp import Transfer, read_transfers
from tests.cli.command import DATA, run, run_on_terminal

LOGS = DATA.parent / "gridftp"
NETLOGGER = LOGS / "samples-netlogger.log"
JSON = LOGS / "samples-json.log"
ONE = LOGS / "one-transfer.log"


def rows(*logs: Path) -> list[dict[str, object]]:
    return [transfer._asdict() for log in logs for transfer in read_transfers(log)]


def test_help() -> None:
    text = run("scan", "--help").stdout.decode()
    for option in ("--format", "--output", "--strict", "--quiet"):
        assert option in text
    assert b"scan" in run("--help").stdout


@pytest.mark.parametrize("arguments", [["scan"], ["scan", "--format", "x", "y"]])
def test_wrong_usage(arguments: list[str]) -> None:
    assert b"Error:" in run(*arguments, check=2).stderr


def test_json_lines_are_the_records() -> None:
    result = run("scan", "--format", "jsonl", NETLOGGER, JSON)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert records == rows(NETLOGGER, JSON)
    assert all(list(record) == list(Transfer._fields) for record in records)


def test_csv_and_parquet_have_the_same_rows(tmp_path: Path) -> None:
    expected = rows(NETLOGGER, JSON)
    result = run("scan", "--format", "csv", NETLOGGER, JSON)
    table = list(csv.DictReader(io.StringIO(result.stdout.decode(), newline="")))
    assert len(table) == len(expected)
    for line, record in zip(table, expected, strict=True):
        for name, value in record.items():
            if value is None:
                assert line[name] == ""
            elif isinstance(value, str):
                assert line[name] == value
            else:
                assert json.loads(line[name]) == value
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "transfers.parquet"
    run("scan", "--format", "parquet", "-o", path, NETLOGGER, JSON)
    for line, record in zip(parquet.read_table(path).to_pylist(), expected, strict=True):
        for name in ("iostat", "mpstat", "rusage", "tcp_info", "extra"):
            line[name] = None if line[name] is None else json.loads(line[name])
        assert line == record


def test_a_table_for_people() -> None:
    code, shown = run_on_terminal("scan", ONE)
    text = shown.decode()
    assert code == 0
    assert re.search(r"STOR +226 +\S*in/p8\.up +26\.2 MB +8 +9\.60 Gbit/s", text)
    assert text.count("dtn1.example.net") == 35


def test_the_summary_goes_to_standard_error() -> None:
    lines = run("scan", NETLOGGER).stderr.decode().splitlines()
    assert lines[2:7] == [
        "transfers 15 (10,074,455,026 bytes)  ERET 1  MLSD 1  RETR 10  STOR 3",
        "failures  3  426 1  550 1  599 1",
        "faults    2  clock_step 1  unpadded_fraction 1",
        "time      2024-03-12 08:15:10 to 2024-03-12 08:23:10 UTC, 168 Mbit/s on average",
        f"          2024-03-12 08:15:00   667 Mbit/s  {'#' * 40}",
    ]
    assert run("scan", "-q", ONE).stderr == b""
    lines = run("scan", LOGS / "one-server.log.gz").stderr.decode().splitlines()
    assert lines[:4] == [
        "transfers 35 (367,069,464 bytes)"
        "  ERET 1  ESTO 1  LIST 1  MLSD 3  NLST 1  RETR 17  STOR 11",
        "failures  none",
        "faults    none",
        "also      other lines 2,191",
    ]


@pytest.mark.parametrize("name", ["two-transfer.log.xz", "two-transfer.log.zst"])
def test_packed_logs(name: str) -> None:
    found = [json.loads(line) for line in run("scan", "-q", LOGS / name).stdout.splitlines()]
    expected = rows(LOGS / "two-transfer.log")
    for record in (*found, *expected):
        del record["log_file"]
    assert found == expected


def test_standard_input() -> None:
    for data in (ONE.read_bytes(), gzip.compress(ONE.read_bytes())):
        result = run("scan", "-q", "-", stdin=data)
        assert len(result.stdout.splitlines()) == 35
        assert json.loads(result.stdout.splitlines()[0])["log_file"] == "-"


def test_faults_name_file_line_and_byte(tmp_path: Path) -> None:
    log = tmp_path / "bad.log"
    good = ONE.read_bytes().splitlines(keepends=True)[0]
    log.write_bytes(good + b"\x00\xff\n" * 9 + good + good[:100])
    result = run("scan", log)
    assert len(result.stdout.splitlines()) == 2
    lines = result.stderr.decode().splitlines()
    text = "not_a_record: neither a record nor a line of a server's log"
    assert lines[0] == f"{log}: line 2 at byte {len(good)}: {text}"
    assert lines[5].startswith(f"{log}: line 12 at byte {2 * len(good) + 27}: unfinished_line: ")
    assert lines[6] == f"{log}: and 4 more"
    assert "faults    10  not_a_record 9  unfinished_line 1" in lines


def test_strict_stops_at_the_first_fault(tmp_path: Path) -> None:
    log = tmp_path / "bad.log"
    good = ONE.read_bytes().splitlines(keepends=True)[0]
    log.write_bytes(good + b"?\n" + good)
    result = run("scan", "--strict", log, check=1)
    assert b"not_a_record" in result.stderr
    assert result.stdout.splitlines()
    path = tmp_path / "out"
    run("scan", "--strict", "-o", path, log, check=1)
    assert not path.exists()
    run("scan", "--strict", ONE)


def test_a_damaged_packed_log_gives_what_was_read(tmp_path: Path) -> None:
    packed = gzip.compress(ONE.read_bytes())
    log = tmp_path / "cut.log.gz"
    log.write_bytes(packed[: len(packed) * 2 // 3])
    result = run("scan", log)
    assert 10 < len(result.stdout.splitlines()) < 35
    assert b"bad_compression" in result.stderr


def test_what_cannot_be_read_or_written(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    result = run("scan", missing, check=2)
    assert result.stderr.decode() == f"gridtap scan: {missing}: No such file or directory\n"
    path = tmp_path / "out"
    run("scan", "-o", path, ONE, missing, check=2)
    assert list(tmp_path.iterdir()) == []
    result = run("scan", "-o", tmp_path / "no" / "out", ONE, check=2)
    assert b"No such file or directory" in result.stderr
    result = run("scan", "--format", "parquet", ONE, check=2)
    assert result.stderr == b"gridtap scan: parquet needs a file: add -o FILE\n"
