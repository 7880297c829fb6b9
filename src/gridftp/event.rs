//! The JSON form: one object a line.
//!
//! | key                                         | value                                    |
//! |---------------------------------------------|------------------------------------------|
//! | `event_type`                                | `Transfer-End`; others are no transfers  |
//! | `start_timestamp`, `end_timestamp`          | epoch seconds, number or text            |
//! | `nbytes`, `nstreams`, `ret_code`, ...       | number or text                           |
//! | `host`                                      | sometimes with a line feed at its end    |
//! | `iostat`, `mpstat`, `getrusage`             | objects, keys as the tools print them    |
//! | `streams`                                   | `[{"stripe", "stream", "TCPinfo": {}}]`  |

use std::borrow::Cow;

use super::fields::Place;
use super::json::{Reader, Value, Wrong, close, copy_text, tidy_key, unescape};
use super::notes::{Named, Notes, Scratch, seconds, throughput};
use super::record::{LogSink, Transfer};
use super::time::{Micros, epoch, number};
use crate::columns::Json;
use crate::error::FaultKind;

const KEYS: [&str; 16] = [
    "event_type",
    "transferID",
    "start_timestamp",
    "end_timestamp",
    "host",
    "prog",
    "user",
    "file",
    "volume",
    "tcp_bufsize",
    "globus_blocksize",
    "nbytes",
    "nstreams",
    "dest",
    "cmd_type",
    "ret_code",
];

/// The values of one object. Statistics are in the scratch memory.
pub struct Event<'a> {
    values: [Value<'a>; KEYS.len()],
    largest_stripe: Option<i64>,
    has_streams: bool,
}

impl<'a> Event<'a> {
    /// Reads one object and stays behind it.
    pub fn read(reader: &mut Reader<'a>, scratch: &mut Scratch) -> Result<Self, Wrong> {
        scratch.extra.clear();
        for buffer in [&mut scratch.iostat, &mut scratch.mpstat, &mut scratch.rusage] {
            buffer.clear();
        }
        scratch.tcp_info.clear();
        let mut event = Self { values: [Value::Null; _], largest_stripe: None, has_streams: false };
        // Objects have their keys in the same order, mostly: the next one is looked for first.
        let mut next = 0;
        reader.object(|reader, key| {
            let key = unescape(key)?;
            let is_next = KEYS.get(next).is_some_and(|name| name.as_bytes() == &*key);
            let at = match &*key {
                _ if is_next => Some(next),
                b"iostat" | b"mpstat" | b"getrusage" | b"streams" => None,
                key => KEYS.iter().position(|name| name.as_bytes() == key),
            };
            match (at, &*key) {
                (Some(at), key) => {
                    next = at + 1;
                    let value = reader.value()?;
                    if value == Value::Nested {
                        return keep(reader, key, scratch);
                    }
                    if let Some(slot) = event.values.get_mut(at) {
                        *slot = value;
                    }
                    Ok(())
                }
                (None, b"iostat") => statistics(reader, &mut scratch.iostat),
                (None, b"mpstat") => statistics(reader, &mut scratch.mpstat),
                (None, b"getrusage") => statistics(reader, &mut scratch.rusage),
                (None, b"streams") => event.streams(reader, scratch),
                (None, key) => keep(reader, key, scratch),
            }
        })?;
        Ok(event)
    }

    /// Whether this is the end of a transfer.
    pub fn is_transfer(&self) -> bool {
        matches!(self.values, [Value::Text(b"Transfer-End"), ..])
    }

    fn streams(&mut self, reader: &mut Reader<'a>, scratch: &mut Scratch) -> Result<(), Wrong> {
        let Scratch { tcp_info: out, retransmits, .. } = scratch;
        out.clear();
        retransmits.clear();
        if reader.peek() != Some(b'[') {
            return statistics(reader, out);
        }
        self.has_streams = true;
        let mut separator = b'[';
        reader.list(|reader| {
            out.push(separator);
            separator = b',';
            let (stripe, lost) = stream(reader, out)?;
            self.largest_stripe = self.largest_stripe.max(stripe);
            retransmits.push(lost);
            Ok(())
        })?;
        close(out, separator, b'[', b']');
        if retransmits.iter().all(Option::is_none) {
            retransmits.clear();
        }
        Ok(())
    }

    /// Hands over the transfer, its faults first.
    pub fn deliver<S: LogSink>(&self, place: &Place<'_>, scratch: &mut Scratch, sink: &mut S) {
        let [
            kind,
            id,
            start,
            end,
            host,
            prog,
            user,
            file,
            volume,
            buffer,
            block,
            size,
            streams,
            dest,
            operation,
            code,
        ] = &self.values;
        let Scratch { address, retransmits, extra, iostat, mpstat, rusage, tcp_info } = scratch;
        let Place { line, offset, .. } = *place;
        let mut notes = Notes { whole: "", sink, extra, line, offset, is_lossy: false };
        let texts = [kind, id, host, prog, user, volume, dest, operation, file].map(bytes);
        let [kind, id, host, prog, user, volume, dest, operation, file] = &texts;
        let started = time(&mut notes, "start_timestamp", start);
        let ended = time(&mut notes, "end_timestamp", end);
        let bytes = int(&mut notes, "nbytes", size);
        let (path, path_raw) = notes.path(file);
        let host = notes.text(host.trim_ascii());
        let operation = notes.text(operation);
        let user = notes.text(user);
        let volume = notes.text(volume);
        let program = notes.text(prog);
        let event = notes.text(kind);
        let task_id = notes.text(if **id == *b"none" { b"" } else { id });
        let mut transfer = Transfer {
            started_at: seconds(started),
            ended_at: seconds(ended),
            operation: operation.as_deref(),
            code: int(&mut notes, "ret_code", code),
            host: host.as_deref(),
            remote_address: notes.peer(b"dest", dest, address),
            path: path.as_deref(),
            path_raw: path_raw.as_deref(),
            transferred_bytes: bytes,
            streams: int(&mut notes, "nstreams", streams),
            stripes: self.largest_stripe.and_then(|stripe| stripe.checked_add(1)),
            tcp_buffer_bytes: int(&mut notes, "tcp_bufsize", buffer),
            block_bytes: int(&mut notes, "globus_blocksize", block),
            user: user.as_deref(),
            volume: volume.as_deref(),
            program: program.as_deref(),
            event: event.as_deref(),
            task_id: task_id.as_deref(),
            retransmits: self.has_streams.then_some(retransmits),
            iostat: known(iostat),
            mpstat: known(mpstat),
            rusage: known(rusage),
            tcp_info: known(tcp_info),
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
}

/// A value that we have no column for, as text.
fn keep(reader: &mut Reader<'_>, key: &[u8], scratch: &mut Scratch) -> Result<(), Wrong> {
    match reader.value()? {
        Value::Null => {}
        Value::Text(text) => scratch.extra.add(key, &unescape(text)?),
        Value::Number(text) => scratch.extra.add(key, text),
        Value::Bool(truth) => scratch.extra.add(key, truth.to_string().as_bytes()),
        Value::Nested => {
            let mut text = Vec::new();
            reader.copy(&mut text, copy_text, 1)?;
            scratch.extra.add(key, &text);
        }
    }
    Ok(())
}

fn statistics(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Wrong> {
    out.clear();
    reader.copy(out, tidy_key, 1)?;
    if out == b"null" {
        out.clear();
    }
    Ok(())
}

/// Copies one stream: its stripe and its retransmits.
fn stream(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(Option<i64>, Option<i64>), Wrong> {
    let (mut stripe, mut retransmits) = (None, None);
    if reader.peek() != Some(b'{') {
        reader.copy(out, tidy_key, 2)?;
        return Ok((None, None));
    }
    let mut separator = b'{';
    reader.object(|reader, key| {
        out.push(separator);
        separator = b',';
        copy_text(key, out)?;
        out.push(b':');
        let begin = out.len();
        if key == b"TCPinfo" && reader.peek() == Some(b'{') {
            retransmits = connection(reader, out)?;
            return Ok(());
        }
        reader.copy(out, copy_text, 3)?;
        if key == b"stripe" {
            stripe = out.get(begin..).and_then(number);
        }
        Ok(())
    })?;
    close(out, separator, b'{', b'}');
    Ok((stripe, retransmits))
}

/// Copies what TCP knew of one connection: its retransmits.
fn connection(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<Option<i64>, Wrong> {
    let mut retransmits = None;
    let mut separator = b'{';
    reader.object(|reader, key| {
        out.push(separator);
        separator = b',';
        tidy_key(key, out)?;
        out.push(b':');
        let begin = out.len();
        reader.copy(out, tidy_key, 4)?;
        if key == b"total_retrans" {
            retransmits = out.get(begin..).and_then(number);
        }
        Ok(())
    })?;
    close(out, separator, b'{', b'}');
    Ok(retransmits)
}

fn known(json: &[u8]) -> Option<Json<'_>> {
    str::from_utf8(json).ok().filter(|text| !text.is_empty()).map(Json)
}

/// A value as bytes: numbers are texts where texts are expected. Escapes that stand for nothing stay
/// as they are.
fn bytes<'a>(value: &Value<'a>) -> Cow<'a, [u8]> {
    match value {
        Value::Text(text) => unescape(text).unwrap_or(Cow::Borrowed(text)),
        Value::Number(text) => Cow::Borrowed(text),
        Value::Bool(true) => Cow::Borrowed(b"true"),
        Value::Bool(false) => Cow::Borrowed(b"false"),
        Value::Null | Value::Nested => Cow::Borrowed(b""),
    }
}

fn time<S: LogSink>(notes: &mut Notes<'_, S>, key: &str, value: &Value<'_>) -> Option<Micros> {
    let text = bytes(value);
    let at = epoch(&text);
    if at.is_none() && !text.is_empty() {
        let named = Named { key: key.as_bytes(), text: &text };
        notes.keep(&named, FaultKind::BadTime, "a time that cannot be");
    }
    at
}

fn int<S: LogSink>(notes: &mut Notes<'_, S>, key: &str, value: &Value<'_>) -> Option<i64> {
    let text = bytes(value);
    let text = text.trim_ascii();
    // Python writes whole floats with their point.
    notes.int(key.as_bytes(), text.strip_suffix(b".0").unwrap_or(text))
}
