"""Sockets that a service manager passes, as ``sd_listen_fds(3)`` says."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from dataclasses import dataclass

from gridtap.errors import ConfigError

__all__ = ["Passed", "passed_sockets"]

#: The first file descriptor behind standard input, output and error.
_FIRST = 3


@dataclass(frozen=True, eq=False)
class Passed:
    """A socket that was passed.

    :param name: what the unit calls it
    """

    name: str
    socket: socket.socket

    def __str__(self) -> str:
        host, port = self.socket.getsockname()[:2]
        return f"{self.name} at {f'[{host}]' if ':' in host else host}:{port}"


def passed_sockets(environment: MutableMapping[str, str]) -> list[Passed]:
    """Takes over the UDP sockets passed to this process; none when it was started otherwise.

    The variables are removed, as processes below are not meant.

    :param environment: usually ``os.environ``
    :raises ConfigError: what is passed is not a bound UDP socket
    """
    pid = environment.pop("LISTEN_PID", "")
    count = environment.pop("LISTEN_FDS", "")
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    if pid != str(os.getpid()) or not count.isdecimal():
        return []
    passed = []
    for index in range(int(count)):
        name = names[index] if index < len(names) and names[index] else f"number {index + 1}"
        passed.append(Passed(name, _udp_socket(_FIRST + index, name)))
    return passed


def _udp_socket(fd: int, name: str) -> socket.socket:
    try:
        opened = socket.socket(fileno=fd)
    except OSError as error:
        raise ConfigError(f"the passed socket {name}: {error.strerror}") from error
    if opened.family not in (socket.AF_INET, socket.AF_INET6) or opened.type != socket.SOCK_DGRAM:
        raise ConfigError(f"the passed socket {name} is not for UDP: write ListenDatagram=")
    opened.set_inheritable(False)
    return opened
