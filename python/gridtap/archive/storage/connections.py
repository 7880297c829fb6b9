"""Connections to the file: one that writes, a few that read, and what their errors mean."""

from __future__ import annotations

import os
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gridtap.archive.refusal import UnavailableError
from gridtap.archive.storage.schema import migrate
from gridtap.errors import ArchiveError

__all__ = ["Connections"]

#: Connections that read at the same time.
_READERS = 4

#: Instructions of SQLite's virtual machine between two looks at the clock: about a millisecond.
_STEPS = 100_000

#: What callers are told. Everything else is a fault of this program.
_CAUSES = {
    "SQLITE_FULL": "The disk of the archive is full",
    "SQLITE_READONLY": "The archive is read-only",
    "SQLITE_PERM": "The archive is read-only",
    "SQLITE_BUSY": "The archive is busy",
    "SQLITE_LOCKED": "The archive is busy",
    "SQLITE_INTERRUPT": "The request takes too long",
    "SQLITE_IOERR": "The disk of the archive fails",
    "SQLITE_CANTOPEN": "The file of the archive cannot be opened",
    "SQLITE_CORRUPT": "The file of the archive is damaged",
    "SQLITE_NOTADB": "The file of the archive is damaged",
    "SQLITE_TOOBIG": "A value is too large for the archive",
    "SQLITE_NOMEM": "The archive is out of memory",
}


class Connections:
    """The connections to one file.

    :param seconds: how long one piece of work may take; ``None`` for no end
    :raises ArchiveError: the file cannot be used
    """

    def __init__(self, path: Path, seconds: float | None) -> None:
        self.path = path
        self._seconds = seconds
        self._lock = threading.Lock()
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._open: list[sqlite3.Connection] = []
        try:
            self._writer = self._prepare()
            self.is_writable = True
        except sqlite3.Error as error:
            if not _is_refused_write(error):
                raise ArchiveError(f"{path}: {error}") from error
            self._writer = self._connect("mode=ro")
            self.is_writable = False
        try:
            for _ in range(_READERS):
                reader = self._connect("mode=ro")
                reader.execute("PRAGMA query_only = ON")
                # Finds out whether it is a database at all.
                reader.execute("SELECT count(*) FROM migration").fetchone()
                self._idle.put(reader)
        except sqlite3.Error as error:
            self.close()
            raise ArchiveError(f"{path}: {error}") from error

    def close(self) -> None:
        """Closes them all."""
        for connection in self._open:
            connection.close()
        self._open.clear()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read from, inside one snapshot."""
        try:
            connection = self._idle.get(timeout=self._seconds)
        except queue.Empty:
            raise UnavailableError("The archive is busy") from None
        try:
            with self._mapped(connection):
                connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    connection.execute("ROLLBACK")
        finally:
            self._idle.put(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection that writes, inside a transaction that ends with the block."""
        if not self._lock.acquire(timeout=-1 if self._seconds is None else self._seconds):
            raise UnavailableError("The archive is busy")
        connection = self._writer
        try:
            with self._mapped(connection):
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    # Some errors have SQLite roll back by itself.
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        finally:
            self._lock.release()

    def vacuum(self) -> None:
        """Gives pages that are free back to the file system."""
        with self._lock, self._mapped(self._writer):
            self._writer.execute("PRAGMA incremental_vacuum").fetchall()
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _prepare(self) -> sqlite3.Connection:
        connection = self._connect("mode=rwc")
        is_new = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if is_new:
            connection.execute("PRAGMA page_size = 8192")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        migrate(connection, self.path)
        connection.execute("PRAGMA journal_mode = WAL")
        # What was acknowledged survives a power cut, not only the end of the process.
        connection.execute("PRAGMA synchronous = FULL")
        # A writable file whose directory or file system is not shows itself only now.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        return connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        if mode == "mode=ro" and not os.access(self.path.parent, os.W_OK):
            # Without a place for its lock file SQLite reads only what nobody changes.
            mode += "&immutable=1"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?{mode}",
            uri=True,
            timeout=10.0,
            isolation_level=None,
            check_same_thread=False,
        )
        self._open.append(connection)
        connection.execute("PRAGMA cache_size = -16384")
        return connection

    @contextmanager
    def _mapped(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Ends what takes too long, and says what went wrong in words for callers"""
        if self._seconds is not None:
            end = time.monotonic() + self._seconds
            connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            words = _CAUSES.get("_".join(name.split("_")[:2]))
            if words is None:
                raise
            raise UnavailableError(words, f"{self.path}: {error} ({name})") from error
        finally:
            connection.set_progress_handler(None, 0)


def _is_refused_write(error: sqlite3.Error) -> bool:
    name = getattr(error, "sqlite_errorname", "")
    return name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM"))
