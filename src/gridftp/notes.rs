//! What a record's values mean, and what is said about those that mean nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

use super::address::{Peer, peer};
use super::record::{LogFault, LogSink};
use super::time::{Micros, SECOND, number};
use crate::error::FaultKind;
use crate::quote::quote;

/// Memory that records borrow, kept from one to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    pub address: String,
    pub retransmits: Vec<Option<i64>>,
    pub extra: Object,
    pub iostat: Vec<u8>,
    pub mpstat: Vec<u8>,
    pub rusage: Vec<u8>,
    pub tcp_info: Vec<u8>,
}

/// A JSON object of texts.
#[derive(Debug, Default)]
pub struct Object(Vec<u8>);

impl Object {
    pub fn clear(&mut self) {
        self.0.clear();
    }

    #[cold]
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        quote(&String::from_utf8_lossy(key), &mut self.0);
        self.0.push(b':');
        quote(&String::from_utf8_lossy(value), &mut self.0);
    }

    /// The object, unless it is empty.
    pub fn finish(&mut self) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        self.0.push(b'}');
        str::from_utf8(&self.0).ok()
    }
}

/// A value with the key that it is kept under if it means nothing.
pub struct Named<'a> {
    pub key: &'a [u8],
    pub text: &'a [u8],
}

/// The remarks on one record.
pub struct Notes<'s, S: LogSink> {
    /// The record, if all of it is UTF-8: its parts need no check of their own then.
    pub whole: &'s str,
    pub sink: &'s mut S,
    pub extra: &'s mut Object,
    pub line: u64,
    pub offset: u64,
    pub is_lossy: bool,
}

/// The part of a text that `bytes` are, if they are one.
#[inline(always)]
fn part_of<'a>(whole: &'a str, bytes: &[u8]) -> Option<&'a str> {
    let begin = bytes.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    whole.get(begin..begin.checked_add(bytes.len())?)
}

impl<'s, S: LogSink> Notes<'s, S> {
    #[cold]
    pub fn fault(&mut self, kind: FaultKind, context: &'static str) {
        let Self { line, offset, .. } = *self;
        self.sink.fault(&LogFault { kind, line, offset, context });
    }

    #[cold]
    pub fn keep(&mut self, value: &Named<'_>, kind: FaultKind, context: &'static str) {
        self.fault(kind, context);
        self.extra.add(value.key, value.text);
    }

    #[inline]
    pub fn int(&mut self, key: &[u8], text: &[u8]) -> Option<i64> {
        let value = number(text);
        if value.is_none() && !text.is_empty() {
            let context = "a size or count that is no number";
            self.keep(&Named { key, text }, FaultKind::BadNumber, context);
        }
        value
    }

    /// A text; nothing for an empty one.
    #[inline]
    pub fn text<'a>(&mut self, bytes: &'a [u8]) -> Option<Cow<'a, str>>
    where
        's: 'a,
    {
        if bytes.is_empty() {
            return None;
        }
        if let Some(text) = part_of(self.whole, bytes) {
            return Some(Cow::Borrowed(text));
        }
        Some(match str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => self.lossy(bytes),
        })
    }

    #[cold]
    fn lossy<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, str> {
        self.is_lossy = true;
        String::from_utf8_lossy(bytes)
    }

    /// A path and, if that had to change to be shown, its bytes.
    #[inline]
    pub fn path<'a>(&mut self, bytes: &'a [u8]) -> (Option<Cow<'a, str>>, Option<String>)
    where
        's: 'a,
    {
        let path = self.text(bytes);
        let raw = matches!(path, Some(Cow::Owned(_))).then(|| STANDARD.encode(bytes));
        (path, raw)
    }

    #[inline]
    pub fn peer<'a>(
        &mut self,
        key: &[u8],
        text: &'a [u8],
        buffer: &'a mut String,
    ) -> Option<&'a str> {
        let (address, has_more) = peer(text, buffer);
        match address {
            Peer::Bad => {
                let context = "a peer that is no address";
                self.keep(&Named { key, text }, FaultKind::BadAddress, context);
            }
            _ if has_more => self.extra.add(key, text),
            _ => {}
        }
        match address {
            Peer::Known(text) => Some(text),
            _ => None,
        }
    }

    /// What can be said once all values have been looked at.
    pub fn finish(&mut self, started: Option<Micros>, ended: Option<Micros>) {
        if self.is_lossy {
            self.fault(FaultKind::BadEncoding, "a text that is not UTF-8");
        }
        if started.zip(ended).is_some_and(|(started, ended)| ended < started) {
            self.fault(FaultKind::ClockStep, "a transfer that ends before it begins");
        }
    }
}

pub fn seconds(at: Option<Micros>) -> Option<f64> {
    at.map(|micros| micros as f64 / SECOND as f64)
}

/// Bits per second, where time passed.
pub fn throughput(
    bytes: Option<i64>,
    started: Option<Micros>,
    ended: Option<Micros>,
) -> Option<f64> {
    let duration = ended? - started?;
    let bits = 8.0 * bytes? as f64;
    (duration > 0).then(|| bits / (duration as f64 / SECOND as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_json() {
        let mut object = Object::default();
        assert_eq!(object.finish(), None);
        object.add(b"a\"", b"\xff=\n");
        object.add(b"b", b"");
        assert_eq!(object.finish(), Some("{\"a\\\"\":\"\u{fffd}=\\n\",\"b\":\"\"}"));
    }

    #[test]
    fn parts_are_found_where_they_are() {
        let whole = "aü b";
        let bytes = whole.as_bytes();
        assert_eq!(part_of(whole, &bytes[1..3]), Some("ü"));
        assert_eq!(part_of(whole, &bytes[2..3]), None, "not a whole character");
        assert_eq!(part_of(&whole[..1], &bytes[1..3]), None);
        assert_eq!(part_of(&whole[1..], &bytes[..1]), None);
        assert_eq!(part_of("", b"a"), None);
    }

    #[test]
    fn rates() {
        assert_eq!(throughput(Some(5_000_000_000), Some(0), Some(20 * SECOND)), Some(2e9));
        assert_eq!(throughput(Some(5), Some(7), Some(7)), None);
        assert_eq!(throughput(Some(5), Some(8), Some(7)), None);
        assert_eq!(throughput(None, Some(7), Some(8)), None);
    }
}
