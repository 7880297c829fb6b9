"""``gridtap decode``: every kind of record in every format, and all that can go wrong."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gridtap.xrootd import read_accesses, read_records
from gridtap.xrootd.records import RECORDS
from tests.cli.command import DATA, GRIDTAP, obey_permissions, run, run_on_terminal

BASIC = DATA / "fstat-full.pcap"
#: Nearly every kind of record is in here.
MIXED = DATA / "v610-mixed.pcap"


def rows(path: Path, what: str) -> list[dict[str, object]]:
    return [record._asdict() for record in read_records(path, what)]


def test_help_and_version() -> None:
    assert b"decode" in run("--help").stdout
    assert b"decode" in run("-h").stdout
    assert re.fullmatch(rb"gridtap, version \d+\.\d+\.\d+\n", run("--version").stdout)
    text = run("decode", "--help").stdout.decode()
    for option in ("--what", "--format", "--output", "--port", "--strict", "--quiet"):
        assert option in text
    assert set(RECORDS) <= set(re.findall(r"[a-z]+", text))


@pytest.mark.parametrize("arguments", [["decode"], ["decode", "--what", "x", "y"], ["nothing"]])
def test_wrong_usage(arguments: list[str]) -> None:
    result = run(*arguments, check=2)
    assert result.stdout == b""
    assert b"Error:" in result.stderr


@pytest.mark.parametrize("what", RECORDS)
def test_json_lines_are_the_records(what: str) -> None:
    result = run("decode", "--what", what, "--format", "jsonl", MIXED)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    expected = rows(MIXED, what)
    for record in expected:
        for name in ("data", "stats"):
            if record.get(name) is not None:
                # Objects, not texts of objects.
                record[name] = json.loads(str(record[name]))
    assert records == expected


def same(field: str, value: object) -> bool:
    """Whether a CSV field says what the value is"""
    match value:
        case None:
            return field == ""
        case bool():
            return field == str(value).lower()
        case float():
            return float(field) == value
        case _:
            return field == str(value)


@pytest.mark.parametrize("what", RECORDS)
def test_all_formats_have_the_same_rows(what: str, tmp_path: Path) -> None:
    expected = rows(MIXED, what)
    result = run("decode", "--what", what, "--format", "csv", MIXED)
    table = list(csv.DictReader(io.StringIO(result.stdout.decode(), newline="")))
    assert len(table) == len(expected)
    for line, record in zip(table, expected, strict=True):
        assert list(line) == list(record)
        for name, value in record.items():
            assert same(line[name], value), (name, line[name], value)
    result = run("decode", "--what", what, "--format", "table", MIXED)
    lines = result.stdout.decode().splitlines()
    assert len(lines) == (len(expected) + 1 if expected else 0)

    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "records.parquet"
    run("decode", "--what", what, "--format", "parquet", "-o", path, MIXED)
    assert parquet.read_table(path).to_pylist() == expected


def test_parquet_of_many_rows(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    sources = [DATA / "trace-io.bin"] * 300
    path = tmp_path / "packets.parquet"
    run("decode", "-q", "--what", "packets", "--format", "parquet", "-o", path, *sources)
    file = parquet.ParquetFile(path)
    assert file.metadata.num_rows == 300 * len(rows(sources[0], "packets"))


def test_parquet_needs_a_file() -> None:
    result = run("decode", "--format", "parquet", BASIC, check=2)
    assert result.stderr == b"gridtap decode: parquet needs a file: add -o FILE\n"


def test_without_a_terminal_the_format_is_json_lines(tmp_path: Path) -> None:
    expected = [access._asdict() for access in read_accesses(BASIC)]
    result = run("decode", BASIC)
    assert [json.loads(line) for line in result.stdout.splitlines()] == expected
    path = tmp_path / "out"
    result = run("decode", "-o", path, BASIC)
    assert result.stdout == b""
    assert [json.loads(line) for line in path.read_text().splitlines()] == expected
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_the_summary_goes_to_standard_error() -> None:
    lines = run("decode", BASIC).stderr.decode().splitlines()
    assert lines == [
        "packets   21 (8,299 bytes)  = 3  f 9  u 9",
        "faults    none",
        "loss      none",
        "accesses  36  closed 36",
    ]
    assert run("decode", "--quiet", BASIC).stderr == b""
    assert run("decode", "-q", BASIC).stdout == run("decode", BASIC).stdout


def test_losses_are_in_the_summary(tmp_path: Path) -> None:
    data = DATA.joinpath("trace-io.bin").read_bytes()
    packets, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        packets.append(data[at : at + length])
        at += length
    lossy = tmp_path / "lossy.bin"
    lossy.write_bytes(b"".join(packets[:10] + packets[13:]))
    result = run("decode", lossy)
    assert f"loss      3 of {len(packets)} packets".encode() in result.stderr
    assert b"3 lost (" in result.stderr


def test_ports_pick_packets() -> None:
    capture = DATA / "two-dests.pcap"
    for ports, count in (((), 96), ((9930,), 50), ((9931,), 46), ((9930, 9931), 96), ((1,), 0)):
        options = [text for port in ports for text in ("--port", str(port))]
        result = run("decode", "--what", "packets", *options, capture)
        assert len(result.stdout.splitlines()) == count
    run("decode", "--port", "65536", capture, check=2)
    run("decode", "--port", "x", capture, check=2)


def test_strict_stops_at_the_first_fault(tmp_path: Path) -> None:
    capture = DATA / "snaplen-256.pcap"
    output = tmp_path / "out"
    result = run("decode", "--strict", "-o", output, capture, check=1)
    place = rf"{re.escape(str(capture))}: packet \d+ at byte \d+\+\d+: [a-z_]+: [^\n]+\n"
    assert re.fullmatch(place, result.stderr.decode())
    assert list(tmp_path.iterdir()) == []
    lenient = run("decode", capture).stderr
    assert lenient.startswith(result.stderr)
    assert run("decode", "--strict", BASIC).stdout == run("decode", BASIC).stdout


def test_strict_keeps_what_came_before_the_fault() -> None:
    result = run("decode", "--strict", "--what", "servers", DATA / "snaplen-256.pcap", check=1)
    assert json.loads(result.stdout)["server_host"] == "ds1.site-a.example"


def test_faults_beyond_the_first_few_are_counted() -> None:
    stderr = run("decode", DATA / "snaplen-256.pcap").stderr.decode()
    listed = re.findall(r"truncated_datagram: packet longer", stderr)
    assert (len(listed), "snaplen-256.pcap: and 1 more\n" in stderr) == (5, True)


def test_strict_also_minds_the_source_itself(tmp_path: Path) -> None:
    path = tmp_path / "torn.bin"
    path.write_bytes(BASIC.with_suffix(".bin").read_bytes() + b"torn")
    result = run("decode", "--strict", path, check=1)
    place = rf"{re.escape(str(path))}: packet 22 at byte 8299: lost_framing: [^\n]+\n"
    assert re.fullmatch(place, result.stderr.decode())


def one_line(result: subprocess.CompletedProcess[bytes]) -> str:
    assert result.stderr.count(b"\n") == 1
    return result.stderr.decode().rstrip("\n")


def test_sources_that_cannot_be_used(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert one_line(run("decode", missing, check=2)) == (
        f"gridtap decode: {missing}: No such file or directory"
    )
    assert one_line(run("decode", tmp_path, check=2)) == (
        f"gridtap decode: {tmp_path}: Is a directory"
    )
    # The first source is good, the second is not: still nothing half done.
    output = tmp_path / "out"
    run("decode", "-o", output, BASIC, missing, check=2)
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_while_it_is_read() -> None:
    if not Path("/proc/self/mem").exists():
        pytest.skip("no file here that opens and cannot be read")
    assert one_line(run("decode", "/proc/self/mem", check=2)) == (
        "gridtap decode: /proc/self/mem: Input/output error"
    )


def test_a_source_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"")
    path.chmod(0)
    result = run("decode", path, check=2, before=obey_permissions())
    assert one_line(result) == f"gridtap decode: {path}: Permission denied"


def test_empty_and_foreign_sources(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    result = run("decode", empty)
    assert result.stdout == b""
    assert b"packets   0 (0 bytes)\n" in result.stderr
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"\xfe\xed" * 10_000)
    result = run("decode", garbage)
    assert result.stdout == b""
    assert b"lost_framing" in result.stderr
    run("decode", "--strict", garbage, check=1)


def test_standard_input_and_several_sources(tmp_path: Path) -> None:
    data = BASIC.read_bytes()
    assert run("decode", "-", stdin=data).stdout == run("decode", BASIC).stdout
    assert one_line(run("decode", "--strict", "-", stdin=b"x" * 99, check=1)).startswith(
        "-: packet 1 at byte 0: lost_framing: "
    )
    # One recording in two files: accesses that go on in the second are whole.
    packets = BASIC.with_suffix(".bin").read_bytes()
    at, count = 0, 0
    while count < 11:
        at += int.from_bytes(packets[at + 2 : at + 4], "big")
        count += 1
    parts = tmp_path / "a.bin", tmp_path / "b.bin"
    parts[0].write_bytes(packets[:at])
    parts[1].write_bytes(packets[at:])
    whole = run("decode", BASIC.with_suffix(".bin"))
    assert run("decode", *parts).stdout == whole.stdout
    assert run("decode", parts[0], "-", stdin=parts[1].read_bytes()).stdout == whole.stdout
    # Two recordings: both are complete.
    other = DATA / "fstat-lfn.pcap"
    both = run("decode", "-q", other, BASIC).stdout
    assert sorted(both.splitlines()) == sorted(
        run("decode", "-q", other).stdout.splitlines()
        + run("decode", "-q", BASIC).stdout.splitlines()
    )


@pytest.mark.parametrize("form", ["jsonl", "csv", "table"])
def test_a_reader_that_has_enough_ends_it_quietly(form: str) -> None:
    # More than any pipe holds.
    sources = [str(DATA / "trace-io.pcap")] * 100
    command = [*GRIDTAP, "decode", "--what", "packets", "--format", form, *sources]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


@pytest.mark.parametrize("form", ["jsonl", "csv", "table"])
def test_a_full_disk_under_standard_output(form: str) -> None:
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [*GRIDTAP, "decode", "--format", form, str(BASIC)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert result.returncode == 2
    assert result.stderr == b"gridtap decode: standard output: No space left on device\n"


@pytest.mark.parametrize("form", ["jsonl", "csv", "table", "parquet"])
def test_outputs_that_cannot_be_written(form: str, tmp_path: Path) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    assert one_line(run("decode", "--format", form, "-o", "/dev/full", BASIC, check=2)) == (
        "gridtap decode: /dev/full: No space left on device"
    )
    nowhere = tmp_path / "nowhere" / "out"
    assert one_line(run("decode", "--format", form, "-o", nowhere, BASIC, check=2)) == (
        f"gridtap decode: {nowhere}: No such file or directory"
    )
    under_file = BASIC / "out"
    assert one_line(run("decode", "--format", form, "-o", under_file, BASIC, check=2)) == (
        f"gridtap decode: {under_file}: Not a directory"
    )
    assert b"is a directory" in run("decode", "-o", tmp_path, BASIC, check=2).stderr
    assert list(tmp_path.iterdir()) == []


def test_a_directory_without_permission(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    output = locked / "out"
    result = run("decode", "-o", output, BASIC, check=2, before=obey_permissions())
    assert one_line(result) == f"gridtap decode: {output}: Permission denied"


def test_a_failure_leaves_the_old_output(tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.write_text("old")
    run("decode", "-o", output, tmp_path / "missing", check=2)
    run("decode", "-o", output, "--strict", DATA / "snaplen-256.pcap", check=1)
    assert output.read_text() == "old"
    run("decode", "-o", output, BASIC)
    assert len(output.read_text().splitlines()) == 36
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_link_keeps_pointing(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "target"
    target.parent.mkdir()
    link = tmp_path / "link"
    link.symlink_to(target)
    run("decode", "-o", link, BASIC)
    assert link.is_symlink()
    assert len(target.read_text().splitlines()) == 36


def test_names_of_open_files_are_no_files_to_replace(tmp_path: Path) -> None:
    output = tmp_path / "out"
    before = os.readlink("/dev/stdout")
    with output.open("wb") as file:
        command = [*GRIDTAP, "decode", "-q", "-o", "/dev/stdout", str(BASIC)]
        subprocess.run(command, stdout=file, check=True)
    assert os.readlink("/dev/stdout") == before
    assert len(output.read_text().splitlines()) == 36


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_killed_in_the_middle_leaves_no_output(how: signal.Signals, tmp_path: Path) -> None:
    output = tmp_path / "out"
    command = [*GRIDTAP, "decode", "-o", str(output), "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(BASIC.read_bytes()[:5000])
        process.stdin.flush()
        deadline = time.monotonic() + 20
        while not list(tmp_path.iterdir()):
            assert time.monotonic() < deadline, "the output is never begun"
            time.sleep(0.05)
        time.sleep(0.2)
        process.send_signal(how)
        code = process.wait(20)
        # click ends the line that shows ^C.
        assert process.stderr.read().strip() == b""
    assert code == (130 if how is signal.SIGINT else -how)
    assert not output.exists()
    if how is signal.SIGINT:
        assert list(tmp_path.iterdir()) == []


def hostile(path: Path) -> Path:
    """A server and a path that would like to paint on the terminal, and a lost packet"""
    evil = "\x1b]0;owned\x07\x1b[2J\x9b2J\u202e\u2028\r\n\t\x7f".encode()

    def packet(code: bytes, sequence: int, body: bytes) -> bytes:
        head = code + bytes([sequence]) + (8 + len(body)).to_bytes(2, "big")
        return head + (1_750_000_000).to_bytes(4, "big") + body

    name = evil.replace(b"\n", b"")
    ident = b"xrootd.1:77@" + name + b"\n&pgm=xrootd&ver=v1&inst=i&port=1&site=" + name
    user = (5).to_bytes(4, "big") + b"xroot/" + name + b".7:77@" + name + b"\n"
    opened = (6).to_bytes(4, "big") + b"xroot/" + name + b".7:77@" + name + b"\n/" + evil
    path.write_bytes(
        packet(b"=", 0, bytes(4) + ident) + packet(b"u", 1, user) + packet(b"d", 9, opened)
    )
    return path


def printable(text: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.parametrize("what", RECORDS)
def test_nothing_reaches_the_terminal_that_could_move_it(what: str, tmp_path: Path) -> None:
    for source in (hostile(tmp_path / "hostile.bin"), DATA / "odd-names.pcap"):
        # The zero-width space in one of the odd names harms nobody.
        result = run("decode", "--format", "table", "--what", what, source)
        assert printable(result.stdout.decode().replace("\u200b", ""))
        assert printable(result.stderr.decode())


def test_hostile_names_are_in_the_summary_but_tame(tmp_path: Path) -> None:
    result = run("decode", hostile(tmp_path / "hostile.bin"))
    assert b"7 lost" in result.stderr
    assert b"owned" in result.stderr
    assert printable(result.stderr.decode())


def test_on_a_terminal_a_table_that_fits() -> None:
    code, shown = run_on_terminal("decode", BASIC, columns=120)
    text = shown.decode().replace("\r\n", "\n")
    assert code == 0
    assert "opened" in text.splitlines()[0]
    assert "accesses  36  closed 36" in text
    assert max(len(line) for line in text.splitlines()) <= 120
    code, shown = run_on_terminal("decode", "--format", "jsonl", "-q", BASIC)
    assert json.loads(shown.splitlines()[0])["close_reason"] == "closed"


def test_long_sources_show_progress_on_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "long.bin"
    shutil.copy(BASIC.with_suffix(".bin"), path)
    # One bus envelope, then a hole: quickly skipped as a line that is too long.
    path.write_bytes(b'{"data":""}\n')
    with path.open("r+b") as file:
        file.truncate(65 << 20)
    output = tmp_path / "out"
    code, shown = run_on_terminal("decode", "-o", output, path)
    assert code == 0
    assert b"long.bin" in shown.split(b"packets")[0]
    assert b"100%" in shown
    _, quiet = run_on_terminal("decode", "-q", "-o", output, path)
    assert b"%" not in quiet
    _, short = run_on_terminal("decode", "-o", output, BASIC)
    assert b"%" not in short
    assert b"%" not in run("decode", path).stderr


def test_closed_standard_streams() -> None:
    quoted = " ".join(f"'{part}'" for part in [*GRIDTAP, "decode", str(BASIC)])
    for closed in (">&-", "2>&-", ">&- 2>&-", "<&-"):
        result = subprocess.run(
            ["sh", "-c", f"exec {quoted} {closed}"], capture_output=True, check=False
        )
        assert b"Traceback" not in result.stderr
        assert result.returncode == 0
