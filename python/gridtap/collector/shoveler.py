"""Configurations of the OSG shoveler and collector, made ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gridtap.collector.config_reader import nearest
from gridtap.collector.config_values import quote
from gridtap.collector.shoveler_keys import ENVIRONMENT_PREFIXES, KEYS, environment_name
from gridtap.collector.shoveler_mapping import mapped
from gridtap.errors import ConfigError, MissingExtraError

__all__ = ["Imported", "import_shoveler"]

_HEAD = """\
# Made from {} by gridtap collect --import-shoveler.
# gridtap collect --print-config -c FILE shows every other key, with its default.
"""


@dataclass
class Imported:
    """What was read.

    :param file: what was read
    :param document: our configuration: tables by their dotted names
    :param notes: a line for each key that could not be mapped, or that nobody knows
    """

    file: str
    document: dict[str, dict[str, object]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def toml(self) -> str:
        """The configuration as TOML, with the notes as comments."""
        lines = [_HEAD.format(self.file)]
        if self.notes:
            lines += ["# Not mapped:", *(f"#   {_plain(note)}" for note in self.notes), ""]
        for name, table in self.document.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {_toml(value)}" for key, value in table.items()]
            lines.append("")
        return "\n".join(lines)


def import_shoveler(path: Path, environment: Mapping[str, str]) -> Imported:
    """Reads such a configuration, and the environment variables that go before it.

    :param environment: usually ``os.environ``
    :raises ConfigError: the file cannot be read, or is not YAML
    :raises MissingExtraError: PyYAML is not installed
    """
    keys = dict(_flattened(_load(path)))
    imported = Imported(str(path))
    keys |= _from_environment(environment, imported.notes)
    for key in keys:
        if key.startswith("map."):
            imported.notes.append(f"{key}: {KEYS['map.all']}")
        elif key not in KEYS:
            imported.notes.append(f"{key}: unknown key{nearest(key, KEYS)}")
        elif (reason := KEYS[key]) is not None:
            imported.notes.append(f"{key}: {reason}")
    imported.document = mapped(keys, imported.notes)
    return imported


def _load(path: Path) -> Mapping[object, object]:
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError("Reading YAML", "collector") from error
    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        told = " ".join(str(error).split())
        raise ConfigError(f"{path}: not YAML: {told}") from error
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise ConfigError(f"{path}: not a configuration: wanted keys and values")
    return document


def _flattened(table: Mapping[object, object], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        # Those programs do not tell upper from lower case.
        key = f"{above}{name}".lower()
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{key}.")
        else:
            yield key, value


def _from_environment(environment: Mapping[str, str], notes: list[str]) -> dict[str, object]:
    known = {environment_name(key): key for key in KEYS}
    found: dict[str, object] = {}
    for prefix in ENVIRONMENT_PREFIXES:
        for variable, value in sorted(environment.items()):
            if not variable.startswith(prefix):
                continue
            name = variable.removeprefix(prefix)
            if name in known:
                found[known[name]] = value
            elif not name.startswith("MAP_"):
                variables = {prefix + each for each in known}
                notes.append(
                    f"unknown environment variable {variable}{nearest(variable, variables)}"
                )
            else:
                found[f"map.{name[4:].lower()}"] = value
    return found


def _plain(text: str) -> str:
    """A text on one line, as keys of the other file may have anything in them"""
    return "".join(each if each.isprintable() else " " for each in text)


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return quote(value)
        case list():
            return f"[{', '.join(_toml(each) for each in value)}]"
        case dict():
            return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in value.items())} }}"
        case _:
            return str(value)
