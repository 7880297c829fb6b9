"""Parquet files by hour: whole, complete after a crash, and one an hour in the end."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from gridtap import _core
from gridtap.collector.sinks.dataset import TIMES, Dataset
from gridtap.collector.sinks.parquet import ParquetSettings, ParquetSink
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.errors import RefusedError, SinkSettingError, SinkUnavailableError
from gridtap.xrootd.reading import read_accesses, read_records
from gridtap.xrootd.records import RECORDS
from tests.cli.command import DATA
from tests.collector.full_disk import small_disk
from tests.collector.sinks.batches import CAPTURE, arrow_batches

HOUR = 3_600.0
#: In the hour of the capture's accesses
NOW = 1_795_320_760.0


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def sink_of(directory: Path, clock: Clock | None = None, **more: Any) -> ParquetSink:
    return ParquetSink(ParquetSettings(directory=str(directory), **more), clock=clock or Clock())


def rows(directory: Path) -> list[dict[str, Any]]:
    found = ds.dataset(str(directory), format="parquet").to_table().to_pylist()
    return sorted(found, key=lambda row: json.dumps(row, sort_keys=True))


def expected(kind: str = "accesses", capture: Path = CAPTURE) -> list[dict[str, Any]]:
    found = pa.table(read_records(capture, kind)).to_pylist()
    return sorted(found, key=lambda row: json.dumps(row, sort_keys=True))


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*.parquet"))


def moved(batch: StoredBatch, seconds: float) -> StoredBatch:
    """The same accesses at another time"""
    table = pa.ipc.open_stream(batch.data).read_all()
    place = table.schema.get_field_index("closed_at")
    shifted = pa.compute.add(table["closed_at"], seconds)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.set_column(place, table.schema.field(place), shifted))
    return StoredBatch(batch.records, batch.kind, sink.getvalue().to_pybytes())


def test_every_kind_of_record_has_a_time() -> None:
    for kind in RECORDS:
        names = {name for name, _ in _core.columns(kind)}
        assert names & set(TIMES), kind


@pytest.mark.parametrize(
    ("kind", "capture"),
    [
        ("accesses", "redir-cluster"),
        ("sessions", "redir-cluster"),
        ("redirects", "redir-cluster"),
        ("io", "trace-io"),
        ("plugins", "gstream-all-mixed"),
        ("servers", "redir-cluster"),
        ("summaries", "report-all"),
    ],
)
def test_all_kinds_are_stored_as_they_are(tmp_path: Path, kind: str, capture: str) -> None:
    path = DATA / f"{capture}.pcap"
    sink = sink_of(tmp_path / "set")
    for batch in arrow_batches(path, kind):
        sink.write(batch)
    sink.close()
    assert expected(kind, path)
    assert rows(tmp_path / "set") == expected(kind, path)


def test_the_layout(tmp_path: Path) -> None:
    sink = sink_of(tmp_path)
    for number, batch in enumerate(arrow_batches()):
        sink.write(moved(batch, number % 2 * HOUR))
    sink.close()
    assert files(tmp_path) == [
        f"date=2026-11-22/hour={hour}/part-{1:016}.parquet" for hour in ("04", "05")
    ]
    hours = ds.dataset(str(tmp_path), format="parquet", partitioning="hive").to_table()
    for row in hours.to_pylist():
        closed = datetime.fromtimestamp(row["closed_at"], UTC)
        assert (row["date"], row["hour"]) == (f"{closed:%Y-%m-%d}", closed.hour)
    assert hours.num_rows == 28


def test_records_without_a_time_go_to_the_hour_of_their_writing(tmp_path: Path) -> None:
    table = pa.table(read_accesses(CAPTURE))
    for name in ("closed_at", "opened_at"):
        place = table.schema.get_field_index(name)
        nothing = pa.nulls(table.num_rows, pa.float64())
        table = table.set_column(place, table.schema.field(place), nothing)
    [hour] = Dataset(tmp_path).store(table, 1, 1_795_478_400.0)
    assert Dataset(tmp_path).path(hour) == tmp_path / "date=2026-11-24/hour=00"


def test_files_are_made_by_time_and_by_size(tmp_path: Path) -> None:
    clock = Clock(NOW - NOW % 300)
    sink = sink_of(tmp_path, clock, roll_size=40_000)
    batches = arrow_batches()
    sink.write(batches[0])
    clock.now += 299.9
    sink.tick(clock.now)
    assert files(tmp_path) == []
    clock.now += 0.1
    sink.tick(clock.now)
    assert len(files(tmp_path)) == 1
    for batch in batches[1:]:
        sink.write(batch)
    assert len(files(tmp_path)) > 1
    sink.close()
    assert rows(tmp_path) == expected()


def test_hours_are_merged_when_they_are_over(tmp_path: Path) -> None:
    clock = Clock()
    sink = sink_of(tmp_path, clock, compact_after=0.0)
    for batch in arrow_batches():
        sink.write(batch)
        sink.reopen()
    assert len(files(tmp_path)) == 6
    sink.tick(clock.now)
    assert len(files(tmp_path)) == 6
    # The files are of the real time, which is what a merge waits for too.
    late = max(clock.now, *(path.stat().st_mtime for path in tmp_path.rglob("*.parquet"))) + HOUR
    sink.tick(late)
    [merged] = files(tmp_path)
    assert merged.endswith(f"part-{1:016}-{6:016}.parquet")
    assert rows(tmp_path) == expected()
    # What is late is added, and merged again.
    sink.write(arrow_batches()[0])
    sink.reopen()
    assert len(files(tmp_path)) == 2
    sink.tick(late + 2 * HOUR)
    assert len(files(tmp_path)) == 1
    assert len(rows(tmp_path)) == 28 + 5
    sink.close()


@pytest.mark.parametrize("deaths", ["before", "between", "after"])
def test_a_merge_that_a_crash_ended_is_finished(tmp_path: Path, deaths: str) -> None:
    sink = sink_of(tmp_path)
    for batch in arrow_batches():
        sink.write(batch)
        sink.reopen()
    sink.close()
    [hour] = Dataset(tmp_path).hours()
    copy = tmp_path / "copy"
    copy.mkdir()
    parts = Dataset(tmp_path).parts(hour)
    for path in parts:
        shutil.copy(path, copy)
    Dataset(tmp_path).merge(hour)
    [merged] = Dataset(tmp_path).parts(hour)
    # As it is when the process dies in the middle of it.
    hidden = merged.rename(merged.with_name(f".{merged.name}.merged"))
    if deaths == "before":
        hidden.rename(hidden.with_name(f".{hidden.name}.1234.part"))
    kept = {"before": parts, "between": parts[2:], "after": []}[deaths]
    for path in kept:
        shutil.copy(copy / path.name, path)
    shutil.rmtree(copy)
    again = sink_of(tmp_path)
    again.tick(NOW)
    assert len(Dataset(tmp_path).parts(hour)) == (6 if deaths == "before" else 1)
    assert rows(tmp_path) == expected()
    assert not list(merged.parent.glob(".*"))
    again.close()


@pytest.mark.parametrize("name", ["part-0000000000000000.parquet", ".part-x.parquet.merged"])
def test_a_file_that_is_no_parquet_stops_nothing(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    sink = sink_of(tmp_path, compact_after=0.0)
    batches = arrow_batches()
    for batch in batches[:3]:
        sink.write(batch)
        sink.reopen()
    sink.close()
    [hour] = Dataset(tmp_path).hours()
    other = Dataset(tmp_path).path(hour) / name
    other.write_bytes(b"no Parquet")
    sink = sink_of(tmp_path, compact_after=0.0)
    for batch in batches[3:]:
        sink.write(batch)
    sink.tick(4e9)
    sink.close()
    assert [record.message for record in caplog.records] == ["not_merged"]
    assert other.read_bytes() == b"no Parquet"
    other.unlink()
    assert rows(tmp_path) == expected()


def test_a_segment_that_was_stored_already_is_not_there_twice(tmp_path: Path) -> None:
    sink = sink_of(tmp_path)
    for batch in arrow_batches():
        sink.write(batch)
    segments = list((tmp_path / ".journal").glob("*.seg"))
    kept = [(path, path.read_bytes()) for path in segments]
    sink.close()
    # As it is when the process dies before the segment is removed.
    for path, data in kept:
        path.write_bytes(data)
    again = sink_of(tmp_path)
    again.tick(NOW)
    again.write(arrow_batches()[0])
    again.close()
    assert len(rows(tmp_path)) == 28 + 5
    assert len(files(tmp_path)) == 2


def test_a_full_disk(tmp_path: Path) -> None:
    with small_disk(1 << 20) as disk:
        sink = sink_of(disk / "set")
        batches = arrow_batches()
        sink.write(batches[0])
        ballast = disk / "ballast"
        with ballast.open("wb", 0) as file:
            while free := shutil.disk_usage(disk).free:
                file.write(bytes(free))
        with pytest.raises(SinkUnavailableError, match="No space left on device"):
            sink.reopen()
        for _ in range(2):
            with pytest.raises(SinkUnavailableError, match="No space left on device"):
                sink.write(batches[1])
        assert files(disk) == []
        ballast.unlink()
        for batch in batches[1:]:
            sink.write(batch)
        sink.close()
        assert rows(disk / "set") == expected()


def test_what_is_not_arrow_is_refused(tmp_path: Path) -> None:
    sink = sink_of(tmp_path)
    with pytest.raises(RefusedError) as got:
        sink.write(StoredBatch(3, "accesses", b'{"no": "arrow"}\n'))
    assert (got.value.reason, got.value.records) == ("not_arrow", 3)
    for batch in arrow_batches():
        sink.write(batch)
    # Of another kind, with a column of the same name and another type.
    other = pa.table({"server_address": [1]})
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, other.schema) as writer:
        writer.write_table(other)
    sink.reopen()
    sink.write(StoredBatch(1, "x", buffer.getvalue().to_pybytes()))
    sink.write(arrow_batches()[0])
    sink.reopen()
    with pytest.raises(RefusedError) as got:
        sink.write(arrow_batches()[1])
    assert (got.value.reason, got.value.records, got.value.is_late) == ("not_arrow", 6, True)
    assert len(list((tmp_path / ".journal").glob("*.refused"))) == 1
    sink.close()
    assert len(rows(tmp_path)) == 28 + 5


def test_a_dataset_is_of_one_sink(tmp_path: Path) -> None:
    first, second = sink_of(tmp_path), sink_of(tmp_path)
    batch = arrow_batches()[0]
    first.write(batch)
    with pytest.raises(SinkUnavailableError, match="another process, or another sink"):
        second.write(batch)
    first.close()
    second.write(batch)
    second.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [("directory", ""), ("roll_every", 0), ("roll_size", -1), ("compact_after", -1), ("fsync", "")],
)
def test_settings_that_cannot_be(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(SinkSettingError, match=name):
        ParquetSink(ParquetSettings(**{"directory": str(tmp_path), name: value}))
