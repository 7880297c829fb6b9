"""Whatever is done to a result, it is mapped, or refused with words."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gridtap.iperf3 import Ends, ResultError, UnusableInputError, extract, measurements
from tests.esmond_pipe.command import DATA

NAMES = sorted(path.name for path in DATA.glob("*.json"))
WRAPPED = (DATA / "bwctl-verbose-udp.txt").read_text()

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=4,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key of a document"""
    found: list[tuple[Any, Any]] = []
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        found.append((value, key))
        if isinstance(value[key], dict | list):
            found += places(value[key])
    return found


@given(st.sampled_from(NAMES), st.data(), VALUES)
@settings(max_examples=400, deadline=None)
def test_a_value_exchanged(name: str, data: st.DataObject, value: Any) -> None:
    result = json.loads((DATA / name).read_text())
    container, key = data.draw(st.sampled_from(places(result)))
    container[key] = value
    check(result)


@given(VALUES)
@settings(deadline=None)
def test_anything_else(value: Any) -> None:
    check(value)


def check(result: Any) -> None:
    try:
        found = measurements(result, Ends("a", "b"), "iperf3", 0)
    except ResultError:
        return
    for one in found:
        json.dumps([one.points, one.parameters, one.duration_s], allow_nan=False)
        assert one.points
        assert {name for name, _ in one.points} <= set(one.event_types)


@given(st.integers(0, len(WRAPPED)), st.integers(0, 200), st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_text_exchanged(place: int, length: int, text: str) -> None:
    changed = WRAPPED[:place] + text + WRAPPED[place + length :]
    try:
        found = extract(changed)
    except UnusableInputError:
        return
    assert found.source
    assert found.destination
    assert found.tool
