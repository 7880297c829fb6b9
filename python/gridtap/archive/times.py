"""The time parameters that searches and reads share."""

from __future__ import annotations

from collections.abc import Mapping

from gridtap.archive import limits
from gridtap.archive.integers import whole
from gridtap.archive.refusal import RefusedError

__all__ = ["NAMES", "interval", "timestamp"]

NAMES = ("time", "time-start", "time-end", "time-range")


def interval(query: Mapping[str, str], now: int) -> tuple[int | None, int | None]:
    """Begin and end that a query asks for, both inclusive, ``None`` where it leaves them open.

    :param now: UTC epoch seconds
    :raises RefusedError: no integers, no times, or an end before the begin
    """
    time, start, end, length = (_seconds(query, name) for name in NAMES)
    begin, until = _chosen(time, start, end, length, now)
    if begin is not None and until is not None and until < begin:
        raise RefusedError("Requested start time must be less than end time")
    return begin, until


def _chosen(
    time: int | None, start: int | None, end: int | None, length: int | None, now: int
) -> tuple[int | None, int | None]:
    """The first line that fits decides"""
    if time is not None:
        return time, time
    if start is not None and end is not None:
        return start, end
    if start is not None:
        return start, None if length is None else start + length
    if end is not None:
        return 0 if length is None else end - length, end
    return None if length is None else now - length, None


def _seconds(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    seconds = whole(text)
    if seconds is None:
        raise RefusedError("Time parameter must be an integer")
    return _in_range(seconds, "Time parameter")


def timestamp(value: object) -> int:
    """The second of a point: integers, texts of integers, and floats, which lose their fraction.

    :raises RefusedError: it is none, or not of our calendar
    """
    seconds = whole(value) if isinstance(value, str) else value
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise RefusedError("Time must be a unix timestamp")
    return _in_range(int(seconds), "Time")


def _in_range(seconds: int, what: str) -> int:
    if not limits.MIN_TS <= seconds <= limits.MAX_TS:
        raise RefusedError(
            f"{what} must be a unix timestamp in seconds, from {limits.MIN_TS} to {limits.MAX_TS}"
        )
    return seconds
