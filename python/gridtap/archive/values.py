"""The values of each data type: what is accepted, how it is kept, how it is shown.

A value is kept as ``(val, den)``, the two columns of the database:

=============  =====================================  ====================
data type      val                                    den
=============  =====================================  ====================
integer        the integer, 64 bits                   None
float          the number as posted                   None
percentage     numerator                              denominator
histogram      JSON object, label to count            None
subinterval    JSON array                             None
json           JSON                                   None
=============  =====================================  ====================

esmond shows integers as floats and cuts floats to four decimals. So does this archive, unless it is
asked for exact values; it keeps both in full.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from gridtap.archive import jsontext, limits
from gridtap.archive.integers import whole
from gridtap.archive.refusal import RefusedError
from gridtap.esmond.event_types import DataType

__all__ = ["MAX_FLOAT", "REPLACEABLE", "SCALE", "Stored", "accept", "cut"]

#: What the database keeps of one value
Stored = tuple[int | float | str, int | None]

#: Types whose points are replaced by a later post; numbers are not.
REPLACEABLE = frozenset({DataType.HISTOGRAM, DataType.SUBINTERVAL, DataType.JSON})

#: esmond keeps floats as integers of 1 / 10,000.
SCALE = 10_000

#: Floats have to be smaller.
MAX_FLOAT = limits.MAX_INTEGER / SCALE

#: Python's own reading also takes "nan", "1_000" and digits of other scripts.
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)


def accept(data_type: DataType, value: Any, with_statistics: bool = False) -> Stored:
    """What to keep of a posted value.

    :param value: as read from JSON
    :param with_statistics: statistics are kept of it, so that an empty histogram has no place
    :raises RefusedError: the value is none of this type, in esmond's words
    """
    stored = _ACCEPT[data_type](value)
    if with_statistics and isinstance(value, Mapping) and not any(map(int, value.values())):
        raise RefusedError("Invalid histogram provided")
    return stored


def cut(value: float) -> int:
    """A float as esmond keeps it: units of 1 / 10,000, cut toward zero."""
    return int(value * SCALE)


def _integer(value: Any, refusal: str) -> int:
    """Numbers lose their fraction, texts must be whole numbers."""
    found = whole(value) if isinstance(value, str) else value
    if not isinstance(found, int | float):
        raise RefusedError(refusal)
    number = int(found)
    if not limits.MIN_INTEGER <= number <= limits.MAX_INTEGER:
        raise RefusedError(f"{refusal} of at most 64 bits")
    return number


def _float(value: Any, refusal: str) -> float:
    is_text = isinstance(value, str) and _NUMBER.fullmatch(value)
    if not isinstance(value, int | float) and not is_text:
        raise RefusedError(refusal)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise RefusedError(refusal)
    return number


def _accept_integer(value: Any) -> Stored:
    return _integer(value, "Value must be an integer"), None


def _accept_float(value: Any) -> Stored:
    refusal = "Value must be a floating point number"
    number = _float(value, refusal)
    if abs(number) >= MAX_FLOAT:
        raise RefusedError(f"{refusal} below {MAX_FLOAT:.0f}")
    return number, None


def _accept_percentage(value: Any) -> Stored:
    if not isinstance(value, Mapping):
        raise RefusedError("Value must be an object with 'numerator' and 'denominator'")
    for field in ("numerator", "denominator"):
        if field not in value:
            raise RefusedError(f"Missing required field '{field}'")
    numerator, denominator = (
        _integer(value[field], f"The field '{field}' must be an integer")
        for field in ("numerator", "denominator")
    )
    if denominator <= 0:
        raise RefusedError("The field 'denominator' must be greater than 0")
    if numerator < 0:
        raise RefusedError("The field 'numerator' cannot be negative")
    return numerator, denominator


def _accept_histogram(value: Any) -> Stored:
    if not isinstance(value, Mapping):
        raise RefusedError("Invalid histogram provided")
    counts = {
        label: _integer(count, "Value of histogram must be an integer")
        for label, count in value.items()
    }
    if any(count < 0 for count in counts.values()):
        raise RefusedError("Value of histogram cannot be negative")
    return _json(counts), None


def _accept_subinterval(value: Any) -> Stored:
    if not isinstance(value, list) or not value:
        raise RefusedError("Invalid subintervals provided")
    for position, interval in enumerate(value, 1):
        if not isinstance(interval, Mapping):
            raise RefusedError("Invalid subintervals provided")
        for field in ("start", "duration", "val"):
            if field not in interval:
                raise RefusedError(f"Interval must contain '{field}' field at position {position}")
        for field in ("start", "duration"):
            _float(
                interval[field],
                "Subinterval 'start' and 'duration' must be floating point numbers",
            )
    return _json(value), None


def _accept_json(value: Any) -> Stored:
    return _json(value), None


def _json(value: Any) -> str:
    try:
        return jsontext.dump(value)
    except ValueError as error:
        raise RefusedError(f"Value is not JSON: {error}") from error


_ACCEPT: Mapping[DataType, Callable[[Any], Stored]] = {
    DataType.INTEGER: _accept_integer,
    DataType.FLOAT: _accept_float,
    DataType.PERCENTAGE: _accept_percentage,
    DataType.HISTOGRAM: _accept_histogram,
    DataType.SUBINTERVAL: _accept_subinterval,
    DataType.JSON: _accept_json,
}
