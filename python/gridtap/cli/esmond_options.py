"""The options of the four query commands: one table for parsing, help and documentation.

The first part is what the commands of esmond_client 4.2 take, text for text. The second is ours; a
name in it never makes an abbreviation ambiguous that the first part gives a meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = [
    "COMMANDS",
    "FORMATS",
    "OPTIONS",
    "Option",
    "QueryCommand",
    "options_of",
    "script",
]

#: What ``--output-format`` takes; the first three are the original ones
FORMATS = ("human", "json", "csv", "jsonl", "parquet")


class QueryCommand(NamedTuple):
    """What tells one query command from another.

    :param needs_ends: source and destination must be given (source only for ``ntp-*``)
    :param needs_event: an event type must be given
    :param features: kinds of options that not all commands have
    """

    name: str
    purpose: str = ""
    needs_ends: bool = False
    needs_event: bool = False
    features: frozenset[str] = frozenset()


#: Prints rows; draws them; writes files into a directory; several at once, with a journal
_PRINTS, _DRAWS, _FILES, _PULLS = "prints", "draws", "files", "pulls"

COMMANDS = {
    command.name: command
    for command in (
        QueryCommand(
            "esmond-ps-get-endpoints",
            "list tests: who, agent, tool, event types",
            features=frozenset({_PRINTS}),
        ),
        QueryCommand(
            "esmond-ps-get-metadata",
            "list tests with their parameters",
            features=frozenset({_PRINTS}),
        ),
        QueryCommand(
            "esmond-ps-get",
            "show the data of one event type between two hosts",
            needs_ends=True,
            needs_event=True,
            features=frozenset({_PRINTS, _DRAWS}),
        ),
        QueryCommand(
            "esmond-ps-get-bulk",
            "save the data of many tests and event types to files",
            features=frozenset({_FILES, _PULLS}),
        ),
    )
}


def script(name: str, *, needs_ends: bool, needs_event: bool, is_bulk: bool) -> QueryCommand:
    """A script of somebody else's that takes the options of the query commands."""
    features = frozenset({_FILES}) if is_bulk else frozenset[str]()
    return QueryCommand(name, "", needs_ends, needs_event, features)


class Option(NamedTuple):
    """One option.

    :param kind: ``text``, ``int``, ``flag``, ``many`` (text, may be repeated) or ``maybe`` (a flag
        that may have a value after an equals sign)
    :param default: ``cwd`` stands for the current directory
    :param is_original: the commands of esmond_client have it
    :param feature: of the commands that have it; None for all
    """

    short: str | None
    long: str
    dest: str
    metavar: str | None
    kind: str
    default: str | int | bool | None
    help: str
    is_original: bool = True
    feature: str | None = None


def _own(
    long: str,
    dest: str,
    metavar: str | None,
    kind: str,
    default: str | int | bool | None,
    help: str,
    feature: str | None = None,
) -> Option:
    return Option(None, long, dest, metavar, kind, default, help, False, feature)


OPTIONS = (
    Option("-u", "--url", "url", "URL", "text", None, "URL of esmond API you want to talk to."),
    Option("-s", "--src", "src", "SRC", "text", None, "Host originating the test."),
    Option("-d", "--dest", "dest", "DEST", "text", None, "Test endpoint."),
    Option(
        "-a",
        "--agent",
        "agent",
        "AGENT",
        "text",
        None,
        "Host that initiated the test - useful for central MAs.",
    ),
    Option(
        "-e",
        "--event-type",
        "type",
        "EVENT",
        "text",
        None,
        "Type of data (loss, latency, throughput, etc) - see -L arg.",
    ),
    Option(
        "-t",
        "--tool",
        "tool",
        "TOOL",
        "text",
        None,
        'Tool used to run test (bwctl/iperf3, powstream, "bwctl/tracepath,traceroute", gridftp, '
        "etc).",
    ),
    Option(
        "-S",
        "--start-time",
        "start",
        "START",
        "text",
        None,
        "Start time of query (default: 24 hours ago).",
    ),
    Option("-E", "--end-time", "end", "END", "text", None, "End time of query (default: now)."),
    Option(
        "-F",
        "--filter",
        "filter",
        "FILTER",
        "many",
        None,
        "Specify additional query filters - format: -F key:value. Can be used multiple times, "
        "invalid filters will be ignored.",
    ),
    Option("-L", "--list-events", "list_event", None, "flag", False, "List available event types."),
    Option(
        "-M",
        "--metadata-extended",
        "metadata",
        None,
        "flag",
        False,
        "Show extended metadata tool-specific values (can not be used with -o csv).",
    ),
    Option(
        "-T",
        "--summary-type",
        "summary_type",
        "SUMMARY_TYPE",
        "text",
        None,
        "Request summary data of type [aggregation, average, statistics].",
    ),
    Option(
        "-W",
        "--summary-window",
        "summary_window",
        "SUMMARY_WINDOW",
        "int",
        0,
        "Timeframe in seconds described by the summary (default: %default).",
    ),
    Option(
        "-o",
        "--output-format",
        "format",
        "O_FORMAT",
        "text",
        "human",
        "Output format [human, json, csv] (default: human).",
    ),
    Option(
        "-D",
        "--output-directory",
        "output_dir",
        "DIR",
        "text",
        "cwd",
        "Directory to output files to (default: %default).",
        feature=_FILES,
    ),
    Option(
        "-I",
        "--ip",
        "ip",
        None,
        "flag",
        False,
        "Show source/dest as IP addresses, not hostnames.",
    ),
    Option("-v", "--verbose", "verbose", None, "flag", False, "Verbose output."),
    Option(
        None,
        "--ssl-verify",
        "ssl_verify",
        None,
        "flag",
        False,
        "Verify SSL certificate (default: True)",
    ),
    Option(
        None,
        "--timeout",
        "timeout",
        "SECONDS",
        "int",
        20,
        "Timeout (in seconds) client will wait without receiveing data before exiting",
    ),
    _own("--begin", "start", "START", "text", None, "Same as --start-time."),
    _own(
        "--no-ssl-verify",
        "no_ssl_verify",
        None,
        "flag",
        False,
        "Accept any certificate: whoever sits between can read and change what is sent.",
    ),
    _own(
        "--ca-bundle",
        "ca_bundle",
        "FILE",
        "text",
        None,
        "Certificates (PEM) to trust instead of the system's.",
    ),
    _own(
        "--script-alias",
        "script_alias",
        "ALIAS",
        "text",
        "esmond",
        "Prefix of the archive's paths, / for none (default: %default).",
    ),
    _own(
        "--user",
        "user",
        "USER",
        "text",
        None,
        "User name that the archive knows (default: environment variable ESMOND_USER).",
    ),
    _own(
        "--key",
        "key",
        "KEY",
        "text",
        None,
        "The user's API key (default: environment variable ESMOND_KEY, which other users of this "
        "machine can not see).",
    ),
    _own(
        "--strict-filters",
        "strict_filters",
        None,
        "flag",
        False,
        "Refuse invalid filters instead of ignoring them.",
    ),
    _own(
        "--json-values",
        "json_values",
        None,
        "flag",
        False,
        "Write objects within human and csv output as JSON, not as Python text.",
    ),
    _own(
        "--output-file",
        "output_file",
        "FILE",
        "text",
        None,
        "Write to FILE, whole or not at all, instead of standard output.",
        _PRINTS,
    ),
    _own(
        "--plot",
        "plot",
        "[FILE]",
        "maybe",
        None,
        "Draw instead of listing: into FILE (.png or .svg), or in the terminal without one.",
        _DRAWS,
    ),
    _own(
        "--jobs",
        "jobs",
        "N",
        "int",
        4,
        "Requests that may be under way at the same time (default: %default).",
        _PULLS,
    ),
    _own(
        "--resume",
        "resume",
        None,
        "flag",
        False,
        "Go on with an interrupted pull of the same query into the same directory.",
        _PULLS,
    ),
)


def options_of(command: QueryCommand) -> Sequence[Option]:
    """The options of a command, the original ones first."""
    return [o for o in OPTIONS if o.feature is None or o.feature in command.features]
