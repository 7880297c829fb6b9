"""What ``gridtap archive serve`` listens on, and options that make no sense: one line each."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from pathlib import Path

import pytest

from gridtap.archive.serve import listen
from tests.cli.command import GRIDTAP


def refused(*options: str) -> str:
    """The last line of what the command says before it ends with an error"""
    command = [*GRIDTAP, "archive", "serve", *options]
    result = subprocess.run(command, capture_output=True, timeout=60)
    assert result.returncode == 2
    assert result.stdout == b""
    text = result.stderr.decode()
    assert "Traceback" not in text
    line = text.splitlines()[-1]
    assert line.startswith(("gridtap: ", "Error: "))
    return line


@pytest.mark.parametrize(
    ("option", "value"),
    [("--port", "70000"), ("--port", "x"), ("--trust-proxy", "10.0.0.0/33"), ("--values", "full"),
     ("--trust-proxy", "proxy.example.org"), ("--host", "nonesuch.invalid")],
)  # fmt: skip
def test_the_value_is_named(tmp_path: Path, option: str, value: str) -> None:
    assert value in refused("--db", str(tmp_path / "archive.db"), "--port", "0", option, value)


@pytest.mark.parametrize("place", ["/dev/null", "/", "/dev/null/archive.db"])
def test_places_that_hold_no_file(place: str) -> None:
    assert place in refused("--db", place, "--port", "0")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_answers_do_not_wait_for_acknowledgements(host: str) -> None:
    """Nagle's algorithm is off on accepted connections, else kept ones stall for 40 ms a request"""

    async def accepted() -> int:
        option: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            option.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(look, sock=listen(host, 0)) as server:
            address = server.sockets[0].getsockname()
            _, writer = await asyncio.open_connection(*address[:2])
            found = await option
            writer.close()
        return found

    assert asyncio.run(accepted()) != 0
