"""JSON in and out: what Python's own module lets through and other readers choke on is refused."""

from __future__ import annotations

import json
from typing import Any, NoReturn

__all__ = ["dump", "load"]


def load(text: bytes | str) -> Any:
    """Reads JSON.

    :raises ValueError: not JSON, not UTF-8, not finite, nested too deeply, or not Unicode
    """
    if isinstance(text, bytes):
        text = text.decode()
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    # Half of a surrogate pair can only come from an escape.
    if "\\u" in text:
        dump(value)
    return value


def dump(value: Any) -> str:
    """Compact JSON text, keys in their order.

    :raises ValueError: nested too deeply, or text that is not Unicode
    """
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        text.encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("text with half of a surrogate pair") from None
    return text


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return value
