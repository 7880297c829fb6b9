"""Tables, and the ordered migrations that lead to them. A file records which it has had."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from gridtap.errors import ArchiveError

__all__ = ["APPLICATION_ID", "MIGRATIONS", "check", "migrate"]

#: "grdt": tells our files from other SQLite files.
APPLICATION_ID = 0x67726474

#: What every file went through, in this order. Never changed, only added to.
MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "metadata, series, points, rollups, users",
        (
            """CREATE TABLE metadata (
                id INTEGER PRIMARY KEY,
                key TEXT NOT NULL UNIQUE,
                digest BLOB NOT NULL UNIQUE,
                subject_type TEXT NOT NULL,
                source TEXT NOT NULL,
                destination TEXT,
                measurement_agent TEXT NOT NULL,
                tool_name TEXT NOT NULL,
                input_source TEXT NOT NULL,
                input_destination TEXT
            )""",
            "CREATE INDEX metadata_source ON metadata (source)",
            "CREATE INDEX metadata_destination ON metadata (destination)",
            "CREATE INDEX metadata_measurement_agent ON metadata (measurement_agent)",
            "CREATE INDEX metadata_tool_name ON metadata (tool_name)",
            # text is what filters compare, json what was posted.
            """CREATE TABLE parameter (
                metadata_id INTEGER NOT NULL REFERENCES metadata,
                name TEXT NOT NULL,
                text TEXT NOT NULL,
                json TEXT NOT NULL,
                PRIMARY KEY (metadata_id, name)
            ) WITHOUT ROWID""",
            "CREATE INDEX parameter_text ON parameter (name, text, metadata_id)",
            # One row for the base data of each event type (window 0), one for each summary.
            """CREATE TABLE series (
                id INTEGER PRIMARY KEY,
                metadata_id INTEGER NOT NULL REFERENCES metadata,
                event_type TEXT NOT NULL,
                data_type TEXT NOT NULL,
                summary_type TEXT NOT NULL,
                window INTEGER NOT NULL,
                time_updated INTEGER,
                UNIQUE (metadata_id, event_type, summary_type, window)
            )""",
            """CREATE INDEX series_searched
                ON series (event_type, summary_type, window, time_updated, metadata_id)""",
            "CREATE INDEX series_updated ON series (time_updated, metadata_id)",
            """CREATE TABLE point (
                series_id INTEGER NOT NULL,
                ts INTEGER NOT NULL,
                val NOT NULL,
                den INTEGER,
                PRIMARY KEY (series_id, ts)
            ) WITHOUT ROWID""",
            # What summaries of one event type and window share, by start of the window.
            """CREATE TABLE rollup (
                series_id INTEGER NOT NULL,
                window INTEGER NOT NULL,
                ts INTEGER NOT NULL,
                val NOT NULL,
                den INTEGER,
                PRIMARY KEY (series_id, window, ts)
            ) WITHOUT ROWID""",
            """CREATE TABLE user (
                name TEXT PRIMARY KEY,
                key_hash BLOB NOT NULL UNIQUE,
                is_disabled INTEGER NOT NULL,
                created_at INTEGER NOT NULL
            ) WITHOUT ROWID""",
            """CREATE TABLE network (
                user_name TEXT NOT NULL REFERENCES user,
                network TEXT NOT NULL UNIQUE
            )""",
        ),
    ),
)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Brings a file, new or old, to the newest form.

    :raises ArchiveError: it is something else's database, or of a newer gridtap
    """
    done = _done(connection, path)
    if done == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Somebody else may have been faster.
        done = _done(connection, path)
        if done == 0:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(
                "CREATE TABLE migration (number INTEGER PRIMARY KEY, name, applied_at)"
            )
        for number, (name, statements) in enumerate(MIGRATIONS[done:], done + 1):
            for statement in statements:
                connection.execute(statement)
            row = (number, name, int(time.time()))
            connection.execute("INSERT INTO migration VALUES (?, ?, ?)", row)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Looks whether a file that cannot be written has the newest form.

    :raises ArchiveError: it has not
    """
    done = _done(connection, path)
    if done < len(MIGRATIONS):
        raise ArchiveError(
            f"{path}: has form {done}, is to have {len(MIGRATIONS)}, and cannot be written"
        )


def _done(connection: sqlite3.Connection, path: Path) -> int:
    """How many migrations the file has had"""
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables == 0:
        return 0
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise ArchiveError(f"{path}: a database, but not an archive of gridtap")
    done = int(connection.execute("SELECT count(*) FROM migration").fetchone()[0])
    if done > len(MIGRATIONS):
        raise ArchiveError(
            f"{path}: written by a newer gridtap (form {done}; this one knows {len(MIGRATIONS)})"
        )
    return done
