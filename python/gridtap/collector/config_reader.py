"""Tables of TOML into dataclasses of settings: whatever is not known there is an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from gridtap.collector.config_values import WrongValueError, form_of
from gridtap.collector.sinks.settings import settings_of
from gridtap.errors import ConfigError

__all__ = ["Place", "nearest", "read_table", "table_of"]

S = TypeVar("S")


class Place:
    """Where in which file something was found, for errors.

    :param table: dotted name, empty for the top of the file
    """

    def __init__(self, file: str, table: str = "") -> None:
        self.file = file
        self.table = table

    def below(self, name: str) -> Place:
        """The table of this name in this one."""
        return Place(self.file, f"{self.table}.{name}" if self.table else name)

    def error(self, text: str) -> ConfigError:
        """An error that names the place."""
        return ConfigError(f"{self.file}: {f'[{self.table}] ' if self.table else ''}{text}")

    def wrong(self, key: str, wanted: str, found: object, why: str = "") -> ConfigError:
        """An error about the value of a key."""
        told = f" ({why})" if why else ""
        return self.error(f"{key}: wanted {wanted}, found {_show(found)}{told}")

    def unknown(self, what: str, name: str, known: Iterable[str]) -> ConfigError:
        """An error about a name that nobody reads, with the nearest that somebody does."""
        return self.error(f"unknown {what} {name!r}{nearest(name, known)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Says which known name was meant, or which there are."""
    names = list(known)
    found = get_close_matches(name, names, n=1, cutoff=0.5)
    if found:
        return f"; the nearest known one is {found[0]!r}"
    return f"; known are {', '.join(names)}"


def table_of(value: object, place: Place) -> Mapping[str, object]:
    """What should be a table.

    :raises ConfigError: it is none
    """
    if not isinstance(value, Mapping):
        raise ConfigError(f"{place.file}: {place.table}: wanted a table, found {_show(value)}")
    return value


def _show(value: object) -> str:
    """A value of TOML in an error: what it is, and no more than a line of it."""
    names = {bool: "", int: "", float: "", str: "", list: "a list: ", dict: "a table: "}
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return names.get(type(value), "") + (text if len(text) <= 60 else f"{text[:57]}...")


def read_table(settings: type[S], table: Mapping[str, object], place: Place) -> S:
    """Fills a dataclass of settings.

    :raises ConfigError: a key that it does not have, a missing one, a value that is wrong
    """
    known = {each.name: each for each in settings_of(settings)}
    for key in table:
        if key not in known:
            raise place.unknown("key", key, known)
    values = {}
    for key, setting in known.items():
        form = form_of(setting.value_type, setting.unit)
        if key in table:
            try:
                values[key] = form.read(table[key])
            except WrongValueError as error:
                raise place.wrong(key, form.wanted, table[key], str(error)) from error
        elif setting.is_required:
            raise place.error(f"{key} is missing: wanted {form.wanted}")
    return settings(**values)
