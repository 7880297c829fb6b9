"""Any combination of filters finds what a plain look at every metadata finds."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive.client import Client, with_summaries

MARK = "property"
ROWS = [
    ("throughput", "aggregation", 60), ("throughput", "average", 60),
    ("throughput", "average", 3600), ("packet-rtt", "average", 60),
    ("histogram-rtt", "statistics", 0),
]  # fmt: skip
NAMES = ("throughput", "packet-rtt", "histogram-rtt", "failures")


@pytest.fixture(scope="module")
def everything(archive: Client) -> list[dict[str, Any]]:
    """Sixty metadata from a small vocabulary, some of whose event types have data"""
    choose = random.Random(7)
    for _ in range(60):
        names = choose.sample(NAMES, choose.randint(1, 3))
        rows = [row for row in ROWS if row[0] in names and choose.random() < 0.6]
        event_types = [with_summaries(n, *(row[1:] for row in rows if row[0] == n)) for n in names]
        key = archive.key_of(
            *event_types,
            mark=MARK,
            destination=choose.choice(["192.0.2.1", "192.0.2.2", "2001:db8:1::1"]),
            tool_name=choose.choice(["one", "two"]),
            colour=choose.choice(["red", "green", "7"]),
        )
        if choose.random() < 0.5:
            value = {"5": 1} if names[0] == "histogram-rtt" else 5
            assert archive.post_point(key, names[0], 1600000000, value).status == 201
    return list(archive.get(mark=MARK).json())


def rows_of(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """Base rows and summary rows, as conditions on event types see them"""
    rows = []
    for each in metadata["event-types"]:
        base = {"event-type": each["event-type"], "updated": each["time-updated"] is not None}
        rows.append(base | {"summary-type": "base", "summary-window": "0"})
        rows += [
            base | {name: summary[name] for name in ("summary-type", "summary-window")}
            for summary in each["summaries"]
        ]
    return rows


def matches(metadata: dict[str, Any], fields: dict[str, str], conditions: dict[str, str]) -> bool:
    if any(metadata.get(name) != value for name, value in fields.items()):
        return False
    wanted: dict[str, Any] = dict(conditions)
    if wanted.pop("time-start", None) is not None:
        wanted["updated"] = True
    rows = rows_of(metadata)
    return not wanted or any(wanted.items() <= row.items() for row in rows)


def some(choices: dict[str, list[str]]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(values) for name, values in choices.items()}
    )


@settings(max_examples=80, deadline=None)
@given(
    fields=some({
        "destination": ["192.0.2.1", "192.0.2.2", "2001:db8:1::1", "192.0.2.3"],
        "tool-name": ["one", "two"],
        "colour": ["red", "green", "7"],
        "subject-type": ["point-to-point", "network-element"],
    }),
    conditions=some({
        "event-type": list(NAMES),
        "summary-type": ["base", "aggregation", "average", "statistics"],
        "summary-window": ["0", "60", "3600"],
        "time-start": ["0"],
    }),
)  # fmt: skip
def test_any_combination(
    archive: Client,
    everything: list[dict[str, Any]],
    fields: dict[str, str],
    conditions: dict[str, str],
) -> None:
    assert len(everything) == 60
    query = {"mark": MARK, **fields, **conditions}
    found = archive.send("GET", query=query).json()
    expected = [each["metadata-key"] for each in everything if matches(each, fields, conditions)]
    assert [each["metadata-key"] for each in found] == expected
    if found:
        assert found[0]["metadata-count-total"] == len(expected)
    for each in everything[::10]:
        status = archive.send("GET", f"{each['metadata-key']}/", query=query).status
        assert status == (200 if each["metadata-key"] in expected else 404)
