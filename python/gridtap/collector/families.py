"""The metrics of gridtap itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gridtap.collector.family import Family, Row, Snapshot, at, by_name, of_sinks

__all__ = ["FAMILIES"]


def _sockets(key: str) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(now: Snapshot) -> Iterator[Row]:
        for socket in now.core["sockets"]:
            yield (socket["address"],), socket[key]

    return rows


def _rejected(now: Snapshot) -> Iterator[Row]:
    for kind, network, count in now.core["rejected"]:
        yield (kind, network), count


def _sequence(place: int) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(now: Snapshot) -> Iterator[Row]:
        for server, kind, *counts in now.core["losses"]:
            yield (server, kind), counts[place]

    return rows


def _io(place: int) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(now: Snapshot) -> Iterator[Row]:
        for server, site, operation, *amounts in now.core["io"]:
            yield (server, site or "", operation), amounts[place]

    return rows


_SERVER = ("address", "host", "instance", "site", "program", "version")


def _server_info(now: Snapshot) -> Iterator[Row]:
    for server in now.core["servers"]:
        yield tuple(str(server[name] or "") for name in _SERVER), 1


def _server(key: str) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(now: Snapshot) -> Iterator[Row]:
        for server in now.core["servers"]:
            yield (server["address"], server["instance"] or ""), server[key]

    return rows


def _reasons(key: str, *, behind: bool) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(now: Snapshot) -> Iterator[Row]:
        for sink in now.sinks if behind else now.core["sinks"]:
            for reason, count in sink[key].items():
                yield (sink["name"], reason), count

    return rows


def _up(now: Snapshot) -> Iterator[Row]:
    for sink in now.sinks:
        yield (sink["name"],), sink["trouble"] is None


_BY_SINK = ("sink",)
_BY_SEQUENCE = ("server", "class")

_RECEIVING = (
    Family("gridtap_uptime_seconds", "gauge", "since the collector began", at("uptime_s")),
    Family(
        "gridtap_packets_received_total", "counter", "datagrams read", at("packets", "received")
    ),
    Family(
        "gridtap_packets_received_bytes_total",
        "counter",
        "bytes of datagrams read",
        at("packets", "bytes"),
    ),
    Family(
        "gridtap_packets_total",
        "counter",
        "packets by their code; `text`: g-streams with a text header",
        by_name("packets", "by_code"),
        ("code",),
    ),
    Family(
        "gridtap_socket_kernel_drops_total",
        "counter",
        "datagrams that the kernel had no room for",
        _sockets("kernel_drops"),
        ("address",),
    ),
    Family(
        "gridtap_socket_receive_buffer_bytes",
        "gauge",
        "receive buffer that the kernel granted",
        _sockets("receive_buffer_bytes"),
        ("address",),
    ),
    Family(
        "gridtap_socket_asked_buffer_bytes",
        "gauge",
        "receive buffer that was asked for",
        _sockets("asked_buffer_bytes"),
        ("address",),
    ),
    Family(
        "gridtap_rejected_packets_total",
        "counter",
        "packets turned away or unreadable, by kind and network of the sender: at most 1000 pairs, "
        "then `other`",
        _rejected,
        ("kind", "network"),
    ),
    Family(
        "gridtap_receive_errors_total", "counter", "failed reads of a socket", at("receive_errors")
    ),
    Family(
        "gridtap_internal_errors_total",
        "counter",
        "faults of the collector itself",
        at("internal_errors"),
    ),
)

_READING = (
    Family("gridtap_faults_total", "counter", "faults by kind", by_name("faults"), ("kind",)),
    Family(
        "gridtap_duplicate_packets_total",
        "counter",
        "packets that came twice",
        at("duplicate_packets"),
    ),
    Family(
        "gridtap_stale_packets_total",
        "counter",
        "packets of an earlier run of their server",
        at("stale_packets"),
    ),
    Family(
        "gridtap_failed_operations_total",
        "counter",
        "operations that servers said had failed",
        at("failed_operations"),
    ),
    Family(
        "gridtap_sequence_received_total",
        "counter",
        "numbered packets received, by server and class of numbers",
        _sequence(0),
        _BY_SEQUENCE,
    ),
    Family(
        "gridtap_sequence_lost_total",
        "counter",
        "numbers that never came",
        _sequence(1),
        _BY_SEQUENCE,
    ),
    Family(
        "gridtap_sequence_late_total",
        "counter",
        "numbers that came after later ones",
        _sequence(2),
        _BY_SEQUENCE,
    ),
    Family(
        "gridtap_sequence_duplicates_total",
        "counter",
        "numbers that came twice",
        _sequence(3),
        _BY_SEQUENCE,
    ),
    Family("gridtap_records_total", "counter", "records by kind", by_name("records"), ("kind",)),
    Family(
        "gridtap_accesses_total",
        "counter",
        "accesses by the reason of their end",
        by_name("accesses"),
        ("reason",),
    ),
    Family(
        "gridtap_io_bytes_total",
        "counter",
        "bytes of accesses that have ended, by server, its site, and `read`, `readv` or `write`",
        _io(0),
        ("server", "site", "operation"),
    ),
    Family(
        "gridtap_io_operations_total",
        "counter",
        "their operations",
        _io(1),
        ("server", "site", "operation"),
    ),
    Family(
        "gridtap_server_info", "gauge", "1 for each server that is known", _server_info, _SERVER
    ),
    Family(
        "gridtap_server_packets",
        "gauge",
        "packets of the runs of a server that are remembered",
        _server("packets"),
        ("address", "instance"),
    ),
    Family(
        "gridtap_server_last_seen_timestamp_seconds",
        "gauge",
        "when its newest packet came, UTC epoch seconds",
        _server("last_seen_at"),
        ("address", "instance"),
        is_moment=True,
    ),
)

_STATE = (
    Family("gridtap_state_files", "gauge", "open files that are remembered", at("state", "files")),
    Family(
        "gridtap_state_sessions", "gauge", "sessions that are remembered", at("state", "sessions")
    ),
    Family(
        "gridtap_state_names",
        "gauge",
        "other dictionary entries that are remembered",
        at("state", "names"),
    ),
    Family("gridtap_state_servers", "gauge", "servers that are remembered", at("state", "servers")),
    Family("gridtap_state_bytes", "gauge", "memory of what is remembered", at("state", "bytes")),
    Family("gridtap_state_max_bytes", "gauge", "most that it may have", at("state", "max_bytes")),
    Family(
        "gridtap_state_evicted_total",
        "counter",
        "what was forgotten to stay below it",
        by_name("state", "evicted"),
        ("what",),
    ),
    Family("gridtap_dns_lookups_total", "counter", "addresses looked up", at("dns", "lookups")),
    Family(
        "gridtap_dns_failures_total", "counter", "of these without an answer", at("dns", "failures")
    ),
    Family("gridtap_dns_cached", "gauge", "answers that are remembered", at("dns", "cached")),
    Family("gridtap_dns_pending", "gauge", "lookups under way", at("dns", "pending")),
)

_SINKS = (
    Family(
        "gridtap_sink_records_total",
        "counter",
        "records formed for a sink",
        of_sinks("records"),
        _BY_SINK,
    ),
    Family(
        "gridtap_sink_bytes_total",
        "counter",
        "bytes formed for a sink",
        of_sinks("bytes"),
        _BY_SINK,
    ),
    Family(
        "gridtap_sink_filtered_records_total",
        "counter",
        "records that its filter kept away",
        _reasons("refused", behind=False),
        ("sink", "reason"),
    ),
    Family(
        "gridtap_sink_unformed_records_total",
        "counter",
        "records that its profile has no form for",
        of_sinks("unformed"),
        _BY_SINK,
    ),
    Family(
        "gridtap_sink_queued_records",
        "gauge",
        "records in its queue",
        of_sinks("queued_records"),
        _BY_SINK,
    ),
    Family(
        "gridtap_sink_queued_bytes",
        "gauge",
        "bytes in its queue",
        of_sinks("queued_bytes"),
        _BY_SINK,
    ),
    Family(
        "gridtap_sink_dropped_records_total",
        "counter",
        "records lost as its queue was full",
        of_sinks("dropped_records"),
        _BY_SINK,
    ),
    Family("gridtap_sink_up", "gauge", "0: it takes nothing now", _up, _BY_SINK),
    Family(
        "gridtap_sink_failures_total",
        "counter",
        "times that it could not take a batch",
        of_sinks("failures", behind=True),
        _BY_SINK,
    ),
    Family(
        "gridtap_sink_written_records_total",
        "counter",
        "records that it took",
        of_sinks("written_records", behind=True),
        _BY_SINK,
    ),
    Family(
        "gridtap_sink_refused_records_total",
        "counter",
        "records that it never will take",
        _reasons("refused_records", behind=True),
        ("sink", "reason"),
    ),
    Family(
        "gridtap_sink_waiting_bytes",
        "gauge",
        "bytes between the queue and the sink",
        of_sinks("waiting_bytes", behind=True),
        _BY_SINK,
    ),
    Family(
        "gridtap_sink_lost_records_total",
        "counter",
        "records that nothing had room for",
        of_sinks("lost_records", behind=True),
        _BY_SINK,
    ),
    Family(
        "gridtap_spool_records",
        "gauge",
        "records in its spool on disk",
        of_sinks("spool_records", behind=True),
        _BY_SINK,
    ),
    Family(
        "gridtap_spool_bytes",
        "gauge",
        "size of its spool",
        of_sinks("spool_bytes", behind=True),
        _BY_SINK,
    ),
    Family(
        "gridtap_spool_dropped_records_total",
        "counter",
        "records lost as its spool was full",
        of_sinks("spool_dropped_records", behind=True),
        _BY_SINK,
    ),
)

#: Every family that gridtap has under its own names
FAMILIES: tuple[Family, ...] = (*_RECEIVING, *_READING, *_STATE, *_SINKS)
