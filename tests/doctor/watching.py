"""Real captures for the doctor, as they are or with something done to them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from gridtap.doctor import Observation, Observer, examine, observe_capture
from gridtap.doctor.facts import Arrival
from gridtap.xrootd import Packet, Summary, TextGstream
from gridtap.xrootd.reading import read_packets

DATA = Path(__file__).resolve().parent.parent / "data" / "xrootd"

Message = Packet | TextGstream | Summary
Change = Callable[[Message, Arrival], tuple[Message, Arrival] | None]


def seen(name: str, change: Change | None = None) -> Observation:
    """A capture; ``change`` may change packets and arrivals, or answer None to lose a packet"""
    if change is None:
        return observe_capture(DATA / name)
    observer = Observer()
    reader = read_packets(DATA / name)
    for packet in reader:
        host, port = reader.peer or (None, None)
        arrival = Arrival(host, port, reader.destination_port, reader.received_at, reader.payload)
        changed = change(packet, arrival)
        if changed is not None:
            observer.packet(*changed)
    return observer.seen


def found(observation: Observation) -> set[str]:
    """Ids of all findings"""
    return {finding.id for finding in examine(observation)}


def packets_of(messages: Iterable[Message]) -> Observation:
    """Packets that came one second after the other"""
    observer = Observer()
    for number, message in enumerate(messages):
        observer.packet(message, Arrival("192.0.2.1", 5000, 9930, 1_700_000_000.0 + number, b""))
    return observer.seen


def write_bus_file(path: Path, datagrams: Iterable[bytes]) -> Path:
    """Datagrams of one sender as lines of a bus file"""
    lines = (
        {"remote": "192.0.2.1:5000", "data": base64.b64encode(data).decode()} for data in datagrams
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
