"""What the original command sent and said, and what ours does where it deviates on purpose.

The golden cases are those of esmond_client 4.4 against an esmond server. Each deviation is a
function that turns what the original did into what is expected; its name is a row of the table in
``docs/esmond-pipe.md``.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.esmond.conftest import Archive
from tests.esmond_pipe.command import access, events, pipe

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "esmond-pipe.md"
GOLDEN = ROOT / "tests/data/esmond/esmond-ps-pipe.json"

Case = dict[str, Any]
CASES: dict[str, Case] = {case["name"]: case for case in json.loads(GOLDEN.read_text())["cases"]}

_NO_RETRANSMITS = "packet-retransmits-subintervals"


def metadata_of(case: Case) -> dict[str, Any]:
    return case["requests"][0]["body"] if case["requests"] else {}


def points_of(case: Case) -> list[dict[str, Any]]:
    return case["requests"][1]["body"]["data"][0]["val"] if case["requests"] else []


def lower_case_protocol(case: Case) -> None:
    metadata = metadata_of(case)
    if metadata:
        metadata["ip-transport-protocol"] = metadata["ip-transport-protocol"].lower()


def dashed_parameter(case: Case) -> None:
    metadata = metadata_of(case)
    if metadata:
        metadata["bw-ignore-first-seconds"] = metadata.pop("bw_ignore_first_seconds")


def failures_registered(case: Case) -> None:
    if case["requests"]:
        metadata_of(case)["event-types"].append({"event-type": "failures", "summaries": []})


def streams_first(case: Case) -> None:
    for point in points_of(case):
        if point["event-type"].startswith("streams-") and "subintervals" in point["event-type"]:
            point["val"] = [
                [
                    {"start": one["start"], "duration": one["duration"], "val": value}
                    for one in stream
                    for name, value in one.items()
                    if name in ("retransmits", "throughput")
                ]
                for stream in zip(*point["val"], strict=True)
            ]


def no_nulls(case: Case) -> None:
    if any(
        point["event-type"] == _NO_RETRANSMITS and point["val"][0]["val"] is None
        for point in points_of(case)
    ):
        for request in (metadata_of(case)["event-types"], points_of(case)):
            request[:] = [one for one in request if one["event-type"] != _NO_RETRANSMITS]


def plain_json(case: Case) -> None:
    if case["name"] == "pipe-not-wrapped":
        lines = case["stderr"].splitlines(keepends=True)
        told = "iperf3 --json without bwctl needs --source and --destination"
        lines.insert(-2, f"ts=... event=id_and_extract.error id=... {told}\n")
        case["stderr"] = "".join(lines)


DEVIATIONS: dict[str, Callable[[Case], None]] = {
    "lower-case-protocol": lower_case_protocol,
    "dashed-parameter": dashed_parameter,
    "failures-registered": failures_registered,
    "streams-first": streams_first,
    "no-nulls": no_nulls,
    "plain-json": plain_json,
}


def expected(case: Case) -> Case:
    wanted = copy.deepcopy(case)
    for deviate in DEVIATIONS.values():
        deviate(wanted)
    return wanted


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, archive: Archive) -> None:
    case, want = CASES[name], expected(CASES[name])
    key = case["args"][case["args"].index("-k") + 1]
    replaced = {"{url}": archive.url, key: archive.api_key}
    got = pipe(Path(case["stdin"]), *(replaced.get(each, each) for each in case["args"]))
    assert (got.exit_status, got.stdout) == (want["exit_status"], want["stdout"])
    said = [f"ts=... event={line.replace(' ', ' id=... ', 1)}" for line in events(got)]
    assert said == want["stderr"].splitlines()
    assert len(archive.server.asked) == len(want["requests"])
    for asked, request in zip(archive.server.asked, want["requests"], strict=True):
        path = re.sub(r"[0-9a-f]{32}", "KEY", asked.path)
        assert (asked.method, path) == (
            request["method"],
            re.sub(r"[0-9a-f]{32}", "KEY", request["path"]),
        )
        assert asked.headers["authorization"] == f"Token {archive.api_key}"
        assert asked.headers["content-type"] == request["headers"]["content-type"]
        assert normal(asked.json()) == normal(request["body"])


def normal(body: Any) -> str:
    """The same text for JSON that means the same"""
    return json.dumps(body, sort_keys=True)


@pytest.mark.parametrize("name", DEVIATIONS)
def test_deviations_deviate(name: str) -> None:
    changed = []
    for case in CASES.values():
        wanted = copy.deepcopy(case)
        DEVIATIONS[name](wanted)
        changed.append(wanted != case)
    assert any(changed)


def test_deviations_are_documented() -> None:
    table = re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE.read_text(), re.M)
    assert set(DEVIATIONS) <= set(table)
