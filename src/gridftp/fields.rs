//! From the fields of a netlogger record to a transfer.

use simdutf8::compat::from_utf8;

use super::netlogger::{Fields, pairs};
use super::notes::{Named, Notes, Scratch, seconds, throughput};
use super::record::{LogSink, Transfer};
use super::time::{Day, Micros, Stamp, number};
use crate::columns::Json;
use crate::error::FaultKind;

/// Where a record stands.
pub struct Place<'a> {
    pub file: Option<&'a str>,
    pub line: u64,
    pub offset: u64,
}

/// What is remembered of the times of a log.
#[derive(Debug, Default)]
pub struct Times {
    pub day: Day,
    /// Fractions without their zeros have been remarked on.
    told_unpadded: bool,
}

/// Hands over the transfer, its faults first.
pub fn deliver<S: LogSink>(
    fields: &Fields<'_>,
    place: &Place<'_>,
    scratch: &mut Scratch,
    times: &mut Times,
    sink: &mut S,
) {
    let Scratch { address, retransmits, extra, .. } = scratch;
    extra.clear();
    let Place { line, offset, .. } = *place;
    let whole = from_utf8(fields.record).unwrap_or_default();
    let mut notes = Notes { whole, sink, extra, line, offset, is_lossy: false };
    let started = time(&mut notes, b"START", fields.start, times);
    let ended = time(&mut notes, b"DATE", fields.date, times);
    let bytes = notes.int(b"NBYTES", fields.nbytes);
    let has_retransmits = fields.retrans.is_some_and(|text| counts(&mut notes, text, retransmits));
    let task = fields.task.filter(|task| *task != b"none").unwrap_or_default();
    let (path, path_raw) = notes.path(fields.file);
    let operation = notes.text(fields.operation);
    let host = notes.text(fields.host);
    let user = notes.text(fields.user);
    let volume = notes.text(fields.volume);
    let program = notes.text(fields.prog);
    let event = notes.text(fields.event);
    let task_id = notes.text(task);
    for (key, value) in pairs(fields.further) {
        notes.extra.add(key, value);
    }
    let mut transfer = Transfer {
        started_at: seconds(started),
        ended_at: seconds(ended),
        operation: operation.as_deref(),
        code: notes.int(b"CODE", fields.code),
        host: host.as_deref(),
        remote_address: notes.peer(b"DEST", fields.dest, address),
        path: path.as_deref(),
        path_raw: path_raw.as_deref(),
        transferred_bytes: bytes,
        streams: notes.int(b"STREAMS", fields.streams),
        stripes: notes.int(b"STRIPES", fields.stripes),
        tcp_buffer_bytes: notes.int(b"BUFFER", fields.buffer),
        block_bytes: notes.int(b"BLOCK", fields.block),
        user: user.as_deref(),
        volume: volume.as_deref(),
        program: program.as_deref(),
        event: event.as_deref(),
        task_id: task_id.as_deref(),
        retransmits: has_retransmits.then_some(retransmits),
        throughput_bps: throughput(bytes, started, ended),
        log_file: place.file,
        log_line: Some(line as i64),
        log_offset_bytes: Some(offset as i64),
        ..Transfer::default()
    };
    notes.finish(started, ended);
    let Notes { sink, extra, .. } = notes;
    transfer.extra = extra.finish().map(Json);
    sink.transfer(&transfer);
}

#[inline]
fn time<S: LogSink>(
    notes: &mut Notes<'_, S>,
    key: &[u8],
    text: &[u8],
    times: &mut Times,
) -> Option<Micros> {
    let stamp = Stamp::parse(text, &mut times.day);
    if stamp.is_none() && !text.is_empty() {
        notes.keep(&Named { key, text }, FaultKind::BadTime, "a time that cannot be");
    }
    if !times.told_unpadded && stamp.is_some_and(|stamp| stamp.is_unpadded) {
        times.told_unpadded = true;
        let context = "fewer than six digits behind the point, read as microseconds";
        notes.fault(FaultKind::UnpaddedFraction, context);
    }
    stamp.map(|stamp| stamp.at)
}

/// Retransmits of each connection; whether there is a list.
fn counts<S: LogSink>(notes: &mut Notes<'_, S>, text: &[u8], into: &mut Vec<Option<i64>>) -> bool {
    into.clear();
    let mut is_good = true;
    for part in text.split(|byte| *byte == b',').filter(|part| !part.is_empty()) {
        let count = number(part);
        is_good &= count.is_some() || part == b"-1";
        into.push(count);
    }
    if !is_good {
        let named = Named { key: b"retrans", text };
        notes.keep(&named, FaultKind::BadNumber, "a list of retransmits with something else in it");
    }
    true
}
