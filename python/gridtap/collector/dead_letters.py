"""Records that a sink will never take, kept for people to look at."""

from __future__ import annotations

import time
from pathlib import Path

from gridtap.collector.logs import event_log
from gridtap.collector.sinks.protocol import Form, StoredBatch

__all__ = ["DeadLetters"]

_LOG = event_log(__name__)

#: Of all dead letters of one sink, in bytes. Enough to see what is wrong with them; whoever goes on
#: refusing everything does not fill the disk.
MAX_BYTES = 64 << 20


class DeadLetters:
    """A directory with one file for each batch, named by time and reason.

    :param directory: made when there is something to keep; None: nothing is kept
    """

    def __init__(self, directory: Path | None, form: Form, max_bytes: int = MAX_BYTES) -> None:
        self._directory = directory
        self._suffix = "arrows" if form == "arrow" else "txt"
        self._max_bytes = max_bytes

    def keep(self, batch: StoredBatch, reason: str) -> None:
        """Keeps a batch, unless all that is kept would be too much; it is counted elsewhere."""
        if self._directory is None:
            return
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            kept = sum(each.stat().st_size for each in self._directory.iterdir())
            if kept + len(batch.data) <= self._max_bytes:
                name = f"{time.time_ns()}-{reason}.{self._suffix}"
                (self._directory / name).write_bytes(batch.data)
        except OSError as error:
            _LOG.error("dead_letters_failed", path=str(error.filename), reason=str(error.strerror))
