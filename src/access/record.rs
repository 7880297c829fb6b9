//! The records that come out.

pub use crate::columns::{Cells, Column, Json, Kind, Record, Stamp, Visitor};

use crate::columns::columns;

type Text<'a> = Option<&'a str>;
type Int = Option<i64>;
type Float = Option<f64>;
type Bool = Option<bool>;

columns! {
    /// One incarnation of a server.
    group Server {
        /// Where the packets came from, canonical text.
        server_address: Text<'a>,
        server_udp_port: Int,
        /// `stod`, UTC epoch seconds.
        server_started_at: Int,
        /// sid, 48 bits.
        server_id: Int,
        server_host: Text<'a>,
        server_port: Int,
        server_instance: Text<'a>,
        server_program: Text<'a>,
        server_version: Text<'a>,
        server_site: Text<'a>,
    }
}

columns! {
    /// Who: the connection descriptor, and what the login, information, token and activity maps add.
    group User {
        /// dictid of the login.
        user_id: Int,
        user_name: Text<'a>,
        user_host: Text<'a>,
        user_protocol: Text<'a>,
        user_pid: Int,
        auth_protocol: Text<'a>,
        auth_name: Text<'a>,
        auth_host: Text<'a>,
        auth_vo: Text<'a>,
        auth_role: Text<'a>,
        auth_groups: Text<'a>,
        auth_info: Text<'a>,
        auth_app: Text<'a>,
        auth_moninfo: Text<'a>,
        ip_version: Int,
        app_info: Text<'a>,
        token_subject: Text<'a>,
        token_name: Text<'a>,
        token_vo: Text<'a>,
        token_role: Text<'a>,
        token_groups: Text<'a>,
        experiment_id: Int,
        activity_id: Int,
    }
}

columns! {
    /// One access to one file, from its open to its close.
    record FileAccess "accesses" {
        server: Server<'a>,
        file_id: Int,
        path: Text<'a>,
        /// base64 of the bytes of a path that is not UTF-8.
        path_raw: Text<'a>,
        file_size_bytes: Int,
        /// `read` or `read-write`.
        mode: Text<'a>,
        user: User<'a>,
        opened_at: Float,
        closed_at: Float,
        open_window_start: Int,
        open_window_end: Int,
        close_window_start: Int,
        close_window_end: Int,
        read_bytes: Int,
        readv_bytes: Int,
        write_bytes: Int,
        read_ops: Int,
        readv_ops: Int,
        write_ops: Int,
        readv_segments: Int,
        read_min_bytes: Int,
        read_max_bytes: Int,
        readv_min_bytes: Int,
        readv_max_bytes: Int,
        write_min_bytes: Int,
        write_max_bytes: Int,
        readv_min_segments: Int,
        readv_max_segments: Int,
        read_sigma_bytes: Float,
        readv_sigma_bytes: Float,
        write_sigma_bytes: Float,
        readv_sigma_segments: Float,
        open_seen: Bool,
        close_seen: Bool,
        close_reason: Text<'a>,
        loss_suspected: Bool,
    }
}

columns! {
    /// One login, from its first packet to its disconnect, with totals over its files.
    record Session "sessions" {
        server: Server<'a>,
        user: User<'a>,
        /// When the login's own map arrived (or, without a clock, the newest time before it).
        started_at: Float,
        ended_at: Float,
        end_window_start: Int,
        end_window_end: Int,
        /// Seconds, as the server counted them.
        duration_s: Int,
        /// `disconnect`, `restart`, `expired`, `evicted` or `open`.
        end_reason: Text<'a>,
        forced: Bool,
        files: Int,
        read_bytes: Int,
        readv_bytes: Int,
        write_bytes: Int,
        loss_suspected: Bool,
    }
}

columns! {
    /// One client sent elsewhere.
    record Redirect "redirects" {
        server: Server<'a>,
        user: User<'a>,
        /// `cluster` (the cluster management or storage decided) or `configuration`.
        kind: Text<'a>,
        operation: Text<'a>,
        target_host: Text<'a>,
        /// Only where the record holds the target's port and not the redirector's own.
        target_port: Int,
        port: Int,
        path: Text<'a>,
        /// Sent to a local file; `path` is that file.
        local: Bool,
        window_start: Int,
        window_end: Int,
    }
}

columns! {
    /// One event of the t-stream.
    record IoEvent "io" {
        server: Server<'a>,
        user: User<'a>,
        file_id: Int,
        path: Text<'a>,
        /// `open`, `read`, `write`, `readv`, `close`, `disconnect` or `appid`.
        operation: Text<'a>,
        /// Interpolated between the window marks around the event.
        at: Float,
        window_start: Int,
        window_end: Int,
        offset_bytes: Int,
        length_bytes: Int,
        segments: Int,
        readv_id: Int,
        /// The read is a segment of the `readv` before it: its bytes are there already.
        is_segment: Bool,
        file_size_bytes: Int,
        read_bytes: Int,
        write_bytes: Int,
        duration_s: Int,
        forced: Bool,
        /// A parallel connection ended, not the login.
        bound: Bool,
        app_id: Text<'a>,
    }
}

columns! {
    /// One event of a plug-in.
    record PluginEvent "plugins" {
        server: Server<'a>,
        /// The provider's letter.
        provider: Text<'a>,
        provider_name: Text<'a>,
        event: Text<'a>,
        window_start: Int,
        window_end: Int,
        path: Text<'a>,
        file_size_bytes: Int,
        began_at: Float,
        ended_at: Float,
        cache_block_size_bytes: Int,
        cache_blocks: Int,
        cache_blocks_done: Int,
        cache_access_count: Int,
        cache_hit_bytes: Int,
        cache_miss_bytes: Int,
        cache_bypass_bytes: Int,
        cache_todisk_bytes: Int,
        cache_prefetch_bytes: Int,
        cache_checksum_errors: Int,
        copy_protocol: Text<'a>,
        copy_client: Text<'a>,
        copy_return_code: Int,
        copy_streams: Int,
        copy_direction: Text<'a>,
        copy_ip_version: Int,
        copy_source: Text<'a>,
        copy_destination: Text<'a>,
        tcp_remote: Text<'a>,
        tcp_rtt_us: Float,
        tcp_lost: Int,
        tcp_retransmits: Int,
        tcp_in_bytes: Int,
        tcp_out_bytes: Int,
        throttle_io_wait_s: Float,
        throttle_io_active: Int,
        throttle_io_total: Int,
        /// The event as sent.
        data: Option<Json<'a>>,
        /// The line where it is not a JSON object (what is not UTF-8 shown as U+FFFD).
        raw: Text<'a>,
    }
}

columns! {
    /// A server identified itself, anew or differently; or the input ended without its doing so.
    record ServerIdent "servers" {
        server: Server<'a>,
        server_user: Text<'a>,
        server_pid: Int,
        identified: Bool,
        first_seen_at: Float,
    }
}

columns! {
    /// One summary report (`xrd.report`).
    record Summary "summaries" {
        server_address: Text<'a>,
        server_udp_port: Int,
        server_started_at: Int,
        server_host: Text<'a>,
        server_port: Int,
        server_instance: Text<'a>,
        server_program: Text<'a>,
        server_version: Text<'a>,
        server_site: Text<'a>,
        server_pid: Int,
        reported_at: Int,
        stats: Option<Json<'a>>,
    }
}

columns! {
    /// One datagram.
    record PacketLine "packets" {
        /// Its number in the source, from 1, and where it begins there.
        number: Int,
        offset_bytes: Int,
        received_at: Float,
        server_address: Text<'a>,
        server_udp_port: Int,
        udp_destination_port: Int,
        /// The packet code; `text` for g-streams with a text header, `summary` for reports.
        code: Text<'a>,
        sequence: Int,
        length_bytes: Int,
        server_started_at: Int,
        server_id: Int,
        /// Records, entries or events inside.
        records: Int,
        dictid: Int,
        /// userid and payload of a map.
        text: Text<'a>,
        /// What was wrong with it.
        faults: Text<'a>,
    }
}

/// Takes the records that a correlator produces. Each borrows from the correlator's tables and
/// is gone when the call returns.
pub trait Sink {
    fn access(&mut self, _: &FileAccess<'_>) {}
    fn session(&mut self, _: &Session<'_>) {}
    fn redirect(&mut self, _: &Redirect<'_>) {}
    fn io(&mut self, _: &IoEvent<'_>) {}
    fn plugin(&mut self, _: &PluginEvent<'_>) {}
    fn server(&mut self, _: &ServerIdent<'_>) {}
    fn summary(&mut self, _: &Summary<'_>) {}

    /// Whether building I/O events is worth the time.
    fn wants_io(&self) -> bool {
        false
    }
}
