"""What a query command refuses, in the order in which it looks.

Texts are those of the original commands, to the letter; they go to standard error, because a script
that reads JSON must not find them in its input. Exit status 255.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from optparse import OptionParser
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from gridtap.cli.esmond_options import FORMATS, QueryCommand
from gridtap.esmond.address import ArchiveAddress
from gridtap.esmond.errors import ArchiveUrlError
from gridtap.esmond.querying.event_list import LISTED
from gridtap.esmond.querying.query_options import QueryOptions

__all__ = [
    "REFUSED",
    "check_all",
    "check_event_types",
    "check_formats",
    "check_summary",
    "check_url",
    "check_valid_hostnames",
    "list_event_types",
    "notice",
    "refuse",
    "src_dest_required",
    "valid_output_dir",
]

#: Exit status of options that make no sense together
REFUSED = 255

_ARCHIVE_PATH = "/esmond/perfsonar/archive"
_SUMMARIES = ["aggregation", "average", "statistics"]

#: Formats with the same columns in every row
_TABLES = ("csv", "parquet")


def notice(text: str) -> None:
    """Prints a line on standard error."""
    print(text, file=sys.stderr)


def refuse(text: str, parser: OptionParser | None = None) -> NoReturn:
    """Ends the command over an option.

    :param parser: whose help is printed after the text
    """
    notice(text)
    if parser is not None:
        notice("")
        parser.print_help(sys.stderr)
    sys.exit(REFUSED)


def list_event_types(*, is_error: bool = False) -> None:
    """Prints the names of all event types."""
    file = sys.stderr if is_error else sys.stdout
    print("\nValid event types:", *(f"    {name}" for name in LISTED), sep="\n", file=file)


def check_all(options: QueryOptions, command: QueryCommand, parser: OptionParser) -> None:
    """Everything that can be checked without asking the archive; ``-L`` comes before all."""
    if options.list_event:
        list_event_types()
        sys.exit(0)
    check_url(options, parser)
    if command.needs_ends:
        src_dest_required(options, parser)
    if "files" in command.features:
        valid_output_dir(options, parser)
    check_valid_hostnames(options, parser, ["src", "dest", "agent"])
    check_event_types(options, parser, command.needs_event)
    check_summary(options, parser)
    check_formats(options, parser)
    _check_own(QueryOptions.adopt(options), command)


def check_url(options: QueryOptions, parser: OptionParser) -> None:
    """There is a URL; the archive's path at its end is cut off."""
    if not options.url:
        refuse("--url is a required arg", parser)
    try:
        ArchiveAddress(options.url, None)
    except ArchiveUrlError as error:
        refuse(f"--url is {error}")
    parts = urlsplit(options.url)
    if parts.path.startswith(_ARCHIVE_PATH):
        options.url = options.url.replace(parts.path, "", 1)
        notice(f"\n not necessary to add {_ARCHIVE_PATH} to --url arg - trimming")


def src_dest_required(options: QueryOptions, parser: OptionParser) -> None:
    """Both ends are given, or the source of an NTP test."""
    is_one_ended = (options.type or "").startswith("ntp-")
    if not options.src or not (options.dest or is_one_ended):
        refuse(
            "--src and --dest args are both required (ntp-* event types only require --src).",
            parser,
        )


def valid_output_dir(options: QueryOptions, parser: OptionParser) -> None:
    """A format for files, and a directory for them."""
    if options.format == "human":
        refuse("please specify either json or csv --output-format for bulk output.", parser)
    path = Path(options.output_dir).absolute()
    if not path.exists():
        refuse(f"output path {os.path.normpath(path)} does not exist.")


def check_valid_hostnames(
    options: QueryOptions, parser: OptionParser, hn_args: Sequence[str] = ()
) -> None:
    """Hosts are addresses, or names that have one, of either family."""
    for name in hn_args:
        host = getattr(options, name)
        if not host:
            continue
        try:
            socket.getaddrinfo(host, None)
        except (OSError, UnicodeError):
            refuse(f"--{name} arg had invalid hostname: {host}")


def check_event_types(options: QueryOptions, parser: OptionParser, require_event: bool) -> None:
    """An event type is one that esmond knows."""
    if options.type and options.type not in LISTED:
        notice(f"{options.type} is not a valid event type")
        list_event_types(is_error=True)
        sys.exit(REFUSED)
    if require_event and not options.type:
        refuse("The --event-type arg is required. Use -L to see a list.", parser)


def check_summary(options: QueryOptions, parser: OptionParser) -> None:
    """A summary type is spelt as in filters."""
    if options.summary_type and options.summary_type not in _SUMMARIES:
        refuse(
            f"{options.summary_type} is not a valid --summary-type arg (one of: {_SUMMARIES})",
        )


def check_formats(options: QueryOptions, parser: OptionParser) -> None:
    """A known format, which can show what is asked for."""
    if options.format not in FORMATS:
        refuse(f"{options.format} is not a valid --output-format arg (one of: {list(FORMATS)})")
    if options.format in _TABLES and options.metadata:
        refuse(f"--output-format {options.format} can not be used with --metadata-extended")


def _check_own(options: QueryOptions, command: QueryCommand) -> None:
    if options.timeout is not None and options.timeout < 0:
        refuse(f"--timeout can not be negative: {options.timeout}")
    if options.jobs < 1:
        refuse(f"--jobs must be at least 1: {options.jobs}")
    if options.ca_bundle is not None and not Path(options.ca_bundle).exists():
        refuse(f"--ca-bundle {options.ca_bundle} does not exist.")
    to_stdout = options.plot is None and options.output_file is None
    if options.format == "parquet" and to_stdout and "prints" in command.features:
        refuse("--output-format parquet needs a file: add --output-file FILE")
