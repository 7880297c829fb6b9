"""Parameters of paths and queries."""

from __future__ import annotations

from collections.abc import Sequence

from gridtap.archive import filters, limits, times
from gridtap.archive.addresses import RULES
from gridtap.archive.description import ADDRESS_FIELDS, SUBJECT_FIELDS, Registry
from gridtap.archive.openapi.values import Schema
from gridtap.esmond.event_types import SUMMARY_IN_URL, SummaryType

__all__ = ["DATA", "SEARCH", "SEARCH_PAGE", "SHARED", "parameters", "references"]

_SUBJECT_TEXTS = ("tool-name", "input-source", "input-destination")

#: Names of the parameters of every request
SHARED = ("format",)
#: of what reads data,
DATA = (*times.NAMES, "limit", "offset")
#: of a search for metadata,
SEARCH = (
    *ADDRESS_FIELDS,
    "dns-match-rule",
    *_SUBJECT_TEXTS,
    "subject-type",
    "metadata-key",
    "event-type",
    "summary-type",
    "summary-window",
    *times.NAMES,
    "parameters",
)
#: and of the pages of one.
SEARCH_PAGE = ("search-limit", "search-offset")

_TIME_RULES = (
    "Of the time parameters the first line that fits decides: `time` is both begin and end; "
    "`time-start` and `time-end` (then `time-range` is ignored); `time-start` and `time-range`; "
    "`time-end` and `time-range`; `time-start` alone, without an end; `time-end` alone, from 0; "
    "`time-range` alone, from that long ago. Both ends are included; an end before the begin is "
    "refused."
)


def references(names: Sequence[str]) -> list[Schema]:
    """The component parameters of these names."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def parameters(registry: Registry) -> dict[str, Schema]:
    """Every component parameter by name."""
    return {**_path(registry), **_format(), **_pages(), **_times(), **_search(registry)}


def _path(registry: Registry) -> dict[str, Schema]:
    plurals = [SUMMARY_IN_URL[each] for each in SummaryType if each is not SummaryType.BASE]
    part: Schema = {"type": "string", "pattern": "^[^/]+$"}
    return {
        "key": _in_path("key", "Key of a metadata.", part),
        "event-type-of-metadata": _in_path(
            "event_type",
            "An event type; one that the metadata does not have is no error.",
            {**part, "examples": ["throughput"]},
        ),
        "event-type-of-data": _in_path(
            "event_type", "An event type that the archive knows.", {"enum": sorted(registry)}
        ),
        "summaries": _in_path(
            "summaries",
            "Summary type. Addresses have the plural, bodies and searches the singular.",
            {"enum": plurals},
        ),
        "window": _in_path(
            "window",
            "Summary window in seconds; of base data 0. Of one that is not kept there are no data.",
            {"type": "integer", "examples": [86400]},
        ),
        **{
            f"any-{name}": _in_path(name, "Not looked at.", part)
            for name in ("key", "event_type", "summaries", "window")
        },
    }


def _format() -> dict[str, Schema]:
    text = (
        "Asks for JSON or for a page (`api`), whatever the header `Accept` says. Without it "
        "that header decides: `application/json` is the default, `text/html` gives a page that "
        "shows the answer, and if neither will do the answer is 406."
    )
    return {"format": _in_query("format", text, {"enum": ["json", "api"]})}


def _pages() -> dict[str, Schema]:
    page = limits.METADATA_PAGE
    return {
        "limit": _in_query(
            "limit",
            "Points of a page. More than the maximum is refused, not cut.",
            {
                "type": "integer",
                "minimum": 0,
                "maximum": limits.POINT_PAGE,
                "default": limits.DEFAULT_PAGE,
            },
        ),
        "offset": _in_query(
            "offset",
            "Points before the page. Going on from the last point's `ts` is as fast on every "
            "page; an offset is not.",
            {"type": "integer", "minimum": 0, "default": 0},
        ),
        "search-limit": _in_query(
            "limit",
            f"Metadata of a page, of at most {page}. What is no number, or below 1, is as if it "
            "were not there.",
            {"type": ["integer", "string"], "maximum": page, "default": limits.DEFAULT_PAGE},
        ),
        "search-offset": _in_query(
            "offset",
            "Metadata before the page. What is no number, or below 0, is as if it were not there.",
            {"type": ["integer", "string"], "default": 0},
        ),
    }


def _times() -> dict[str, Schema]:
    what = {
        "time": "This second alone, since 1970-01-01 UTC.",
        "time-start": "From this second since 1970-01-01 UTC.",
        "time-end": "To this second since 1970-01-01 UTC.",
        "time-range": "As many seconds from `time-start`, or up to `time-end`, or up to now.",
    }
    schema = {"type": "integer", "minimum": limits.MIN_TS, "maximum": limits.MAX_TS}
    return {
        name: _in_query(
            name,
            f"{text} {_TIME_RULES}",
            schema,
        )
        for name, text in what.items()
    }


def _search(registry: Registry) -> dict[str, Schema]:
    text: Schema = {"type": "string"}
    host: Schema = {"type": "string", "minLength": 1, "maxLength": 253, "pattern": "^[^\\u0000]*$"}
    address = (
        "An IP address, or a name, which is looked up: every address that it has counts. One that "
        "has none by the `dns-match-rule` is refused."
    )
    exact = "The whole text, letter case included."
    row = (
        "`event-type`, `summary-type`, `summary-window` and the time parameters have to hold for "
        "the same event type or summary. The time is that at which data were last written."
    )
    return {
        **{name: _in_query(name, address, host) for name in ADDRESS_FIELDS},
        **{name: _in_query(name, exact, text) for name in _SUBJECT_TEXTS},
        "dns-match-rule": _in_query(
            "dns-match-rule",
            "Which addresses of a name count: IPv4 and IPv6, one of them, or one of them and the "
            "other if there are none. Without `source`, `destination` or `measurement-agent` it "
            "is not looked at.",
            {"enum": list(RULES), "default": "v4v6"},
        ),
        "subject-type": _in_query(
            "subject-type", exact, {**text, "examples": list(SUBJECT_FIELDS)}
        ),
        "metadata-key": _in_query("metadata-key", exact, text),
        "event-type": _in_query(
            "event-type", f"Has this event type. {row}", {**text, "examples": sorted(registry)}
        ),
        "summary-type": _in_query(
            "summary-type",
            f"Has a summary of this type; the singular. {row}",
            {**text, "examples": [each.value for each in SummaryType]},
        ),
        "summary-window": _in_query(
            "summary-window",
            f"Has a summary of this window, in seconds. {row}",
            {"type": "integer"},
        ),
        "parameters": {
            **_in_query(
                "parameters",
                "Any other name is a parameter of the measurement, compared with the text that "
                "is shown. A name that no metadata has is no error: nothing matches. A query may "
                f"have {limits.QUERY_PARAMETERS} parameters in all.",
                {
                    "type": "object",
                    "propertyNames": {"not": {"enum": sorted(filters.KNOWN)}},
                    "additionalProperties": text,
                },
            ),
            "style": "form",
            "explode": True,
            "example": {"ip-transport-protocol": "tcp", "time-duration": "30"},
        },
    }


def _in_path(name: str, description: str, schema: Schema) -> Schema:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
    }


def _in_query(name: str, description: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}
