"""The known defects of the original query commands, one test or more for each.

C-14 to C-21 are about the loaders.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridtap.cli.esmond_options import COMMANDS
from gridtap.cli.optparse_rules import QueryOptionParser
from gridtap.esmond.event_types import EVENT_TYPES
from tests.esmond.documents import KEY, counted, event_type, metadata, one_metadata, window_of
from tests.esmond.server import DATA, ROOT, Asked, Reply, Server, json_reply
from tests.esmond_cli.command import ENTRIES, WINDOW, contents, run

TIMES = ("-S", "2024-03-12", "-E", "2024-03-13", "-I")
ENDS = ("-s", "198.51.100.10", "-d", "203.0.113.25")
FIRST = 1710231310

Points = list[dict[str, Any]]


def points(count: int) -> Points:
    return [{"ts": FIRST + second, "val": float(second)} for second in range(count)]


def values(name: str, found: Any, *arguments: str) -> list[dict[str, Any]]:
    """Rows of ``esmond-ps-get -o json`` for one value of an event type"""
    test = metadata(KEY, event_type(name))
    with Server(one_metadata(test, [{"ts": FIRST, "val": found}])) as server:
        line = ("-u", server.url, *ENDS, *TIMES, "-e", name, "-o", "json", *arguments)
        got = run("esmond-ps-get", *line)
    assert (got.exit_status, got.stderr) == (0, "")
    rows: list[dict[str, Any]] = json.loads(got.stdout)
    return rows


def test_c01_certificates_are_verified_unless_told_otherwise() -> None:
    with Server(one_metadata(metadata(), points(1)), tls=True) as server:
        line = ("esmond-ps-get", "-u", server.url, *ENDS, *TIMES, "-e", "throughput")
        assert run(*line).exit_status == 1
        assert server.asked == []
        assert run(*line, "--ssl-verify").exit_status == 1
        assert run(*line, "--no-ssl-verify").exit_status == 0
        assert run(*line, "--ca-bundle", str(DATA / "self-signed.crt")).exit_status == 0


def test_c01_patience_ends_by_default() -> None:
    assert QueryOptionParser(COMMANDS["esmond-ps-get"]).get_default_values().timeout == 20


def test_c02_ipv6_literals(archive_url: str) -> None:
    ends = ("-s", "2001:db8::10", "-d", "2001:DB8:0::20", "-a", "2001:db8::10")
    line = ("-u", archive_url, *ends, "-e", "throughput", *WINDOW, "-o", "csv")
    got = run("esmond-ps-get", *line)
    assert (got.exit_status, got.stderr) == (0, "")
    assert "2001:db8::10,2001:db8::20,throughput,bwctl/iperf3,base,0," in got.stdout


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("tool-name:bwctl/nuttcp", {"tool-name": "bwctl/nuttcp"}),
        ("tool_name:bwctl/nuttcp", {"tool-name": "bwctl/nuttcp"}),
        ("input-source:2001:db8::1", {"input-source": "2001:db8::1"}),
        ("input_source:https://host:80/", {"input-source": "https://host:80/"}),
        ("bw-parallel-streams:4", {"bw-parallel-streams": "4"}),
        ("bw_parallel_streams:4", {"bw-parallel-streams": "4"}),
        ("dns-match-rule:only-v4", {"dns-match-rule": "only-v4"}),
        ("time-start:1710000000", {"time-start": "1710000000"}),
        ("subject_type:", {"subject-type": ""}),
    ],
)
def test_c03_filters_are_sent(text: str, sent: dict[str, str]) -> None:
    with Server(lambda _: json_reply([])) as server:
        got = run("esmond-ps-get-metadata", "-u", server.url, *TIMES, "-F", text)
    assert (got.exit_status, got.stderr) == (0, "")
    assert server.asked[0].query.items() >= sent.items()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nonsense", "--filter arg nonsense should be of the format key:value"),
        (":value", "--filter arg :value should be of the format key:value"),
        ("verbose:1", "--filter arg verbose is not a valid filtering value"),
        ("ssl-verify:0", "--filter arg ssl_verify is not a valid filtering value"),
        ("timeout:1", "--filter arg timeout is not a valid filtering value"),
        ("auth_apikey:x", "--filter arg auth_apikey is not a valid filtering value"),
        ("__class__:x", "--filter arg __class__ is not a valid filtering value"),
        ("time_end:soon", "--filter arg time_end is not a number of seconds: soon"),
    ],
)
def test_c03_bad_filters_are_told_of_and_refused_if_strict(text: str, complaint: str) -> None:
    with Server(lambda _: json_reply([])) as server:
        line = ("esmond-ps-get-metadata", "-u", server.url, *TIMES, "-F", text)
        got = run(*line)
        assert (got.exit_status, got.stdout, got.line) == (0, "No data found.\n", complaint)
        assert sorted(server.asked[0].query) == ["time-start"]
        got = run(*line, "--strict-filters")
        assert (got.exit_status, got.stdout, got.line) == (255, "", complaint)
        assert len(server.asked) == 1


@pytest.mark.parametrize("form", ["json", "csv", "jsonl"])
def test_c04_output_is_clean_whatever_is_said(form: str, archive_url: str) -> None:
    ends = ("-s", "192.0.2.10", "-d", "192.0.2.20", "-e", "throughput", "-t", "bwctl/nuttcp")
    quiet = run("esmond-ps-get", "-u", archive_url, *ends, *WINDOW, "-o", form)
    url = f"{archive_url}/esmond/perfsonar/archive/"
    loud = run("esmond-ps-get", "-u", url, *ends, *WINDOW, "-o", form, "-v", "-F", "nonsense")
    assert quiet.stdout == loud.stdout
    assert "[url: " in loud.stderr
    assert " not necessary to add /esmond/perfsonar/archive to --url arg - trimming" in loud.stderr


def test_c05_bulk_writes_files(archive_url: str, tmp_path: Path) -> None:
    line = ("-u", archive_url, *WINDOW, "-D", tmp_path, "-t", "bwctl/nuttcp")
    for form in ("csv", "json"):
        assert run("esmond-ps-get-bulk", *line, "-o", form).exit_status == 0
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".csv", ".json"]


def test_c05_tests_of_one_pair_do_not_overwrite_each_other(
    archive_url: str, tmp_path: Path
) -> None:
    line = ("-u", archive_url, *WINDOW, "-D", tmp_path, "-o", "csv", "-e", "throughput")
    run("esmond-ps-get-bulk", *line, "-s", "192.0.2.10", "-d", "192.0.2.20")
    files = contents(tmp_path)
    assert len(files) == 3
    assert len(set(files.values())) == 3


def test_c05_unknown_event_types_and_missing_ends(tmp_path: Path) -> None:
    one = metadata(KEY, event_type("unheard-of"), destination=None)
    del one["destination"]
    with Server(one_metadata(one, [{"ts": FIRST, "val": {"a": [1, None]}}])) as server:
        for form in ("csv", "json"):
            got = run("esmond-ps-get-bulk", "-u", server.url, *TIMES, "-o", form, "-D", tmp_path)
            assert (got.exit_status, got.stderr) == (0, "")
    stem = "198.51.100.10_none_unheard-of_2024-03-12_2024-03-13"
    files = contents(tmp_path)
    assert sorted(files) == [f"{stem}.csv", f"{stem}.json"]
    assert files[f"{stem}.csv"].endswith(',2024-03-12 08:15:10,"{""a"": [1, null]}"\r\n')
    assert json.loads(files[f"{stem}.json"])[0]["value"] == {"a": [1, None]}


@pytest.mark.parametrize("command", ENTRIES)
def test_c06_a_refused_search_is_one_line(command: str, tmp_path: Path) -> None:
    needs = {
        "esmond-ps-get": (*ENDS, "-e", "throughput"),
        "esmond-ps-get-bulk": ("-o", "csv", "-D", str(tmp_path)),
    }
    detail = {"detail": "Unable to find address for host nonesuch"}
    with Server(lambda _: json_reply(detail, 400)) as server:
        got = run(command, "-u", server.url, *TIMES, *needs.get(command, ()))
    assert (got.exit_status, got.stdout) == (1, "")
    assert got.line.endswith("400 Bad Request: Unable to find address for host nonesuch")


def past_archive(found: Points) -> Callable[[Asked], Reply]:
    """An archive whose only test is still running, as esmond would answer for it"""
    running = metadata(KEY, {**event_type("throughput"), "time-updated": int(time.time())})

    def answer(asked: Asked) -> Reply:
        if asked.path != ROOT:
            return json_reply(window_of(found, asked))
        end = int(asked.query.get("time-end", 1 << 40))
        return json_reply(counted(running) if end >= time.time() else [])

    return answer


@pytest.mark.parametrize("command", ENTRIES)
def test_c07_tests_that_are_still_running_are_found_in_the_past(
    command: str, tmp_path: Path
) -> None:
    needs = {
        "esmond-ps-get": (*ENDS, "-e", "throughput", "-o", "csv"),
        "esmond-ps-get-bulk": ("-o", "csv", "-D", str(tmp_path)),
    }
    with Server(past_archive(points(3))) as server:
        got = run(command, "-u", server.url, *TIMES, *needs.get(command, ("-o", "csv")))
    assert (got.exit_status, got.stderr) == (0, "")
    assert "198.51.100.10" in got.stdout


@pytest.mark.parametrize("command", ["esmond-ps-get-endpoints", "esmond-ps-get-metadata"])
def test_c07_but_only_if_they_ran_then(command: str) -> None:
    with Server(past_archive([])) as server:
        got = run(command, "-u", server.url, *TIMES)
        assert (got.exit_status, got.stdout) == (0, "No data found.\n")
        assert server.asked[-1].query["limit"] == "1"


@pytest.mark.parametrize("refused", [("failures",), ("failures", "throughput")])
def test_c07_event_types_that_an_archive_refuses_do_not_decide(refused: tuple[str, ...]) -> None:
    updated = {"time-updated": int(time.time())}
    kinds = [{**event_type(name), **updated} for name in ("failures", "throughput")]

    def answer(asked: Asked) -> Reply:
        if asked.path == ROOT:
            return json_reply(counted(metadata(KEY, *kinds)))
        if asked.path.split("/")[-2] in refused:
            return json_reply({"detail": "Oops"}, 500)
        return json_reply(window_of(points(3), asked))

    with Server(answer) as server:
        got = run("esmond-ps-get-endpoints", "-u", server.url, *TIMES)
    if len(refused) == len(kinds):
        assert (got.exit_status, got.stdout) == (1, "")
        assert got.line.endswith("500 Internal Server Error: Oops")
    else:
        assert (got.exit_status, got.stderr) == (0, "")
        assert "event_type: failures, throughput\n" in got.stdout


def test_c07_a_search_up_to_now_asks_for_no_data(archive_url: str) -> None:
    with Server(lambda _: json_reply(counted(metadata()))) as server:
        got = run("esmond-ps-get-endpoints", "-u", server.url, "-S", "2024-03-12", "-I")
    assert "198.51.100.10" in got.stdout
    assert [asked.path for asked in server.asked] == [ROOT]


def test_c08_each_value_decides_how_it_is_printed() -> None:
    found = [
        {"ts": FIRST, "val": {"error": "text"}},
        {"ts": FIRST + 1, "val": {"error": ["a", "b"]}},
        {"ts": FIRST + 2, "val": {"error": None}},
        {"ts": FIRST + 3, "val": {"error": {"a": 1}}},
    ]
    with Server(one_metadata(metadata(KEY, event_type("failures")), found)) as server:
        line = ("esmond-ps-get", "-u", server.url, *ENDS, *TIMES, "-e", "failures")
        human = run(*line).stdout.splitlines()
        csv = run(*line, "-o", "csv").stdout.splitlines()
        as_json = run(*line, "-o", "csv", "--json-values").stdout.splitlines()
    told = [text for text in human if text.startswith("msg: ")]
    assert told == ["msg: text", "msg: a, b", "msg: None", "msg: {'a': 1}"]
    ends = ["08:15:10,text", '08:15:11,"a, b"', "08:15:12,", "08:15:13,{'a': 1}"]
    assert [text.split(" ", 1)[1] for text in csv[1:5]] == ends
    assert as_json[4].endswith('08:15:13,"{""a"": 1}"')


def test_c08_a_first_row_with_a_list_and_a_later_one_without() -> None:
    statistics = {"minimum": 1.0, "mode": [1.0, 2.0]}
    found = [{"ts": FIRST, "val": statistics}, {"ts": FIRST + 1, "val": {}}]
    summed = event_type("histogram-rtt", KEY, (("statistics", 0),))
    with Server(one_metadata(metadata(KEY, summed), found)) as server:
        wanted = (*ENDS, *TIMES, "-e", "histogram-rtt", "-T", "statistics")
        got = run("esmond-ps-get", "-u", server.url, *wanted)
    assert (got.exit_status, got.stderr) == (0, "")
    assert [text for text in got.stdout.splitlines() if text.startswith("mode: ")] == [
        "mode: 1.0, 2.0",
        "mode: None",
    ]


def test_c09_what_is_the_archives_own_is_not_of_the_test(archive_url: str) -> None:
    for form in ("json", "jsonl", "human"):
        line = ("-u", archive_url, *WINDOW, "-M", "-o", form)
        got = run("esmond-ps-get-metadata", *line).stdout
        assert "subject_type" in got
        assert "metadata_" not in got
        assert "/esmond/perfsonar/archive/" not in got
        assert "event_types" not in got


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("failures", {"error": "x"}),
        ("packet-trace", [{"ttl": 1}]),
        ("throughput-subintervals", [{"start": 0, "duration": 1, "val": 2}]),
        ("streams-throughput", [1]),
        ("streams-throughput-subintervals", [[{"start": 0, "duration": 1, "val": 2}]]),
    ],
)
def test_c10_families_without_summaries_do_not_claim_one(name: str, found: Any) -> None:
    (row,) = values(name, found, "-T", "average", "-W", "300")
    assert (row["summary_type"], row["summary_window"]) == ("base", 0)


def test_c10_those_with_summaries_say_which() -> None:
    with Server(one_metadata(metadata(), points(1))) as server:
        line = (*ENDS, *TIMES, "-e", "throughput", "-W", "300", "-o", "json")
        got = run("esmond-ps-get", "-u", server.url, *line)
    (row,) = json.loads(got.stdout)
    assert (row["summary_type"], row["summary_window"]) == ("base", 300)


def test_c11_all_event_types_are_listed() -> None:
    listed = run("esmond-ps-get", "-L").stdout.splitlines()[2:]
    assert sorted(text.strip() for text in listed) == sorted(EVENT_TYPES)
    assert len(listed) == 49


@pytest.mark.parametrize(
    "found", [{"34.5": "it"}, [[{"start": 0, "val": "it"}]], ["it", None], "it", [], 7, None]
)
def test_c11_every_event_type_can_be_shown(found: Any, tmp_path: Path) -> None:
    """With values of shapes that it has, and that it should not have"""
    everything = metadata(KEY, *(event_type(name) for name in EVENT_TYPES))
    with Server(one_metadata(everything, [{"ts": FIRST, "val": found}])) as server:
        for form in ("csv", "json"):
            got = run("esmond-ps-get-bulk", "-u", server.url, *TIMES, "-o", form, "-D", tmp_path)
            assert (got.exit_status, got.stderr) == (0, "")
    names = {path.name.split("_")[2]: path for path in tmp_path.glob("*.json")}
    if found != []:
        assert sorted(names) == sorted(EVENT_TYPES)
    assert len(list(tmp_path.glob("*.csv"))) == len(names)
    if "it" in json.dumps(found):
        # Whatever its shape, nothing of it is dropped; failures have only their text.
        dropped = [name for name, path in names.items() if '"it"' not in path.read_text()]
        assert dropped == (["failures"] if isinstance(found, dict) else [])


def test_c12_credentials_and_alias(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        return json_reply(counted(metadata()) if asked.path.endswith("/archive/") else points(1))

    lines = {
        "esmond-ps-get": (*ENDS, "-e", "throughput"),
        "esmond-ps-get-bulk": ("-o", "csv", "-D", str(tmp_path)),
    }
    for command in ENTRIES:
        with Server(answer) as server:
            line = (command, "-u", server.url, *TIMES, *lines.get(command, ()))
            assert run(*line, "--user", "me", "--key", "abc").exit_status == 0
            assert {asked.headers["authorization"] for asked in server.asked} == {"Token abc"}
            server.asked.clear()
            secret = {"ESMOND_USER": "me", "ESMOND_KEY": "hidden"}
            assert run(*line, env=secret).exit_status == 0
            assert {asked.headers["authorization"] for asked in server.asked} == {"Token hidden"}
            server.asked.clear()
            assert run(*line, "--script-alias", "pS/").exit_status == 0
            assert server.asked[0].path == "/pS/perfsonar/archive/"
            assert "authorization" not in server.asked[0].headers
            server.asked.clear()
            assert run(*line, "--script-alias", "/").exit_status == 0
            assert server.asked[0].path == "/perfsonar/archive/"


def test_c13_windows_that_are_numbers_and_errors_with_a_dash() -> None:
    """elmond's way to write them"""
    averaged = event_type("throughput", KEY, (("average", 86400),))
    averaged["summaries"][0]["summary-window"] = 86400
    with Server(one_metadata(metadata(KEY, averaged), points(2))) as server:
        line = (*ENDS, *TIMES, "-e", "throughput", "-T", "average", "-W", "86400", "-o", "csv")
        got = run("esmond-ps-get", "-u", server.url, *line)
    assert got.stdout.count(",average,86400,") == 2
    (row,) = values("packet-trace", [{"ttl": 1, "success": 0, "error-message": "noReply"}])
    assert row["error_message"] == "noReply"
    assert row["rtt"] is None


def test_c22_options_that_the_usage_names_exist() -> None:
    parser = QueryOptionParser(COMMANDS["esmond-ps-get"])
    values, _ = parser.parse_args(["--begin", "yesterday", "--end", "today"])
    assert (values.start, values.end) == ("yesterday", "today")
    for name in ("--begin", "--end"):
        assert name in parser.get_usage()
