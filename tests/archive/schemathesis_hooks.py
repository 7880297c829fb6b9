"""What schemathesis has to know of the archive that it asks, and what no schema can say.

``GRIDTAP_METADATA_KEYS`` names, with commas between, the metadata that are there.
"""

from __future__ import annotations

import html
import ipaddress
import os
import zlib
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import schemathesis
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case
from schemathesis.hooks import HookContext
from schemathesis.openapi.checks import RejectedPositiveData

from gridtap.archive.filters import KNOWN
from gridtap.archive.openapi.values import POSTED
from gridtap.esmond.event_types import EVENT_TYPES, DataType

AnyCase = Case[Any]

KEYS = os.environ["GRIDTAP_METADATA_KEYS"].split(",")

ADDRESSES = ("source", "destination", "measurement-agent")
#: Names would be looked up, and nothing here may leave the host.
HOSTS = ("198.51.100.10", "2001:db8::1", "192.0.2.1", "localhost")

SEARCHES = ("findMetadata", "getMetadata", "headList", "headMetadata")
#: Conditions that the metadata of the archive meet
THERE = {
    "tool-name": "",
    "input-source": "",
    "event-type": "throughput",
    "summary-type": "average",
    "subject-type": "point-to-point",
    "metadata-key": KEYS[0],
    "source": "198.51.100.10",
    "measurement-agent": "198.51.100.10",
}

#: What no schema can say of points that are written
UNFIT = {
    # A pattern has no maximum.
    "must be a unix timestamp in seconds",
    "of at most 64 bits",
    "Value must be a floating point number",
    "'start' and 'duration' must be floating point numbers",
    # Which event types there are, and whether statistics are kept, is the metadata's.
    "is not registered for metadata key",
    "Invalid histogram provided",
}

#: Good requests that are refused all the same, by operation and by what the answer says
REFUSED = {
    "createMetadata": {
        # A pattern has no maximum.
        "Summary window must be between 0 and",
        # No schema compares names.
        "is not allowed to be specified beside",
    },
    "putPoints": UNFIT,
    "postBaseData": UNFIT,
    "postBaseWindow": UNFIT,
}


def _choice(value: object, options: int) -> int:
    """A number that depends on the value and on nothing else, so that runs can be repeated"""
    return zlib.crc32(repr(value).encode()) % options


def _operation_id(case: AnyCase) -> str:
    return str(case.operation.definition.raw["operationId"]).removesuffix("WithSlash")


@schemathesis.hook
def before_call(context: HookContext, case: AnyCase, kwargs: dict[str, Any]) -> None:
    """Ask mostly for what is there: three of four addresses, and half of the searches, do"""
    parts = case.path_parameters or {}
    key = parts.get("key")
    if isinstance(key, str) and "/" not in key and _choice(key, 4):
        parts["key"] = KEYS[_choice(key, len(KEYS))]
    name = parts.get("event_type")
    if isinstance(name, str) and "/" not in name and name not in EVENT_TYPES and _choice(name, 4):
        parts["event_type"] = list(EVENT_TYPES)[_choice(name, len(EVENT_TYPES))]
    if _operation_id(case) in ("postBaseData", "postBaseWindow") and isinstance(case.body, dict):
        _fit_event_type(case, case.body, parts)
    query = case.query or {}
    for field in ADDRESSES:
        host = query.get(field)
        if isinstance(host, str) and 1 <= len(host) <= 253 and "\0" not in host:
            query[field] = _host(host)
    if _operation_id(case) in SEARCHES and _choice(query, 2):
        for name in [each for each in query if isinstance(query[each], str)]:
            if name in THERE:
                query[name] = THERE[name]
            elif name not in KNOWN:
                del query[name]


def _fit_event_type(case: AnyCase, body: dict[str, Any], parts: dict[str, Any]) -> None:
    """No schema can say that the value depends on the address: make the address depend on it"""
    if parts.get("event_type") not in EVENT_TYPES or "val" not in body:
        return
    fitting = [each for each in DataType if _validator(case, POSTED[each]).is_valid(body["val"])]
    data_type = fitting[_choice(body, len(fitting))]
    names = [name for name, each in EVENT_TYPES.items() if each.data_type is data_type]
    parts["event_type"] = names[_choice(parts["event_type"], len(names))]


def _validator(case: AnyCase, name: str) -> jsonschema_rs.Validator:
    components = case.operation.schema.raw_schema["components"]
    return jsonschema_rs.validator_for(
        {"$ref": f"#/components/schemas/{name}", "components": components}
    )


def _host(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return HOSTS[_choice(text, len(HOSTS))]


@schemathesis.hook
def filter_failure(
    context: HookContext, failure: Failure, case: AnyCase, response: Response
) -> bool:
    """Whether a failure is one: everything that is let pass here is no matter of schemas"""
    query = case.query or {}
    if isinstance(failure, RejectedPositiveData):
        if case.method in ("GET", "HEAD"):
            return not (_ends_early(query) or _lacks_family(query) or _asks_too_much(query, case))
        said = html.unescape(response.text)
        return not any(text in said for text in REFUSED.get(_operation_id(case), ()))
    if isinstance(failure, AcceptedNegativeData):
        return not _has_idle_rule(query, case)
    return True


def _ends_early(query: Mapping[str, Any]) -> bool:
    """An end before the begin; no schema compares two parameters"""
    try:
        start, end, length = (
            int(query[name]) if name in query else None
            for name in ("time-start", "time-end", "time-range")
        )
    except (TypeError, ValueError):
        return False
    if "time" in query or (start is None and end is None):
        return False
    if start is not None and end is not None:
        return end < start
    if length is not None:
        return length < 0
    return end is not None and end < 0


def _lacks_family(query: Mapping[str, Any]) -> bool:
    """An address of one family where the rule asks for the other"""
    return "dns-match-rule" in query and any(name in query for name in ADDRESSES)


def _asks_too_much(query: Mapping[str, Any], case: AnyCase) -> bool:
    """A limit that is a text, of which a schema cannot say how large it may be"""
    limit = query.get("limit")
    is_search = _operation_id(case) in ("findMetadata", "headList")
    return is_search and isinstance(limit, str) and limit.strip().isdecimal()


def _has_idle_rule(query: Mapping[str, Any], case: AnyCase) -> bool:
    """A wrong ``dns-match-rule`` alone, without an address: by the contract it is not looked at"""
    meta = case.meta
    if meta is None or any(name in query for name in ADDRESSES):
        return False
    data = meta.phase.data
    wrong = {getattr(data, "parameter", None)} | {each.parameter for each in data.mutations}
    return wrong - {None} == {"dns-match-rule"}
