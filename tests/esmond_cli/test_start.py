"""Help is there at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.esmond_cli.command import ENTRIES, command_line, environment


@pytest.mark.parametrize("command", ENTRIES)
def test_help_loads_nothing_heavy(command: str) -> None:
    heavy = "{'click', 'requests', 'dateutil', 'pyarrow', 'matplotlib', 'plotext', 'ssl'}"
    start, code = command_line(command)[1:]
    probe = (
        f"import sys, atexit; atexit.register(lambda: print(sorted({heavy} & set(sys.modules)), "
        f"file=sys.stderr)); {code}"
    )
    got = subprocess.run(
        [sys.executable, start, probe, "--help"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=True,
    )
    assert got.stderr == "[]\n"


def test_a_wrong_option_loads_nothing_heavy_either() -> None:
    code = command_line("esmond-ps-get")[2]
    probe = f"import sys\ntry:\n    {code}\nfinally:\n    print('click' in sys.modules)"
    got = subprocess.run(
        [sys.executable, "-c", probe, "--nonesuch"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert (got.returncode, got.stdout) == (2, "False\n")


def test_a_refused_query_loads_no_http() -> None:
    code = command_line("esmond-ps-get")[2]
    probe = f"import sys\ntry:\n    {code}\nfinally:\n    print('requests' in sys.modules)"
    got = subprocess.run(
        [sys.executable, "-c", probe, "-u", "http://127.0.0.1:1", "-o", "xml"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert (got.returncode, got.stdout) == (255, "False\n")
