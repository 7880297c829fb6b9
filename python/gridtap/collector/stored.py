"""Batches of the core in the form that sinks and spools take."""

from __future__ import annotations

from gridtap import _core
from gridtap.collector.sinks.protocol import Form, StoredBatch
from gridtap.errors import MissingExtraError

__all__ = ["stored"]


def stored(batch: _core.Batch, form: Form) -> StoredBatch:
    """A batch as bytes: its lines, or an Arrow IPC stream.

    :raises MissingExtraError: pyarrow is needed and not installed
    """
    if form == "lines":
        return StoredBatch(batch.records, batch.kind, batch.data)
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError("Arrow", "arrow") from error
    table = pyarrow.table(batch)
    out = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return StoredBatch(batch.records, batch.kind, out.getvalue().to_pybytes())
