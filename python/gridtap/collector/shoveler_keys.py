"""Keys of the configuration of the OSG shoveler and collector, xrootd-monitoring-shoveler.

See ``config.go`` of https://github.com/opensciencegrid/xrootd-monitoring-shoveler.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ENVIRONMENT_PREFIXES", "KEYS", "environment_name"]

#: What the names of environment variables that stand for keys begin with
ENVIRONMENT_PREFIXES = ("SHOVELER_", "COLLECTOR_")

_BUS = "message buses are not supported yet"
_FILE = "files of packets are read by gridtap decode, not by the collector"
_OWN = "not needed: the core sizes its own threads and queues"

#: Every key that those programs read, and why it has no counterpart; None: it has one.
KEYS: Mapping[str, str | None] = {
    "input.type": None,
    "input.host": None,
    "input.port": None,
    "input.buffer_size": "not needed: datagrams are always read whole",
    "input.path": _FILE,
    "input.follow": _FILE,
    "input.base64_encoded": _FILE,
    "input.broker_url": _BUS,
    "input.queue": _BUS,
    "input.topic": _BUS,
    "input.subscription": _BUS,
    "listen.ip": None,
    "listen.port": None,
    "verify": None,
    "map.all": "senders cannot be renamed",
    "outputs.destinations": "packets cannot be forwarded over UDP",
    "queue_directory": "what waits for a slow sink is in spool/ below [state] directory",
    "mq": _BUS,
    "amqp.url": _BUS,
    "amqp.exchange": _BUS,
    "amqp.token_location": _BUS,
    "amqp.publish_workers": _BUS,
    "amqp.exchange_cache": _BUS,
    "amqp.exchange_tcp": _BUS,
    "amqp.exchange_tpc": _BUS,
    "amqp.exchange_wlcg": _BUS,
    "amqp.exchange_wlcg_cache": _BUS,
    "amqp.exchange_wlcg_tpc": _BUS,
    "stomp.user": _BUS,
    "stomp.password": _BUS,
    "stomp.url": _BUS,
    "stomp.topic": _BUS,
    "stomp.cert": _BUS,
    "stomp.certkey": _BUS,
    "output.type": None,
    "output.path": None,
    "state.entry_ttl": None,
    "state.max_entries": "state is bounded in bytes, not in entries: see [state] max_memory",
    "state.enable_dns_enrichment": None,
    "state.dns_cache_ttl": None,
    "state.dns_timeout": None,
    "state.enrichment_workers": _OWN,
    "state.enrichment_queue_size": _OWN,
    "state.gstream_workers": _OWN,
    "state.gstream_queue_size": _OWN,
    "wlcg.vos": None,
    "wlcg.path_prefixes": None,
    "filter.drop_vos": None,
    "filter.drop_path_prefixes": None,
    "metrics.enable": None,
    "metrics.port": None,
    "profile.enable": "profiling of that program",
    "profile.port": "profiling of that program",
    "debug": None,
}


def environment_name(key: str) -> str:
    """What stands for a key in the names of environment variables, behind the prefix."""
    return key.upper().replace(".", "_")
