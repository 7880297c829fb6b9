"""The part of a configuration that the core works by, as the JSON text that it reads."""

from __future__ import annotations

import json
import socket

from gridtap.collector.config import Config
from gridtap.collector.config_sinks import SinkConfig

__all__ = ["core_settings"]


def core_settings(config: Config) -> str:
    """Settings of ``_core.Collector``."""
    listen, state, dns = config.listen, config.state, config.dns
    return json.dumps(
        {
            "workers": listen.workers,
            "receive_buffer_bytes": listen.receive_buffer,
            "host": config.profiles.collector_host or socket.getfqdn(),
            "gate": {
                "allow": listen.allow,
                "max_packets_per_second": listen.max_packets_per_second_per_sender,
                "max_senders": listen.max_senders,
            },
            "state": {
                "max_bytes": state.max_memory,
                "file_ttl_s": state.file_ttl,
                "session_ttl_s": state.session_ttl,
                "server_ttl_s": state.server_ttl,
                "late_grace_s": state.late_grace,
                "restart_grace_s": state.restart_grace,
                "trace_wait_s": state.trace_wait,
            },
            "dns": {
                "reverse": dns.reverse,
                "cache_ttl_s": dns.cache_ttl,
                "timeout_s": dns.timeout,
                "max_entries": dns.max_entries,
            },
            "wlcg": {"vos": config.wlcg.vos, "path_prefixes": config.wlcg.path_prefixes},
            "logical_dirnames": config.profiles.logical_dirnames,
            "sinks": [_sink(each) for each in config.sinks],
        }
    )


def _sink(sink: SinkConfig) -> dict[str, object]:
    settings, taken = sink.general, sink.filter
    return {
        "name": sink.name,
        "records": settings.records,
        "profile": settings.profile,
        "strict": settings.strict,
        "time_unit": settings.time_unit,
        "form": sink.type.form,
        "filter": {
            "vos": taken.vos,
            "not_vos": taken.not_vos,
            "path_prefixes": taken.path_prefixes,
            "not_path_prefixes": taken.not_path_prefixes,
            "sites": taken.sites,
            "servers": taken.servers,
            "wlcg": taken.wlcg,
        },
        "queue_bytes": settings.queue,
        "batch_bytes": settings.batch,
        "batch_wait_s": settings.batch_wait,
    }
