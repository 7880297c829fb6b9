"""Whole numbers in texts."""

from __future__ import annotations

import re

__all__ = ["whole"]

_WHOLE = re.compile(r"\s*([+-]?)(\d+)\s*", re.ASCII)

#: Digits that are read: a number with more is beyond every limit of this archive, and Python
#: refuses to convert thousands.
_DIGITS = 30


def whole(text: str) -> int | None:
    """The number that a text is, blanks around it aside; ``None`` if it is none.

    Of more than 30 digits the first 30 count: such a number is only good for being refused.
    """
    found = _WHOLE.fullmatch(text)
    if found is None:
        return None
    digits = found[2].lstrip("0")[:_DIGITS]
    return int(found[1] + (digits or "0"))
