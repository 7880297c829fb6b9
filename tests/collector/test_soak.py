"""Steady traffic with losses, repetitions and restarts: nothing is lost, and memory stays flat.

GRIDTAP_SOAK_SECONDS sets for how long: 10, and 1800 for the figure in the documentation. Whether
memory is flat shows from ten minutes on.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from statistics import mean

from tests.collector.observed import ObservedCollector
from tests.collector.synthetic import Chances, Sender, drive, fleet

SECONDS = float(os.environ.get("GRIDTAP_SOAK_SECONDS", "10"))
RATE = 20_000
FLAT = 1.02

SECTIONS = """
[state]
directory = "{folder}/state"
# Files and logins whose end was lost are given up early, so that ten minutes show what a day would.
file_ttl = "120s"
session_ttl = "120s"
server_ttl = "120s"

[sinks.accesses]
type = "jsonl"
path = "{folder}/accesses.jsonl"
rotate_size = "64MiB"
keep = 1
"""


class Memory:
    """Resident memory, looked at every two seconds"""

    def __init__(self, collector: ObservedCollector) -> None:
        self._collector = collector
        self._done = threading.Event()
        self.samples: list[int] = []
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._done.wait(2):
            self.samples.append(self._collector.resident_bytes())

    def stop(self) -> list[int]:
        self._done.set()
        self._thread.join(5)
        return self.samples


def test_hours_of_traffic(tmp_path: Path) -> None:
    chances = Chances(loss=0.002, duplicate=0.002, overtaken=0.002, restart=0.0002)
    servers = fleet(40, chances)
    with ObservedCollector(tmp_path, SECTIONS.format(folder=tmp_path)) as collector:
        memory = Memory(collector)
        sender = Sender(collector.port)
        began = time.monotonic()
        drive(sender, servers, SECONDS, RATE)
        took = time.monotonic() - began
        sender.close()
        collector.wait_for_packets(sender.sent)
        status = collector.wait_for_closes(sum(server.whole for server in servers))
        samples = memory.stop()
        assert collector.stop() == 0
    assert sum(socket["kernel_drops"] for socket in status["sockets"]) == 0
    assert status["sinks"][0]["dropped_records"] == 0
    # Every access ended in a record, or its file is still open.
    records = sum(status["accesses"].values()) + status["state"]["files"]
    assert records == sum(server.accesses for server in servers)
    lost = sum(loss[3] for loss in status["losses"])
    print(f"\n{sender.sent} packets, {sender.sent / took:.0f}/s, {records} accesses, {lost} lost")
    print(f"memory {max(samples) / 2**20:.0f} MiB at most")
    if SECONDS >= 600:
        quarter = len(samples) // 4
        before, after = mean(samples[quarter : 2 * quarter]), mean(samples[-quarter:])
        print(f"last quarter against second: {after / before:.4f}")
        assert after <= FLAT * before
