"""``gridtap archive``: an esmond archive on this host."""

from __future__ import annotations

import ipaddress
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from gridtap.cli.output import whole_file
from gridtap.errors import ArchiveError, MissingExtraError

if TYPE_CHECKING:
    from gridtap.archive.storage import SqliteStorage

_DB = click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    default="gridtap-archive.db",
    show_default=True,
    metavar="FILE",
    help="The archive's file; made if it is not there.",
)
_TYPES = click.option(
    "--event-types",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="TOML file with a table [event-types] of further event types and their data types.",
)


@click.group()
def archive() -> None:
    """Keep perfSONAR measurements in an esmond archive of one file."""


@archive.command()
@_DB
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8085,
    show_default=True,
    help="Port to listen on; 0 for any.",
)
@click.option(
    "--script-alias",
    default="/esmond",
    show_default=True,
    metavar="PATH",
    help="Path in front of /perfsonar/archive/ in the addresses it gives; / for none.",
)
@click.option("--private", is_flag=True, help="Ask for a key also where only data are read.")
@click.option(
    "--lenient-writes",
    is_flag=True,
    help="Drop points of unknown metadata or unregistered event types, as esmond does.",
)
@click.option(
    "--values",
    type=click.Choice(["compatible", "exact"]),
    default="compatible",
    show_default=True,
    help="Show numbers as esmond does (integers as floats, floats cut to 4 decimals), or in full.",
)
@click.option(
    "--trust-proxy",
    "proxies",
    multiple=True,
    metavar="NETWORK",
    help="Believe X-Forwarded-For and -Proto of this address or network; may be repeated.",
)
@_TYPES
def serve(
    db: Path,
    host: str,
    port: int,
    script_alias: str,
    private: bool,
    lenient_writes: bool,
    values: str,
    proxies: tuple[str, ...],
    event_types: Path | None,
) -> None:
    """Serve the archive over HTTP until told to stop."""
    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise MissingExtraError("The archive's server", "archive")
    from gridtap.archive.app import Settings
    from gridtap.archive.registry import registry
    from gridtap.archive.serve import serve as run

    for proxy in proxies:
        _check_network(proxy)
    alias = script_alias.strip("/")
    settings = Settings(
        alias=f"/{alias}" if alias else "",
        is_private=private,
        is_lenient=lenient_writes,
        is_exact=values == "exact",
        registry=registry(event_types),
    )

    def ready(address: str) -> None:
        click.echo(f"gridtap archive: {db} at {address}/", err=True)
        click.echo(f"REST API: {address}{settings.alias}/perfsonar/archive/", err=True)

    run(db, host, port, settings, proxies, ready)


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ArchiveError(f"--trust-proxy: not an address or a network: {text}") from error


@archive.group()
def user() -> None:
    """Say who may write."""


@user.command("add")
@click.argument("name")
@_DB
@click.option(
    "--key-file",
    type=click.File("r"),
    metavar="FILE",
    help="Keep the key in this file (- for standard input) instead of making a new one.",
)
@click.option(
    "--network",
    "networks",
    multiple=True,
    help="Callers from this network are the user without a key; may be repeated.",
)
def add_user(name: str, db: Path, key_file: IO[str] | None, networks: tuple[str, ...]) -> None:
    """Add user NAME and print the key: this once, it is not kept."""
    from gridtap.archive import auth

    key = key_file.read().strip() if key_file else None
    with closing(_open(db)) as storage:
        click.echo(auth.new_user(storage, name, key, networks))


@user.command("list")
@_DB
def list_users(db: Path) -> None:
    """List users: name, state, since when, networks."""
    _require(db)
    with closing(_open(db)) as storage:
        for each in storage.users():
            since = time.strftime("%Y-%m-%d", time.gmtime(each.created_at))
            state = "disabled" if each.is_disabled else "active"
            click.echo("\t".join([each.name, state, since, ",".join(each.networks)]))


@user.command("disable")
@click.argument("name")
@_DB
def disable_user(name: str, db: Path) -> None:
    """Let user NAME do nothing more."""
    _require(db)
    with closing(_open(db)) as storage:
        if not storage.change_user(name, is_disabled=True):
            raise ArchiveError(f"no user {name}")


@user.command("rotate")
@click.argument("name")
@_DB
def rotate_user(name: str, db: Path) -> None:
    """Give user NAME a new key and print it: this once, it is not kept."""
    from gridtap.archive import auth

    _require(db)
    with closing(_open(db)) as storage:
        click.echo(auth.rotate(storage, name))


@archive.command("export")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@_DB
def export_file(file: Path, db: Path) -> None:
    """Write the whole archive to FILE (- for standard output) as JSON lines."""
    from gridtap.archive import dump

    _require(db)
    counts = dump.Counts()
    try:
        with closing(_open(db)) as storage, _output(file) as out:
            for line in dump.write(storage, storage.keys(), counts):
                out.write(line)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ArchiveError(f"{file}: {error.strerror}") from error
    click.echo(f"exported {counts.metadata:,} metadata, {counts.points:,} points", err=True)


@archive.command("import")
@click.argument("file", type=click.File("rb"))
@_DB
@_TYPES
def import_file(file: IO[bytes], db: Path, event_types: Path | None) -> None:
    """Read an exported FILE (- for standard input) into the archive.

    Metadata keep their keys and times of update. What is there already is let be, so that an
    interrupted import can be run again.
    """
    from gridtap.archive import dump
    from gridtap.archive.registry import registry

    counts = dump.Counts()
    with closing(_open(db)) as storage:
        dump.read(storage, registry(event_types), file, file.name, counts)
    click.echo(f"imported {counts.metadata:,} metadata, {counts.points:,} points", err=True)


@archive.command()
@_DB
@click.option(
    "--older-than", required=True, metavar="AGE", help="For example 90d; units s, m, h, d, w, y."
)
def prune(db: Path, older_than: str) -> None:
    """Remove points older than AGE.

    Points go in whole summary windows, so that what is left of the summaries is right. Metadata
    stay.
    """
    from gridtap.archive.durations import seconds

    _require(db)
    try:
        before = int(time.time()) - seconds(older_than)
    except ValueError as error:
        raise ArchiveError(f"--older-than: {error}") from error
    with closing(_open(db)) as storage:
        removed = storage.prune(before)
    click.echo(f"removed {removed:,} points", err=True)


@contextmanager
def _output(file: Path) -> Iterator[IO[bytes]]:
    if str(file) == "-":
        yield sys.stdout.buffer
        return
    with whole_file(file) as path, open(path or file, "wb") as out:
        yield out


def _open(db: Path) -> SqliteStorage:
    from gridtap.archive.storage import SqliteStorage

    return SqliteStorage(db, seconds=None)


def _require(db: Path) -> None:
    if not db.exists():
        raise ArchiveError(f"{db}: no such file")
