"""Schemas of the values of each data type, as they are posted and as they are shown.

What a schema cannot say (that a text of digits has to fit into 64 bits, say) is in its description.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gridtap.archive import limits, values
from gridtap.archive.description import Registry
from gridtap.esmond.event_types import DataType

__all__ = [
    "POSTED",
    "SHOWN",
    "TIMESTAMP",
    "WHOLE_TEXT",
    "Schema",
    "by_type",
    "reference",
    "value_schemas",
]

Schema = dict[str, Any]

#: What may surround the digits of a text: tab to carriage return, and the blank.
_BLANK = "[\\t-\\r ]*"
WHOLE_TEXT = f"^{_BLANK}[+-]?[0-9]+{_BLANK}$"
_NUMBER_TEXT = f"^{_BLANK}[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?{_BLANK}$"
_TIME_TEXT = f"^{_BLANK}[+-]?0*[0-9]{{1,12}}{_BLANK}$"
_COUNT_TEXT = f"^{_BLANK}([+]?0*[0-9]{{1,19}}|-0+){_BLANK}$"
_POSITIVE_TEXT = f"^{_BLANK}[+]?0*[1-9][0-9]{{0,18}}{_BLANK}$"
_LONG_TEXT = f"^{_BLANK}[+-]?0*[0-9]{{1,19}}{_BLANK}$"

#: The schema that a value has to have when it is posted, and the one that it has when it is read.
POSTED: Mapping[DataType, str] = {
    DataType.INTEGER: "PostedInteger",
    DataType.FLOAT: "PostedFloat",
    DataType.PERCENTAGE: "PostedPercentage",
    DataType.HISTOGRAM: "PostedHistogram",
    DataType.SUBINTERVAL: "Subintervals",
    DataType.JSON: "Json",
}
SHOWN: Mapping[DataType, str] = {
    DataType.INTEGER: "Number",
    DataType.FLOAT: "Number",
    DataType.PERCENTAGE: "Number",
    DataType.HISTOGRAM: "Histogram",
    DataType.SUBINTERVAL: "Subintervals",
    DataType.JSON: "Json",
}

#: The second of a point that is posted
TIMESTAMP: Schema = {
    "description": "Seconds since 1970-01-01 UTC, as a number, whose fraction is dropped, or as a "
    f"text of digits; either way from {limits.MIN_TS} to {limits.MAX_TS}. Milliseconds are refused "
    "for what they look like: times far in the future.",
    "anyOf": [
        {
            "type": "number",
            "exclusiveMinimum": limits.MIN_TS - 1,
            "exclusiveMaximum": limits.MAX_TS + 1,
        },
        {"type": "string", "pattern": _TIME_TEXT},
    ],
    "examples": [1710231310],
}


def reference(name: str) -> Schema:
    """The component schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def by_type(registry: Registry) -> Iterator[tuple[DataType, list[str]]]:
    """The names of each data type's event types, of those types that have some."""
    for data_type in DataType:
        names = sorted(name for name, each in registry.items() if each is data_type)
        if names:
            yield data_type, names


def value_schemas() -> dict[str, Schema]:
    """Every component schema of a value by name."""
    return {
        "PostedInteger": _integer(),
        "PostedFloat": _float(),
        "PostedPercentage": _percentage(),
        "PostedHistogram": {
            "description": "How often each bucket was met. A bucket's name is any text; where "
            "statistics are asked for it should be a number, else they are `{}`, and some bucket "
            "must have been met.",
            "type": "object",
            "additionalProperties": _count(),
            "examples": [{"10.5": 98, "11.0": 2}],
        },
        "Subintervals": _subintervals(),
        "Json": {
            "description": "Any JSON, `null` as well; it comes back as it was posted.",
            "examples": [{"error": "no route to host"}],
        },
        "Number": {"type": "number"},
        "Histogram": {
            "description": "How often each bucket was met.",
            "type": "object",
            "additionalProperties": {"type": "integer", "minimum": 0},
        },
        "Statistics": _statistics(),
    }


def _integer() -> Schema:
    return {
        "description": "A number, whose fraction is cut toward zero, a boolean (1 or 0), or a text "
        "of digits; either way of at most 64 bits.",
        "anyOf": [
            {"type": "number", "minimum": limits.MIN_INTEGER, "maximum": limits.MAX_INTEGER},
            {"type": "boolean"},
            {"type": "string", "pattern": _LONG_TEXT},
        ],
        "examples": [2000000000],
    }


def _float() -> Schema:
    return {
        "description": "A number, a boolean (1 or 0), or the text of a number; either way below "
        f"{values.MAX_FLOAT:.0f}. It is shown with four decimals, the rest cut off, unless the "
        "archive is run to show exact values.",
        "anyOf": [
            {
                "type": "number",
                "exclusiveMinimum": -values.MAX_FLOAT,
                "exclusiveMaximum": values.MAX_FLOAT,
            },
            {"type": "boolean"},
            {"type": "string", "pattern": _NUMBER_TEXT},
        ],
        "examples": [0.25],
    }


def _count() -> Schema:
    return {
        "description": "A count: as the integer event types, and not below zero.",
        "anyOf": [
            {"type": "number", "exclusiveMinimum": -1, "maximum": limits.MAX_INTEGER},
            {"type": "boolean"},
            {"type": "string", "pattern": _COUNT_TEXT},
        ],
    }


def _percentage() -> Schema:
    denominator = {
        "description": "As the integer event types, and above zero.",
        "anyOf": [
            {"type": "number", "minimum": 1, "maximum": limits.MAX_INTEGER},
            {"const": True},
            {"type": "string", "pattern": _POSITIVE_TEXT},
        ],
    }
    return {
        "description": "A part and its whole, such as packets lost and packets sent. Shown as "
        "their ratio, which may be above 1.",
        "type": "object",
        "required": ["numerator", "denominator"],
        "properties": {"numerator": _count(), "denominator": denominator},
        "examples": [{"numerator": 3, "denominator": 600}],
    }


def _subintervals() -> Schema:
    seconds = {
        "anyOf": [
            {"type": ["number", "boolean"]},
            {"type": "string", "pattern": _NUMBER_TEXT},
        ]
    }
    return {
        "description": "Values of the parts of a test. Kept as posted: texts stay texts.",
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["start", "duration", "val"],
            "properties": {
                "start": {"description": "Seconds after the point's `ts`.", **seconds},
                "duration": {"description": "Seconds.", **seconds},
                "val": {"description": "Any JSON."},
            },
        },
        "examples": [[{"start": 0, "duration": 1, "val": 941000000}]],
    }


def _statistics() -> Schema:
    single = (
        "minimum",
        "maximum",
        "mean",
        "median",
        "percentile-25",
        "percentile-75",
        "percentile-95",
        "variance",
        "standard-deviation",
    )
    return {
        "description": "What a histogram says, in the unit of its buckets. The variance is the "
        "population's. Empty if the name of a bucket is no number.",
        "type": "object",
        "properties": {
            **{name: {"type": "number"} for name in single},
            "mode": {
                "description": "The buckets met most often.",
                "type": "array",
                "items": {"type": "number"},
            },
        },
        "dependentRequired": {"mode": list(single)},
        "additionalProperties": False,
    }
