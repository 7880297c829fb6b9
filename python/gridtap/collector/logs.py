"""Logs of the collector: events with fields, as text or JSON lines, at a rate that people read.

An *event* has a short stable name and fields; the name is what rates are counted by. A collector
that receives garbage at full rate says so a few times an interval, and then how often more.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

__all__ = ["EventLog", "JsonFormatter", "RateLimit", "TextFormatter", "event_log", "set_up_logs"]

#: The logger above all of the collector's
_ROOT = "gridtap.collector"


class EventLog:
    """Says what happened.

    :param logger: of the standard library, whose level and handlers hold
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, /, **fields: Any) -> None:
        """For who looks for a fault"""
        self._say(logging.DEBUG, event, fields)

    def info(self, event: str, /, **fields: Any) -> None:
        """What is as it should be"""
        self._say(logging.INFO, event, fields)

    def warning(self, event: str, /, **fields: Any) -> None:
        """What somebody should look at"""
        self._say(logging.WARNING, event, fields)

    def error(self, event: str, /, **fields: Any) -> None:
        """What does not work"""
        self._say(logging.ERROR, event, fields)

    def _say(self, level: int, event: str, fields: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, extra={"fields": fields})


def event_log(name: str) -> EventLog:
    """The log of a module

    :param name: its ``__name__``
    """
    return EventLog(logging.getLogger(name))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = dict(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[1] is not None:
        found["exception"] = logging.Formatter().formatException(record.exc_info)
    return found


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``ts``, ``level``, ``event``, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """See :py:class:`logging.Formatter`."""
        head = {
            "ts": _moment(record),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        fields = {name: value for name, value in _fields(record).items() if name not in head}
        return json.dumps(head | fields, default=str)


class TextFormatter(logging.Formatter):
    """``2026-11-24T18:31:50.123Z warning event key=value key="with spaces"``"""

    def format(self, record: logging.LogRecord) -> str:
        """See :py:class:`logging.Formatter`."""
        pairs = [f"{name}={_shown(value)}" for name, value in _fields(record).items()]
        head = [_moment(record), record.levelname.lower(), record.getMessage()]
        return " ".join([*head, *pairs])


def _shown(value: object) -> str:
    text = str(value)
    is_plain = text.isprintable() and not any(each in text for each in ' "=') and text
    return text if is_plain else json.dumps(text)


class RateLimit(logging.Filter):
    """Lets so many records of one event pass in an interval, and counts the others.

    The first that passes afterwards has a field ``suppressed`` with their number.

    :param most: in an interval, of one logger, level and event
    :param interval_s: seconds
    """

    #: Events kept apart. Names are few; what others put into theirs may not be.
    _KEYS = 1_000

    def __init__(
        self, most: int = 10, interval_s: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._most = most
        self._interval_s = interval_s
        self._clock = clock
        self._lock = threading.Lock()
        #: Begin of the interval, records in it
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """See :py:class:`logging.Filter`."""
        key = (record.name, record.levelno, str(record.msg))
        now = self._clock()
        with self._lock:
            begin, count = self._seen.get(key, (now, 0))
            suppressed = 0
            if now - begin >= self._interval_s:
                suppressed = max(0, count - self._most)
                begin, count = now, 0
            if key not in self._seen and len(self._seen) >= self._KEYS:
                self._seen.clear()
            self._seen[key] = (begin, count + 1)
        if count >= self._most:
            return False
        if suppressed:
            record.fields = {**getattr(record, "fields", {}), "suppressed": suppressed}
        return True


def set_up_logs(
    level: str = "info", form: Literal["text", "json"] = "text", stream: TextIO | None = None
) -> logging.Handler:
    """Makes the collector log, in place of what an earlier call made.

    :param level: ``debug``, ``info``, ``warning`` or ``error``
    :param stream: standard error if None
    :raises ValueError: no such level or form
    """
    if form not in ("text", "json"):
        raise ValueError(f"no such log format: {form}")
    if level not in ("debug", "info", "warning", "error"):
        raise ValueError(f"no such log level: {level}")
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    handler.addFilter(RateLimit())
    root = logging.getLogger(_ROOT)
    for earlier in root.handlers[:]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(level.upper())
    root.propagate = False
    return handler
