"""One real XRootD server in a directory of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: The user that the Debian package creates; the server refuses to run as root.
USER = "xrootd"

#: A client that comes before the server listens would wait two minutes before it tries again.
CLIENT_ENVIRONMENT = {"XRD_CONNECTIONWINDOW": "1", "XRD_TIMEOUTRESOLUTION": "1", "LC_ALL": "C"}

CONFIG = """\
all.export /
all.sitename E2E
oss.localroot {base}/data
all.adminpath {base}/admin
all.pidpath {base}/run
xrd.port {port}
xrootd.monitor {monitor}
"""


def why_not() -> str | None:
    """What keeps a server from being started here"""
    for program in ("xrootd", "xrdcp", "xrdfs"):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian: xrootd-server, xrootd-client)"
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            return "the server refuses to run as root, and setpriv is not installed"
        try:
            pwd.getpwnam(USER)
        except KeyError:
            return f"the server refuses to run as root, and there is no user {USER}"
    return None


def free_port() -> int:
    """A TCP port that nobody listens on now"""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A running server"""

    base: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"root://{self.address}/{path}"

    def client(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """Starts a client command"""
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=client_environment(environment),
        )

    def stop(self) -> None:
        """Stops the server; what it has not flushed by then is lost"""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def log(self) -> str:
        logs = sorted(self.base.rglob("xrootd.log"))
        return "\n".join(log.read_text(errors="replace")[-5000:] for log in logs)


def client_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a client: nothing of the user's own settings"""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XRD_")}
    return kept | CLIENT_ENVIRONMENT | dict(extra)


def start_daemon(base: Path, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Starts a daemon that works in ``base``, as another user where this one is root"""
    prefix: list[str] = []
    if os.geteuid() == 0:
        for path in [base, *base.rglob("*")]:
            shutil.chown(path, USER)
        group = str(pwd.getpwnam(USER).pw_gid)
        prefix = ["setpriv", "--reuid", USER, "--regid", group, "--clear-groups"]
    return subprocess.Popen(
        [*prefix, *command],
        cwd=base,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def running(monitor: str) -> Iterator[Server]:
    """A server with this ``xrootd.monitor`` directive, gone without a trace at the end"""
    # Not pytest's own directory: other users may not enter that.
    base = Path(tempfile.mkdtemp(prefix="gridtap-e2e-"))
    try:
        base.chmod(0o755)
        for folder in ("data/store", "admin", "run"):
            (base / folder).mkdir(parents=True)
        port = free_port()
        config = base / "server.cfg"
        config.write_text(CONFIG.format(base=base, port=port, monitor=monitor))
        command = ["xrootd", "-c", str(config), "-n", "e2e", "-l", str(base / "xrootd.log")]
        server = Server(base, port, start_daemon(base, command))
        try:
            wait_until_up(server)
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)


def wait_until_up(server: Server) -> None:
    """Until the server's port takes connections"""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert server.process.poll() is None, f"the server ended at once\n{server.log()}"
        try:
            with socket.create_connection(("127.0.0.1", server.port), 1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the server does not listen\n{server.log()}")
