"""The options of ``esmond-ps-load-gridftp``: one table for parsing, help and documentation.

The first part is that of esmond_client; a name of ours never makes an abbreviation ambiguous that
means one of them.
"""

from __future__ import annotations

from gridtap.cli.esmond_options import Option

__all__ = ["LOAD_NAME", "LOAD_OPTIONS", "LOAD_USAGE"]

LOAD_NAME = "esmond-ps-load-gridftp"

LOAD_USAGE = (
    "%prog [ -f FILE | -U ESMOND_REST_URL | -u USER | -k API_KEY | -s URI_PREFIX | -p FILE | -v ]\n"
    "Loads the transfers that a GridFTP server logged into an archive, from where the last run\n"
    "ended, in rotated logs too."
)


def _text(
    short: str | None, long: str, dest: str, metavar: str, default: str | None, text: str
) -> Option:
    return Option(short, long, dest, metavar, "text", default, text, is_original=bool(short))


def _flag(short: str | None, long: str, dest: str, text: str) -> Option:
    return Option(short, long, dest, None, "flag", False, text, is_original=bool(short))


def _number(long: str, dest: str, metavar: str, default: int, text: str) -> Option:
    return Option(None, long, dest, metavar, "int", default, text, is_original=False)


LOAD_OPTIONS = (
    _text("-f", "--file", "file", "FILE", None, "Log to read, plain or packed."),
    _text(
        "-p",
        "--pickle_file",
        "pickle_file",
        "FILE",
        None,
        "State: what is loaded (default: ./load_grid_ftp.pickle, with -J "
        "./load_grid_ftp.json.pickle).",
    ),
    _flag("-d", "--dont_write", "dont_write", "Do not write the state: to load old logs by hand."),
    _flag("-S", "--single", "single", "Stop after one record."),
    _flag("-D", "--delete_state", "delete_state", "Remove the state when all is loaded."),
    _text(
        "-l",
        "--log_dir",
        "log_dir",
        "DIR",
        None,
        "Log to DIR/esmond-ps-load-gridftp.log instead of standard error.",
    ),
    _text(
        "-U",
        "--url",
        "url",
        "ESMOND_REST_URL",
        "http://localhost:8000",
        "URL of the archive (default: %default).",
    ),
    _text(
        "-u",
        "--user",
        "user",
        "USER",
        None,
        "User name that the archive knows (default: environment variable ESMOND_USER).",
    ),
    _text(
        "-k",
        "--key",
        "key",
        "API_KEY",
        None,
        "The user's API key (default: environment variable ESMOND_KEY, which other users of this "
        "machine can not see).",
    ),
    _text(
        "-s",
        "--script_alias",
        "script_alias",
        "URI_PREFIX",
        "/",
        "Prefix of the archive's paths, usually esmond (default: %default, none).",
    ),
    _flag("-F", "--file_attr", "file_attr", "Also send the path of the file."),
    _flag("-N", "--name_attr", "name_attr", "Also send the name of the user."),
    _flag("-V", "--volume_attr", "volume_attr", "Also send the volume."),
    _flag("-v", "--verbose", "verbose", "Accepted for old scripts."),
    _flag("-P", "--no-progress", "no_progress", "Do not say how many records are done."),
    _flag(
        "-J",
        "--json",
        "json",
        "The log is in the JSON format: it is found out anyway, this is for the names of the state "
        "and of the events.",
    ),
    _flag(
        None,
        "--aggregate",
        "aggregate",
        "Merge transfers that begin in one second, and leave their size out of the metadata, which "
        "are few then.",
    ),
    _flag(None, "--partial", "partial", "Also load parts of files and additions: ERET and ESTO."),
    Option(
        None,
        "--host-address",
        "host_address",
        "[HOST=]ADDRESS",
        "many",
        None,
        "Address of the server that the log names, instead of looking it up; again for the other "
        "family.",
        is_original=False,
    ),
    _text(
        None,
        "--dead-letter",
        "dead_letter",
        "FILE",
        None,
        "Append records that can not be stored, and why (default: the state file's name and "
        ".dead-letter).",
    ),
    _flag(None, "--dry-run", "dry_run", "Read and check all, but send and write nothing."),
    _number(
        "--jobs",
        "jobs",
        "NUMBER",
        4,
        "Tests that are sent to the archive at a time (default: %default).",
    ),
    _number(
        "--patience",
        "patience",
        "SECONDS",
        60,
        "How long to try again while the archive is away (default: %default).",
    ),
    _number(
        "--timeout",
        "timeout",
        "SECONDS",
        20,
        "Longest silence of the archive, 0 for no limit (default: %default).",
    ),
    _text(
        None,
        "--key-file",
        "key_file",
        "FILE",
        None,
        "File with the API key, which only its owner may read.",
    ),
    _text(
        None,
        "--ca-bundle",
        "ca_bundle",
        "FILE",
        None,
        "Certificates (PEM) to trust instead of the system's.",
    ),
    _flag(
        None,
        "--no-ssl-verify",
        "no_ssl_verify",
        "Accept any certificate: whoever sits between can read and change what is sent.",
    ),
)
