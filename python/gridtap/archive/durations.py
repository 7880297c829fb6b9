"""Ages as people write them."""

from __future__ import annotations

import re

__all__ = ["seconds"]

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
_AGE = re.compile(r"(\d{1,9})([smhdwy])", re.ASCII)


def seconds(text: str) -> int:
    """Seconds of an age such as ``90d``.

    :raises ValueError: it is none
    """
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"not an age: {text!r}; write a number and one of {', '.join(_UNITS)}")
    return int(found[1]) * _UNITS[found[2]]
