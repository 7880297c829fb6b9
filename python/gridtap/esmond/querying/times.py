"""Times as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

__all__ = ["DAY", "parse_time", "time_window"]

#: How far back a query reaches that does not say since when
DAY = timedelta(hours=24)

#: Nine to eleven digits: 1973 to 5138. Eight are a date, twelve and fourteen a date with time.
_EPOCH = re.compile(r"@(?P<at>-?\d+(?:\.\d*)?)|(?P<bare>\d{9,11}(?:\.\d*)?)")
_RELATIVE = re.compile(r"now(?:\s*(?P<sign>[+-])\s*(?P<count>\d+)\s*(?P<unit>[smhdw]))?", re.I)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_time(text: str, now: datetime | None = None) -> int:
    """UTC epoch seconds of a time.

    Read as, in this order: ``now`` with an offset (``now-2h``; units s, m, h, d, w), epoch seconds
    (nine to eleven digits, or any number after ``@``), ISO 8601, and whatever dateutil makes sense
    of. A time without zone is UTC; missing parts are those of the current UTC day at 00:00:00.

    :param now: the current time, aware
    :raises ValueError: the text is not a time
    """
    now = now or datetime.now(UTC)
    text = text.strip()
    if found := _RELATIVE.fullmatch(text):
        return int((now + _offset(found)).timestamp())
    if found := _EPOCH.fullmatch(text):
        return int(float(found["at"] or found["bare"]))
    return int(_calendar_time(text, now).timestamp())


def time_window(start: str | None, end: str | None) -> tuple[int, int]:
    """Start and end of a query in UTC epoch seconds; the last 24 hours where nothing is said.

    :raises ValueError: not a time; its only argument is the name of the option at fault
    """
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        since = parse_time(start, now) if start else int((now - DAY).timestamp())
    except ValueError as error:
        raise ValueError("--start-time") from error
    try:
        until = parse_time(end, now) if end else int(now.timestamp())
    except ValueError as error:
        raise ValueError("--end-time") from error
    return since, until


def _offset(found: re.Match[str]) -> timedelta:
    if found["sign"] is None:
        return timedelta()
    try:
        offset = timedelta(**{_UNITS[found["unit"].lower()]: int(found["count"])})
    except OverflowError as error:
        raise ValueError(f"too far away: {found[0]}") from error
    return -offset if found["sign"] == "-" else offset


def _calendar_time(text: str, now: datetime) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = _liberal_time(text, now)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _liberal_time(text: str, now: datetime) -> datetime:
    # Only here: most queries come without it, and it takes its time to load.
    from dateutil import parser

    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    try:
        time: datetime = parser.parse(text, default=midnight)
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError(f"not a time: {text}") from error
    return time
