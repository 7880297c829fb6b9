"""One transfer, and one thing wrong with a log.

The fields of :py:class:`Transfer` are the keys of JSON lines and the columns of Arrow, CSV and
Parquet output. A field is ``None`` when the log did not say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

__all__ = ["LogFault", "Transfer", "transfers"]


class Transfer(NamedTuple):
    """One transfer, or listing, as its server logged it."""

    started_at: float | None
    """UTC epoch seconds, with microseconds; so is the next."""
    ended_at: float | None
    operation: str | None
    """As logged: ``RETR`` (the server sent), ``STOR`` (it received), ``ERET``, ``LIST``, ..."""
    code: int | None
    """FTP reply; 226 is success."""
    host: str | None
    """The server's name, in JSON logs its address."""
    remote_address: str | None
    """Canonical, without brackets; an IPv4-mapped one as IPv4; null for 0.0.0.0."""
    path: str | None
    """What is not UTF-8 is shown as U+FFFD."""
    path_raw: str | None
    """base64 of the bytes of a path that is not UTF-8."""
    transferred_bytes: int | None
    streams: int | None
    """Parallel TCP connections."""
    stripes: int | None
    """In JSON logs the largest stripe of a stream, and one."""
    tcp_buffer_bytes: int | None
    """0 is the system's choice."""
    block_bytes: int | None
    user: str | None
    """Local account."""
    volume: str | None
    program: str | None
    event: str | None
    task_id: str | None
    """Globus task; ``none`` is null."""
    retransmits: list[int | None] | None
    """One for each TCP connection, null where the server could not count."""
    iostat: Any
    """JSON logs only, like the next three; keys in small letters, ``/`` as ``_``, without ``%``."""
    mpstat: Any
    rusage: Any
    tcp_info: Any
    """One object for each TCP connection."""
    extra: dict[str, str] | None
    """Keys without a column, and values that could not be read, as logged."""
    throughput_bps: float | None
    """Bits per second: 8 x bytes / duration; null where the duration is not positive."""
    log_file: str | None
    log_line: int | None
    """From 1."""
    log_offset_bytes: int | None
    """Of the record's first byte, in the uncompressed log."""


class LogFault(NamedTuple):
    """One thing wrong with a log."""

    kind: str
    """Stable name, see the page on faults."""
    line: int
    """From 1."""
    offset_bytes: int
    """Of the record, or of the line where there is none, in the uncompressed log."""
    context: str
    """What was being read, for people."""


#: Where the core hands over JSON text.
_JSON: Final = tuple(
    Transfer._fields.index(name) for name in ("iostat", "mpstat", "rusage", "tcp_info", "extra")
)


def transfers(rows: Iterable[Sequence[Any]]) -> list[Transfer]:
    """Rows of the core as records."""
    return [_transfer(row) for row in rows]


def _transfer(row: Sequence[Any]) -> Transfer:
    if all(row[at] is None for at in _JSON):
        return Transfer._make(row)
    values = list(row)
    for at in _JSON:
        if values[at] is not None:
            values[at] = json.loads(values[at])
    return Transfer._make(values)
