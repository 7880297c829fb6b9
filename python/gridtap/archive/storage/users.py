"""Who may write."""

from __future__ import annotations

import sqlite3

from gridtap.archive.storage.records import User

__all__ = ["add", "change", "everybody"]


def everybody(connection: sqlite3.Connection) -> list[User]:
    """All users, ordered by name."""
    networks: dict[str, list[str]] = {}
    for name, network in connection.execute("SELECT user_name, network FROM network"):
        networks.setdefault(name, []).append(network)
    rows = connection.execute(
        "SELECT name, key_hash, is_disabled, created_at FROM user ORDER BY name"
    )
    return [
        User(name, key_hash, bool(is_disabled), tuple(networks.get(name, ())), created_at)
        for name, key_hash, is_disabled, created_at in rows
    ]


def add(connection: sqlite3.Connection, user: User) -> bool:
    """False if there is somebody of that name."""
    there = connection.execute("SELECT 1 FROM user WHERE name = ?", (user.name,)).fetchone()
    if there:
        return False
    connection.execute(
        "INSERT INTO user VALUES (?, ?, ?, ?)",
        (user.name, user.key_hash, user.is_disabled, user.created_at),
    )
    connection.executemany(
        "INSERT INTO network VALUES (?, ?)", [(user.name, network) for network in user.networks]
    )
    return True


def change(
    connection: sqlite3.Connection, name: str, key_hash: bytes | None, is_disabled: bool | None
) -> bool:
    """False if there is nobody of that name."""
    done = connection.execute(
        "UPDATE user SET key_hash = coalesce(?, key_hash), is_disabled = coalesce(?, is_disabled)"
        " WHERE name = ?",
        (key_hash, is_disabled, name),
    )
    return done.rowcount == 1
