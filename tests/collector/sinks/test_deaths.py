"""Sinks that are killed at any moment, over and over, while they rotate, roll and merge."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from gridtap.collector.sinks.jsonl import JsonlSettings, JsonlSink
from gridtap.collector.sinks.parquet import ParquetSettings, ParquetSink
from gridtap.collector.sinks.protocol import StoredBatch

ROUNDS = 10

#: Writes batches of one record with a number, and says which it has written, until it is killed.
_LINES = """
import sys
from gridtap.collector.sinks.jsonl import JsonlSettings, JsonlSink
from gridtap.collector.sinks.protocol import StoredBatch

settings = JsonlSettings(path=sys.argv[1] + "/a.jsonl", rotate_size=3_000, keep=0, compress=True)
sink = JsonlSink(settings)
number = int(sys.argv[2])
while True:
    data = b'{"file_id": %d, "path": "%s"}\\n' % (number, b"x" * (number * 7919 % 400))
    sink.write(StoredBatch(1, "accesses", data))
    print(number, flush=True)
    number += 1
"""

_ROWS = """
import sys
import pyarrow as pa
from gridtap.collector.sinks.parquet import ParquetSettings, ParquetSink
from gridtap.collector.sinks.protocol import StoredBatch

settings = ParquetSettings(directory=sys.argv[1], roll_size=5_000, compact_after=0.0)
sink = ParquetSink(settings)
number = int(sys.argv[2])
while True:
    table = pa.table({"file_id": [number], "closed_at": [number // 10 * 3600.0]})
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    sink.write(StoredBatch(1, "accesses", stream.getvalue().to_pybytes()))
    print(number, flush=True)
    if number % 20 == 0:
        # Every hour is over by then.
        sink.tick(4e9 + number * 100.0)
    number += 1
"""


def _numbers_of_lines(directory: Path) -> list[int]:
    # Opening it is what puts its end right.
    path = str(directory / "a.jsonl")
    sink = JsonlSink(JsonlSettings(path=path, rotate_every=1.0, keep=0, compress=True))
    sink.tick(time.time() + 10)
    sink.write(StoredBatch(0, "accesses", b""))
    sink.close()
    found = []
    (directory / "a.jsonl").unlink()
    assert not [path for path in directory.iterdir() if path.suffix not in (".gz", ".torn")]
    for packed in directory.glob("a.*.jsonl.gz"):
        text = gzip.decompress(packed.read_bytes())
        assert text.endswith(b"\n")
        found += [json.loads(line)["file_id"] for line in text.splitlines()]
    return found


def _numbers_of_rows(directory: Path) -> list[int]:
    sink = ParquetSink(ParquetSettings(directory=str(directory)))
    sink.tick(time.time())
    sink.close()
    assert not list(directory.rglob("date=*/hour=*/.*"))
    numbers: list[int] = (
        ds.dataset(str(directory), format="parquet").to_table()["file_id"].to_pylist()
    )
    return numbers


@pytest.mark.parametrize(
    ("script", "numbers", "least"),
    [(_LINES, _numbers_of_lines, 1_000), (_ROWS, _numbers_of_rows, 100)],
    ids=["jsonl", "parquet"],
)
def test_each_record_that_was_taken_is_there_once(
    tmp_path: Path, script: str, numbers: Callable[[Path], list[int]], least: int
) -> None:
    dice = random.Random(11)
    taken: list[int] = []
    unknown: set[int] = set()
    begin = 0
    for _ in range(ROUNDS):
        command = [sys.executable, "-c", script, str(tmp_path), str(begin)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            lines = [worker.stdout.readline()]
            time.sleep(dice.uniform(0.0, 0.3))
            worker.kill()
            lines += worker.stdout.readlines()
        taken += [int(line) for line in lines if line.endswith("\n")]
        # What was being written when it died is there or not.
        unknown.add(taken[-1] + 1)
        begin = taken[-1] + 2
    assert len(taken) > least
    found = numbers(tmp_path)
    assert len(found) == len(set(found))
    assert set(taken) <= set(found) <= set(taken) | unknown
