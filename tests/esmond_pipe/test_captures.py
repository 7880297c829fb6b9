"""Every capture, stored and read back, says what iperf3's own summary says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.esmond.conftest import Archive
from tests.esmond_pipe.command import ENDS, access, capture, pipe, stored

ONE_WAY = [
    "tcp-1-stream",
    "tcp-4-streams",
    "udp",
    "udp-2-streams",
    "udp-reverse",
    "tcp-reverse-omit-1",
    "tcp-ipv6-half-second",
]
BOTH_WAYS = ["tcp-bidir", "tcp-bidir-2-streams", "udp-bidir-2-streams"]


def summary(result: Any, ending: str = "", sends: bool | None = None) -> dict[str, Any]:
    """Values by event type, taken from the result in the plainest way"""
    test, end = result["start"]["test_start"], result["end"]
    is_udp = test["protocol"] == "UDP"
    kept = [one for one in result["intervals"] if not one["sum"]["omitted"]]
    total = end[f"sum{ending}" if is_udp else f"sum_received{ending}"]
    streams = [
        one
        for one in end["streams"]
        if sends is None or one["udp" if is_udp else "sender"]["sender"] == sends
    ]
    sockets = [one["udp" if is_udp else "sender"]["socket"] for one in streams]
    sums = [one[f"sum{ending}"] for one in kept]
    values: dict[str, Any] = {
        "throughput": float(int(total["bits_per_second"])),
        "throughput-subintervals": [part(one, "bits_per_second") for one in sums],
        "failures": None,
    }
    if is_udp:
        values["packet-count-lost"] = total["lost_packets"]
        values["packet-count-sent"] = total["packets"]
        values["packet-loss-rate"] = total["lost_packets"] / total["packets"]
    else:
        values["packet-retransmits"] = end[f"sum_sent{ending}"]["retransmits"]
    counts = "retransmits" in sums[0]
    if counts:
        values["packet-retransmits-subintervals"] = [part(one, "retransmits") for one in sums]
    if test["num_streams"] > 1:
        parts = [
            [one for each in kept for one in each["streams"] if one["socket"] == socket]
            for socket in sockets
        ]
        ends = [one["udp" if is_udp else "receiver"]["bits_per_second"] for one in streams]
        values["streams-throughput"] = ends
        values["streams-throughput-subintervals"] = [
            [part(one, "bits_per_second") for one in each] for each in parts
        ]
        if not is_udp:
            values["streams-packet-retransmits"] = [o["sender"]["retransmits"] for o in streams]
        if counts:
            values["streams-packet-retransmits-subintervals"] = [
                [part(one, "retransmits") for one in each] for each in parts
            ]
    return values


def part(interval: dict[str, Any], name: str) -> dict[str, Any]:
    return {"start": interval["start"], "duration": interval["seconds"], "val": interval[name]}


def with_time(values: dict[str, Any], ts: int) -> dict[str, list[tuple[int, Any]]]:
    return {name: [] if value is None else [(ts, value)] for name, value in values.items()}


@pytest.mark.parametrize("name", ONE_WAY)
def test_one_direction(name: str, archive: Archive) -> None:
    result = capture(f"{name}.json")
    got = pipe(Path(f"{name}.json"), *access(archive), *ENDS)
    assert (got.exit_status, got.stdout) == (0, "")
    (test,) = stored(archive)
    ts = result["start"]["timestamp"]["timesecs"]
    assert test["values"] == with_time(summary(result), ts)
    start = result["start"]["test_start"]
    host = result["start"]["connected"][0]["local_host"]
    described = {
        "source": host,
        "destination": host,
        "tool-name": "iperf3",
        "input-source": "127.0.0.1",
        "ip-transport-protocol": start["protocol"].lower(),
        "time-duration": str(start["duration"]),
        "bw-parallel-streams": str(start["num_streams"]),
        "bw-ignore-first-seconds": str(start["omit"]),
    }
    assert {name: str(test["metadata"][name]) for name in described} == described


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_both_directions_are_two_tests(name: str, archive: Archive) -> None:
    result = capture(f"{name}.json")
    ends = ("--source", "127.0.0.2", "--destination", "127.0.0.1")
    assert pipe(Path(f"{name}.json"), *access(archive), *ends).exit_status == 0
    tests = {test["metadata"]["bw-bidirectional"]: test for test in stored(archive)}
    assert sorted(tests) == ["forward", "reverse"]
    ts = result["start"]["timestamp"]["timesecs"]
    assert tests["forward"]["values"] == with_time(summary(result, "", True), ts)
    assert tests["forward"]["metadata"]["input-source"] == "127.0.0.2"
    assert tests["reverse"]["values"] == with_time(summary(result, "_bidir_reverse", False), ts)
    assert tests["reverse"]["metadata"]["input-source"] == "127.0.0.1"


def test_a_refused_connection_is_a_failure(archive: Archive) -> None:
    got = pipe(Path("refused.json"), *access(archive), *ENDS)
    assert got.exit_status == 0, got.stderr
    (test,) = stored(archive)
    assert list(test["values"]) == ["failures"]
    ((_, value),) = test["values"]["failures"]
    assert value == {"error": "unable to connect to server: Connection refused"}
    assert (test["metadata"]["source"], test["metadata"]["destination"]) == ("127.0.0.1",) * 2
    assert archive.server.asked[1].path.endswith("/failures/base")
