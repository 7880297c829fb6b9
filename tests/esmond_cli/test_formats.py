"""Formats that the original commands do not have: JSON lines, Parquet, files, plots."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pyarrow
import pyarrow.parquet
import pytest

from tests.esmond.documents import KEY, event_type, metadata, one_metadata
from tests.esmond.server import Server
from tests.esmond_cli.command import WINDOW, command_line, environment, run

PAIR = ("-s", "192.0.2.10", "-d", "192.0.2.20")
FIRST = 1710231310
ENDS = ("-s", "198.51.100.10", "-d", "203.0.113.25")


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("esmond-ps-get-endpoints", ()),
        ("esmond-ps-get-metadata", ("-M",)),
        ("esmond-ps-get", (*PAIR, "-e", "histogram-owdelay")),
        ("esmond-ps-get", ("-s", "192.0.2.10", "-d", "198.51.100.30", "-e", "packet-trace")),
    ],
)
def test_json_lines_are_the_rows_of_json(
    command: str, more: tuple[str, ...], archive_url: str
) -> None:
    line = ("-u", archive_url, *WINDOW, *more)
    rows = json.loads(run(command, *line, "-o", "json").stdout)
    lines = run(command, *line, "-o", "jsonl").stdout.splitlines()
    assert [json.loads(text) for text in lines] == rows


def test_json_lines_without_data(archive_url: str) -> None:
    line = ("-u", archive_url, *WINDOW, "-s", "192.0.2.200", "-o", "jsonl")
    got = run("esmond-ps-get-endpoints", *line)
    assert (got.exit_status, got.stdout, got.stderr) == (0, "", "")


def table(url: str, folder: Path, *more: str) -> pyarrow.Table:
    file = folder / "out.parquet"
    line = ("-u", url, *WINDOW, *more, "-o", "parquet", "--output-file", file)
    got = run("esmond-ps-get", *line)
    assert (got.exit_status, got.stdout, got.stderr) == (0, "", "")
    return pyarrow.parquet.read_table(file)


@pytest.mark.parametrize(
    ("more", "types"),
    [
        ((*PAIR, "-e", "throughput"), {"value": "double"}),
        ((*PAIR, "-e", "failures"), {"msg": "string"}),
        ((*PAIR, "-e", "histogram-owdelay"), {"bucket": "string", "value": "string"}),
        (
            (*PAIR, "-e", "histogram-owdelay", "-T", "statistics", "-W", "300"),
            {"min": "double", "mode": "string"},
        ),
        (
            (*PAIR, "-e", "throughput-subintervals"),
            {"start": "double", "duration": "double", "value": "double"},
        ),
        (
            ("-s", "192.0.2.10", "-d", "198.51.100.30", "-e", "packet-trace"),
            {"ttl": "double", "ip": "string", "rtt": "double", "error_message": "string"},
        ),
        (
            ("-s", "192.0.2.70", "-d", "192.0.2.71", "-e", "streams-throughput"),
            {"stream_num": "int64", "value": "double"},
        ),
        (("-s", "192.0.2.10", "-e", "ntp-offset"), {"value": "double", "destination": "string"}),
    ],
)
def test_parquet_has_types(
    more: tuple[str, ...], types: dict[str, str], archive_url: str, tmp_path: Path
) -> None:
    found = table(archive_url, tmp_path, *more)
    assert found.schema.field("timestamp").type == pyarrow.timestamp("ms", tz="UTC")
    assert str(found.schema.field("summary_window").type) == "int64"
    assert {name: str(found.schema.field(name).type) for name in types} == types
    rows = json.loads(run("esmond-ps-get", "-u", archive_url, *WINDOW, *more, "-o", "json").stdout)
    assert found.num_rows == len(rows)
    for row, told in zip(found.to_pylist(), rows, strict=True):
        assert row["timestamp"].strftime("%Y-%m-%d %H:%M:%S") == told["timestamp"]
        for name, value in told.items():
            if name in types and types[name] == "double" and value is not None:
                assert row[name] == float(value)


def test_parquet_without_rows(archive_url: str, tmp_path: Path) -> None:
    nobody = ("-s", "192.0.2.200", "-d", "192.0.2.20", "-e", "throughput")
    found = table(archive_url, tmp_path, *nobody)
    assert found.num_rows == 0
    assert found.column_names[-1] == "value"


def test_parquet_of_values_that_stop_being_numbers(tmp_path: Path) -> None:
    values: list[object] = [1.5, "2", *[3] * 70_000, {"a": 1}]
    points = [{"ts": FIRST + second, "val": value} for second, value in enumerate(values)]
    file = tmp_path / "out.parquet"
    with Server(one_metadata(metadata(KEY, event_type("pscheduler-raw")), points)) as server:
        line = ("-u", server.url, *ENDS, "-S", "2024-03-12", "-E", "2024-03-14", "-I")
        wanted = ("-e", "pscheduler-raw", "-o", "parquet", "--output-file", file)
        got = run("esmond-ps-get", *line, *wanted)
    assert (got.exit_status, got.stderr) == (0, "")
    found = pyarrow.parquet.read_table(file).column("value").to_pylist()
    assert [json.loads(value) for value in found] == [1.5, 2.0, *[3.0] * 70_000, {"a": 1}]


def test_parquet_says_which_extra_it_needs(archive_url: str, tmp_path: Path) -> None:
    assert without("pyarrow", archive_url, tmp_path, "-o", "parquet", "--output-file", "x") == (
        "esmond-ps-get: Parquet needs an extra: pip install 'gridtap[arrow]'\n"
    )


def test_plots_say_which_extra_they_need(archive_url: str, tmp_path: Path) -> None:
    assert without("matplotlib", archive_url, tmp_path, "--plot=x.png") == (
        "esmond-ps-get: a picture needs an extra: pip install 'gridtap[plot]'\n"
    )
    assert without("plotext", archive_url, tmp_path, "--plot") == (
        "esmond-ps-get: a plot in the terminal needs an extra: pip install 'gridtap[plot]'\n"
    )


def without(package: str, url: str, folder: Path, *more: str) -> str:
    """What the command says where a package is not installed"""
    block = f"import sys; sys.modules['{package}'] = None; "
    start, code, *rest = command_line("esmond-ps-get", "-u", url, *WINDOW)[1:]
    line = [sys.executable, start, block + code, *rest, *PAIR, "-e", "throughput", *more]
    got = subprocess.run(
        line, capture_output=True, cwd=folder, env=environment(), timeout=60, check=False
    )
    assert (got.returncode, got.stdout) == (1, b"")
    assert list(folder.iterdir()) == []
    return got.stderr.decode()


@pytest.mark.parametrize("form", ["human", "json", "csv", "jsonl"])
def test_output_file_holds_what_is_printed(form: str, archive_url: str, tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("old")
    for command in ("esmond-ps-get-endpoints", "esmond-ps-get-metadata"):
        line = ("-u", archive_url, *WINDOW, "-o", form)
        printed = run(command, *line).stdout
        got = run(command, *line, "--output-file", file)
        assert (got.exit_status, got.stdout, got.stderr) == (0, "", "")
        assert file.read_bytes().decode() == printed
    assert list(tmp_path.iterdir()) == [file]


def test_an_old_output_file_survives_a_failure(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("old")
    line = ("-u", "http://127.0.0.1:1", *WINDOW, "--output-file", file)
    assert run("esmond-ps-get-metadata", *line).exit_status == 1
    assert file.read_text() == "old"


DRAWN = [
    (*PAIR, "-e", "throughput"),
    (*PAIR, "-e", "packet-loss-rate"),
    (*PAIR, "-e", "throughput", "-T", "average", "-W", "3600"),
    (*PAIR, "-e", "histogram-owdelay"),
    (*PAIR, "-e", "histogram-owdelay", "-T", "statistics", "-W", "300"),
    (*PAIR, "-e", "throughput-subintervals"),
    ("-s", "192.0.2.10", "-d", "198.51.100.30", "-e", "streams-throughput-subintervals"),
    ("-s", "192.0.2.20", "-d", "198.51.100.30", "-e", "path-mtu"),
    ("-s", "192.0.2.10", "-e", "ntp-jitter"),
]


@pytest.mark.parametrize("more", DRAWN, ids=lambda more: "-".join(more[3:]).replace("--", "-"))
def test_plots(more: tuple[str, ...], archive_url: str, tmp_path: Path) -> None:
    line = ("-u", archive_url, *WINDOW, *more)
    is_empty = run("esmond-ps-get", *line).stdout == "No data found.\n"
    png, svg = tmp_path / "plot.png", tmp_path / "plot.svg"
    for picture in (png, svg):
        got = run("esmond-ps-get", *line, f"--plot={picture}")
        assert (got.exit_status, got.stderr) == (0, "")
        assert got.stdout == ("No data found.\n" if is_empty else "")
        assert picture.exists() is not is_empty
    got = run("esmond-ps-get", *line, "--plot", env={"COLUMNS": "90", "LINES": "20"})
    assert (got.exit_status, got.stderr) == (0, "")
    if is_empty:
        return
    assert png.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png.read_bytes()[16:24])
    assert (width, height) == (990, 495)
    drawn = ElementTree.parse(svg).getroot()
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert "\033" not in got.stdout
    first, *rest = got.stdout.splitlines()
    assert more[more.index("-e") + 1] in first
    assert max(len(text) for text in rest) <= 90
    assert len(rest) <= 20


def test_a_plot_shows_the_range_of_the_values(archive_url: str) -> None:
    line = ("-u", archive_url, *WINDOW, "-s", "192.0.2.20", "-d", "192.0.2.10", "-e", "throughput")
    got = run("esmond-ps-get", *line, "--plot").stdout
    assert "512 M" in got
    assert "498 M" in got
    assert "00:10:00" in got
    assert "01:10:00" in got
    assert "192.0.2.20 to 192.0.2.10, bwctl/iperf3" in got


def test_tests_of_one_pair_are_lines_of_their_own(archive_url: str) -> None:
    line = ("-u", archive_url, *WINDOW, *PAIR, "-e", "throughput")
    got = run("esmond-ps-get", *line, "--plot").stdout
    for name in ("bwctl/iperf3 (3052f5c5)", "bwctl/iperf3 (3cf676f4)", "bwctl/nuttcp"):
        assert name in got


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("-e", "failures", "--plot"), "--plot can not draw failures: its values are no numbers"),
        (("-e", "pscheduler-raw", "--plot"), "--plot can not draw pscheduler-raw: its values are"),
        (("-e", "throughput", "--plot=x.pdf"), "--plot needs a name that ends in .png or .svg: x."),
    ],
)
def test_what_can_not_be_drawn(more: tuple[str, ...], said: str, archive_url: str) -> None:
    got = run("esmond-ps-get", "-u", archive_url, *WINDOW, *PAIR, *more)
    assert (got.exit_status, got.stdout) == (255, "")
    assert got.line.startswith(said)


def test_values_without_a_place_in_a_plot_are_told_of(archive_url: str) -> None:
    line = ("-u", archive_url, *WINDOW, "-s", "192.0.2.20", "-d", "198.51.100.30")
    got = run("esmond-ps-get", *line, "-e", "histogram-rtt", "--plot")
    assert got.exit_status == 0
    assert got.line == "esmond-ps-get: 1 values that are no numbers are not drawn"


def test_a_plot_into_a_full_disk(archive_url: str, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "plot.png"
    line = ("-u", archive_url, *WINDOW, *PAIR, "-e", "throughput", f"--plot={missing}")
    got = run("esmond-ps-get", *line)
    assert (got.exit_status, got.stdout) == (1, "")
    assert got.line == f"esmond-ps-get: {missing}: No such file or directory"
