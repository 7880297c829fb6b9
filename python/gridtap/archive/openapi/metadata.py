"""Schemas of metadata, as they are posted and as they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from gridtap.archive import limits
from gridtap.archive.description import (
    ADDRESS_FIELDS,
    RESERVED_NAMES,
    SUBJECT_FIELDS,
    Registry,
)
from gridtap.archive.openapi.values import WHOLE_TEXT, Schema, by_type, reference
from gridtap.esmond.event_types import ALLOWED_SUMMARIES, SummaryType

__all__ = ["metadata_schemas"]

_NO_NUL = "^[^\\u0000]*$"
_POINT_TO_POINT = "point-to-point"


def metadata_schemas(registry: Registry) -> dict[str, Schema]:
    """Every component schema of a metadata by name."""
    return {
        "MetadataPost": {
            "description": "What is measured, between whom, with what. Posting the same again "
            "finds what is there: the letter case of texts, the order of keys and lists, and the "
            "spelling of addresses make no difference; anything else does, and makes another "
            f"metadata. A metadata may have {limits.PARAMETERS} parameters.",
            "anyOf": [_metadata_post(each) for each in SUBJECT_FIELDS],
        },
        "EventTypePost": {"anyOf": list(_event_type_posts(registry))},
        "Parameter": {
            "description": "A parameter of the measurement. It is shown, and compared with in "
            "searches, as text: `30` as `30`, `true` as `True`. Of two names that differ in "
            "dashes and underscores only one may be there.",
            "anyOf": [
                {"type": "string", "pattern": _NO_NUL},
                {"type": ["number", "boolean", "array", "object"]},
            ],
        },
        "Metadata": _metadata(),
        "EventType": _event_type(),
        "Summary": _summary(),
    }


def _metadata_post(subject_type: str) -> Schema:
    fields = SUBJECT_FIELDS[subject_type]
    addresses = [name for name in fields if name in ADDRESS_FIELDS]
    return {
        "title": subject_type,
        "type": "object",
        "required": ["subject-type", "event-types", *addresses],
        "properties": {
            "subject-type": {"const": subject_type},
            "event-types": {
                "description": "What is measured; `null` is as an empty list. An event type that "
                "is listed twice has the summaries of both.",
                "type": ["array", "null"],
                "maxItems": limits.EVENT_TYPES,
                "items": reference("EventTypePost"),
            },
            **{name: _address() if name in addresses else _subject_text() for name in fields},
        },
        "propertyNames": {
            "minLength": 1,
            "maxLength": limits.SUBJECT_CHARS,
            "pattern": _NO_NUL,
            "not": {"enum": _forbidden_names(fields)},
        },
        "additionalProperties": reference("Parameter"),
    }


def _address() -> Schema:
    return {
        "description": "An IP address; names are not looked up here.",
        "type": "string",
        "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}],
        "examples": ["198.51.100.10"],
    }


def _subject_text() -> Schema:
    return {
        "description": f"A text of at most {limits.SUBJECT_CHARS} characters, or what is shown as "
        "one. Empty if it is left out.",
        "anyOf": [
            {"type": "string", "maxLength": limits.SUBJECT_CHARS, "pattern": _NO_NUL},
            {"type": ["number", "boolean"]},
        ],
        "examples": ["bwctl/iperf3"],
    }


def _forbidden_names(fields: tuple[str, ...]) -> list[str]:
    """Names of what is shown beside the parameters, spelt with dashes or underscores"""
    allowed = {"subject-type", "event-types", *fields}
    found = set()
    for name in (*RESERVED_NAMES, *SUBJECT_FIELDS[_POINT_TO_POINT]):
        words = name.split("-")
        for marks in product("-_", repeat=len(words) - 1):
            ends = zip(words, [*marks, ""], strict=True)
            found.add("".join(word + mark for word, mark in ends))
    return sorted(found - allowed)


def _event_type_posts(registry: Registry) -> Iterator[Schema]:
    """One schema for all event types that may have the same summaries"""
    groups: dict[tuple[SummaryType, ...], list[str]] = {}
    for data_type, names in by_type(registry):
        groups.setdefault(tuple(sorted(ALLOWED_SUMMARIES[data_type])), []).extend(names)
    for summary_types, names in groups.items():
        yield {
            "title": f"with {' or '.join(summary_types) or 'no'} summaries",
            "type": "object",
            "required": ["event-type"],
            "properties": {
                "event-type": {"enum": sorted(names)},
                "summaries": {
                    "type": "array",
                    "maxItems": limits.SUMMARIES,
                    "items": {"anyOf": [_base_summary(), *_summary_posts(summary_types)]},
                },
            },
        }


def _base_summary() -> Schema:
    return {
        "description": "The data themselves, which are always kept; it means nothing.",
        "type": "object",
        "required": ["summary-type"],
        "properties": {"summary-type": {"const": SummaryType.BASE.value}},
    }


def _summary_posts(summary_types: tuple[SummaryType, ...]) -> Iterator[Schema]:
    if not summary_types:
        return
    yield {
        "type": "object",
        "required": ["summary-type", "summary-window"],
        "properties": {
            "summary-type": {"enum": [each.value for each in summary_types]},
            "summary-window": {
                "description": "Seconds, whose fraction is dropped, or a text of digits; from 0 "
                f"to {limits.MAX_WINDOW}. Windows are counted from 1970-01-01 UTC: one of 86400 "
                "is a day. One of 0 has one summary for each second that has a point.",
                "anyOf": [
                    {
                        "type": "number",
                        "exclusiveMinimum": -1,
                        "exclusiveMaximum": limits.MAX_WINDOW + 1,
                    },
                    {"type": "string", "pattern": WHOLE_TEXT},
                ],
                "examples": [86400],
            },
        },
    }


def _metadata() -> Schema:
    texts = {name: {"type": "string"} for name in SUBJECT_FIELDS[_POINT_TO_POINT]}
    page = {"description": "Only in the first element of a list.", "type": ["string", "null"]}
    return {
        "description": "A measurement. What is not named here is one of its parameters, always a "
        "text, underscores of its name shown as dashes.",
        "type": "object",
        "required": [
            "url",
            "uri",
            "metadata-key",
            "subject-type",
            "event-types",
            *SUBJECT_FIELDS["network-element"],
        ],
        "properties": {
            "url": {"description": "Absolute address.", "type": "string"},
            "uri": {
                "description": "Absolute path, with the script alias. Join it to scheme, host and "
                "port, never to an address that has the alias already.",
                "type": "string",
            },
            "metadata-key": {"type": "string"},
            "subject-type": {"enum": list(SUBJECT_FIELDS)},
            "event-types": {
                "description": "Ordered by name.",
                "type": "array",
                "items": reference("EventType"),
            },
            **texts,
            "typed-parameters": {
                "description": "The parameters as they were posted, in their types; only if the "
                "archive is run to show exact values.",
                "type": "object",
            },
            "metadata-count-total": {
                "description": "How many match in all; only in the first element of a list.",
                "type": "integer",
            },
            "metadata-previous-page": page,
            "metadata-next-page": page,
        },
        "additionalProperties": {"type": "string"},
    }


def _event_type() -> Schema:
    return {
        "type": "object",
        "required": ["base-uri", "event-type", "time-updated", "summaries"],
        "properties": {
            "base-uri": {"description": "Path of the data.", "type": "string"},
            "event-type": {"type": "string"},
            "time-updated": _updated(),
            "summaries": {
                "description": "Ordered by type, then by window.",
                "type": "array",
                "items": reference("Summary"),
            },
        },
        "additionalProperties": False,
    }


def _summary() -> Schema:
    kinds = [each.value for each in SummaryType if each is not SummaryType.BASE]
    return {
        "type": "object",
        "required": ["uri", "summary-type", "summary-window", "time-updated"],
        "properties": {
            "uri": {"description": "Path of the summary's data.", "type": "string"},
            "summary-type": {
                "description": "The singular; addresses have the plural.",
                "enum": kinds,
            },
            "summary-window": {
                "description": "Seconds, as a text.",
                "type": "string",
                "pattern": "^[0-9]+$",
            },
            "time-updated": _updated(),
        },
        "additionalProperties": False,
    }


def _updated() -> Schema:
    return {
        "description": "When data were last written, by the archive's clock, in seconds since "
        "1970-01-01 UTC; `null` if none were.",
        "type": ["integer", "null"],
    }
