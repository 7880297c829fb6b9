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

from gridtap.archive import limits
from gridtap.archive.refusal import UnavailableError
from gridtap.archive.storage.schema import check, migrate
from gridtap.errors import ArchiveError

__all__ = ["Connections"]

#: Connections that read at the same time.
_READERS = 4

#: Seconds that a command waits for others that write.
_PATIENCE = 60.0

#: Pages given back at a time, in well under a second.
_FREED_PAGES = 2_000

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
        # A command may wait until a server is less busy; a caller is told to come again.
        self._patience = _PATIENCE if seconds is None else limits.LOCK_SECONDS
        self._lock = threading.Lock()
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._open: list[sqlite3.Connection] = []
        self._frozen: tuple[int, int] | None = None
        try:
            self._writer, self.is_writable = self._first()
            for _ in range(_READERS):
                self._idle.put(self._reader())
        except sqlite3.Error as error:
            self.close()
            raise ArchiveError(f"{path}: {_cause(path, error)}") from error
        except ArchiveError:
            self.close()
            raise

    def close(self) -> None:
        """Closes them all; reads that are under way end at once."""
        # The one that writes was first. Closed last, and uninterrupted, it moves the log into the
        # file.
        for connection in self._open[1:]:
            connection.interrupt()
        for connection in reversed(self._open):
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
                self._check_frozen()
                connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    # Some errors have SQLite roll back by itself.
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        finally:
            self._idle.put(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection that writes, inside a transaction that ends with the block."""
        begin = time.monotonic()
        if not self._lock.acquire(timeout=self._patience):
            raise UnavailableError("The archive is busy", f"{self.path}: too many writers")
        connection = self._writer
        try:
            with self._mapped(connection):
                # Of the patience there may be little left for other processes that write.
                left = max(self._patience - (time.monotonic() - begin), 0.0)
                connection.execute(f"PRAGMA busy_timeout = {left * 1000:.0f}")
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
            free, before = self._free_pages(), -1
            while free and free != before:
                self._writer.execute(f"PRAGMA incremental_vacuum({_FREED_PAGES})").fetchall()
                free, before = self._free_pages(), free
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _free_pages(self) -> int:
        return int(self._writer.execute("PRAGMA freelist_count").fetchone()[0])

    def _first(self) -> tuple[sqlite3.Connection, bool]:
        """The connection that writes, if one can be had, and whether it is"""
        try:
            return self._prepare(), True
        except sqlite3.Error as error:
            if not _is_refused_write(error):
                raise
        return self._reader(), False

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
        # What cannot be written shows itself only when it is.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM migration WHERE number IS NULL")
        connection.execute("ROLLBACK")
        return connection

    def _reader(self) -> sqlite3.Connection:
        try:
            connection = self._connect("mode=ro")
            # Finds out whether it is a database at all.
            check(connection, self.path)
        except sqlite3.OperationalError as error:
            if not _is_refused_write(error) or not self.path.exists():
                raise
            connection = self._frozen_reader()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _frozen_reader(self) -> sqlite3.Connection:
        """Without a place for its lock file SQLite reads only what nobody changes"""
        if _size(self._log):
            raise ArchiveError(
                f"{self.path}: the last writes are in {self._log.name}, which cannot be read"
                " while the directory is read-only: open the archive once where it can be written"
            )
        self._frozen = self._stamp()
        connection = self._connect("mode=ro&immutable=1")
        check(connection, self.path)
        return connection

    def _check_frozen(self) -> None:
        if self._frozen and (_size(self._log) or self._stamp() != self._frozen):
            raise UnavailableError(
                "The archive was changed by somebody else",
                f"{self.path}: changed by a process that may write; start again to see it",
            )

    @property
    def _log(self) -> Path:
        return self.path.with_name(f"{self.path.name}-wal")

    def _stamp(self) -> tuple[int, int]:
        try:
            status = self.path.stat()
        except OSError:
            return -1, 0
        return status.st_size, status.st_mtime_ns

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?{mode}",
            uri=True,
            timeout=self._patience,
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


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _cause(path: Path, error: sqlite3.Error) -> str:
    """What the system says where SQLite only says that it cannot open a file"""
    if getattr(error, "sqlite_errorname", "").startswith("SQLITE_CANTOPEN"):
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o644))
        except OSError as refusal:
            return refusal.strerror or str(error)
    return str(error)
