"""A collector at work: a real capture is sent to it over UDP, records and metrics come out.

python examples/collector.py CAPTURE
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, SOCK_STREAM, socket

import requests

GRIDTAP = [sys.executable, "-m", "gridtap"]

CONFIG = """\
[listen]
addresses = ["127.0.0.1:{port}"]
receive_buffer = "1MiB"

[state]
directory = "{folder}/state"
# The packets are old, and nothing comes late here.
late_grace = "0s"

[http]
listen = "127.0.0.1:{http}"

[sinks.accesses]
type = "jsonl"
path = "{folder}/accesses.jsonl"
"""

#: What a site would look at first.
SHOWN = ("gridtap_packets_received", "gridtap_lost_packets", "gridtap_accesses", "gridtap_io_bytes")


def main(capture: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "accesses.jsonl"
        port, http = free_port(SOCK_DGRAM), free_port(SOCK_STREAM)
        config = Path(folder) / "gridtap.toml"
        config.write_text(CONFIG.format(port=port, http=http, folder=folder))
        url = f"http://127.0.0.1:{http}"
        with subprocess.Popen(
            [*GRIDTAP, "collect", "-c", config], stderr=subprocess.PIPE
        ) as process:
            try:
                wait_until(lambda: is_ready(url), "the collector to be ready")
                print(f"collector on UDP 127.0.0.1:{port}, metrics on {url}/metrics\n")
                replay = [
                    "replay",
                    capture,
                    "--to",
                    f"127.0.0.1:{port}",
                    "--rate",
                    "2000",
                    "--quiet",
                ]
                subprocess.run([*GRIDTAP, *replay], check=True)
                wait_until(lambda: output.exists() and output.stat().st_size > 0, "records")
                metrics = requests.get(f"{url}/metrics", timeout=10).text
            finally:
                process.send_signal(signal.SIGTERM)
        show_records(output)
        print()
        for line in metrics.splitlines():
            if line.startswith(SHOWN):
                print(line)


def show_records(output: Path) -> None:
    records = [json.loads(line) for line in output.read_text().splitlines()]
    print("closed (UTC)         user      client                    read     written  path")
    for record in records[:8]:
        at = datetime.fromtimestamp(record["closed_at"] or 0, UTC)
        read = (record["read_bytes"] or 0) + (record["readv_bytes"] or 0)
        print(
            f"{at:%Y-%m-%d %H:%M:%S}  {record['user_name'] or '-':8}  "
            f"{record['user_host'] or '-':20}  {read:>10,}  {record['write_bytes'] or 0:>10,}  "
            f"{record['path'] or '-'}"
        )
    print(f"{len(records)} accesses in {output.name}")


def is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=10).ok
    except requests.ConnectionError:
        return False


def wait_until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited in vain for {what}")
        time.sleep(0.2)


def free_port(kind: int) -> int:
    with closing(socket(AF_INET, kind)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main(sys.argv[1])
