"""``gridtap collect --check``: what can be known about a configuration before it is used."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import click

from gridtap import _core
from gridtap.collector.config import Config
from gridtap.collector.config_core import core_settings
from gridtap.collector.pipelines import make_sink
from gridtap.collector.sockets import bind, buffer_advice, granted_buffer
from gridtap.errors import ConfigError

__all__ = ["print_check"]


def print_check(config: Config) -> int:
    """Prints what the configuration does, and what may be in its way.

    :returns: the exit code
    :raises ConfigError: it cannot be used
    """
    for sink in config.sinks:
        make_sink(sink, config.file)
    try:
        _core.Collector(core_settings(config), [])
    except ValueError as error:
        raise ConfigError(f"{config.file}: {error}") from error
    for warning in _warnings(config):
        click.echo(f"warning: {warning}", err=True)
    listen = config.listen
    click.echo(
        f"{config.file}: OK: listens on {', '.join(map(str, listen.addresses))} with "
        f"{listen.workers} worker{'s' if listen.workers > 1 else ''}"
    )
    for sink in config.sinks:
        kinds = ", ".join(sink.general.records)
        click.echo(f"  {sink.name}: {kinds} as {sink.general.profile} to {sink.type.name}")
    return 0


def _warnings(config: Config) -> Iterator[str]:
    asked = config.listen.receive_buffer
    if (granted := granted_buffer(asked)) < asked:
        yield buffer_advice(asked, granted)
    for address in config.listen.addresses:
        try:
            for each in bind(address):
                each.close()
        except ConfigError as error:
            is_taken = isinstance(error.__cause__, OSError) and (
                error.__cause__.errno == errno.EADDRINUSE
            )
            yield f"{error}{'; as it should be while the collector runs' if is_taken else ''}"
    directory = config.state.directory
    if directory is None:
        yield "state.directory is empty: nothing outlives a restart, and nothing is spooled"
    elif not _is_writable(directory):
        yield f"state.directory: {directory} cannot be written to"
    for sink in config.sinks:
        place = _directory(sink.own)
        if place is not None and not _is_writable(place):
            yield f"sinks.{sink.name}: {place} cannot be written to"


def _directory(own: object) -> Path | None:
    """The directory that a sink writes to, if its settings name one"""
    path, directory = getattr(own, "path", None), getattr(own, "directory", None)
    if directory:
        return Path(directory)
    return Path(path).parent if path and path != "-" else None


def _is_writable(directory: Path) -> bool:
    """Whether it can be written to, or be made"""
    while not directory.exists() and directory != directory.parent:
        directory = directory.parent
    return directory.is_dir() and os.access(directory, os.W_OK | os.X_OK)
