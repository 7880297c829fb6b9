"""Records: what correlated packets add up to.

Each class is a named tuple whose fields are the keys of JSON lines and the columns of Arrow, CSV
and Parquet output. A field is ``None`` when the server did not say. Names carry their unit:
``_bytes``, ``_s`` (seconds); ``_at`` and ``_window_`` fields are UTC epoch seconds.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = [
    "RECORDS",
    "FileAccess",
    "IoEvent",
    "PacketLine",
    "PluginEvent",
    "Record",
    "Redirect",
    "ServerIdent",
    "Session",
    "Summary",
]


class FileAccess(NamedTuple):
    """One access to one file, from its open to its close.

    Totals are those of the close; without one, those of the last transfer report.
    """

    server_address: str | None
    server_udp_port: int | None
    server_started_at: int | None
    server_id: int | None
    server_host: str | None
    server_port: int | None
    server_instance: str | None
    server_program: str | None
    server_version: str | None
    server_site: str | None
    file_id: int | None
    path: str | None
    path_raw: str | None
    """base64 of the bytes of a path that is not UTF-8."""
    file_size_bytes: int | None
    mode: str | None
    """``read`` or ``read-write``."""
    user_id: int | None
    """dictid of the login."""
    user_name: str | None
    user_host: str | None
    user_protocol: str | None
    user_pid: int | None
    auth_protocol: str | None
    auth_name: str | None
    auth_host: str | None
    auth_vo: str | None
    auth_role: str | None
    auth_groups: str | None
    auth_info: str | None
    auth_app: str | None
    auth_moninfo: str | None
    ip_version: int | None
    app_info: str | None
    token_subject: str | None
    token_name: str | None
    token_vo: str | None
    token_role: str | None
    token_groups: str | None
    experiment_id: int | None
    activity_id: int | None
    opened_at: float | None
    closed_at: float | None
    open_window_start: int | None
    open_window_end: int | None
    close_window_start: int | None
    close_window_end: int | None
    read_bytes: int | None
    readv_bytes: int | None
    write_bytes: int | None
    read_ops: int | None
    readv_ops: int | None
    write_ops: int | None
    readv_segments: int | None
    read_min_bytes: int | None
    read_max_bytes: int | None
    readv_min_bytes: int | None
    readv_max_bytes: int | None
    write_min_bytes: int | None
    write_max_bytes: int | None
    readv_min_segments: int | None
    readv_max_segments: int | None
    read_sigma_bytes: float | None
    readv_sigma_bytes: float | None
    write_sigma_bytes: float | None
    readv_sigma_segments: float | None
    open_seen: bool | None
    close_seen: bool | None
    close_reason: str | None
    loss_suspected: bool | None


class Session(NamedTuple):
    """One login, from its first packet to its disconnect, with totals over its files."""

    server_address: str | None
    server_udp_port: int | None
    server_started_at: int | None
    server_id: int | None
    server_host: str | None
    server_port: int | None
    server_instance: str | None
    server_program: str | None
    server_version: str | None
    server_site: str | None
    user_id: int | None
    """dictid of the login."""
    user_name: str | None
    user_host: str | None
    user_protocol: str | None
    user_pid: int | None
    auth_protocol: str | None
    auth_name: str | None
    auth_host: str | None
    auth_vo: str | None
    auth_role: str | None
    auth_groups: str | None
    auth_info: str | None
    auth_app: str | None
    auth_moninfo: str | None
    ip_version: int | None
    app_info: str | None
    token_subject: str | None
    token_name: str | None
    token_vo: str | None
    token_role: str | None
    token_groups: str | None
    experiment_id: int | None
    activity_id: int | None
    started_at: float | None
    """When the login's own map arrived (or, without a clock, the newest time before it)."""
    ended_at: float | None
    end_window_start: int | None
    end_window_end: int | None
    duration_s: int | None
    end_reason: str | None
    """``disconnect``, ``restart``, ``expired``, ``evicted`` or ``open``."""
    forced: bool | None
    files: int | None
    read_bytes: int | None
    readv_bytes: int | None
    write_bytes: int | None
    loss_suspected: bool | None


class Redirect(NamedTuple):
    """One client sent elsewhere."""

    server_address: str | None
    server_udp_port: int | None
    server_started_at: int | None
    server_id: int | None
    server_host: str | None
    server_port: int | None
    server_instance: str | None
    server_program: str | None
    server_version: str | None
    server_site: str | None
    user_id: int | None
    """dictid of the login."""
    user_name: str | None
    user_host: str | None
    user_protocol: str | None
    user_pid: int | None
    auth_protocol: str | None
    auth_name: str | None
    auth_host: str | None
    auth_vo: str | None
    auth_role: str | None
    auth_groups: str | None
    auth_info: str | None
    auth_app: str | None
    auth_moninfo: str | None
    ip_version: int | None
    app_info: str | None
    token_subject: str | None
    token_name: str | None
    token_vo: str | None
    token_role: str | None
    token_groups: str | None
    experiment_id: int | None
    activity_id: int | None
    kind: str | None
    """``cluster`` (the cluster management or storage decided) or ``configuration``."""
    operation: str | None
    """``open``, ``read``, ``write``, ``readv``, ``close``, ``disconnect`` or ``appid``."""
    target_host: str | None
    target_port: int | None
    """Only where the record holds the target's port and not the redirector's own."""
    port: int | None
    path: str | None
    local: bool | None
    """Sent to a local file; ``path`` is that file."""
    window_start: int | None
    window_end: int | None


class IoEvent(NamedTuple):
    """One event of the t-stream."""

    server_address: str | None
    server_udp_port: int | None
    server_started_at: int | None
    server_id: int | None
    server_host: str | None
    server_port: int | None
    server_instance: str | None
    server_program: str | None
    server_version: str | None
    server_site: str | None
    user_id: int | None
    """dictid of the login."""
    user_name: str | None
    user_host: str | None
    user_protocol: str | None
    user_pid: int | None
    auth_protocol: str | None
    auth_name: str | None
    auth_host: str | None
    auth_vo: str | None
    auth_role: str | None
    auth_groups: str | None
    auth_info: str | None
    auth_app: str | None
    auth_moninfo: str | None
    ip_version: int | None
    app_info: str | None
    token_subject: str | None
    token_name: str | None
    token_vo: str | None
    token_role: str | None
    token_groups: str | None
    experiment_id: int | None
    activity_id: int | None
    file_id: int | None
    path: str | None
    operation: str | None
    """``open``, ``read``, ``write``, ``readv``, ``close``, ``disconnect`` or ``appid``."""
    at: float | None
    """Interpolated between the window marks around the event."""
    window_start: int | None
    window_end: int | None
    offset_bytes: int | None
    length_bytes: int | None
    segments: int | None
    readv_id: int | None
    is_segment: bool | None
    """The read is a segment of the ``readv`` before it: its bytes are there already."""
    file_size_bytes: int | None
    read_bytes: int | None
    write_bytes: int | None
    duration_s: int | None
    forced: bool | None
    bound: bool | None
    """A parallel connection ended, not the login."""
    app_id: str | None


class PluginEvent(NamedTuple):
    """One event of a plug-in (g-stream)."""

    server_address: str | None
    server_udp_port: int | None
    server_started_at: int | None
    server_id: int | None
    server_host: str | None
    server_port: int | None
    server_instance: str | None
    server_program: str | None
    server_version: str | None
    server_site: str | None
    provider: str | None
    """The provider's letter."""
    provider_name: str | None
    event: str | None
    window_start: int | None
    window_end: int | None
    path: str | None
    file_size_bytes: int | None
    began_at: float | None
    ended_at: float | None
    cache_block_size_bytes: int | None
    cache_blocks: int | None
    cache_blocks_done: int | None
    cache_access_count: int | None
    cache_hit_bytes: int | None
    cache_miss_bytes: int | None
    cache_bypass_bytes: int | None
    cache_todisk_bytes: int | None
    cache_prefetch_bytes: int | None
    cache_checksum_errors: int | None
    copy_protocol: str | None
    copy_client: str | None
    copy_return_code: int | None
    copy_streams: int | None
    copy_direction: str | None
    copy_ip_version: int | None
    copy_source: str | None
    copy_destination: str | None
    tcp_remote: str | None
    tcp_rtt_us: float | None
    tcp_lost: int | None
    tcp_retransmits: int | None
    tcp_in_bytes: int | None
    tcp_out_bytes: int | None
    throttle_io_wait_s: float | None
    throttle_io_active: int | None
    throttle_io_total: int | None
    data: str | None
    """The event as sent. JSON text."""
    raw: str | None
    """The line where it is not a JSON object (what is not UTF-8 shown as U+FFFD)."""


class ServerIdent(NamedTuple):
    """A server identified itself, anew or differently; or never did until the input ended."""

    server_address: str | None
    server_udp_port: int | None
    server_started_at: int | None
    server_id: int | None
    server_host: str | None
    server_port: int | None
    server_instance: str | None
    server_program: str | None
    server_version: str | None
    server_site: str | None
    server_user: str | None
    server_pid: int | None
    identified: bool | None
    first_seen_at: float | None


class Summary(NamedTuple):
    """One summary report (``xrd.report``)."""

    server_address: str | None
    server_udp_port: int | None
    server_started_at: int | None
    server_host: str | None
    server_port: int | None
    server_instance: str | None
    server_program: str | None
    server_version: str | None
    server_site: str | None
    server_pid: int | None
    reported_at: int | None
    stats: str | None
    """JSON text."""


class PacketLine(NamedTuple):
    """One datagram."""

    number: int | None
    """Its number in the source, from 1, and where it begins there."""
    offset_bytes: int | None
    received_at: float | None
    server_address: str | None
    server_udp_port: int | None
    udp_destination_port: int | None
    code: str | None
    """The packet code; ``text`` for g-streams with a text header, ``summary`` for reports."""
    sequence: int | None
    length_bytes: int | None
    server_started_at: int | None
    server_id: int | None
    records: int | None
    """Records, entries or events inside."""
    dictid: int | None
    text: str | None
    """userid and payload of a map."""
    faults: str | None
    """What was wrong with it."""


Record = (
    FileAccess | Session | Redirect | IoEvent | PluginEvent | ServerIdent | Summary | PacketLine
)

#: Record class by its name in ``gridtap decode --what``.
RECORDS: Final[dict[str, type[Record]]] = {
    "packets": PacketLine,
    "accesses": FileAccess,
    "sessions": Session,
    "redirects": Redirect,
    "io": IoEvent,
    "plugins": PluginEvent,
    "servers": ServerIdent,
    "summaries": Summary,
}
