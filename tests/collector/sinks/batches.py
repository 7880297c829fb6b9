"""Batches of real records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from gridtap.collector.sinks.protocol import Form, StoredBatch
from gridtap.xrootd.reading import read_records
from tests.cli.command import DATA, run

__all__ = ["CAPTURE", "arrow_batches", "batches", "line_batches"]

#: Two servers and a redirector, with readers and writers
CAPTURE = DATA / "redir-cluster.pcap"


def line_batches(
    capture: Path = CAPTURE, kind: str = "accesses", size: int = 5
) -> list[StoredBatch]:
    """Records of a capture as native lines, so many a batch"""
    lines = run("decode", "--what", kind, "--format", "jsonl", "-q", capture).stdout
    parts = lines.splitlines(keepends=True)
    pieces = [parts[begin : begin + size] for begin in range(0, len(parts), size)]
    return [StoredBatch(len(piece), kind, b"".join(piece)) for piece in pieces]


def arrow_batches(
    capture: Path = CAPTURE, kind: str = "accesses", size: int = 5
) -> list[StoredBatch]:
    """The same as Arrow IPC streams"""
    table = pa.table(read_records(capture, kind))
    return list(_streams(table, kind, size))


def _streams(table: pa.Table, kind: str, size: int) -> Iterator[StoredBatch]:
    for begin in range(0, table.num_rows, size):
        piece = table.slice(begin, size)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(piece)
        yield StoredBatch(piece.num_rows, kind, sink.getvalue().to_pybytes())


def batches(form: Form, kind: str = "accesses", size: int = 5) -> list[StoredBatch]:
    """Records of a capture, in the form that a sink takes"""
    return (line_batches if form == "lines" else arrow_batches)(kind=kind, size=size)
