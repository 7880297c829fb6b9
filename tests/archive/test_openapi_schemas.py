"""What the schemas of the OpenAPI document allow is what the archive takes, and nothing else is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gridtap.archive.description import parse
from gridtap.archive.openapi import document
from gridtap.archive.openapi.values import POSTED
from gridtap.archive.refusal import RefusedError
from gridtap.archive.values import MAX_FLOAT, accept
from gridtap.esmond.event_types import DataType, SummaryType
from tests.archive.openapi_validator import REGISTRY, validator

#: The same examples in every run
ALIKE = settings(
    max_examples=int(os.environ.get("GRIDTAP_SCHEMA_EXAMPLES", "400")),
    derandomize=True,
    deadline=None,
    database=None,
)

DESCRIBED = document(REGISTRY, "", False)
DESCRIBED_VALUES = {each: validator(DESCRIBED, name) for each, name in POSTED.items()}
DESCRIBED_METADATA = validator(DESCRIBED, "MetadataPost")


def texts() -> st.SearchStrategy[str]:
    signed = st.from_regex(
        r"\s?[+-]?[0-9]{1,20}(\.[0-9]{0,3})?(e[+-]?[0-9]{1,3})?\s?", fullmatch=True
    )
    return signed | st.sampled_from(["", "nan", "inf", "1_000", "\u0661", "0x10", "-0"]) | st.text()


def scalars() -> st.SearchStrategy[Any]:
    numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    return st.none() | st.booleans() | numbers | texts()


def posted() -> st.SearchStrategy[Any]:
    """Values of all data types, and what is nearly one"""
    pairs = st.fixed_dictionaries(
        {}, optional={"numerator": scalars(), "denominator": scalars(), "more": scalars()}
    )
    interval = st.fixed_dictionaries(
        {}, optional={"start": scalars(), "duration": scalars(), "val": scalars()}
    )
    histogram = st.dictionaries(st.text(), scalars(), max_size=3)
    return scalars() | pairs | histogram | st.lists(interval | scalars(), max_size=3)


@given(posted())
@example({"numerator": "-0", "denominator": " +01 "})
@example({"numerator": -0.5, "denominator": True})
@example([{"start": "nan", "duration": 1, "val": 0}])
@example({"a": -0.5, "b": "-0", "c": False})
@ALIKE
def test_values_are_accepted_as_described(value: Any) -> None:
    for data_type, described in DESCRIBED_VALUES.items():
        if described.is_valid(value) != _is_accepted(data_type, value):
            # Only its description can say how large the number may be that a text is.
            assert any(map(_is_large, _texts(value)))


def _is_accepted(data_type: DataType, value: Any) -> bool:
    try:
        accept(data_type, value)
    except RefusedError:
        return False
    return True


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _is_large(text: str) -> bool:
    try:
        return abs(float(text)) >= MAX_FLOAT
    except ValueError:
        return False


def mostly(good: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 11).flatmap(lambda number: other if number == 11 else good)


def metadata() -> st.SearchStrategy[Any]:
    """Descriptions of measurements, and what is nearly one"""
    kinds = mostly(st.sampled_from([*SummaryType]), st.sampled_from(["averages", None]))
    windows = mostly(st.sampled_from([0, "300", 3600.5, " +86400 ", -0.5]), scalars())
    summary = mostly(
        st.fixed_dictionaries({"summary-type": kinds, "summary-window": windows}),
        st.fixed_dictionaries({}, optional={"summary-type": kinds}) | scalars(),
    )
    names = mostly(
        st.sampled_from(["throughput", "packet-trace", "histogram-rtt", "packet-loss-rate"]),
        st.sampled_from(["other", 1]),
    )
    event = st.fixed_dictionaries(
        {"event-type": names},
        optional={"summaries": mostly(st.lists(summary, max_size=2), scalars())},
    )
    addresses = mostly(
        st.sampled_from(["192.0.2.1", "2001:DB8::1"]),
        st.sampled_from(["host.example", "fe80::1%eth0", "192.0.2.01", 1]),
    )
    required = {
        "subject-type": st.sampled_from(["point-to-point", "network-element"]),
        "event-types": mostly(st.lists(event, max_size=2), scalars()),
        "source": addresses,
        "measurement-agent": addresses,
    }
    names = st.sampled_from(
        [
            *("tool-name", "tool_name", "input-source", "input-destination", "url", "metadata_key"),
            *("typed-parameters", "event_types", "x" * 128, "x" * 129, "", "a", "a\0"),
        ]
    )
    texts = st.sampled_from(["x" * 128, "x" * 129, "a\0"])
    others = st.dictionaries(names, scalars() | texts | st.just([None]), max_size=2)
    return st.builds(
        lambda one, two: two | one,
        st.fixed_dictionaries(required, optional={"destination": addresses}),
        others,
    )


@given(metadata())
@ALIKE
def test_metadata_are_accepted_as_described(body: Any) -> None:
    is_described = DESCRIBED_METADATA.is_valid(body)
    try:
        parse(body, REGISTRY)
    except RefusedError as error:
        # Only its description can say how large the number may be that a text is.
        is_large = "Summary window must be between" in error.detail
        assert not is_described or (is_large and any(map(_is_whole, _texts(body))))
    else:
        assert is_described


def _is_whole(text: str) -> bool:
    return text.strip().lstrip("+-").isdecimal()
