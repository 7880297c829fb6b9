"""What a measurement is: the body of a metadata POST, checked whole before anything is stored."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gridtap.archive import jsontext, limits
from gridtap.archive.integers import whole
from gridtap.archive.refusal import RefusedError
from gridtap.esmond.event_types import ALLOWED_SUMMARIES, DataType, SummaryType

__all__ = [
    "ADDRESS_FIELDS",
    "RESERVED_NAMES",
    "SUBJECT_FIELDS",
    "Description",
    "Registry",
    "parameter_text",
    "parse",
]

#: Fields of each subject type, in the order in which they are shown
SUBJECT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "point-to-point": (
        "source",
        "destination",
        "measurement-agent",
        "tool-name",
        "input-source",
        "input-destination",
    ),
    "network-element": ("source", "measurement-agent", "tool-name", "input-source"),
}

#: Subject fields that hold an IP address
ADDRESS_FIELDS = ("source", "destination", "measurement-agent")

#: What is shown beside the subject and the parameters, so that no parameter may be called so
RESERVED_NAMES = frozenset(
    {
        "url",
        "uri",
        "metadata-key",
        "subject-type",
        "event-types",
        "metadata-count-total",
        "metadata-previous-page",
        "metadata-next-page",
        "typed-parameters",
    }
)

#: Event type to its data type
Registry = Mapping[str, DataType]

Summaries = tuple[tuple[SummaryType, int], ...]


@dataclass(frozen=True, slots=True)
class Description:
    """A checked description.

    :param subject: every field of the subject type, addresses in canonical form
    :param parameters: free-form values as posted
    :param events: event type to data type and summaries, both ordered
    """

    subject_type: str
    subject: Mapping[str, str]
    parameters: Mapping[str, Any]
    events: Mapping[str, tuple[DataType, Summaries]]

    def digest(self) -> bytes:
        """SHA-256 of what tells one measurement from another: everything, letter case aside."""
        lines: list[list[str]] = [["subject-type", self.subject_type]]
        lines += [[name, text] for name, text in sorted(self.subject.items())]
        lines += [[name, parameter_text(value)] for name, value in sorted(self.parameters.items())]
        lines += [[str(part) for part in row] for row in self.series_rows()]
        text = jsontext.dump([[part.lower() for part in line] for line in lines])
        return hashlib.sha256(text.encode()).digest()

    def parameter_rows(self) -> Iterator[tuple[str, str, str]]:
        """Name, text for filters and JSON of each parameter."""
        for name, value in self.parameters.items():
            yield name, parameter_text(value), jsontext.dump(value)

    def series_rows(self) -> Iterator[tuple[str, DataType, SummaryType, int]]:
        """Event type, data type, summary type and window of all base data and summaries."""
        for name, (data_type, summaries) in self.events.items():
            yield name, data_type, SummaryType.BASE, 0
            for summary_type, window in summaries:
                yield name, data_type, summary_type, window


def parameter_text(value: Any) -> str:
    """The text that esmond makes of a free-form value, and that filters compare: Python's."""
    return str(value)


def parse(body: Any, registry: Registry) -> Description:
    """Checks a description.

    :param body: as read from JSON
    :raises RefusedError: in esmond's words, and its order, where it has some
    """
    if not isinstance(body, dict) or "subject-type" not in body:
        raise RefusedError("Missing subject-type field in request")
    if "event-types" not in body:
        raise RefusedError("Missing event-types field in request")
    subject_type = body["subject-type"]
    if not isinstance(subject_type, str) or subject_type not in SUBJECT_FIELDS:
        raise RefusedError(f"Invalid subject type {_short(subject_type)}")
    if "metadata-key" in body:
        raise RefusedError("metadata-key is not allowed to be specified")
    events = _events(body["event-types"], registry)
    fields = SUBJECT_FIELDS[subject_type]
    subject = {name: _subject_text(name, body) for name in fields}
    parameters = {
        name: value
        for name, value in body.items()
        if name not in fields and name not in ("subject-type", "event-types")
    }
    _check_parameters(subject_type, parameters)
    return Description(subject_type, subject, parameters, events)


def _events(value: Any, registry: Registry) -> dict[str, tuple[DataType, Summaries]]:
    if value is None:
        value = []
    if not isinstance(value, list):
        raise RefusedError("event_types must be a list")
    if len(value) > limits.EVENT_TYPES:
        raise RefusedError(f"event_types must have at most {limits.EVENT_TYPES} elements")
    found: dict[str, tuple[DataType, Summaries]] = {}
    for element in value:
        if not isinstance(element, dict) or "event-type" not in element:
            raise RefusedError("No event-type defined")
        name = element["event-type"]
        if not isinstance(name, str) or name not in registry:
            raise RefusedError(f"Invalid event-type {_short(name)}")
        data_type = registry[name]
        summaries = _summaries(name, data_type, element.get("summaries", []))
        if name in found:
            summaries |= set(found[name][1])
        found[name] = (data_type, tuple(sorted(summaries)))
    return dict(sorted(found.items()))


def _summaries(event_type: str, data_type: DataType, value: Any) -> set[tuple[SummaryType, int]]:
    if not isinstance(value, list):
        raise RefusedError("summaries must be a list")
    if len(value) > limits.SUMMARIES:
        raise RefusedError(f"summaries must have at most {limits.SUMMARIES} elements")
    found: set[tuple[SummaryType, int]] = set()
    for element in value:
        if not isinstance(element, dict) or "summary-type" not in element:
            raise RefusedError("Summary must contain summary-type")
        name = element["summary-type"]
        if not isinstance(name, str) or name not in list(SummaryType):
            raise RefusedError(f"Invalid summary type '{_short(name)}'")
        summary_type = SummaryType(name)
        if summary_type is SummaryType.BASE:
            continue
        if summary_type not in ALLOWED_SUMMARIES[data_type]:
            raise RefusedError(f"Summary type {name} not allowed for event-type {event_type}")
        if "summary-window" not in element:
            raise RefusedError("Summary must contain summary-window")
        found.add((summary_type, _window(element["summary-window"])))
    return found


def _window(value: Any) -> int:
    number = whole(value) if isinstance(value, str) else value
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise RefusedError("Summary window must be an integer")
    window = int(number)
    if not 0 <= window <= limits.MAX_WINDOW:
        raise RefusedError(f"Summary window must be between 0 and {limits.MAX_WINDOW} seconds")
    return window


def _subject_text(name: str, body: Mapping[str, Any]) -> str:
    if name in ADDRESS_FIELDS:
        return _address(name, body)
    value = body.get(name, "")
    if not isinstance(value, str | int | float):
        raise RefusedError(f"Value of {name} must be text")
    text = str(value)
    if len(text) > limits.SUBJECT_CHARS:
        raise RefusedError(f"Value of {name} has more than {limits.SUBJECT_CHARS} characters")
    _check_text(name, text)
    return text


def _address(name: str, body: Mapping[str, Any]) -> str:
    if name not in body:
        raise RefusedError(f"Missing {name} field in request")
    value = body[name]
    try:
        if isinstance(value, str) and "%" not in value:
            return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        pass
    raise RefusedError(f"Value of {name} must be an IP address: {_short(value)}")


def _check_parameters(subject_type: str, parameters: Mapping[str, Any]) -> None:
    if len(parameters) > limits.PARAMETERS:
        raise RefusedError(f"More than {limits.PARAMETERS} parameters")
    shown = {name: name for name in (*RESERVED_NAMES, *SUBJECT_FIELDS["point-to-point"])}
    for name, value in parameters.items():
        if not name or len(name) > limits.SUBJECT_CHARS:
            raise RefusedError(
                f"A parameter's name must have 1 to {limits.SUBJECT_CHARS} characters"
            )
        _check_text("a parameter's name", name)
        other = shown.setdefault(name.replace("_", "-"), name)
        if other == name and name in SUBJECT_FIELDS["point-to-point"]:
            raise RefusedError(f"{name} is not allowed for subject type {subject_type}")
        if other != name or name in RESERVED_NAMES:
            raise RefusedError(f"{name} is not allowed to be specified beside {other}")
        if value is None:
            raise RefusedError(f"Value of {name} cannot be null")
        try:
            _check_text(name, parameter_text(value))
        except (RecursionError, ValueError):
            raise RefusedError(f"Value of {name} cannot be stored") from None


def _check_text(name: str, text: str) -> None:
    if "\0" in text:
        raise RefusedError(f"Value of {name} must not have a NUL character")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= limits.KEY_CHARS else text[: limits.KEY_CHARS] + "..."
