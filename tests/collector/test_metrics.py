"""Metrics say what the core and the sinks say, under names that the pages have."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gridtap.collector.compatible import DIALECTS
from gridtap.collector.families import FAMILIES
from gridtap.collector.family import Family
from gridtap.collector.metrics import CollectorMetrics
from tests.collector.live import Live, running
from tests.test_docs import ROOT

PAGE = (ROOT / "docs" / "metrics.md").read_text()
NAMES = ROOT / "tests" / "data" / "collector" / "metric-names.txt"

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("live")) as live:
        live.send("two-servers", "gstream-all-mixed.port9930", "restart")
        live.send_raw(b"no packet at all")
        live.wait_for(60)
        yield live


def scraped(core: Any, sinks: Any, dialects: Any = (), **more: Any) -> Samples:
    registry = CollectorRegistry()
    registry.register(CollectorMetrics(lambda: core, lambda: sinks, dialects, **more))
    found: Samples = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def total(samples: Samples, name: str) -> float:
    return sum(number for (each, _), number in samples.items() if each == name)


def test_numbers_are_those_of_the_status(live: Live) -> None:
    status = live.wait_for(60)
    samples = scraped(status, live.rows)
    assert value(samples, "gridtap_packets_received_total") == status["packets"]["received"]
    assert total(samples, "gridtap_packets_total") == sum(status["packets"]["by_code"].values())
    assert value(samples, "gridtap_packets_total", code="f") == status["packets"]["by_code"]["f"]
    [bound] = status["sockets"]
    address = bound["address"]
    granted = value(samples, "gridtap_socket_receive_buffer_bytes", address=address)
    assert granted == bound["receive_buffer_bytes"] > 0
    [[kind, network, count]] = status["rejected"]
    rejected = value(samples, "gridtap_rejected_packets_total", kind=kind, network=network)
    assert (network, rejected) == ("127.0.0.0/24", count)
    assert len(status["losses"]) > 3
    for server, kind, received, lost, late, duplicates in status["losses"]:
        for name, wanted in (
            ("received", received),
            ("lost", lost),
            ("late", late),
            ("duplicates", duplicates),
        ):
            name = f"gridtap_sequence_{name}_total"
            assert value(samples, name, server=server, **{"class": kind}) == wanted
    assert total(samples, "gridtap_io_bytes_total") == sum(row[3] for row in status["io"]) > 0
    assert total(samples, "gridtap_io_operations_total") == sum(row[4] for row in status["io"])
    assert total(samples, "gridtap_accesses_total") == sum(status["accesses"].values()) > 20
    assert total(samples, "gridtap_server_info") == len(status["servers"]) > 1
    newest = max(server["last_seen_at"] for server in status["servers"])
    seen = {key: n for key, n in samples.items() if key[0].endswith("last_seen_timestamp_seconds")}
    assert max(seen.values()) == newest
    assert value(samples, "gridtap_state_files") == status["state"]["files"]
    assert value(samples, "gridtap_sink_records_total", sink="files") > 0
    assert value(samples, "gridtap_spool_records", sink="files") == 3
    assert value(samples, "gridtap_sink_up", sink="files") == 1


def test_every_own_family_has_a_value(live: Live) -> None:
    for _ in range(100):
        samples = scraped(live.wait_for(60), live.rows)
        empty = {one.name for one in FAMILIES} - {name for name, _ in samples}
        if not empty:
            break
        time.sleep(0.05)
    assert empty == set()


def test_a_sink_in_trouble(live: Live) -> None:
    rows = [{**live.rows[0], "trouble": "disk full"}]
    assert value(scraped(live.core.status(), rows), "gridtap_sink_up", sink="files") == 0


@pytest.mark.parametrize("dialect", DIALECTS)
def test_dialects_have_exact_names(live: Live, dialect: str) -> None:
    own = scraped(live.wait_for(60), live.rows)
    both = scraped(live.wait_for(60), live.rows, [dialect])
    added = {name for name, _ in both} - {name for name, _ in own}
    assert added == {one.name for one in DIALECTS[dialect]}


def test_all_dialects_at_once_are_one_valid_scrape(live: Live) -> None:
    status = live.wait_for(60)
    samples = scraped(status, live.rows, DIALECTS)
    received = status["packets"]["received"]
    assert value(samples, "shoveler_packets_received") == received
    assert value(samples, "packets_total") == received
    assert value(samples, "xrootd_monitoring_packets_received") == received
    assert value(samples, "xrootd_monitoring_packets_received_total") == received
    rejected = value(samples, "shoveler_validations_failed")
    assert rejected == sum(row[2] for row in status["rejected"]) == 1
    assert value(samples, "shoveler_packets_parsed_ok") == received - rejected
    read = sum(row[3] for row in status["io"] if row[2] == "read")
    assert value(samples, "xrootd_transfer_bytes", type="read") == read > 0
    assert total(samples, "missing_packets_total") == sum(row[3] for row in status["losses"])
    assert total(samples, "xrootd_collector_packets_total") == sum(
        row[2] for row in status["losses"]
    )


def test_labels_are_bounded_and_nothing_goes_uncounted(live: Live) -> None:
    status = dict(live.core.status())
    status["losses"] = [[f"server{n}" + "x" * 1_000, "main", 1, 2, 0, 0] for n in range(5_000)]
    registry = CollectorRegistry()
    metrics = CollectorMetrics(lambda: status, list, most_rows=100)
    registry.register(metrics)
    for _ in range(2):
        text = generate_latest(registry).decode()
        rows = re.findall(r"^gridtap_sequence_lost_total\{(.*)\} (\S+)$", text, re.MULTILINE)
        assert len(rows) == 101
        assert sum(float(number) for _, number in rows) == 10_000
        assert ('class="other",server="other"', "9800.0") in rows
        assert max(len(labels) for labels, _ in rows) < 200
        # Who has a row keeps it.
        status["losses"].reverse()


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading"""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def documented(family: Family) -> list[str]:
    labels = " ".join(f"`{label}`" for label in family.labels)
    return [f"`{family.name}`", family.kind, labels, family.meaning]


def test_the_page_has_every_own_family() -> None:
    assert table("Metrics of gridtap") == [documented(one) for one in FAMILIES]


def consumers_names() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for line in NAMES.read_text().splitlines():
        if line.startswith("["):
            found[line.strip("[]")] = names = {}
        elif line and not line.startswith("#"):
            name, *labels = line.split()
            names[name] = labels
    return found


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_page_has_every_name_that_consumers_know(dialect: str) -> None:
    rows = table(f"`{dialect}`")
    offered = [row for row in rows if row[1] != "not offered"]
    assert offered == [documented(one) for one in DIALECTS[dialect]]
    known = consumers_names()[dialect]
    refused = [row[0].strip("`") for row in rows if row[1] == "not offered"]
    assert all(row[3] for row in rows)
    names = [one.name for one in DIALECTS[dialect]] + refused
    assert sorted(names) == sorted(known)
    for one in DIALECTS[dialect]:
        assert set(one.labels) <= set(known[one.name]), one.name


def test_no_name_is_in_two_places() -> None:
    names = [one.name for one in FAMILIES] + [
        one.name for all_ in DIALECTS.values() for one in all_
    ]
    assert len(names) == len(set(names))
