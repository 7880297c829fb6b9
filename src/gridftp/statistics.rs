//! What instrumented servers log beside a transfer: of their disks, their processors and their TCP
//! connections. Copied as it stands, with tidy keys.

use super::json::{Reader, close};
use super::keys::Keys;
use super::text::{Rename, Wrong, copy_text, tidy_key};
use super::time::number;

/// A key, and how it is copied: with quotes and colon.
#[derive(Debug)]
pub struct Copied {
    key: Vec<u8>,
    text: Vec<u8>,
}

impl Copied {
    fn new(key: &[u8], rename: Rename) -> Result<Self, Wrong> {
        let mut text = Vec::new();
        rename(key, &mut text)?;
        text.push(b':');
        Ok(Self { key: key.to_vec(), text })
    }
}

/// Copies statistics; nothing for null.
pub fn statistics(
    reader: &mut Reader<'_>,
    known: &mut Keys<Copied>,
    out: &mut Vec<u8>,
) -> Result<(), Wrong> {
    out.clear();
    if reader.peek() == Some(b'{') {
        return copy(reader, known, tidy_key, out, |reader, _, out| reader.copy(out, tidy_key, 2));
    }
    reader.copy(out, tidy_key, 1)?;
    if out == b"null" {
        out.clear();
    }
    Ok(())
}

/// Copies an object; `each` has to copy the value of each key.
#[inline]
fn copy<'a>(
    reader: &mut Reader<'a>,
    known: &mut Keys<Copied>,
    rename: Rename,
    out: &mut Vec<u8>,
    mut each: impl FnMut(&mut Reader<'a>, &[u8], &mut Vec<u8>) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let mut separator = b'{';
    known.read(
        reader,
        |key| Copied::new(key, rename),
        |reader, Copied { key, text }| {
            out.push(separator);
            separator = b',';
            out.extend_from_slice(text);
            each(reader, key, out)
        },
    )?;
    close(out, separator, b'{', b'}');
    Ok(())
}

/// The streams of a transfer.
#[derive(Default)]
pub struct Streams {
    pub largest_stripe: Option<i64>,
    /// There is a list of them.
    pub are_listed: bool,
}

/// Keys of a stream, and of its TCP connection.
#[derive(Debug, Default)]
pub struct StreamKeys {
    stream: Keys<Copied>,
    connection: Keys<Copied>,
}

impl Streams {
    /// Copies the streams, and gathers their retransmits.
    pub fn read(
        &mut self,
        reader: &mut Reader<'_>,
        known: &mut StreamKeys,
        out: &mut Vec<u8>,
        retransmits: &mut Vec<Option<i64>>,
    ) -> Result<(), Wrong> {
        out.clear();
        retransmits.clear();
        if reader.peek() != Some(b'[') {
            return statistics(reader, &mut Keys::default(), out);
        }
        self.are_listed = true;
        let mut separator = b'[';
        reader.list(|reader| {
            out.push(separator);
            separator = b',';
            let (stripe, lost) = stream(reader, known, out)?;
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
}

/// Copies one stream: its stripe and its retransmits.
fn stream(
    reader: &mut Reader<'_>,
    known: &mut StreamKeys,
    out: &mut Vec<u8>,
) -> Result<(Option<i64>, Option<i64>), Wrong> {
    let (mut stripe, mut retransmits) = (None, None);
    if reader.peek() != Some(b'{') {
        reader.copy(out, tidy_key, 2)?;
        return Ok((None, None));
    }
    let StreamKeys { stream, connection: tcp } = known;
    copy(reader, stream, copy_text, out, |reader, key, out| {
        let begin = out.len();
        if key == b"TCPinfo" && reader.peek() == Some(b'{') {
            retransmits = connection(reader, tcp, out)?;
            return Ok(());
        }
        reader.copy(out, copy_text, 3)?;
        if key == b"stripe" {
            stripe = out.get(begin..).and_then(number);
        }
        Ok(())
    })?;
    Ok((stripe, retransmits))
}

/// Copies what TCP knew of one connection: its retransmits.
fn connection(
    reader: &mut Reader<'_>,
    known: &mut Keys<Copied>,
    out: &mut Vec<u8>,
) -> Result<Option<i64>, Wrong> {
    let mut retransmits = None;
    copy(reader, known, tidy_key, out, |reader, key, out| {
        let begin = out.len();
        reader.copy(out, tidy_key, 4)?;
        if key == b"total_retrans" {
            retransmits = out.get(begin..).and_then(number);
        }
        Ok(())
    })?;
    Ok(retransmits)
}
