"""Schemas of points, as they are posted and as they are shown."""

from __future__ import annotations

from collections.abc import Mapping

from gridtap.archive.description import Registry
from gridtap.archive.openapi.values import (
    POSTED,
    SHOWN,
    TIMESTAMP,
    Schema,
    by_type,
    reference,
)

__all__ = ["point_schemas"]


def point_schemas(registry: Registry) -> dict[str, Schema]:
    """Every component schema of points by name."""
    return {
        "PointPost": _point_post(),
        "PointsPut": _points_put(registry),
        "Point": _point(registry),
    }


def _point_post() -> Schema:
    return {
        "type": "object",
        "required": ["ts", "val"],
        "properties": {
            "ts": TIMESTAMP,
            "val": {
                "description": "The value. Which of these it has to be, depends on the event type "
                "in the address; `PointsPut` has the event types of each.",
                "anyOf": [reference(name) for name in POSTED.values()],
            },
        },
    }


def _points_put(registry: Registry) -> Schema:
    values: list[Schema] = [
        {
            "title": data_type.value,
            "type": "object",
            "required": ["event-type", "val"],
            "properties": {"event-type": {"enum": names}, "val": reference(POSTED[data_type])},
        }
        for data_type, names in by_type(registry)
    ]
    return {
        "description": "Points of any event types that the metadata has. Of two values for the "
        "same event type and second the last one counts.",
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["ts", "val"],
                    "properties": {
                        "ts": TIMESTAMP,
                        "val": {"type": "array", "items": {"anyOf": values}},
                    },
                },
            }
        },
    }


def _point(registry: Registry) -> Schema:
    shown: Mapping[str, list[str]] = {name: [] for name in SHOWN.values()}
    for data_type, _ in by_type(registry):
        shown[SHOWN[data_type]].append(data_type.value)
    lines = [f"`{name}` for {', '.join(types)}" for name, types in shown.items() if types]
    return {
        "type": "object",
        "required": ["ts", "val"],
        "properties": {
            "ts": {
                "description": "Seconds since 1970-01-01 UTC; of a summary, where its window "
                "starts.",
                "type": "integer",
            },
            "val": {
                "description": f"By the event type's data type: {'; '.join(lines)}. Summaries are "
                "`Number`, aggregations of a histogram `Histogram`, statistics `Statistics`. "
                "Integers, too, look like `1.0`, unless the archive is run to show exact values.",
                "anyOf": [
                    reference(name) for name in ("Number", "Histogram", "Statistics", "Json")
                ],
            },
        },
        "additionalProperties": False,
    }
