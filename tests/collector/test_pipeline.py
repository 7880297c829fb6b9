"""A sink's pipeline, fed by the core: sinks that are down, slow, picky or faulty."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from gridtap import _core
from gridtap.collector.config import read_config
from gridtap.collector.config_core import core_settings
from gridtap.collector.dead_letters import DeadLetters
from gridtap.collector.handover import HandOver
from gridtap.collector.pipeline import Pipeline
from gridtap.collector.sinks.jsonl import JsonlSettings, JsonlSink
from gridtap.collector.sinks.parquet import ParquetSettings, ParquetSink
from gridtap.collector.sinks.protocol import Form, Sink, StoredBatch
from gridtap.collector.spool import Spool
from gridtap.errors import RefusedError
from gridtap.xrootd import read_accesses
from tests.cli.command import run
from tests.collector.process import wait_for
from tests.collector.traffic import DATA

FULL = DATA / "fstat-full.pcap"


def core(form: Form) -> _core.Collector:
    """One that makes a batch of nearly each record"""
    sink: dict[str, object] = {"batch": 1000, "batch_wait": "10ms", "queue": "1MiB"}
    own = {"type": "jsonl", "path": "-"}
    if form == "arrow":
        own = {"type": "parquet", "directory": "none"}
    document = {"sinks": {"out": sink | own}}
    return _core.Collector(core_settings(read_config(document, "test")), [])


def expected(times: int = 1) -> list[bytes]:
    return run("decode", "-q", FULL).stdout.splitlines() * times


class Run:
    """A core, a pipeline and what is between them"""

    def __init__(self, sink: Sink, spool: Path | None, memory: int = 1 << 20) -> None:
        self.core = core(sink.form)
        line = HandOver(Spool(spool, 1 << 24) if spool else None, memory)
        dead = DeadLetters(spool and spool / "dead", sink.form)
        self.pipeline = Pipeline("out", self.core, self.core.index("out"), sink, line, dead)

    def feed(self, times: int = 1) -> None:
        for _ in range(times):
            self.core.feed(str(FULL))

    def finish(self, timeout_s: float = 10.0) -> None:
        self.core.stop()
        self.pipeline.finish(timeout_s)


@contextmanager
def running(sink: Sink, spool: Path | None, memory: int = 1 << 20) -> Iterator[Run]:
    run = Run(sink, spool, memory)
    run.pipeline.start()
    yield run
    if run.pipeline.is_running():
        run.finish()


def jsonl(path: Path) -> JsonlSink:
    return JsonlSink(JsonlSettings(path=str(path), fsync="never"))


def test_all_goes_to_the_sink(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with running(jsonl(out), tmp_path / "spool") as run:
        run.feed()
    assert out.read_bytes().splitlines() == expected()
    assert (run.pipeline.written_records, run.pipeline.failures) == (36, 0)
    assert run.pipeline.trouble is None


def test_a_sink_that_is_down_is_caught_up_with_in_order(tmp_path: Path) -> None:
    out = tmp_path / "later" / "out.jsonl"
    with running(jsonl(out), tmp_path / "spool") as run:
        run.feed(2)
        pipeline = run.pipeline
        wait_for(
            lambda: pipeline.line.spool is not None and pipeline.line.spool.stored_records == 72
        )
        assert str(out) in (pipeline.trouble or "")
        assert pipeline.failures > 0
        out.parent.mkdir()
        run.feed()
        wait_for(lambda: pipeline.trouble is None)
        wait_for(lambda: pipeline.written_records == 108)
        assert pipeline.line.spool is not None
        assert pipeline.line.spool.stored_records == 0
    assert out.read_bytes().splitlines() == expected(3)


def test_what_a_sink_did_not_take_waits_for_the_next_run(tmp_path: Path) -> None:
    out = tmp_path / "later" / "out.jsonl"
    with running(jsonl(out), tmp_path / "spool") as run:
        run.feed()
    assert run.pipeline.line.lost_records == 0
    out.parent.mkdir()
    with running(jsonl(out), tmp_path / "spool") as run:
        run.feed()
        wait_for(lambda: run.pipeline.written_records == 72)
    assert out.read_bytes().splitlines() == expected(2)


def test_a_slow_sink_spools(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    with running(jsonl(pipe), tmp_path / "spool", memory=20_000) as run:
        run.feed(10)
        spool = run.pipeline.line.spool
        assert spool is not None
        # A pipe holds 64 KiB; the rest cannot be in memory.
        wait_for(lambda: spool.stored_records > 250)
        assert run.pipeline.line.waiting_bytes <= 20_000
        assert run.pipeline.failures == 0
        read: list[bytes] = []

        def read_all() -> None:
            while piece := os.read(reader, 1 << 16):
                read.append(piece)

        thread = threading.Thread(target=read_all)
        thread.start()
        wait_for(lambda: run.pipeline.written_records == 360)
        run.finish()
        thread.join(5)
    os.close(reader)
    assert b"".join(read).splitlines() == expected(10)


def test_without_a_spool_what_is_not_taken_is_lost_and_counted(tmp_path: Path) -> None:
    with running(jsonl(tmp_path / "never" / "out.jsonl"), None) as run:
        run.feed()
        run.finish(1.0)
    assert run.pipeline.line.lost_records == 36


def test_columns_go_through_a_spool_as_well(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    directory = tmp_path / "later" / "dataset"
    sink = ParquetSink(ParquetSettings(directory=str(directory)))
    with running(sink, tmp_path / "spool") as run:
        run.feed()
        wait_for(lambda: run.pipeline.trouble is not None)
        directory.parent.mkdir()
        wait_for(lambda: run.pipeline.written_records == 36)
    rows = parquet.read_table(directory).to_pylist()
    records = [access._asdict() for access in read_accesses(FULL)]
    # Partitions of the dataset are columns, too.
    assert [{name: row[name] for name in records[0]} for row in rows] == records


class Picky:
    """Takes a batch in which a word is, refuses one record of it or fails at others"""

    form: ClassVar[Form] = "lines"

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.calls: list[str] = []

    def write(self, batch: StoredBatch) -> None:
        data = bytes(batch.data)
        if b'"file_id":1' in data:
            raise RefusedError("too_old", 1, "the archive takes nothing of last year")
        if b'"file_id":2' in data:
            raise ValueError("a fault of the sink's own")
        self.taken.append(data)

    def flush(self) -> None:
        self.calls.append("flush")

    def tick(self, now: float) -> None:
        self.calls.append("tick")

    def reopen(self) -> None:
        self.calls.append("reopen")

    def close(self) -> None:
        self.calls.append("close")


class Late(Picky):
    """Finds out with each third batch that it cannot store what it took before"""

    def write(self, batch: StoredBatch) -> None:
        self.taken.append(bytes(batch.data))
        if len(self.taken) % 3 == 0:
            raise RefusedError("no_address", 2, "clients without an address", is_late=True)


def test_what_is_refused_late_is_counted_and_costs_no_other_batch(tmp_path: Path) -> None:
    sink = Late()
    with running(sink, tmp_path / "spool") as run:
        run.feed()
    assert b"".join(sink.taken).splitlines() == expected()
    late = len(sink.taken) // 3
    assert run.pipeline.refused_records == {"no_address": 2 * late}
    assert late > 0
    assert run.pipeline.written_records == len(expected())
    assert not (tmp_path / "spool/dead").exists()


def test_what_is_refused_is_kept_apart_and_counted(tmp_path: Path) -> None:
    sink = Picky()
    with running(sink, tmp_path / "spool") as run:
        run.feed()
    dead = sorted((tmp_path / "spool/dead").iterdir())
    refused = run.pipeline.refused_records
    assert refused.keys() == {"too_old", "failed"}
    # All that was in such a batch is kept, the others of it as well.
    kept = b"".join(path.read_bytes() for path in dead).splitlines()
    assert sorted(kept + b"".join(sink.taken).splitlines()) == sorted(expected())
    assert {path.name.split("-")[1] for path in dead} == {"too_old.txt", "failed.txt"}
    assert run.pipeline.written_records == 36 - sum(refused.values())


def test_dead_letters_do_not_fill_the_disk(tmp_path: Path) -> None:
    dead = DeadLetters(tmp_path / "dead", "arrow", max_bytes=250)
    for _ in range(5):
        dead.keep(StoredBatch(1, None, b"x" * 100), "too_old")
    assert [path.suffix for path in (tmp_path / "dead").iterdir()] == [".arrows"] * 2


def test_what_is_due_is_done(tmp_path: Path) -> None:
    first, second = Picky(), Picky()
    with running(first, None) as run:
        wait_for(lambda: "tick" in first.calls)
        run.pipeline.renew(None)
        wait_for(lambda: "reopen" in first.calls)
        run.pipeline.renew(second)
        wait_for(lambda: "tick" in second.calls)
        assert first.calls[-1] == "close"
        run.feed()
    assert second.taken
    assert second.calls[-1] == "close"
