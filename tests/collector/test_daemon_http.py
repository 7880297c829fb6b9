"""The collector as a process tells how it is."""

from __future__ import annotations

import json
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.collector.process import Collector, free_port, wait_for
from tests.collector.test_daemon import FULL, configuration
from tests.collector.traffic import Sender, packets


def with_http(directory: Path, port: int, http: int, more: str = "") -> str:
    """A configuration whose second sink has nowhere to write to"""
    broken = f"""
[metrics]
compatibility = ["shoveler", "pelican"]
[sinks.broken]
type = "jsonl"
path = "{directory / "none" / "a.jsonl"}"
batch_wait = "50ms"
{more}
"""
    text = configuration(directory, port, broken)
    return text.replace('[http]\nlisten = ""', f'[http]\nlisten = "127.0.0.1:{http}"')


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def value(port: int, series: str) -> float:
    text = get(port, "/metrics")[1]
    [found] = [line for line in text.splitlines() if line.startswith(f"{series} ")]
    return float(found.rpartition(" ")[2])


def status(port: int) -> Any:
    return json.loads(get(port, "/status")[1])


def test_it_tells_of_packets_and_sinks(tmp_path: Path) -> None:
    port, http = free_port(), free_port()
    sent = packets(FULL)
    with Collector(tmp_path, with_http(tmp_path, port, http)) as collector:
        assert get(http, "/healthz")[0] == get(http, "/readyz")[0] == 200
        with Sender(("127.0.0.1", port)) as sender:
            sender.send(sent, 0.001)
        wait_for(lambda: value(http, "gridtap_packets_received_total") == len(sent))
        assert value(http, "shoveler_packets_received") == len(sent)
        assert value(http, "xrootd_monitoring_packets_received") == len(sent)
        taken = 'gridtap_sink_written_records_total{sink="out"}'
        wait_for(
            lambda: value(http, taken) == value(http, 'gridtap_sink_records_total{sink="out"}') > 0
        )
        wait_for(lambda: value(http, 'gridtap_sink_up{sink="broken"}') == 0)
        assert value(http, 'gridtap_sink_up{sink="out"}') == 1
        wait_for(lambda: value(http, 'gridtap_sink_failures_total{sink="broken"}') > 0)
        told = status(http)
        assert told["packets"]["received"] == len(sent)
        broken = told["pipelines"][1]
        assert "No such file or directory" in broken["trouble"]
        # Its way is free, and what waits gets through.
        (tmp_path / "none").mkdir()
        wait_for(lambda: value(http, 'gridtap_sink_up{sink="broken"}') == 1)
        collector.reload()
        assert get(http, "/readyz")[0] == 200
        assert collector.stop(signal.SIGTERM) == 0


def test_an_address_that_somebody_has(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        http = taken.getsockname()[1]
        collector = Collector(tmp_path, with_http(tmp_path, free_port(), http))
        assert collector.wait() == 2
        [line] = collector.stderr().splitlines()
        assert line.endswith(f"[http] listen: 127.0.0.1:{http}: Address already in use")


@pytest.mark.parametrize("what", ["http", "metrics"])
def test_what_a_reload_cannot_change_is_said(tmp_path: Path, what: str) -> None:
    port, http = free_port(), free_port()
    toml = with_http(tmp_path, port, http)
    with Collector(tmp_path, toml) as collector:
        other = {
            "http": toml.replace(f'listen = "127.0.0.1:{http}"', 'listen = ""'),
            "metrics": toml.replace('["shoveler", "pelican"]', "[]"),
        }[what]
        collector.reload(other)
        assert f"needs_restart table={what}" in collector.stderr()
        assert value(http, "shoveler_packets_received") == 0
        assert collector.stop() == 0
