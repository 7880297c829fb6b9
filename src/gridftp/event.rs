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

use simdutf8::compat::from_utf8;
use std::borrow::Cow;

use super::fields::Place;
use super::json::{Reader, Value};
use super::keys::Keys;
use super::notes::{Named, Notes, Object, Scratch, seconds, throughput};
use super::record::{LogSink, Transfer};
use super::statistics::{Copied, StreamKeys, Streams, statistics};
use super::text::{Wrong, copy_text, unescape};
use super::time::{Micros, epoch};
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

/// What a key of the object itself stands for.
#[derive(Debug)]
enum Key {
    /// The place in [`KEYS`].
    Value(usize),
    Iostat,
    Mpstat,
    Rusage,
    Streams,
    Other(Vec<u8>),
}

fn meaning(key: &[u8]) -> Result<Key, Wrong> {
    let key = unescape(key)?;
    Ok(match &*key {
        b"iostat" => Key::Iostat,
        b"mpstat" => Key::Mpstat,
        b"getrusage" => Key::Rusage,
        b"streams" => Key::Streams,
        _ => match KEYS.iter().position(|name| name.as_bytes() == &*key) {
            Some(at) => Key::Value(at),
            None => Key::Other(key.into_owned()),
        },
    })
}

/// The keys of the last record.
#[derive(Debug, Default)]
pub struct KnownKeys {
    event: Keys<Key>,
    iostat: Keys<Copied>,
    mpstat: Keys<Copied>,
    rusage: Keys<Copied>,
    stream: StreamKeys,
}

/// The values of one object. Statistics are in the scratch memory.
pub struct Event<'a> {
    values: [Value<'a>; KEYS.len()],
    streams: Streams,
    /// The object, if all of it is UTF-8.
    whole: &'a str,
}

impl<'a> Event<'a> {
    /// Reads one object and stays behind it.
    pub fn read(
        reader: &mut Reader<'a>,
        known: &mut KnownKeys,
        scratch: &mut Scratch,
    ) -> Result<Self, Wrong> {
        let begin = reader.position();
        scratch.extra.clear();
        for buffer in [&mut scratch.iostat, &mut scratch.mpstat, &mut scratch.rusage] {
            buffer.clear();
        }
        scratch.tcp_info.clear();
        let mut values = [Value::Null; _];
        let mut streams = Streams::default();
        let KnownKeys { event, iostat, mpstat, rusage, stream } = known;
        event.read(reader, meaning, |reader, key| match key {
            Key::Value(at) => {
                let value = reader.value()?;
                if value == Value::Nested {
                    let name = KEYS.get(*at).map_or("", |name| name);
                    return keep(reader, name.as_bytes(), &mut scratch.extra);
                }
                if let Some(slot) = values.get_mut(*at) {
                    *slot = value;
                }
                Ok(())
            }
            Key::Iostat => statistics(reader, iostat, &mut scratch.iostat),
            Key::Mpstat => statistics(reader, mpstat, &mut scratch.mpstat),
            Key::Rusage => statistics(reader, rusage, &mut scratch.rusage),
            Key::Streams => {
                let Scratch { tcp_info, retransmits, .. } = &mut *scratch;
                streams.read(reader, stream, tcp_info, retransmits)
            }
            Key::Other(key) => keep(reader, key, &mut scratch.extra),
        })?;
        let whole = from_utf8(reader.since(begin)).unwrap_or_default();
        Ok(Self { values, streams, whole })
    }

    /// Whether this is the end of a transfer.
    pub fn is_transfer(&self) -> bool {
        matches!(self.values, [Value::Text(b"Transfer-End"), ..])
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
        let mut notes = Notes { whole: self.whole, sink, extra, line, offset, is_lossy: false };
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
            stripes: self.streams.largest_stripe.and_then(|stripe| stripe.checked_add(1)),
            tcp_buffer_bytes: int(&mut notes, "tcp_bufsize", buffer),
            block_bytes: int(&mut notes, "globus_blocksize", block),
            user: user.as_deref(),
            volume: volume.as_deref(),
            program: program.as_deref(),
            event: event.as_deref(),
            task_id: task_id.as_deref(),
            retransmits: self.streams.are_listed.then_some(retransmits),
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
fn keep(reader: &mut Reader<'_>, key: &[u8], extra: &mut Object) -> Result<(), Wrong> {
    match reader.value()? {
        Value::Null => {}
        Value::Text(text) => extra.add(key, &unescape(text)?),
        Value::Number(text) => extra.add(key, text),
        Value::Bool(truth) => extra.add(key, truth.to_string().as_bytes()),
        Value::Nested => {
            let mut text = Vec::new();
            reader.copy(&mut text, copy_text, 1)?;
            extra.add(key, &text);
        }
    }
    Ok(())
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
