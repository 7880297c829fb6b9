"""Commands on a pseudo terminal."""

from __future__ import annotations

import os
import pty
import re
from pathlib import Path

from tests.esmond_cli.command import command_line, environment


def run_on_terminal(
    command: str, *arguments: str | os.PathLike[str], columns: int = 90, stdout: Path | None = None
) -> tuple[int, str]:
    """Exit status, and all that the terminal was sent

    :param stdout: a file that standard output goes to instead
    """
    line = command_line(command, *arguments)
    pid, terminal = pty.fork()
    if pid == 0:
        if stdout is not None:
            os.dup2(os.open(stdout, os.O_WRONLY | os.O_CREAT), 1)
        variables = environment(COLUMNS=str(columns), LINES="24", TERM="xterm")
        os.execve(line[0], line, variables)
    shown = b""
    try:
        while piece := os.read(terminal, 65_536):
            shown += piece
    except OSError:
        # Linux says so when the other side has closed.
        pass
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode()


def screen(sent: str) -> list[str]:
    """What is left to see of it"""
    lines = [""]
    for piece in re.split(r"(\r\n|\r|\x1b\[\?25[lh]|\x1b\[K)", sent):
        if piece == "\r\n":
            lines.append("")
        elif piece == "\r":
            lines[-1] = ""
        elif not piece.startswith("\x1b"):
            lines[-1] += piece
    return lines
