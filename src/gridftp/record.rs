//! The record of one transfer.

use crate::columns::{Json, columns};
use crate::error::FaultKind;

type Text<'a> = Option<&'a str>;
type Int = Option<i64>;
type Float = Option<f64>;

columns! {
    /// One transfer, or listing, as its server logged it.
    record Transfer "transfers" {
        /// UTC epoch seconds, with microseconds.
        started_at: Float,
        ended_at: Float,
        /// `RETR`, `STOR`, `ERET`, `ESTO`, `LIST`, ... as logged.
        operation: Text<'a>,
        /// FTP reply.
        code: Int,
        host: Text<'a>,
        /// Canonical, without brackets.
        remote_address: Text<'a>,
        path: Text<'a>,
        /// base64 of the bytes of a path that is not UTF-8.
        path_raw: Text<'a>,
        transferred_bytes: Int,
        streams: Int,
        stripes: Int,
        tcp_buffer_bytes: Int,
        block_bytes: Int,
        user: Text<'a>,
        volume: Text<'a>,
        program: Text<'a>,
        event: Text<'a>,
        task_id: Text<'a>,
        /// One for each TCP connection, `None` where the server could not count.
        retransmits: Option<&'a [Option<i64>]>,
        iostat: Option<Json<'a>>,
        mpstat: Option<Json<'a>>,
        rusage: Option<Json<'a>>,
        tcp_info: Option<Json<'a>>,
        /// Keys that we do not know, and texts that could not be read, as logged.
        extra: Option<Json<'a>>,
        /// Bits per second.
        throughput_bps: Float,
        log_file: Text<'a>,
        /// From 1.
        log_line: Int,
        /// Of the record's first byte, in the uncompressed log.
        log_offset_bytes: Int,
    }
}

/// Something wrong with a log, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogFault {
    pub kind: FaultKind,
    /// From 1.
    pub line: u64,
    /// Byte offset of the record (of the line, where there is none) in the uncompressed log.
    pub offset: u64,
    pub context: &'static str,
}

/// Takes what a scanner finds.
pub trait LogSink {
    fn transfer(&mut self, transfer: &Transfer<'_>);
    fn fault(&mut self, fault: &LogFault);
}
