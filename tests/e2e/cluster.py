"""Two real data servers behind a real redirector, each with its cluster daemon."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e import server
from tests.e2e.server import Server, free_port, start_daemon, wait_until_up

#: One file serves xrootd and cmsd, as sites have it.
CONFIG = """\
all.export /store
all.sitename E2E
all.role {role}
all.manager 127.0.0.1:{manager}
oss.localroot {base}/data
all.adminpath {base}/admin
all.pidpath {base}/run
if exec xrootd
xrd.port {port}
else
xrd.port {cluster_port}
fi
xrd.network nodnr rpipa
cms.conwait 1
cms.delay startup 2 lookup 1 qdl 1 suspend 1
cms.space linger 0 recalc 15 min 1m 2m
cms.allow host *
xrootd.monitor {monitor}
"""

DATA_MONITOR = (
    "all auth flush 1s window 1s fstat 1s lfn ops ssq xfr 1 ident 5s dest fstat user 127.0.0.1:{}"
)
REDIRECTOR_MONITOR = "all auth flush 1s window 1s ident 5s dest redir user 127.0.0.1:{}"


def why_not() -> str | None:
    """What keeps a cluster from being started here"""
    if shutil.which("cmsd") is None:
        return "cmsd is not installed (Debian: xrootd-server)"
    return server.why_not()


@contextmanager
def _node(role: str, manager: int, monitor: str, cluster_port: int) -> Iterator[Server]:
    base = Path(tempfile.mkdtemp(prefix=f"gridtap-{role}-"))
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        base.chmod(0o755)
        for folder in ("data/store", "admin", "run"):
            (base / folder).mkdir(parents=True)
        port = free_port()
        config = base / "node.cfg"
        config.write_text(
            CONFIG.format(
                role=role,
                manager=manager,
                base=base,
                port=port,
                cluster_port=cluster_port,
                monitor=monitor,
            )
        )
        for program in ("cmsd", "xrootd"):
            log = str(base / f"{program}.log")
            command = [program, "-c", str(config), "-n", "e2e", "-l", log]
            daemons.append(start_daemon(base, command))
        node = Server(base, port, daemons[-1])
        wait_until_up(node)
        yield node
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait(10)
        shutil.rmtree(base, ignore_errors=True)


@contextmanager
def cluster(udp_port: int) -> Iterator[tuple[Server, list[Server]]]:
    """A redirector and its two data servers, which report to that port of 127.0.0.1"""
    manager = free_port()
    monitor = DATA_MONITOR.format(udp_port)
    with (
        _node("manager", manager, REDIRECTOR_MONITOR.format(udp_port), manager) as redirector,
        _node("server", manager, monitor, free_port()) as first,
        _node("server", manager, monitor, free_port()) as second,
    ):
        _wait_until_joined(redirector, 2)
        yield redirector, [first, second]


def _wait_until_joined(redirector: Server, servers: int) -> None:
    """Until the redirector knows its servers"""
    command = ["xrdfs", redirector.address, "locate", "-d", "/store"]
    deadline = time.monotonic() + 60
    output = b""
    while time.monotonic() < deadline:
        client = redirector.client(*command)
        output, _ = client.communicate(timeout=60)
        if client.returncode == 0 and output.count(b"Server") >= servers:
            return
        time.sleep(0.5)
    raise AssertionError(f"the servers did not join: {output!r}\n{redirector.log()}")
