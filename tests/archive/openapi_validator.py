"""Whether something is as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from gridtap.esmond.event_types import EVENT_TYPES

REGISTRY = {name: each.data_type for name, each in EVENT_TYPES.items()}


def validator(described: dict[str, Any], name: str) -> jsonschema_rs.Validator:
    """What checks against the component schema of that name"""
    return jsonschema_rs.validator_for(
        {"$ref": f"#/components/schemas/{name}", "components": described["components"]},
        validate_formats=True,
    )
