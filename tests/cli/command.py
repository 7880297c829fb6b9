"""The installed command, run as users run it."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parent.parent / "data" / "xrootd"

#: The command of this interpreter, whatever the search path has.
GRIDTAP = [sys.executable, "-c", "from gridtap.cli.main import main; main()"]


def run(
    *arguments: str | os.PathLike[str],
    stdin: bytes = b"",
    check: int = 0,
    before: Sequence[str] = (),
) -> subprocess.CompletedProcess[bytes]:
    """Runs ``gridtap`` and checks its exit code"""
    command = [*before, *GRIDTAP, *(os.fspath(argument) for argument in arguments)]
    result = subprocess.run(command, input=stdin, capture_output=True, timeout=120)
    assert result.returncode == check, result.stderr.decode()
    assert b"Traceback" not in result.stderr, result.stderr.decode()
    return result


def obey_permissions() -> list[str]:
    """What to put before a command so that permissions stop it, even as root"""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may do everything, and setpriv is not installed")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def without_net_admin() -> list[str]:
    """What to put before a command so that the kernel's limits on sockets hold, even for root"""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may pass limits on sockets, and setpriv is not installed")
    return ["setpriv", "--bounding-set=-net_admin"]


def run_on_terminal(*arguments: str | os.PathLike[str], columns: int = 150) -> tuple[int, bytes]:
    """Runs ``gridtap`` on a pseudo terminal: exit code and all that it shows"""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["COLUMNS"] = str(columns)
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [*GRIDTAP, *(os.fspath(argument) for argument in arguments)])
    shown = b""
    try:
        while piece := os.read(terminal, 65_536):
            shown += piece
    except OSError:
        # Linux says so when the other side has closed.
        pass
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown
