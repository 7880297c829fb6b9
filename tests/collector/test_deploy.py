"""What is deployed: the example configuration and the units of systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gridtap.collector.config import Listen, load_config
from tests.cli.command import run

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
EXAMPLE = DEPLOY / "gridtap.toml"
SERVICE = DEPLOY / "systemd/gridtap-collector.service"
SOCKET = DEPLOY / "systemd/gridtap-collector.socket"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


def test_the_example_can_be_used() -> None:
    result = run("collect", "-c", EXAMPLE, "--check")
    assert f"{EXAMPLE}: OK: listens on [::]:9930 with 1 worker" in result.stdout.decode()


def test_what_the_example_leaves_out_is_the_default(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    # Settings of the tables that are there; the last sink is there as an idea only.
    head, _, idea = text.partition("# [sinks.osg]")
    said = tmp_path / "said.toml"
    said.write_text(re.sub(r"^# (\w+ = )(?!\[\"192)", r"\1", head, flags=re.MULTILINE))
    assert said.read_text() != head
    example, spelled_out = load_config(EXAMPLE), load_config(said)
    for name in ("listen", "state", "dns", "wlcg", "http", "log"):
        assert getattr(example, name) == getattr(spelled_out, name)
    assert example.sinks[0] == spelled_out.sinks[0]
    said.write_text(head + re.sub(r"^# ?", "", "# [sinks.osg]" + idea, flags=re.MULTILINE))
    assert [sink.name for sink in load_config(said).sinks] == ["accesses", "osg"]


def test_the_units_fit_the_example() -> None:
    example = load_config(EXAMPLE)
    listened = re.findall(r"^ListenDatagram=(.+)$", SOCKET.read_text(), re.MULTILINE)
    assert listened == [str(each) for each in example.listen.addresses] * Listen().workers
    assert "ReceiveBuffer=64M\n" in SOCKET.read_text()
    assert example.listen.receive_buffer == 64 << 20
    assert "StateDirectory=gridtap\n" in SERVICE.read_text()
    assert example.state.directory == Path("/var/lib/gridtap")


@needs_systemd
def test_the_units_are_understood(tmp_path: Path) -> None:
    for unit in (SERVICE, SOCKET):
        # The command need not be installed where this is tested.
        text = unit.read_text().replace("/usr/bin/gridtap", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    result = subprocess.run(
        ["systemd-analyze", "verify", *(tmp_path / unit.name for unit in (SERVICE, SOCKET))],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in result.stderr.splitlines() if "gridtap" in line]
    assert (result.returncode, told) == (0, [])


@needs_systemd
def test_the_service_may_do_little() -> None:
    """Exposure of at most 1.5 of 10: a network service cannot do without sockets."""
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", SERVICE],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in result.stderr:
        pytest.skip("this systemd cannot look at a unit that is not installed")
    assert result.returncode == 0, result.stdout.splitlines()[-1]
