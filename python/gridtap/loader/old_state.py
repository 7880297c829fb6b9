"""State files of the original command: a pickle of the line that was loaded last.

Unpickling runs whatever the file says. This reads the few opcodes that dictionaries, lists, texts,
numbers and None are made of, and nothing else, so that nothing in the file can be run.
"""

from __future__ import annotations

import json
import pickletools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gridtap.loader import limits
from gridtap.loader.sources import Source
from gridtap.loader.state import Position

__all__ = ["BadPickleError", "find", "looks_pickled", "read"]

#: What a pickle of a dictionary begins with: protocol 0, 1, and 2 to 5; ``c`` would be a class.
_FIRST: Final = b"(}c\x80"

_MARK: Final = object()

_NUMBERS: Final = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
)
_TEXTS: Final = frozenset(
    {
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "UNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE",
        "BINUNICODE8",
    }
)
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NEW: Final = {"EMPTY_DICT": dict, "EMPTY_LIST": list}
_PUTS: Final = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GETS: Final = frozenset({"GET", "BINGET", "LONG_BINGET"})
_NOTHING: Final = frozenset({"PROTO", "FRAME"})


class BadPickleError(ValueError):
    """Not a pickle of a dictionary made of plain values."""


def looks_pickled(data: bytes) -> bool:
    """Whether this is what the original command leaves"""
    return data[:1] in [bytes([byte]) for byte in _FIRST]


def read(data: bytes) -> dict[str, Any]:
    """The dictionary that was pickled.

    :raises BadPickleError: anything else
    """
    if len(data) > limits.PICKLE_BYTES:
        raise BadPickleError("too large")
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name == "STOP":
                break
            machine.do(opcode.name, argument)
        (value,) = machine.stack
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise BadPickleError(str(error)) from error
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BadPickleError("no dictionary")
    return value


class _Machine:
    """The stack and the memo of a pickle, without the opcodes that make objects."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def do(self, name: str, argument: Any) -> None:
        stack, memo = self.stack, self._memo
        if name in _TEXTS or name in _NUMBERS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _NEW:
            stack.append(_NEW[name]())
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("DICT", "LIST"):
            items = self._marked()
            stack.append(_pairs(items) if name == "DICT" else items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self._marked() if name == "SETITEMS" else [stack.pop(-2), stack.pop()]
            _top(stack, dict).update(_pairs(items))
        elif name in ("APPEND", "APPENDS"):
            items = self._marked() if name == "APPENDS" else [stack.pop()]
            _top(stack, list).extend(items)
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in _PUTS:
            memo[int(argument)] = stack[-1]
        elif name in _GETS:
            stack.append(memo[int(argument)])
        elif name not in _NOTHING:
            raise BadPickleError(f"{name} is nothing that a state needs")

    def _marked(self) -> list[Any]:
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise BadPickleError("no mark")
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items


def _pairs(items: list[Any]) -> dict[Any, Any]:
    return dict(zip(items[::2], items[1::2], strict=True))


def _top(stack: list[Any], kind: type[Any]) -> Any:
    if type(stack[-1]) is not kind:
        raise BadPickleError(f"no {kind.__name__}")
    return stack[-1]


def find(record: Mapping[str, Any], path: Path) -> Position | None:
    """Where the line of an old state ends; None if the log has it not.

    :raises OSError: the log can not be read
    """
    is_json = "event_type" in record
    hint = _hint(record)
    with Source(path) as source:
        begin, number = 0, 1
        for piece in source.pieces(limits.PIECE_BYTES):
            for line in piece.splitlines(keepends=True):
                begin, number = begin + len(line), number + line.endswith(b"\n")
                if hint in line and line.endswith(b"\n") and _is(record, line, is_json):
                    return source.position(begin, number)
    return None


def _hint(record: Mapping[str, Any]) -> bytes:
    """Bytes that the line must have: most need no further look."""
    value = record.get("date") or record.get("transferID") or ""
    return str(value).encode() if str(value).isascii() else b""


def _is(record: Mapping[str, Any], line: bytes, is_json: bool) -> bool:
    try:
        return _parsed(line, is_json) == record
    except RecursionError:
        return False


def _parsed(line: bytes, is_json: bool) -> dict[str, Any] | None:
    """A line as the original command understood it; None where it could not."""
    text = line.decode("utf-8", "replace").strip()
    if not is_json:
        pairs = [word.split("=") for word in text.split()]
        if not all(len(pair) == 2 for pair in pairs):
            return None
        return {key.lower().replace(".", "_"): value for key, value in pairs}
    try:
        row = json.loads(text)
    except ValueError:
        return None
    if not isinstance(row, dict):
        return None
    for name in ("iostat", "mpstat", "getrusage"):
        if isinstance(row.get(name), dict):
            row[name] = _sane(row[name])
    for stream in row.get("streams") or ():
        if isinstance(stream, dict) and isinstance(stream.get("TCPinfo"), dict):
            stream["TCPinfo"] = _sane(stream["TCPinfo"])
    return row


def _sane(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lower().replace("/", "_").replace("%", ""): each for key, each in values.items()}
