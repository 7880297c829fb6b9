"""A collector on real servers' packets: each access of each client in its output, once.

GRIDTAP_LOAD_SECONDS sets for how long the clients work: 10, and 300 for the figure in the
documentation.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.collector.process import Collector, free_port
from tests.e2e.cluster import cluster, why_not
from tests.e2e.load import FIRST_RAW_PID, Done, Load
from tests.e2e.scene import wait_for

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")

SECONDS = float(os.environ.get("GRIDTAP_LOAD_SECONDS", "10"))

CONFIG = """\
[listen]
addresses = ["127.0.0.1:{port}"]

[state]
directory = "{folder}/state"

[http]
listen = ""

[sinks.accesses]
type = "jsonl"
path = "{folder}/accesses.jsonl"

[sinks.others]
type = "jsonl"
records = ["sessions", "redirects", "servers"]
path = "{folder}/others.jsonl"
"""


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The records in a file, one at a time: there may be a million"""
    with path.open() as file:
        for line in file:
            yield json.loads(line)


class LineCount:
    """Counts the lines of a file that grows"""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._lines = 0

    def __call__(self) -> int:
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._offset)
                while chunk := file.read(1 << 20):
                    self._lines += chunk.count(b"\n")
                self._offset = file.tell()
        return self._lines


def done_by(record: dict[str, Any]) -> Done:
    return Done(
        record["user_pid"],
        record["path"],
        record["mode"],
        record["read_bytes"],
        record["readv_bytes"],
        record["write_bytes"],
    )


def test_every_access_of_a_busy_cluster_is_in_the_output_once(tmp_path: Path) -> None:
    port = free_port()
    output = tmp_path / "accesses.jsonl"
    config = CONFIG.format(folder=tmp_path, port=port)
    with Collector(tmp_path, config) as collector, cluster(port) as (redirector, servers):
        load = Load(redirector, servers, tmp_path)
        load.run(SECONDS, workers=4)
        assert load.failures == []
        expected = load.done
        count = LineCount(output)
        wait_for(lambda: count() >= expected.total(), 60, "the last closes")
        # Whatever should not have come has time to come, too.
        time.sleep(2.5)
        assert collector.stop() == 0
    seen: Counter[Done] = Counter()
    sums: Counter[str] = Counter()
    ports = set()
    for record in lines(output):
        seen[done_by(record)] += 1
        sums.update({name: record[name] for name in ("read_bytes", "readv_bytes", "write_bytes")})
        ports.add(record["server_port"])
        assert record["close_reason"] == "closed"
        assert not record["loss_suspected"]
    assert seen == expected
    assert ports == {server.port for server in servers}
    assert sums == {
        "read_bytes": sum(done.read * count for done, count in expected.items()),
        "readv_bytes": sum(done.readv * count for done, count in expected.items()),
        "write_bytes": sum(done.written * count for done, count in expected.items()),
    }
    redirected = {
        record["user_pid"] for record in lines(tmp_path / "others.jsonl") if "target_host" in record
    }
    copies = {done.pid for done in expected if done.pid < FIRST_RAW_PID}
    assert copies <= redirected, "each copy went through the redirector"
    print(f"{expected.total()} accesses in {SECONDS:.0f} s")
