"""Rows as a Parquet file.

The time is a timestamp in UTC. A column of measured values is of doubles where every value is a
number or the text of one, as tools write them; anything else makes it a column of JSON texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from gridtap.errors import MissingExtraError
from gridtap.esmond.querying.outputs import Row

if TYPE_CHECKING:
    import pyarrow

__all__ = ["write_parquet"]

#: Rows of a row group: large enough to compress, small enough to hold
_ROWS = 65_536

_INTEGERS = frozenset({"summary_window", "stream_num"})
_NUMBERS = frozenset(
    {
        "duration",
        "max",
        "mean",
        "median",
        "min",
        "mtu",
        "percentile_25",
        "percentile_75",
        "percentile_95",
        "query",
        "rtt",
        "standard_deviation",
        "start",
        "success",
        "ttl",
        "value",
        "variance",
    }
)


def write_parquet(rows: Iterable[Row], columns: Sequence[str], file: BinaryIO) -> None:
    """Writes rows to a file, zstd-compressed.

    The type of a column has to be known before the first row is written, so that values which turn
    out not to be numbers later on are only known after all rows were seen: they are held in memory.

    :raises MissingExtraError: pyarrow is not installed
    :raises OSError: the file cannot be written
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("Parquet", "arrow") from error
    rest = iter(rows)
    tables: list[pyarrow.Table] = []
    while batch := list(islice(rest, _ROWS)):
        tables.append(_table(batch, columns))
    table = _joined(tables, columns)
    pyarrow.parquet.write_table(table, file, compression="zstd", row_group_size=_ROWS)


def _table(batch: Sequence[Row], columns: Sequence[str]) -> pyarrow.Table:
    import pyarrow

    return pyarrow.table(
        {name: _column(name, [row.get(name) for row in batch]) for name in columns}
    )


def _joined(tables: Sequence[pyarrow.Table], columns: Sequence[str]) -> pyarrow.Table:
    import pyarrow

    if not tables:
        return _table([], columns)
    for name in columns:
        types = {table.schema.field(name).type for table in tables}
        if len(types) > 1:
            # Numbers at first, something else later: all of them as JSON, which both are.
            tables = [_as_text(table, name) for table in tables]
    return pyarrow.concat_tables(tables)


def _as_text(table: pyarrow.Table, name: str) -> pyarrow.Table:
    import pyarrow

    index = table.schema.get_field_index(name)
    column = table.column(name)
    if column.type == pyarrow.string():
        return table
    texts = [None if v is None else json.dumps(v) for v in column.to_pylist()]
    return table.set_column(index, name, pyarrow.array(texts, pyarrow.string()))


def _column(name: str, values: list[object]) -> pyarrow.Array:
    import pyarrow

    if name == "timestamp":
        times = [_time(value) for value in values]
        return pyarrow.array(times, pyarrow.timestamp("s", tz="UTC"))
    if name in _INTEGERS and all(value is None or isinstance(value, int) for value in values):
        return pyarrow.array(values, pyarrow.int64())
    if name in _NUMBERS:
        try:
            return pyarrow.array([_number(value) for value in values], pyarrow.float64())
        except (TypeError, ValueError, OverflowError):
            texts = [None if value is None else json.dumps(value) for value in values]
            return pyarrow.array(texts, pyarrow.string())
    return pyarrow.array([_text(value) for value in values], pyarrow.string())


def _time(value: object) -> datetime | None:
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else None


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float, str)):
        return float(value)
    raise TypeError(f"not a number: {value!r}")


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        # Half a surrogate pair, which JSON can spell, is no text to Parquet.
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value)
