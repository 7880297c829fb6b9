"""Transfers in Python: objects, Arrow, pieces of a log, faults and counts."""

from __future__ import annotations

import io
import json
import lzma
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridtap import _core
from gridtap.gridftp import LogFault, LogScanner, Transfer, read_transfers

DATA = Path(__file__).resolve().parent.parent / "data" / "gridftp"
NETLOGGER = DATA / "samples-netlogger.log"
JSON = DATA / "samples-json.log"
ONE = DATA / "one-transfer.log"


def test_fields_are_the_columns_of_the_core() -> None:
    assert list(Transfer._fields) == [name for name, _ in _core.transfer_columns()]


def test_a_netlogger_record() -> None:
    first = next(iter(read_transfers(NETLOGGER)))
    assert first == Transfer(
        started_at=1710231310.25,
        ended_at=1710231330.25,
        operation="RETR",
        code=226,
        host="dtn1.example.net",
        remote_address="203.0.113.25",
        path="/proj/climate/run07.nc",
        path_raw=None,
        transferred_bytes=5_000_000_000,
        streams=4,
        stripes=1,
        tcp_buffer_bytes=4_194_304,
        block_bytes=262_144,
        user="alice",
        volume="/",
        program="globus-gridftp-server",
        event="FTP_INFO",
        task_id="8c1d6c4a-5f02-11ee-8c99-0242ac120002",
        retransmits=[12, 0, 7, 3],
        iostat=None,
        mpstat=None,
        rusage=None,
        tcp_info=None,
        extra=None,
        throughput_bps=2e9,
        log_file=str(NETLOGGER),
        log_line=1,
        log_offset_bytes=0,
    )


def test_statistics_of_json_logs_are_objects() -> None:
    first = next(iter(read_transfers(JSON)))
    assert first.rusage == {"ru_utime": 1.9, "ru_stime": 6.2, "ru_maxrss": 18240}
    assert first.iostat["blk_read_s"] == 41200.0
    assert [stream["TCPinfo"]["total_retrans"] for stream in first.tcp_info] == [12, 3]
    assert first.retransmits == [12, 3]


@pytest.mark.parametrize("log", [NETLOGGER, JSON, ONE])
def test_arrow_has_the_same_rows(log: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(read_transfers(log))
    rows = []
    for row in table.to_pylist():
        for name in ("iostat", "mpstat", "rusage", "tcp_info", "extra"):
            row[name] = None if row[name] is None else json.loads(row[name])
        rows.append(row)
    assert rows == [transfer._asdict() for transfer in read_transfers(log)]
    assert table.schema.field("retransmits").type == pyarrow.list_(pyarrow.int64())
    assert table.schema.field("started_at").type == pyarrow.float64()


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
@pytest.mark.parametrize("log", [NETLOGGER, JSON])
def test_pieces_make_no_difference(log: Path, size: int) -> None:
    scanner = LogScanner(str(log))
    data = log.read_bytes()
    found = [each for piece in pieces(data, size) for each in scanner.feed(piece)]
    assert found == list(read_transfers(log))
    assert scanner.consumed_bytes == len(data)
    assert scanner.line == data.count(b"\n") + 1


def test_a_scanner_goes_on_where_another_ended() -> None:
    data = ONE.read_bytes()
    first = LogScanner()
    found = first.feed(data[:5000])
    assert data[first.consumed_bytes - 1 : first.consumed_bytes] == b"\n"
    second = LogScanner(offset_bytes=first.consumed_bytes, line=first.line)
    found += second.feed(data[first.consumed_bytes :])
    assert [each._replace(log_file=str(ONE)) for each in found] == list(read_transfers(ONE))


def test_faults_say_where() -> None:
    scanner = LogScanner()
    good = ONE.read_bytes().splitlines(keepends=True)[0]
    assert len(scanner.feed(good + b"what?\n" + good + good[:50])) == 2
    assert scanner.finish() == []
    faults = scanner.take_faults()
    assert [fault[:3] for fault in faults] == [
        ("not_a_record", 2, len(good)),
        ("unfinished_line", 4, 2 * len(good) + 6),
    ]
    assert isinstance(faults[0], LogFault)
    assert scanner.take_faults() == []
    kinds = dict(_core.fault_kinds())
    assert all(fault.kind in kinds for fault in faults)


def test_counts() -> None:
    transfers = read_transfers(NETLOGGER)
    found = list(transfers)
    counts = transfers.counts()
    assert counts["transfers"] == len(found) == 15
    assert counts["bytes"] == sum(each.transferred_bytes or 0 for each in found)
    assert counts["codes"] == {226: 12, 426: 1, 550: 1, 599: 1}
    assert counts["faults"] == {"clock_step": 1, "unpadded_fraction": 1}
    spans = counts["spans"]
    assert isinstance(spans, list)
    assert sum(count for _, count in spans) == counts["bytes"]


def test_sources(tmp_path: Path) -> None:
    expected = [each._replace(log_file=None) for each in read_transfers(ONE)]
    data = ONE.read_bytes()
    assert list(read_transfers(io.BytesIO(data))) == expected
    assert list(read_transfers(io.BytesIO(lzma.compress(data)))) == expected
    with pytest.raises(FileNotFoundError) as caught:
        read_transfers(tmp_path / "none")
    assert caught.value.filename == str(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        list(read_transfers(tmp_path))


def test_errors_of_a_file_object_are_its_own() -> None:
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        read_transfers(Broken())
