"""What the keys of the OSG shoveler and collector are in our configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TypeVar

__all__ = ["mapped"]

T = TypeVar("T")

#: What those programs do where nothing is said
_PORT, _METRICS_PORT = 9993, 8000

#: Where records go when they went to a message bus
_RECORDS = "/var/lib/gridtap/records.jsonl"

_GO_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


def mapped(keys: Mapping[str, object], notes: list[str]) -> dict[str, dict[str, object]]:
    """Our tables by their dotted names.

    :param keys: theirs, by their dotted names
    :param notes: gets a line for each value that cannot be what it is
    """
    return _Mapping(keys, notes).tables()


class _Mapping:
    """Reads their keys one after the other"""

    def __init__(self, keys: Mapping[str, object], notes: list[str]) -> None:
        self._keys = keys
        self._notes = notes

    def tables(self) -> dict[str, dict[str, object]]:
        self._note_modes()
        tables: dict[str, dict[str, object]] = {
            "listen": self._listen(),
            "state": self._state(),
            "dns": self._several(
                {
                    "reverse": ("state.enable_dns_enrichment", _flag),
                    "cache_ttl": ("state.dns_cache_ttl", _duration),
                    "timeout": ("state.dns_timeout", _duration),
                }
            ),
            "wlcg": self._several(
                {
                    "vos": ("wlcg.vos", _texts),
                    "path_prefixes": ("wlcg.path_prefixes", _texts),
                }
            ),
            "http": self._http(),
            # Dashboards go on working.
            "metrics": {"compatibility": ["shoveler"]},
            "log": {"level": "debug"} if self._value("debug", _flag) else {},
            **self._sinks(),
        }
        return {name: table for name, table in tables.items() if table}

    def _value(self, key: str, read: Callable[[object], T]) -> T | None:
        """The value of a key, None where it is not given or not what it should be"""
        if self._keys.get(key) is None:
            return None
        try:
            return read(self._keys[key])
        except ValueError as error:
            self._notes.append(f"{key} = {self._keys[key]!r}: {error}")
            return None

    def _several(
        self, wanted: Mapping[str, tuple[str, Callable[[object], object]]]
    ) -> dict[str, object]:
        found = {name: self._value(key, read) for name, (key, read) in wanted.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _note_modes(self) -> None:
        if self._value("input.type", _text) not in (None, "udp"):
            self._notes.append(f"input.type = {self._keys['input.type']}: only UDP is read")
        if self._value("verify", _flag) is False:
            self._notes.append("verify = false: packets are always checked, faults are counted")

    def _listen(self) -> dict[str, object]:
        # Since input.* came, it goes before listen.*.
        host = self._value("input.host", _text) or self._value("listen.ip", _text) or "::"
        port = self._value("input.port", _port) or self._value("listen.port", _port) or _PORT
        return {"addresses": [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]}

    def _state(self) -> dict[str, object]:
        kept = self._value("state.entry_ttl", _duration)
        return {} if kept is None else {"file_ttl": kept, "session_ttl": kept}

    def _http(self) -> dict[str, object]:
        if self._value("metrics.enable", _flag) is False:
            return {"listen": ""}
        port = self._value("metrics.port", _port) or _METRICS_PORT
        return {"listen": f"0.0.0.0:{port}"}

    def _sinks(self) -> dict[str, dict[str, object]]:
        """They write WLCG's records in another form, and to another place"""
        form = self._value("output.type", _text) or "mq"
        path = self._value("output.path", _text)
        if form not in ("mq", "file", "both"):
            self._notes.append(f"output.type = {form!r}: wanted mq, file or both")
        if form in ("mq", "both"):
            self._notes.append("output.type: records do not go to a message bus yet")
        if path is None:
            path = _RECORDS
            self._notes.append(f"output.path: nothing is said, so that records go to {path}")
        wlcg = str(PurePosixPath(path).with_stem(PurePosixPath(path).stem + "-wlcg"))
        self._notes.append(f"output.path: WLCG's records go to a file of their own, {wlcg}")
        dropped = self._several(
            {
                "not_vos": ("filter.drop_vos", _texts),
                "not_path_prefixes": ("filter.drop_path_prefixes", _texts),
            }
        )
        common: dict[str, object] = {"type": "jsonl", "records": ["accesses", "plugins"]}
        return {
            "sinks.osg": {
                **common, "path": path, "profile": "osg-go", "filter": {**dropped, "wlcg": False},
            },
            "sinks.wlcg": {
                **common, "path": wlcg, "profile": "wlcg", "filter": {**dropped, "wlcg": True},
            },
        }  # fmt: skip


def _text(value: object) -> str:
    return str(value).strip()


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    # The words that Go takes, as environment variables have texts only.
    words = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}
    try:
        return words[_text(value).lower()]
    except KeyError:
        raise ValueError("wanted true or false") from None


def _port(value: object) -> int:
    if not isinstance(value, bool) and _text(value).isdecimal() and 0 < int(_text(value)) < 65_536:
        return int(_text(value))
    raise ValueError("wanted a port")


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [_text(each) for each in value]
    return _text(value).replace(",", " ").split()


def _duration(value: object) -> str:
    """A number of seconds, or Go's 1h30m"""
    text = _text(value)
    if not isinstance(value, bool) and text.isdecimal():
        return f"{text}s"
    parts = _GO_DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("wanted a number of seconds, or a duration such as 5m0s")
    total = sum(float(number) * _MILLISECONDS[unit] for number, unit in parts)
    return f"{total / 1_000:.0f}s" if total % 1_000 == 0 else f"{total:.0f}ms"
