"""What a bulk pull has done so far, so that an interrupted one can go on.

A hidden file beside the pulled ones: a line of JSON about the pull, then one for each event type
that is finished. It is locked while a pull is under way and removed when all is done.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from gridtap.errors import GridtapError
from gridtap.esmond.querying.query_options import QueryOptions

__all__ = ["BulkBusyError", "Done", "Journal"]

_VERSION = 1

#: Options that decide what is in the files
_IDENTITY = (
    "url",
    "src",
    "dest",
    "agent",
    "type",
    "tool",
    "start",
    "end",
    "filter",
    "summary_type",
    "summary_window",
    "format",
    "ip",
    "json_values",
    "script_alias",
)


class BulkBusyError(GridtapError):
    """Another process is pulling the same query into the same directory."""


class Done(NamedTuple):
    """A finished event type of a test.

    :param name: of its file; None where there were no data
    """

    name: str | None
    rows: int
    points: int
    bytes: int


class Journal:
    """The journal of one query in one directory; a context manager that holds its lock.

    :raises BulkBusyError: another process holds it
    :raises OSError: the directory cannot be written to
    """

    def __init__(self, options: QueryOptions, directory: Path) -> None:
        known = asdict(options)
        identity = json.dumps([known[name] for name in _IDENTITY])
        self.token = hashlib.sha256(identity.encode()).hexdigest()[:12]
        self._directory = directory
        self._path = directory / f".esmond-ps-get-bulk.{self.token}.journal"
        self._window: tuple[int, int] | None = None
        self._done: dict[tuple[str, str], Done] = {}
        self._recorded = False
        try:
            self._file = self._path.open("a+b")
        except OSError as error:
            error.filename = os.fspath(directory)
            raise
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise BulkBusyError(
                f"{directory}: another pull of the same query is under way"
            ) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.has_entries:
            # Nothing to go on with.
            self.finish()
        self._file.close()

    def begin(self, window: tuple[int, int], *, resume: bool) -> tuple[int, int]:
        """Starts anew, or goes on where an earlier pull has ended.

        :param window: time window of the query, in seconds of the epoch
        :returns: the window to ask for: an earlier pull's, where there is one to go on with
        """
        if resume:
            self._read()
        if self._window is None:
            self._window = window
            self._done.clear()
            self._file.truncate(0)
            self._write({"version": _VERSION, "window": window})
        return self._window

    @property
    def has_entries(self) -> bool:
        """Whether anything was finished, now or earlier."""
        return self._recorded or bool(self._done)

    def done(self, key: str, event_type: str) -> Done | None:
        """What was done about an event type, if its file is still as it was left."""
        found = self._done.get((key, event_type))
        if found is None or found.name is None:
            return found
        with suppress(OSError):
            if (self._directory / found.name).stat().st_size == found.bytes:
                return found
        return None

    def record(self, key: str, event_type: str, done: Done) -> None:
        """Notes that an event type is finished.

        :raises OSError: the disk is full
        """
        self._recorded = True
        self._write({"key": key, "event-type": event_type, **done._asdict()})

    def finish(self) -> None:
        """All is done: nothing to go on with."""
        self._path.unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Names of the files that are finished, and still as they were left."""
        found = [self.done(*task) for task in self._done]
        return [done.name for done in found if done is not None and done.name is not None]

    def _write(self, entry: dict[str, object]) -> None:
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()

    def _read(self) -> None:
        self._file.seek(0)
        whole = 0
        for line in self._file:
            # A kill may have cut the last line short.
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                break
            whole += len(line)
        self._file.truncate(whole)

    def _take(self, entry: dict[str, Any]) -> None:
        if self._window is None:
            if entry["version"] != _VERSION:
                raise ValueError("written by another version")
            self._window = (entry["window"][0], entry["window"][1])
            return
        done = Done(entry["name"], entry["rows"], entry["points"], entry["bytes"])
        self._done[entry["key"], entry["event-type"]] = done
