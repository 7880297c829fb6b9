"""``gridtap doctor``: what is wrong with the monitoring of servers."""

from __future__ import annotations

import os
import shutil
import socket
import sys

import click

from gridtap.cli.address import ports_option, udp_address
from gridtap.cli.extraction import Failure
from gridtap.doctor import ListenError, Observation, examine, observe_capture, observe_live
from gridtap.doctor.findings import CHECKS, GLOBAL_CHECKS
from gridtap.doctor.report import as_json, as_text

__all__ = ["doctor"]

_COLORS = {"error": "red", "warning": "yellow", "advice": "cyan"}

#: Where collectors listen by default.
_ADDRESS = "[::]:9930"

_IDS = sorted([*(check.id for check in CHECKS), *(check.id for check in GLOBAL_CHECKS)])


@click.command()
@click.argument("capture", required=False)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    callback=udp_address,
    help=f"Where to listen without a CAPTURE.  [default: {_ADDRESS}]",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    help="How long to listen; Ctrl-C ends it early.",
)
@ports_option("a capture")
@click.option(
    "--mtu",
    type=click.IntRange(1280, 65_535),
    default=1500,
    show_default=True,
    help="Largest IP packet, in bytes, that gets from the servers to the collector whole.",
)
@click.option(
    "--collector",
    metavar="HOST:PORT",
    help="The destination for the corrected lines.  [default: where the packets went]",
)
@click.option(
    "--ignore",
    type=click.Choice(_IDS),
    multiple=True,
    metavar="ID",
    help="Leave out findings with this id; may be repeated.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Output format.",
)
def doctor(
    capture: str | None,
    listen: tuple[str, int] | None,
    seconds: float,
    ports: tuple[int, ...],
    mtu: int,
    collector: str | None,
    ignore: tuple[str, ...],
    form: str,
) -> None:
    """Look at monitoring packets and say what is wrong with them, server by server, with the
    configuration that mends it.

    A CAPTURE is whatever gridtap decode reads, - for standard input. Without one, packets are
    received.

    Exit code 0 when there is nothing to do, 1 when there are findings, 2 when the capture cannot be
    read or the port cannot be listened on.
    """
    if capture is not None and listen is not None:
        raise click.UsageError("a CAPTURE and --listen exclude each other")
    if capture is not None:
        seen = _read(capture, mtu, ports)
    else:
        listen = listen or ("::", 9930)
        seen = _receive(listen, seconds, mtu)
    findings = examine(seen, ignore)
    collector = collector or _destination(listen, seen)
    if form == "json":
        click.echo(as_json(seen, findings, collector))
    else:
        width = min(shutil.get_terminal_size().columns, 100)
        for line in as_text(seen, findings, collector, width, _styled):
            click.echo(line)
    sys.exit(1 if findings else 0)


def _read(capture: str, mtu: int, ports: tuple[int, ...]) -> Observation:
    try:
        return observe_capture(capture, mtu, ports)
    except OSError as error:
        raise Failure.of_file("doctor", capture, error) from error


def _receive(listen: tuple[str, int], seconds: float, mtu: int) -> Observation:
    shows = sys.stderr is not None and sys.stderr.isatty()

    def advance(passed: float, datagrams: int) -> None:
        told = f"listening for {max(0, seconds - passed):.0f} s more: {datagrams:,} packets"
        click.echo(f"\r{told:60}", nl=False, err=True)

    try:
        seen = observe_live(*listen, seconds, mtu, advance if shows else None)
    except ListenError as error:
        raise Failure("doctor", str(error)) from error
    if shows:
        click.echo(f"\r{'':60}\r", nl=False, err=True)
    return seen


def _destination(listen: tuple[str, int] | None, seen: Observation) -> str:
    """What servers should name: this host, where they are listened to."""
    if listen is None:
        ports = {port for server in seen.servers.values() for port in server.sockets if port}
        return f"HOST:{min(ports, default=9930)}"
    host, port = listen
    host = socket.getfqdn() if host in ("::", "0.0.0.0") else host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _styled(name: str, text: str) -> str:
    if os.environ.get("NO_COLOR"):
        return text
    if name in _COLORS:
        return click.style(text, fg=_COLORS[name], bold=name == "error")
    return click.style(text, bold=True)
