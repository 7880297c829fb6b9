"""The options of ``esmond-ps-pipe``: one table for parsing, help and documentation.

The first six are those of esmond_client; a name of ours never makes an abbreviation ambiguous that
means one of them.
"""

from __future__ import annotations

from gridtap.cli.esmond_options import Option

__all__ = ["PIPE_NAME", "PIPE_OPTIONS", "PIPE_USAGE"]

PIPE_NAME = "esmond-ps-pipe"

PIPE_USAGE = (
    "%prog [ -U ESMOND_REST_URL | -u USER | -k API_KEY | -s URI_PREFIX | -l DIR | -v ]\n"
    "Reads one result from standard input: all that bwctl -T iperf3 --parsable --verbose prints,\n"
    "or iperf3 --json with --source and --destination."
)

PIPE_OPTIONS = (
    Option(
        "-U",
        "--url",
        "url",
        "ESMOND_REST_URL",
        "text",
        "http://localhost:8000",
        "URL of the archive (default: %default).",
    ),
    Option(
        "-u",
        "--user",
        "user",
        "USER",
        "text",
        None,
        "User name that the archive knows (default: environment variable ESMOND_USER).",
    ),
    Option(
        "-k",
        "--key",
        "key",
        "API_KEY",
        "text",
        None,
        "The user's API key (default: environment variable ESMOND_KEY, which other users of this "
        "machine can not see).",
    ),
    Option(
        "-s",
        "--script_alias",
        "script_alias",
        "URI_PREFIX",
        "text",
        "/",
        "Prefix of the archive's paths, usually esmond (default: %default, none).",
    ),
    Option("-v", "--verbose", "verbose", None, "flag", False, "Log more."),
    Option(
        "-l",
        "--log_dir",
        "log_dir",
        "DIR",
        "text",
        None,
        "Log to DIR/esmond-ps-pipe.log instead of standard error.",
    ),
    Option(
        None,
        "--source",
        "source",
        "HOST",
        "text",
        None,
        "Host that sends, as whoever ordered the test calls it (default: what bwctl says).",
        is_original=False,
    ),
    Option(
        None,
        "--destination",
        "destination",
        "HOST",
        "text",
        None,
        "Host that receives.",
        is_original=False,
    ),
    Option(
        None,
        "--agent",
        "agent",
        "HOST",
        "text",
        None,
        "Host that ordered the test (default: this one, by the address that reaches the receiver).",
        is_original=False,
    ),
    Option(
        None,
        "--timeout",
        "timeout",
        "SECONDS",
        "int",
        20,
        "Longest silence of the archive, 0 for no limit (default: %default).",
        is_original=False,
    ),
    Option(
        None,
        "--ca-bundle",
        "ca_bundle",
        "FILE",
        "text",
        None,
        "Certificates (PEM) to trust instead of the system's.",
        is_original=False,
    ),
    Option(
        None,
        "--no-ssl-verify",
        "no_ssl_verify",
        None,
        "flag",
        False,
        "Accept any certificate: whoever sits between can read and change what is sent.",
        is_original=False,
    ),
)
