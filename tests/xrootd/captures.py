"""Packets of the real captures."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "xrootd"


def split(data: bytes) -> Iterator[bytes]:
    """The packets of a raw dump"""
    at = 0
    while at + 8 <= len(data):
        length = max(8, int.from_bytes(data[at + 2 : at + 4], "big"))
        yield data[at : at + length]
        at += length


def packets() -> list[tuple[str, int, bytes]]:
    """Capture name, place in it, and bytes of every packet"""
    return [
        (path.name, index, packet)
        for path in sorted(DATA.glob("*.bin"))
        for index, packet in enumerate(split(path.read_bytes()))
    ]
