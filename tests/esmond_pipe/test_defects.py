"""Each known defect of the original esmond-ps-pipe, by its number or its row in the document."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gridtap.iperf3 import Ends, ResultError, measurements
from gridtap.iperf3.hosts import agent_of
from tests.esmond.conftest import Archive
from tests.esmond.server import Server, json_reply
from tests.esmond_cli.command import environment
from tests.esmond_pipe.command import DATA, ENDS, access, capture, events, pipe, stored

WRAPPED = (DATA / "bwctl-verbose-tcp-1-stream.txt").read_text()
NAMES = Ends("dtn1.example.net", "dtn9.example.com")


def small(**changes: Any) -> dict[str, Any]:
    """A result of two streams and one interval between two hosts"""
    streams = [
        {"socket": 5, "start": 0, "seconds": 1.0, "bits_per_second": 800.0, "retransmits": 1},
        {"socket": 7, "start": 0, "seconds": 1.0, "bits_per_second": 900.0, "retransmits": 2},
    ]
    total = {"start": 0, "seconds": 1.0, "bits_per_second": 1700.0, "retransmits": 3}
    return {
        "start": {
            "connected": [{"local_host": "198.51.100.10", "remote_host": "203.0.113.25"}],
            "timestamp": {"time": "Tue, 20 Oct 2015 18:37:24 GMT", "timesecs": 1445366244},
            "test_start": {
                "protocol": "TCP",
                "num_streams": 2,
                "omit": 0,
                "duration": 1,
                "reverse": 0,
                **changes,
            },
        },
        "intervals": [{"streams": streams, "sum": total}],
        "end": {
            "streams": [
                {
                    "sender": {"socket": 5, "retransmits": 1},
                    "receiver": {"socket": 5, "bits_per_second": 790.0},
                },
                {
                    "sender": {"socket": 7, "retransmits": 2},
                    "receiver": {"socket": 7, "bits_per_second": 890.0},
                },
            ],
            "sum_sent": {"bits_per_second": 1700.0, "retransmits": 3},
            "sum_received": {"bits_per_second": 1680.0},
        },
    }


def test_c20_sub_intervals_are_by_stream_and_have_their_names() -> None:
    (found,) = measurements(small(), NAMES, "bwctl/iperf3", 0)
    assert found.ts == 1445366244
    span = {"start": 0, "duration": 1.0}
    assert found.points == [
        ("throughput", 1680.0),
        ("throughput-subintervals", [{**span, "val": 1700.0}]),
        ("packet-retransmits", 3),
        ("packet-retransmits-subintervals", [{**span, "val": 3}]),
        ("streams-packet-retransmits", [1, 2]),
        (
            "streams-packet-retransmits-subintervals",
            [[{**span, "val": 1}], [{**span, "val": 2}]],
        ),
        ("streams-throughput", [790.0, 890.0]),
        ("streams-throughput-subintervals", [[{**span, "val": 800.0}], [{**span, "val": 900.0}]]),
    ]


def test_c20_streams_are_told_apart_by_socket_not_by_place() -> None:
    result = small()
    again = json.loads(json.dumps(result["intervals"][0]))
    again["streams"].reverse()
    result["intervals"].append(again)
    points = dict(measurements(result, NAMES, "iperf3", 0)[0].points)
    lists = points["streams-throughput-subintervals"]
    assert [[one["val"] for one in each] for each in lists] == [[800.0] * 2, [900.0] * 2]


@pytest.mark.parametrize("end", ["sender", "receiver"])
def test_c20_the_local_host_may_be_an_end(end: str, archive: Archive) -> None:
    text = WRAPPED.replace(f"address for remote {end}", f"address for local {end}")
    assert text != WRAPPED
    assert pipe(text.encode(), *access(archive)).exit_status == 0
    assert len(stored(archive)) == 1


def test_c20_udp_with_several_streams(archive: Archive) -> None:
    assert pipe(Path("udp-2-streams.json"), *access(archive), *ENDS).exit_status == 0
    (test,) = stored(archive)
    ((_, rates),) = test["values"]["streams-throughput"]
    assert rates == [20053158.7274644, 20053158.7274644]
    assert "streams-packet-retransmits" not in test["values"]


def test_c20_what_is_not_stored_is_no_success(archive: Archive) -> None:
    result = capture("tcp-1-stream.json")
    result["end"]["sum_received"]["bits_per_second"] *= 2
    once = pipe(Path("tcp-1-stream.json"), *access(archive), *ENDS)
    other = pipe(json.dumps(result).encode(), *access(archive), *ENDS)
    assert (once.exit_status, other.exit_status) == (0, 3)
    assert events(once)[-1] == "main.exit success"
    assert events(other)[-1] == "process_iperf3.end finished"
    assert "status_code: 409" in events(other)[-2]


def test_the_same_result_again_is_stored_once(archive: Archive) -> None:
    for _ in range(2):
        assert pipe(Path("tcp-1-stream.json"), *access(archive), *ENDS).exit_status == 0
    (test,) = stored(archive)
    assert {len(found) for found in test["values"].values()} == {0, 1}


def test_c20_another_tool_is_no_success(archive: Archive) -> None:
    got = pipe(WRAPPED.replace("tool: iperf3", "tool: nuttcp").encode(), *access(archive))
    assert got.exit_status == 255
    assert events(got)[1:] == [
        "main.fatal there is no handler for input type: nuttcp",
        "main.fatal exiting",
    ]
    assert archive.server.asked == []


def test_c20_the_agent_is_found_out_for_ipv6() -> None:
    result = capture("tcp-ipv6-half-second.json")
    (found,) = measurements(result, Ends("::1", "::1"), "iperf3", 0)
    assert agent_of(found) == "::1"


def test_c20_a_receiver_that_nobody_knows_is_no_crash(archive: Archive) -> None:
    ends = ("--source", "dtn1.invalid", "--destination", "dtn9.invalid")
    assert pipe(Path("tcp-1-stream.json"), *access(archive), *ends).exit_status == 0
    (test,) = stored(archive)
    assert test["metadata"]["measurement-agent"] == "127.0.0.1"
    assert test["metadata"]["input-destination"] == "dtn9.invalid"


def test_c21_the_log_goes_where_the_help_says(archive: Archive, tmp_path: Path) -> None:
    assert "instead of standard error" in re.sub(r"\s+", " ", pipe(b"", "-h").stdout)
    for _ in range(2):
        got = pipe(Path("tcp-1-stream.json"), *access(archive), *ENDS, "-l", tmp_path)
        assert (got.stdout, got.stderr) == ("", "")
    log = (tmp_path / "esmond-ps-pipe.log").read_text()
    assert log.count("event=main.start") == 2
    assert archive.api_key not in log


def test_c22_the_default_port_is_the_documented_one() -> None:
    text = re.sub(r"\s+", " ", pipe(b"", "-h").stdout)
    assert "(default: http://localhost:8000)" in text


def test_c01_certificates_are_verified_unless_told_otherwise() -> None:
    with Server(lambda _: json_reply({"detail": "no"}, 401), tls=True) as server:
        line = ("-U", server.url, "-u", "me", "-k", "abc", *ENDS)
        refused = pipe(Path("tcp-1-stream.json"), *line)
        assert (refused.exit_status, server.asked) == (3, [])
        assert "certificate" in events(refused)[-1]
        for way in (
            ("--no-ssl-verify",),
            ("--ca-bundle", str(DATA.parent / "esmond/self-signed.crt")),
        ):
            server.asked.clear()
            got = pipe(Path("tcp-1-stream.json"), *line, *way)
            assert (got.exit_status, len(server.asked)) == (3, 1)
            assert "status_code: 401" in events(got)[-1]


def test_reverse_tests_have_their_ends_the_right_way_round() -> None:
    (there,) = measurements(small(), NAMES, "iperf3", 0)
    (back,) = measurements(small(reverse=1), NAMES, "iperf3", 0)
    assert (there.source, there.destination) == ("198.51.100.10", "203.0.113.25")
    assert (back.source, back.destination) == ("203.0.113.25", "198.51.100.10")
    assert (back.input_source, back.input_destination) == NAMES


def test_both_directions_have_their_own_ends() -> None:
    there, back = measurements(capture("tcp-bidir.json"), NAMES, "iperf3", 0)
    assert (there.input_source, there.input_destination) == NAMES
    assert (back.input_source, back.input_destination) == NAMES[::-1]


def test_omitted_intervals_are_left_out() -> None:
    (found,) = measurements(capture("tcp-reverse-omit-1.json"), NAMES, "iperf3", 0)
    assert [one["start"] for one in dict(found.points)["throughput-subintervals"]] == [
        3.2e-05,
        1.000016,
        1.999968,
        2.99998,
    ]


def test_a_date_as_text_is_not_needed() -> None:
    result = small()
    result["start"]["timestamp"]["time"] = "yesterday"
    assert measurements(result, NAMES, "iperf3", 0)[0].ts == 1445366244


def test_a_failure_in_the_middle_is_a_failure_of_the_same_kind_of_test() -> None:
    result = {**small(reverse=1), "error": "control socket has closed unexpectedly"}
    (found,) = measurements(result, NAMES, "iperf3", 0)
    assert found.points == [("failures", {"error": "control socket has closed unexpectedly"})]
    assert (found.ts, found.source, found.protocol) == (1445366244, "203.0.113.25", "tcp")


def test_a_failure_within_bwctl_has_bwctls_time(archive: Archive) -> None:
    before, rest = WRAPPED.split("{", 1)
    text = before + (DATA / "refused.json").read_text() + rest[rest.index("bwctl: stop_tool") :]
    assert pipe(text.encode(), *access(archive)).exit_status == 0
    (test,) = stored(archive)
    ((ts, _),) = test["values"]["failures"]
    began = re.search(r"start_tool: (\d+)", WRAPPED)
    assert began
    assert ts == int(began[1]) - 2_208_988_800


def test_a_servers_result_is_refused() -> None:
    with pytest.raises(ResultError, match="the client's is needed"):
        measurements(capture("server-reverse.json"), NAMES, "iperf3", 0)


def test_packets_that_were_never_sent_have_no_loss_rate() -> None:
    result = capture("udp.json")
    result["end"]["sum"]["packets"] = 0
    (found,) = measurements(result, NAMES, "iperf3", 0)
    assert "packet-loss-rate" not in dict(found.points)


def test_addresses_are_written_as_archives_know_them() -> None:
    result = small()
    result["start"]["connected"][0] = {
        "local_host": "::ffff:198.51.100.10",
        "remote_host": "fe80::1%eth0",
    }
    (found,) = measurements(result, NAMES, "iperf3", 0)
    assert (found.source, found.destination) == ("198.51.100.10", "fe80::1")


def test_stored_sub_intervals_are_shown_by_esmond_ps_get(archive: Archive) -> None:
    assert pipe(Path("tcp-4-streams.json"), *access(archive), *ENDS).exit_status == 0
    start = "from gridtap.cli.esmond_entry import get; get()"
    line = ["-u", archive.url, "-s", "127.0.0.1", "-d", "127.0.0.1", "-I", "-o", "json"]
    line += ["-e", "streams-throughput-subintervals", "-S", "2026-11-22", "-E", "2026-11-23"]
    got = subprocess.run(
        [sys.executable, "-c", start, *line],
        capture_output=True,
        check=True,
        env=environment(),
        timeout=60,
    )
    rows = json.loads(got.stdout)
    assert [row["stream_num"] for row in rows] == [n for n in range(4) for _ in range(5)]
    assert rows[0]["value"] == 3150608951.980552
