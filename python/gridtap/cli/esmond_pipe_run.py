"""What ``esmond-ps-pipe`` does: one result of iperf3, from standard input into an archive."""

from __future__ import annotations

import os
import sys
import time
import warnings
from optparse import OptionParser, Values
from pathlib import Path

from gridtap.cli.esmond_pipe_options import PIPE_NAME
from gridtap.cli.event_log import EventLog
from gridtap.esmond.address import ArchiveAddress
from gridtap.esmond.errors import (
    ArchiveUrlError,
    HostLookupError,
    MetadataPostException,
    PostException,
)
from gridtap.iperf3 import (
    Ends,
    Measurement,
    ResultError,
    UnusableInputError,
    extract,
    measurements,
)
from gridtap.iperf3.hosts import address_of, agent_of, with_addresses
from gridtap.iperf3.storing import Archive

__all__ = ["NOT_STORED", "UNUSABLE", "run"]

#: Exit status: something was not stored; the input is no result
NOT_STORED, UNUSABLE = 3, 255

#: A day of one stream, second by second, is half of it; all of it has to fit into memory
_MAX_INPUT_BYTES = 1 << 27

_TOOL = "iperf3"


def run(options: Values, parser: OptionParser) -> int:
    """Stores what comes in; returns the exit status.

    :param parser: who ends the process with 2 over options that make no sense
    """
    return _load(options, _checked(options, parser))


def _checked(options: Values, parser: OptionParser) -> EventLog:
    """Refuses options that make no sense with 2; opens the log."""
    if options.log_dir is not None and not Path(options.log_dir).is_dir():
        parser.error(f"{options.log_dir} log path does not exist.")
    options.user = options.user or os.environ.get("ESMOND_USER")
    options.key = options.key or os.environ.get("ESMOND_KEY")
    if not options.user or not options.key:
        parser.error("both --user and --key args are required.")
    if not (options.key.isascii() and options.key.isprintable()):
        # Else the message about the header that can not be sent would show it.
        parser.error("--key is no API key: only letters, digits and signs of ASCII")
    if options.timeout < 0:
        parser.error(f"--timeout can not be negative: {options.timeout}")
    if options.ca_bundle is not None and not Path(options.ca_bundle).exists():
        parser.error(f"--ca-bundle {options.ca_bundle} does not exist.")
    try:
        ArchiveAddress(options.url, options.script_alias)
        options.agent = options.agent and address_of(options.agent)
    except ArchiveUrlError as error:
        parser.error(f"--url is {error}")
    except HostLookupError:
        parser.error(f"--agent arg had invalid hostname: {options.agent}")
    try:
        path = Path(options.log_dir, f"{PIPE_NAME}.log") if options.log_dir is not None else None
        return EventLog(PIPE_NAME, path)
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")


def _load(options: Values, log: EventLog) -> int:
    log("main.start", "reading input")
    text = ""
    try:
        data = sys.stdin.buffer.read(_MAX_INPUT_BYTES + 1) if sys.stdin else b""
        if len(data) > _MAX_INPUT_BYTES:
            raise UnusableInputError([f"more than {_MAX_INPUT_BYTES} bytes of input"])
        text = data.decode("utf-8-sig", errors="replace")
        found = extract(text, options.source, options.destination)
    except OSError as error:
        return _unusable(log, options, [f"standard input: {error.strerror}"], text)
    except UnusableInputError as error:
        return _unusable(log, options, error.problems, text)
    if found.tool not in (None, _TOOL):
        log("main.fatal", f"there is no handler for input type: {found.tool}")
        log("main.fatal", "exiting")
        return UNUSABLE
    log("process_iperf3.start", "begin")
    try:
        results = measurements(
            found.document,
            Ends(found.source or "", found.destination or ""),
            f"bwctl/{found.tool}" if found.tool else _TOOL,
            found.began_at or int(time.time()),
        )
    except ResultError as error:
        log("main.error", f"unable to process input: {error}")
        return UNUSABLE
    archive = _archive(options)
    # Each, whatever becomes of the others.
    stored = [_store(result, archive, options, log) for result in results]
    if not all(stored):
        return NOT_STORED
    log("main.exit", "success")
    return 0


def _unusable(log: EventLog, options: Values, problems: list[str], text: str) -> int:
    for problem in problems:
        log("id_and_extract.error", problem)
    log("main.fatal", "could not extract metadata and valid json from input")
    if options.verbose:
        log.dump("main.debug", text)
    log("main.fatal", "exiting")
    return UNUSABLE


def _archive(options: Values) -> Archive:
    if options.no_ssl_verify:
        # Of this process only, whose user has just said so.
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    return Archive(
        options.url,
        options.user,
        options.key,
        options.script_alias,
        False if options.no_ssl_verify else (options.ca_bundle or True),
        options.timeout or None,
    )


def _store(measurement: Measurement, archive: Archive, options: Values, log: EventLog) -> bool:
    """Stores a measurement, and says what went wrong; returns whether nothing did."""
    for name, _ in measurement.points if options.verbose else ():
        log("process_event_type.start", name)
    is_stored = True
    try:
        complete = with_addresses(measurement)
        key = archive.announce(complete, options.agent or agent_of(complete))
        archive.fill(complete, key)
    except HostLookupError as error:
        log("process_iperf3.error", f"not stored: {error}")
        return False
    except MetadataPostException as error:
        text = "MetadataPost failed, abort processing, not updating record state - ERROR"
        log("process_iperf3.error", f"{text}: {error}")
        return False
    except PostException as error:
        log("write.warning", str(error))
        is_stored = False
    log("process_iperf3.end", "finished")
    return is_stored
