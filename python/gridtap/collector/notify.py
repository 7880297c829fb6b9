"""What a service manager is told, as ``sd_notify(3)`` says."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping

from gridtap.collector.logs import event_log

__all__ = ["Notifier"]

_LOG = event_log(__name__)

#: A manager that reads nothing is waited for so long, each time: it must not stop the collector.
_PATIENCE_S = 0.5


class Notifier:
    """Tells the service manager how things are; says nothing when there is none.

    The variables are removed, as processes below are not meant.

    :param environment: usually ``os.environ``
    """

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        name = environment.pop("NOTIFY_SOCKET", "")
        # An @ stands for the zero byte of the abstract namespace.
        self._address = "\0" + name[1:] if name.startswith("@") else name
        microseconds = environment.pop("WATCHDOG_USEC", "")
        pid = environment.pop("WATCHDOG_PID", str(os.getpid()))
        is_watched = microseconds.isdecimal() and pid == str(os.getpid())
        #: How often :py:meth:`alive` has to be called, in seconds; None: never.
        self.watchdog_s = int(microseconds) / 2e6 if is_watched else None

    def ready(self, status: str) -> None:
        """Started, or done with reloading."""
        self._send("READY=1", f"STATUS={status}")

    def status(self, status: str) -> None:
        """One line about how it goes."""
        self._send(f"STATUS={status}")

    def alive(self) -> None:
        """Keeps the watchdog calm."""
        self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """A new configuration is being read; :py:meth:`ready` ends it."""
        # The time is what Type=notify-reload tells this reload from an earlier one by.
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """On the way out."""
        self._send("STOPPING=1", "STATUS=draining")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
                opened.settimeout(_PATIENCE_S)
                opened.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            # The collector works without anybody listening.
            _LOG.debug("not_notified", reason=error.strerror or str(error))
