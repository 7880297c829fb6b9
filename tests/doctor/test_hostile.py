"""Whatever comes, the doctor ends with a report."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from gridtap.doctor import examine, observe_capture
from gridtap.doctor.report import as_json, as_text
from tests.doctor.watching import DATA, write_bus_file
from tests.xrootd.captures import packets


def mutated(data: bytes, random_numbers: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random_numbers.randrange(1, 6)):
        changed[random_numbers.randrange(len(changed))] = random_numbers.randrange(256)
    return bytes(changed[: random_numbers.randrange(1, len(changed) + 1)])


@pytest.mark.parametrize("seed", range(3))
def test_damaged_packets(seed: int, tmp_path: Path) -> None:
    numbers = random.Random(seed)
    originals = [packet for _, _, packet in packets()]
    damaged = [mutated(packet, numbers) for packet in originals[:: 3 + seed]]
    noise = [numbers.randbytes(numbers.randrange(200)) for _ in range(500)]
    seen = observe_capture(write_bus_file(tmp_path / "damaged.jsonl", [*damaged, *noise]))
    findings = examine(seen)
    assert seen.datagrams + sum(seen.faults.values()) == len(damaged) + len(noise)
    assert {"undecoded_packets", "truncated_packets"} <= {finding.id for finding in findings}
    report = json.loads(as_json(seen, findings, "HOST:9930"))
    assert len(report["findings"]) == len(findings)
    text = "\n".join(as_text(seen, findings, "HOST:9930", 80, lambda _, text: text))
    # Names are what packets say: damaged ones must not reach the terminal as commands.
    assert all(character.isprintable() or character == "\n" for character in text)


def test_servers_without_end_are_bounded(tmp_path: Path) -> None:
    packet = (DATA / "fstat-full.bin").read_bytes()
    packet = packet[: int.from_bytes(packet[2:4], "big")]
    spoofed = (packet[:4] + start.to_bytes(4, "big") + packet[8:] for start in range(1, 15_000))
    seen = observe_capture(write_bus_file(tmp_path / "spoofed.jsonl", spoofed))
    assert seen.datagrams == 14_999
    assert len(seen.servers) == 10_000
    # They all say that they are the same server.
    assert len(examine(seen)) <= 2
