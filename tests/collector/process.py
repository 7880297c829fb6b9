"""The collector as a process of its own, as a service manager runs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.cli.command import GRIDTAP

#: Long enough for a busy machine; nothing waits that long when all is well
PATIENCE_S = 30.0


def free_port() -> int:
    """A UDP port of the loopback that nobody has"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: Callable[[], object]) -> None:
    """Waits until something is true"""
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def lines(path: Path) -> list[dict[str, object]]:
    """The JSON lines of a file, which has whole ones only; none if there is no file"""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


class Collector:
    """A collector that runs, and the service manager that it tells how it is

    :param directory: where its configuration and its files are
    :param toml: the configuration
    :param passed: sockets as a service manager passes them
    """

    def __init__(
        self,
        directory: Path,
        toml: str,
        passed: tuple[socket.socket, ...] = (),
        watchdog_s: float | None = None,
        *arguments: str,
    ) -> None:
        self.config = directory / "gridtap.toml"
        self.config.write_text(toml)
        self._stderr = directory / f"stderr-{time.monotonic_ns()}"
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = directory / f"notify-{time.monotonic_ns()}"
        self._manager.bind(str(address))
        self._manager.settimeout(PATIENCE_S)
        self.told: list[str] = []
        environment = {**os.environ, "NOTIFY_SOCKET": str(address)}
        if watchdog_s is not None:
            environment["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        numbers = [each.fileno() for each in passed]
        command = [*GRIDTAP, "collect", "-c", str(self.config), *arguments]
        if numbers:
            environment["LISTEN_FDS"] = str(len(numbers))
            # Only the child knows its number.
            command[2] = f"import os; os.environ['LISTEN_PID'] = str(os.getpid())\n{command[2]}"

        def take_places() -> None:
            spare = [os.dup2(number, 100 + place) for place, number in enumerate(numbers)]
            for place, number in enumerate(spare):
                os.dup2(number, 3 + place)

        with self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                preexec_fn=take_places if numbers else None,
                pass_fds=range(3, 3 + len(numbers)),
            )

    def __enter__(self) -> Collector:
        self.wait_until_told("READY=1")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._manager.close()

    def wait_until_told(self, word: str) -> str:
        """Waits for such a message to the service manager"""
        while True:
            try:
                message = self._manager.recv(4096).decode()
            except TimeoutError:
                raise AssertionError(f"no {word}: {self.stderr()}") from None
            self.told.append(message)
            if word in message.splitlines():
                return message

    def stderr(self) -> str:
        return self._stderr.read_text()

    def reload(self, toml: str | None = None) -> None:
        """Has it read its configuration again, and waits until it has"""
        if toml is not None:
            self.config.write_text(toml)
        self.process.send_signal(signal.SIGHUP)
        self.wait_until_told("READY=1")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it: the exit code"""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        assert "Traceback" not in self.stderr(), self.stderr()
        return code
