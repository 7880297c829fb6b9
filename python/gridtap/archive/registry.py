"""The event types of an archive: esmond's, and those that a site adds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from gridtap.archive.description import Registry
from gridtap.errors import ArchiveError
from gridtap.esmond.event_types import EVENT_TYPES, DataType

__all__ = ["registry"]

#: What may be part of an address.
_NAME = re.compile(r"[\w\-]{1,128}", re.ASCII)


def registry(path: Path | None = None) -> Registry:
    """Event types and their data types.

    :param path: a TOML file with a table ``event-types``, of name to data type, to be added
    :raises ArchiveError: names the file and what is wrong in it
    """
    known = {name: each.data_type for name, each in EVENT_TYPES.items()}
    if path is None:
        return known
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ArchiveError(f"{path}: {error}") from error
    if set(content) != {"event-types"} or not isinstance(content["event-types"], dict):
        raise ArchiveError(f"{path}: must have a table [event-types] and nothing else")
    for name, data_type in content["event-types"].items():
        if not _NAME.fullmatch(name):
            raise ArchiveError(f"{path}: not a name for an event type: {name!r}")
        if data_type not in list(DataType):
            choice = ", ".join(DataType)
            raise ArchiveError(f"{path}: {name}: {data_type!r} is none of {choice}")
        if known.get(name, data_type) != data_type:
            raise ArchiveError(f"{path}: {name}: is of type {known[name]} already")
        known[name] = DataType(data_type)
    return known
