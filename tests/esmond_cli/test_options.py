"""Command lines: the rules of optparse, which scripts and guides rely on."""

from __future__ import annotations

import json
import re

import pytest

from gridtap.cli.esmond_options import COMMANDS, OPTIONS, options_of
from gridtap.cli.optparse_rules import QueryOptionParser
from gridtap.esmond.querying.query_options import QueryOptions
from tests.esmond_cli.archive import DATA
from tests.esmond_cli.command import ENTRIES, WINDOW, run

GET = COMMANDS["esmond-ps-get"]
BULK = COMMANDS["esmond-ps-get-bulk"]


def read(*arguments: str, command: str = "esmond-ps-get") -> dict[str, str]:
    """Options that differ from their defaults, by long name"""
    parser = QueryOptionParser(COMMANDS[command])
    defaults = set(parser.spelled_out([]))
    given = [word for word in parser.spelled_out(list(arguments)) if word not in defaults]
    return {name: value for name, _, value in (word.partition("=") for word in given)}


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        (["-W300"], {"--summary-window": "300"}),
        (["-W", "300"], {"--summary-window": "300"}),
        (["-W", "0x10"], {"--summary-window": "16"}),
        (["-IvW300"], {"--ip": "", "--verbose": "", "--summary-window": "300"}),
        (["--url=http://h"], {"--url": "http://h"}),
        (["--url", "http://h"], {"--url": "http://h"}),
        (["--u=http://h"], {"--url": "http://h"}),
        (["--st", "x", "--en", "y"], {"--start-time": "x", "--end-time": "y"}),
        (["--output", "csv"], {"--output-format": "csv"}),
        (["--summary-w", "1"], {"--summary-window": "1"}),
        (["-s", "-x"], {"--src": "-x"}),
        (["--src", "--dest"], {"--src": "--dest"}),
        (["-s", "a", "-s", "b"], {"--src": "b"}),
        (["-s", ""], {"--src": ""}),
        (["stray", "-I", "words"], {"--ip": ""}),
        (["-I", "--", "-v"], {"--ip": ""}),
        (["-F", "a:b", "-Fc:d"], {"--filter": "c:d"}),
    ],
)
def test_lines_that_optparse_understands(line: list[str], meant: dict[str, str]) -> None:
    assert read(*line) == meant


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["-x"], "no such option: -x"),
        (["--nonesuch"], "no such option: --nonesuch"),
        (["-W", "abc"], "option -W: invalid integer value: 'abc'"),
        (["--summary-window=abc"], "option --summary-window: invalid integer value: 'abc'"),
        (["-u"], "-u option requires 1 argument"),
        (["--url"], "--url option requires 1 argument"),
        (["--ip=yes"], "--ip option does not take a value"),
        (
            ["--s", "x"],
            "ambiguous option: --s "
            "(--src, --ssl-verify, --start-time, --summary-type, --summary-window?)",
        ),
        (["-D", "."], "no such option: -D"),
    ],
)
def test_lines_that_it_does_not(line: list[str], said: str) -> None:
    got = run("esmond-ps-get", *line)
    usage = QueryOptionParser(GET).get_usage()
    assert (got.exit_status, got.stdout) == (2, "")
    assert got.stderr == f"{usage}\nesmond-ps-get: error: {said}\n"


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_own_options_leave_abbreviations_alone(command: object) -> None:
    """Whatever an abbreviation meant among the original options, it still means"""
    assert isinstance(command, type(GET))
    parser = QueryOptionParser(command)
    original = [o.long for o in options_of(command) if o.is_original] + ["--help"]
    for name in original:
        for length in range(3, len(name) + 1):
            short = name[:length]
            if short in original or sum(one.startswith(short) for one in original) == 1:
                assert parser._match_long_opt(short) == name


def test_own_options_can_be_abbreviated_too() -> None:
    assert read("--no") == {"--no-ssl-verify": ""}
    assert read("--be", "1") == {"--start-time": "1"}
    assert read("--res", command="esmond-ps-get-bulk") == {"--resume": ""}


@pytest.mark.parametrize(
    ("line", "file"),
    [
        (["--plot"], ""),
        (["--plot=a.png"], "a.png"),
        (["--plot", "a.svg"], "a.svg"),
        (["--plot", "-I"], ""),
        (["--plot", "word"], ""),
    ],
)
def test_plot_has_a_value_or_not(line: list[str], file: str) -> None:
    assert read(*line)["--plot"] == file


@pytest.mark.parametrize("flag", ["-h", "--help", "--he"])
def test_help_is_answered_wherever_it_stands(flag: str) -> None:
    got = run("esmond-ps-get", "-s", "x", flag, "--nonesuch")
    assert (got.exit_status, got.stderr) == (0, "")
    assert got.stdout == QueryOptionParser(GET).format_help()


@pytest.mark.parametrize("name", ENTRIES)
def test_help_begins_with_the_original_help(name: str) -> None:
    cases = json.loads((DATA / "esmond-ps-get-bulk.json").read_text())["cases"]
    original = next(case["stdout"] for case in cases if case["args"] == ["--help"])
    original = original.replace("esmond-ps-get-bulk", name).replace(
        "default: False", "default: True"
    )
    # It names the current directory, in as many lines as that takes.
    directory = r"(?s)\n  -D DIR.*?(?=\n  -I)"
    ours = run(name, "--help").stdout
    assert re.sub(directory, "", ours).startswith(re.sub(directory, "", original))
    assert "Options that the original commands do not have" in ours


def test_options_and_what_holds_them_agree() -> None:
    assert {option.dest for option in OPTIONS} == set(QueryOptions.__slots__)
    defaults = QueryOptions()
    for option in OPTIONS:
        if option.default not in ("cwd", None):
            assert getattr(defaults, option.dest) == option.default, option.long


def test_checks_come_in_their_order(archive_url: str) -> None:
    """Each step mends what was complained of, and leaves all that is checked later as it is"""
    line = ["-M", "-S", "never", "-T", "averages", "-o", "xml", "-a", "host.invalid"]
    for complaint, mended in (
        ("--url is a required arg", ["-u", archive_url]),
        ("--src and --dest args are both required", ["-s", "192.0.2.10", "-d", "host.invalid"]),
        ("--dest arg had invalid hostname: host.invalid", ["-d", "192.0.2.20"]),
        ("--agent arg had invalid hostname: host.invalid", ["-a", "192.0.2.10"]),
        ("The --event-type arg is required. Use -L to see a list.", ["-e", "nonesuch"]),
        ("nonesuch is not a valid event type", ["-e", "throughput"]),
        ("averages is not a valid --summary-type arg (one of: ", ["-T", "average"]),
        ("xml is not a valid --output-format arg (one of: ", ["-o", "csv"]),
        ("--output-format csv can not be used with --metadata-extended", ["-o", "json"]),
        ("could not parse --start-time arg: never", ["-S", "2021-03-01", "-E", "never"]),
        ("could not parse --end-time arg: never", []),
    ):
        got = run("esmond-ps-get", *line)
        assert (got.exit_status, got.stdout) == (255, "")
        assert got.stderr.startswith(complaint)
        line += mended


def test_a_list_of_event_types_comes_before_all_checks() -> None:
    for name in ENTRIES:
        got = run(name, "-L", "-e", "nonesuch", "-o", "xml")
        assert (got.exit_status, got.stderr) == (0, "")
        assert got.stdout.startswith("\nValid event types:\n    failures\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--timeout", "-1"], "--timeout can not be negative: -1"),
        (["-o", "parquet"], "--output-format parquet needs a file: add --output-file FILE"),
        (
            ["-o", "parquet", "-M", "--output-file", "x"],
            "--output-format parquet can not be used with --metadata-extended",
        ),
        (["-F", "nonsense", "--strict-filters"], "--filter arg nonsense should be of the format"),
        (["-S", "2021-03-02", "-E", "2021-03-01"], "--start-time is later than --end-time"),
    ],
)
def test_own_checks(archive_url: str, line: list[str], said: str) -> None:
    got = run("esmond-ps-get-metadata", "-u", archive_url, *WINDOW, *line)
    assert (got.exit_status, got.stdout) == (255, "")
    assert got.line.startswith(said)


def test_jobs_are_at_least_one(archive_url: str) -> None:
    got = run("esmond-ps-get-bulk", "-u", archive_url, "-o", "csv", "--jobs", "0")
    assert (got.exit_status, got.line) == (255, "--jobs must be at least 1: 0")
