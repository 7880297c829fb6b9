"""The dashboard asks for what there is, and a real Prometheus finds it."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gridtap.collector.compatible import DIALECTS
from gridtap.collector.families import FAMILIES
from gridtap.collector.http import HttpServer, Observed
from tests.collector.live import Live, running
from tests.test_docs import ROOT

DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "gridtap.json").read_text())

PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [
    pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for panel in PANELS
    for target in panel["targets"]
]

#: Of the client library
PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}

#: Words of PromQL in the dashboard
WORDS = {"sum", "rate", "by", "topk", "count", "label_values"}


def names(expression: str) -> set[str]:
    """The metrics of a query"""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\bby \([^)]*\)", "", expression)
    return set(re.findall(r"[a-z_][a-z0-9_]*", bare)) - WORDS


@pytest.mark.parametrize("expression", QUERIES)
def test_metrics_exist(expression: str) -> None:
    own = {one.name: set(one.labels) for one in FAMILIES}
    assert names(expression)
    assert names(expression) <= set(own) | PROCESS
    labels = {"job", "instance"}.union(*(own.get(name, set()) for name in names(expression)))
    used = set(re.findall(r"(\w+)=~?\"", expression))
    for listed in re.findall(r"\bby \(([^)]*)\)", expression):
        used.update(each.strip() for each in listed.split(","))
    assert used <= labels


def test_panels_are_told_apart() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert all(panel["description"] for panel in PANELS)
    titles = [panel["title"] for panel in PANELS if panel["type"] == "timeseries"]
    assert len(titles) == len(set(titles))


def test_the_data_source_may_be_chosen() -> None:
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    used = re.findall(r'"uid": "([^"]*)"', json.dumps(DASHBOARD))
    assert set(used) == {"${datasource}", DASHBOARD["uid"]}
    for name in ("job", "instance"):
        assert names(variables[name]["definition"]) - {"job", "instance"} == {
            "gridtap_uptime_seconds"
        }


class Prometheus:
    """A server's HTTP interface"""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self._url}{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[Any]:
        found: list[Any] = self.ask("/api/v1/query", query=expression)["result"]
        return found

    def is_up(self) -> bool:
        try:
            return bool(self.query("count_over_time(gridtap_uptime_seconds[1m]) >= 2"))
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(what: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if what():
            return
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@contextmanager
def prometheus(directory: Path, target: str) -> Iterator[Prometheus]:
    """Debian's Prometheus, which scrapes a collector each second"""
    command = shutil.which("prometheus")
    if command is None:
        pytest.skip("prometheus is not installed: apt-get install prometheus")
    scrape = {"job_name": "gridtap", "static_configs": [{"targets": [target]}]}
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]}
    # JSON is YAML too.
    file, log = directory / "prometheus.yml", directory / "log"
    file.write_text(json.dumps(config))
    address = f"127.0.0.1:{_free_port()}"
    arguments = [
        f"--config.file={file}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={address}",
    ]
    with log.open("wb") as out, subprocess.Popen([command, *arguments], stderr=out) as process:
        try:
            server = Prometheus(f"http://{address}")
            _wait_for(server.is_up, process, log)
            yield server
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def scraping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, Prometheus]]:
    directory = tmp_path_factory.mktemp("dashboard")
    with running(directory) as live:
        # The older first: packets of a run that is over are stale.
        live.send("restart")
        live.send_raw(b"no packet at all")
        live.wait_for(20)
        observed = Observed(live.core.status, lambda: live.rows, list)
        server = HttpServer("127.0.0.1", 0, observed, dialects=list(DIALECTS))
        try:
            with prometheus(directory, server.url.removeprefix("http://")) as asked:
                # What has just begun has no rate yet.
                live.send("two-servers")
                live.send_raw(b"no packet at all")
                live.wait_for(60)
                time.sleep(2.5)
                yield live, asked
        finally:
            server.close()


@pytest.mark.parametrize("expression", QUERIES)
def test_prometheus_finds_data(scraping: tuple[Live, Prometheus], expression: str) -> None:
    _, asked = scraping
    filled = expression.replace("$__rate_interval", "1m").replace("$job", ".*")
    found = asked.query(filled.replace("$instance", ".*"))
    assert found
    assert all(one["value"][1] not in ("NaN", "+Inf") for one in found)


def test_prometheus_counts_what_the_core_counts(scraping: tuple[Live, Prometheus]) -> None:
    live, asked = scraping
    status = live.core.status()
    received = status["packets"]["received"]
    for name in ("gridtap_packets_received_total", "shoveler_packets_received"):
        [one] = asked.query(name)
        assert float(one["value"][1]) == received
    moved = asked.query('sum(gridtap_io_bytes_total{operation="write"})')
    wanted = sum(row[3] for row in status["io"] if row[2] == "write")
    assert float(moved[0]["value"][1]) == wanted > 0


def test_its_variables_find_the_collector(scraping: tuple[Live, Prometheus]) -> None:
    _, asked = scraping
    assert asked.ask("/api/v1/label/job/values") == ["gridtap"]
    [target] = asked.ask("/api/v1/targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
