"""Metrics under the names of other collectors, so that dashboards and alerts go on working.

* ``shoveler``: opensciencegrid/xrootd-monitoring-shoveler, and the collector of that repository
* ``collector-py``: opensciencegrid/xrootd-monitoring-collector
* ``pelican``: PelicanPlatform/pelican
* ``xrdmoncollect``: XRootD's own collector to be, xrootd/xrootd pull request 2855

Only what gridtap has data for is told: a zero that means "not known" would be read as good news.
``docs/metrics.md`` has the others, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal

from gridtap.collector.family import Family, Row, Snapshot, at, by_name

__all__ = ["DIALECTS", "Dialect"]

#: Whose names there are
Dialect = Literal["shoveler", "collector-py", "pelican", "xrdmoncollect"]

#: Packets that were turned away unread
_UNREAD = frozenset({"not_allowed", "over_ceiling"})


def _invalid(now: Snapshot) -> int:
    return sum(count for kind, _, count in now.core["rejected"] if kind not in _UNREAD)


def _validations_failed(now: Snapshot) -> list[Row]:
    return [((), _invalid(now))]


def _parsed(now: Snapshot) -> list[Row]:
    rejected = sum(count for _, _, count in now.core["rejected"])
    return [((), now.core["packets"]["received"] - rejected)]


def _faults(now: Snapshot) -> list[Row]:
    return [((), sum(now.core["faults"].values()))]


def _expired(now: Snapshot) -> list[Row]:
    return [((), now.core["accesses"].get("expired", 0))]


def _state_size(now: Snapshot) -> list[Row]:
    state = now.core["state"]
    return [((), state["files"] + state["sessions"] + state["names"])]


def _in_sinks(key: str) -> Callable[[Snapshot], list[Row]]:
    return lambda now: [((), sum(sink[key] for sink in now.core["sinks"]))]


def _behind(key: str) -> Callable[[Snapshot], list[Row]]:
    return lambda now: [((), sum(sink[key] for sink in now.sinks))]


def _filtered(now: Snapshot) -> list[Row]:
    sinks = now.core["sinks"]
    return [((), sum(count for sink in sinks for count in sink["refused"].values()))]


def _dropped(now: Snapshot) -> Iterator[Row]:
    for sink in now.core["sinks"]:
        for reason in ("vo", "path_prefix"):
            yield (reason,), sink["refused"].get(reason, 0)


def _of_code(*codes: str) -> Callable[[Snapshot], list[Row]]:
    return lambda now: [((), sum(now.core["packets"]["by_code"].get(code, 0) for code in codes))]


def _of_kind(kind: str) -> Callable[[Snapshot], list[Row]]:
    return lambda now: [((), now.core["records"].get(kind, 0))]


def _by_server(place: int) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(now: Snapshot) -> Iterator[Row]:
        for server, _, *counts in now.core["losses"]:
            yield (server,), counts[place]

    return rows


def _by_stream(place: int) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(now: Snapshot) -> Iterator[Row]:
        for _, stream, *counts in now.core["losses"]:
            yield (stream,), counts[place]

    return rows


def _hash_size(now: Snapshot) -> Iterator[Row]:
    state = now.core["state"]
    yield ("dictid",), state["names"]
    yield ("users",), state["sessions"]
    yield ("transfers",), state["files"]


def _by_operation(place: int) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(now: Snapshot) -> Iterator[Row]:
        for _, _, operation, *amounts in now.core["io"]:
            yield (operation,), amounts[place]

    return rows


def _by_site(place: int) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(now: Snapshot) -> Iterator[Row]:
        for server, site, operation, *amounts in now.core["io"]:
            yield (site or "", server, operation), amounts[place]

    return rows


def _servers(now: Snapshot) -> Iterator[Row]:
    for server in now.core["servers"]:
        yield (server["site"] or "",), 1


_INFO = ("ip", "instance_name", "program", "version", "site", "server")


def _server_info(now: Snapshot) -> Iterator[Row]:
    keys = ("address", "instance", "program", "version", "site", "host")
    for server in now.core["servers"]:
        yield tuple(str(server[key] or "") for key in keys), 1


def _evicted(now: Snapshot) -> list[Row]:
    return [((), sum(now.core["state"]["evicted"].values()))]


_SHOVELER = (
    Family("shoveler_packets_received", "counter", "datagrams read", at("packets", "received")),
    Family(
        "shoveler_validations_failed",
        "counter",
        "datagrams that cannot be read",
        _validations_failed,
    ),
    Family(
        "shoveler_queue_size",
        "gauge",
        "records in the queues of all sinks",
        _in_sinks("queued_records"),
    ),
    Family("shoveler_packets_parsed_ok", "counter", "datagrams that were not rejected", _parsed),
    Family("shoveler_parse_errors", "counter", "faults", _faults),
    Family("shoveler_ttl_evictions", "counter", "accesses that expired", _expired),
    Family("shoveler_state_size", "gauge", "files, sessions and dictionary entries", _state_size),
    Family("shoveler_records_emitted", "counter", "records formed for sinks", _in_sinks("records")),
    Family(
        "shoveler_records_dropped",
        "counter",
        "records that filters kept away",
        _dropped,
        ("reason",),
    ),
    Family(
        "shoveler_gstream_packets_enqueued", "counter", "g-stream packets", _of_code("g", "text")
    ),
    Family("shoveler_enrichment_queue_size", "gauge", "lookups under way", at("dns", "pending")),
)

_COLLECTOR_PY = (
    Family("missing_packets_total", "counter", "numbers that never came", _by_server(1), ("host",)),
    Family(
        "reordered_packets_total",
        "counter",
        "numbers that came after later ones",
        _by_server(2),
        ("host",),
    ),
    Family("packets_total", "counter", "datagrams read", at("packets", "received")),
    Family("messages_total", "counter", "records formed for sinks", _in_sinks("records")),
    Family("gstream_message_total", "counter", "g-stream events", _of_kind("plugins")),
    Family(
        "xrootd_mon_hash_size", "gauge", "entries that are remembered", _hash_size, ("hash_type",)
    ),
)

_PELICAN = (
    Family(
        "xrootd_monitoring_packets_received", "counter", "datagrams read", at("packets", "received")
    ),
    Family(
        "xrootd_monitoring_packets_received_total",
        "counter",
        "datagrams read",
        at("packets", "received"),
    ),
    Family(
        "xrootd_transfer_operations_count",
        "counter",
        "operations of accesses that have ended",
        _by_operation(1),
        ("type",),
    ),
    Family(
        "xrootd_transfer_operations_total",
        "counter",
        "operations of accesses that have ended",
        _by_operation(1),
        ("type",),
    ),
    Family(
        "xrootd_transfer_bytes",
        "counter",
        "bytes of accesses that have ended",
        _by_operation(0),
        ("type",),
    ),
)

_IO = ("site", "server", "operation")

_XRDMONCOLLECT = (
    Family("xrootd_collector_io_total", "counter", "operations", _by_site(1), _IO),
    Family("xrootd_collector_io_bytes_total", "counter", "bytes", _by_site(0), _IO),
    Family("xrootd_collector_files_open", "gauge", "open files", at("state", "files")),
    Family("xrootd_collector_sessions_open", "gauge", "sessions", at("state", "sessions")),
    Family("xrootd_collector_servers", "gauge", "servers", _servers, ("site",)),
    Family("xrootd_collector_server_info", "gauge", "1 for each server", _server_info, _INFO),
    Family(
        "xrootd_collector_sessions_total",
        "counter",
        "sessions that have ended",
        _of_kind("sessions"),
    ),
    Family(
        "xrootd_collector_documents_total",
        "counter",
        "records formed for sinks",
        _in_sinks("records"),
    ),
    Family(
        "xrootd_collector_filtered_documents_total",
        "counter",
        "records that filters kept away",
        _filtered,
    ),
    Family("xrootd_collector_stale_opens_total", "counter", "accesses that expired", _expired),
    Family(
        "xrootd_collector_packets_total", "counter", "numbered packets", _by_stream(0), ("stream",)
    ),
    Family(
        "xrootd_collector_packets_lost_total",
        "counter",
        "numbers that never came",
        _by_stream(1),
        ("stream",),
    ),
    Family(
        "xrootd_collector_malformed_total",
        "counter",
        "faults; reasons have gridtap's names",
        by_name("faults"),
        ("reason",),
    ),
    Family(
        "xrootd_collector_evicted_total",
        "counter",
        "what was forgotten for lack of memory",
        _evicted,
    ),
    Family("xrootd_collector_state_bytes", "gauge", "memory of the state", at("state", "bytes")),
    Family("xrootd_collector_trace_records_total", "counter", "t-stream records", _of_kind("io")),
    Family(
        "xrootd_collector_gstream_records_total", "counter", "g-stream events", _of_kind("plugins")
    ),
    Family(
        "xrootd_collector_redirect_records_total", "counter", "redirections", _of_kind("redirects")
    ),
    Family("xrootd_collector_token_records_total", "counter", "token packets", _of_code("T")),
    Family(
        "xrootd_collector_ident_records_total", "counter", "identification packets", _of_code("=")
    ),
    Family(
        "xrootd_collector_post_failures_total",
        "counter",
        "times that a sink took no batch",
        _behind("failures"),
    ),
    Family("xrootd_collector_cache_bytes", "gauge", "size of all spools", _behind("spool_bytes")),
)

#: Families by whose names they have
DIALECTS: Mapping[Dialect, tuple[Family, ...]] = MappingProxyType(
    {
        "shoveler": _SHOVELER,
        "collector-py": _COLLECTOR_PY,
        "pelican": _PELICAN,
        "xrdmoncollect": _XRDMONCOLLECT,
    }
)
