"""``gridtap collect``: a collector, and what can be known about it before it runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gridtap.cli.output import whole_file
from gridtap.errors import ConfigError

if TYPE_CHECKING:
    from gridtap.collector.config import Config

__all__ = ["collect"]

#: Where a configuration is when none is named
_CONFIG = Path("/etc/gridtap/gridtap.toml")

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("-c", "--config", "path", type=_FILE, help=f"Configuration.  [default: {_CONFIG}]")
@click.option(
    "--listen",
    "addresses",
    metavar="ADDR:PORT",
    multiple=True,
    help="Without a configuration: UDP address to listen on; may be repeated.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Without a configuration: where accesses go as JSON lines, - for standard output. With "
    "--import-shoveler: where the configuration goes.",
)
@click.option(
    "--profile",
    metavar="PROFILE",
    help="Without a configuration: form of the records, such as osg-go.  [default: native]",
)
@click.option("--check", is_flag=True, help="Say whether the configuration can be used, and exit.")
@click.option("--print-config", is_flag=True, help="Print it with all defaults, and exit.")
@click.option(
    "--dry-run",
    "capture",
    metavar="CAPTURE",
    type=click.Path(allow_dash=True),
    help="Say which sink would get which record of a capture, and why not, and exit.",
)
@click.option(
    "--import-shoveler",
    "yaml",
    metavar="YAML",
    type=_FILE,
    help="Make a configuration of one of the OSG shoveler or collector, and exit.",
)
def collect(
    path: Path | None,
    addresses: tuple[str, ...],
    output: str | None,
    profile: str | None,
    check: bool,
    print_config: bool,
    capture: str | None,
    yaml: Path | None,
) -> int:
    """Collect XRootD monitoring packets and write records, until told to stop.

    SIGTERM and SIGINT end it in order, SIGHUP makes it read its configuration again.

    Exit code 0 after an orderly end, 1 when a part of it failed, or with --import-shoveler when
    there were keys that could not be mapped; 2 when it cannot start, 141 when nobody reads
    standard output any more.
    """
    if sum((check, print_config, capture is not None, yaml is not None)) > 1:
        raise click.UsageError(
            "--check, --print-config, --dry-run and --import-shoveler exclude each other"
        )
    if yaml is not None:
        return _import(yaml, output)
    load = _source(path, addresses, output, profile)
    if check:
        from gridtap.cli.collect_checks import print_check

        return print_check(load())
    if print_config:
        from gridtap.collector.config_print import printed

        click.echo(printed(load()), nl=False)
        return 0
    if capture is not None:
        from gridtap.cli.collect_dry_run import dry_run

        return dry_run(load(), capture)
    from gridtap.collector.daemon import run

    return run(load, os.environ)


def _source(
    path: Path | None, addresses: tuple[str, ...], output: str | None, profile: str | None
) -> Callable[[], Config]:
    """What reads the configuration, each time that it is to be read"""
    from gridtap.collector.config import load_config, read_config

    flags = bool(addresses) or output is not None or profile is not None
    if path is not None and flags:
        raise click.UsageError("--listen, --output and --profile are for a run without --config")
    if not flags:
        found = path or _CONFIG
        if path is None and not found.exists():
            raise click.UsageError(f"there is no {_CONFIG}: name a file with --config, or --output")
        return lambda: load_config(found)
    sink: dict[str, object] = {"type": "jsonl", "path": output or "-"}
    if profile is not None:
        sink["profile"] = profile
    document: dict[str, object] = {
        # Nothing is kept, so that it can run anywhere, and beside others.
        "state": {"directory": ""},
        "http": {"listen": ""},
        "sinks": {"output": sink},
    }
    if addresses:
        document["listen"] = {"addresses": list(addresses)}
    return lambda: read_config(document, "command line")


def _import(yaml: Path, output: str | None) -> int:
    from gridtap.collector.shoveler import import_shoveler

    imported = import_shoveler(yaml, os.environ)
    for note in imported.notes:
        click.echo(f"{yaml}: {note}", err=True)
    if output in (None, "-"):
        click.echo(imported.toml(), nl=False)
    else:
        target = Path(str(output))
        try:
            with whole_file(target) as part:
                (part or target).write_text(imported.toml())
        except OSError as error:
            raise ConfigError(f"{target}: {error.strerror}") from error
    return 1 if imported.notes else 0
