"""Floods: memory stays under its budget, and what good servers send is complete.

GRIDTAP_FLOOD_SECONDS sets for how long: 5, and 60 for the figures in the documentation.
GRIDTAP_FLOOD_RATE sets how many packets per second: 30,000, which slow machines bear as well; 0 is
as fast as one process can.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.collector.observed import ObservedCollector
from tests.collector.synthetic import Chances, Sender, drive, fleet

SECONDS = float(os.environ.get("GRIDTAP_FLOOD_SECONDS", "5"))
RATE = float(os.environ.get("GRIDTAP_FLOOD_RATE", "30000"))
BUDGET = 48 * 2**20

SECTIONS = """
[state]
directory = "{folder}/state"
max_memory = "48MiB"

[sinks.accesses]
type = "jsonl"
path = "{folder}/accesses.jsonl"
queue = "16MiB"
filter = {{ servers = ["127.10.0.0/16"] }}
"""


def address(chance: random.Random) -> str:
    return f"127.{chance.randrange(64, 128)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"


def garbage(chance: random.Random) -> tuple[str, bytes]:
    """Random bytes from a hundred senders"""
    return f"127.66.0.{chance.randrange(1, 100)}", chance.randbytes(chance.randrange(1, 1400))


def spoofed_servers(chance: random.Random) -> tuple[str, bytes]:
    """Each packet from another server that identifies itself"""
    sid = chance.randrange(1 << 47)
    text = b"=/xrootd.1:%d@evil\n&site=EVIL&port=1094&inst=x&pgm=xrootd&ver=v5" % sid
    body = struct.pack("!L", 0) + text
    head = struct.pack("!cBHL", b"=", 0, 8 + len(body), chance.randrange(1 << 32))
    return address(chance), head + body


def endless_opens(chance: random.Random) -> tuple[str, bytes]:
    """Files with long names that nobody closes, from one server"""
    name = chance.randbytes(500).hex().encode()
    size = 20 + len(name) + 4
    opening = struct.pack("!BBHLqL", 1, 1, size, chance.randrange(1 << 32), 1, 1) + name + bytes(4)
    now = int(time.time())
    body = struct.pack("!BBHHHLLQ", 2, 1, 24, 0, 1, now, now, 99) + opening
    head = struct.pack("!cBHL", b"f", chance.randrange(256), 8 + len(body), 1_700_000_000)
    return "127.67.0.1", head + body


def cut_off(chance: random.Random) -> tuple[str, bytes]:
    """Packets that their sender cut short"""
    source, packet = endless_opens(chance)
    return source, packet[: chance.randrange(len(packet))]


def pour(port: int, make: Callable[[random.Random], tuple[str, bytes]], seconds: float) -> None:
    """Sends a mad sender's packets, in a process of its own so that good servers are not slowed"""
    chance = random.Random(1)
    # Made before, so that sending is all there is to do.
    packets = [make(chance) for _ in range(20_000)]
    sender = Sender(port)
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        if RATE and sender.sent > passed * RATE:
            time.sleep(0.001)
            continue
        for source, payload in chance.sample(packets, 100):
            sender.send(source, payload)


@pytest.mark.parametrize("make", [garbage, spoofed_servers, endless_opens, cut_off])
def test_a_flood_drowns_nobody(
    tmp_path: Path, make: Callable[[random.Random], tuple[str, bytes]]
) -> None:
    servers = fleet(5, Chances())
    listen = "max_packets_per_second_per_sender = 20000"
    with ObservedCollector(tmp_path, SECTIONS.format(folder=tmp_path), listen) as collector:
        before = collector.resident_bytes()
        flood = multiprocessing.Process(target=pour, args=(collector.port, make, SECONDS))
        flood.start()
        sender = Sender(collector.port)
        drive(sender, servers, SECONDS, 1000)
        flood.join(60)
        sender.close()
        collector.wait_for_packets(sender.sent)
        status = collector.wait_for_closes(sum(server.whole for server in servers))
        after = collector.resident_bytes()
        assert collector.stop() == 0
        log = collector.stderr()
    assert flood.exitcode == 0
    dropped = sum(socket["kernel_drops"] for socket in status["sockets"])
    assert dropped == 0, "the flood was faster than the collector"
    print(f"\n{make.__name__}: {status['packets']['received']} packets")
    print(f"memory {before / 2**20:.0f} MiB before, {after / 2**20:.0f} MiB after")
    # The budget, and what queues hold on their way to the file.
    assert status["state"]["bytes"] <= BUDGET
    assert after <= before + BUDGET + 32 * 2**20
    records = [json.loads(line) for line in (tmp_path / "accesses.jsonl").open()]
    assert len(records) == sum(server.whole for server in servers)
    assert {record["close_reason"] for record in records} == {"closed"}
    assert not any(record["loss_suspected"] for record in records)
    assert len(log.splitlines()) < 200, "the log is for people"
