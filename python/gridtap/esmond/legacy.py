"""The small functions of ``esmond_client.util``, for scripts that use them."""

from __future__ import annotations

import calendar
import configparser
import re
import sys
import warnings
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

from gridtap.errors import GridtapError
from gridtap.esmond.connection import credentials

__all__ = [
    "MONTHLY_NS",
    "SUMMARY_NS",
    "AlertMixin",
    "ConfigException",
    "ConfigWarning",
    "RemovedModuleError",
    "add_apikey_header",
    "atdecode",
    "atencode",
    "get_config",
    "get_month_start_and_end",
    "get_summary_name",
    "get_type_map",
    "lastmonth",
    "nextmonth",
]

SUMMARY_NS = "summary"
MONTHLY_NS = "monthly"

_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_SAFE = _WORD | frozenset(b".")
_SAFE_MINIMAL = frozenset(range(32, 127)) - frozenset(b" $&+,/:;=?@")
_ESCAPE = re.compile(rb"@([0-9A-Fa-f]{2})")


class RemovedModuleError(GridtapError, ImportError):
    """A module of esmond_client whose server half no longer exists.

    :param name: of the module
    :param used: what it talked to
    """

    def __init__(self, name: str, used: str) -> None:
        super().__init__(name, used)
        self.used = used

    def __str__(self) -> str:
        return (
            f"{self.args[0]} is not part of gridtap: it talked to {self.used}, which esmond 4 does "
            f"not have any more. esmond_client 4.2.1 on Python 2.7 was the last to have it"
        )


class ConfigException(GridtapError):  # noqa: N818 - the documented name
    """The configuration file beside the script cannot be used.

    :param value: what is wrong
    """

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


class ConfigWarning(Warning):
    """Documented, and never given."""


class _Response(Protocol):
    """What an HTTP library answers with."""

    @property
    def url(self) -> str: ...
    @property
    def status_code(self) -> int: ...
    @property
    def text(self) -> str: ...


class AlertMixin:
    """Warnings for client classes; they have their class of warning in ``wrn``."""

    wrn: type[Warning]

    def http_alert(self, r: _Response) -> None:
        """Warn about an answer"""
        self.warn(f"Request for {r.url} got status: {r.status_code} - response: {r.text}")

    def warn(self, msg: str) -> None:
        """Warn"""
        warnings.warn(msg, self.wrn, stacklevel=2)


def add_apikey_header(user: str, key: str, header_dict: dict[str, str]) -> None:
    """Put the header that a key is sent with among others"""
    header_dict.update(credentials(user or "-", key))


def get_config() -> configparser.ConfigParser:
    """The INI file beside the running script, of the same name but for ``.conf``

    :raises ConfigException: there is none, or it cannot be read
    """
    script = Path(sys.argv[0]).resolve()
    path = script.with_suffix(".conf") if script.suffix == ".py" else Path(f"{script}.conf")
    config = configparser.ConfigParser()
    try:
        with path.open(encoding="utf-8") as file:
            config.read_file(file)
    except FileNotFoundError as error:
        raise ConfigException(f"Could not find configuration file {path}") from error
    except (OSError, configparser.Error, UnicodeError) as error:
        raise ConfigException(f"Could not read configuration file {path}: {error}") from error
    return config


def get_type_map() -> dict[str, dict[str, str]]:
    """The sections of that file

    :raises ConfigException: it cannot be read
    """
    config = get_config()
    return {section: dict(config.items(section)) for section in config.sections()}


def get_summary_name(filterdict: Mapping[str, str]) -> str:
    """What that file calls a filter

    :param filterdict: one filter and its criterion
    :raises ConfigException: not one filter, or the file does not have it
    """
    if not isinstance(filterdict, Mapping) or len(filterdict) != 1:
        raise ConfigException(f"Dict must contain a single key/value pair - got {filterdict}.")
    [(name, criterion)] = filterdict.items()
    sections = get_type_map()
    if name not in sections:
        raise ConfigException(f"Config file has no section {name} - has: {', '.join(sections)}")
    if criterion not in sections[name]:
        known = ", ".join(sections[name])
        raise ConfigException(f"Config section {name} has no key {criterion} - has: {known}")
    return sections[name][criterion]


def lastmonth(yr: int, mo: int) -> tuple[int, int]:
    """The year and month before"""
    return (yr, mo - 1) if mo > 1 else (yr - 1, 12)


def nextmonth(yr: int, mo: int) -> tuple[int, int]:
    """The year and month after"""
    return (yr, mo + 1) if mo < 12 else (yr + 1, 1)


def get_month_start_and_end(start_point: date) -> tuple[int, int]:
    """First and last second, of the epoch, of the UTC month that a date is in"""
    year, month = start_point.year, start_point.month
    after = calendar.timegm((*nextmonth(year, month), 1, 0, 0, 0))
    return calendar.timegm((year, month, 1, 0, 0, 0)), after - 1


def atencode(s: str, minimal: bool = False, graphite: bool = False) -> str:
    """Escape text for a path: ``@`` and two hexadecimal digits for each byte that is not safe

    :param minimal: escape only what has a meaning in an address
    :param graphite: escape dots too
    """
    safe = _SAFE_MINIMAL if minimal else _WORD if graphite else _SAFE
    return "".join(chr(byte) if byte in safe else f"@{byte:02X}" for byte in s.encode())


def atdecode(s: str) -> str:
    """Undo :py:func:`atencode`; what is no escape stays"""
    raw = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), s.encode())
    return raw.decode(errors="replace")
