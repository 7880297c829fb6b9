//! A line of `KEY=value`, read value by value without a search for each.

use super::address::begins_with_ipv4;
use super::digits::{Few, number};
use super::marks::{BLOCK, ends};
use super::time::{Day, Micros, PADDED, Stamp};

/// What is still to be read of a line, and of what follows it: from the blank in front of a key on,
/// or from the line's end.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    text: &'a str,
    rest: &'a [u8],
    /// Where values end, a bit for each byte from here on; 0 if nobody has looked yet, or so far.
    ends: u64,
}

impl<'a> Line<'a> {
    #[inline(always)]
    pub fn new(text: &'a str) -> Self {
        Self { text, rest: text.as_bytes(), ends: 0 }
    }

    /// Bytes that have been read.
    #[inline(always)]
    pub fn position(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    /// What has been read from there on.
    #[inline(always)]
    pub fn since(&self, begin: usize) -> Option<&'a str> {
        self.text.get(begin..self.position())
    }

    /// Skips a text, if it is not empty and this is it.
    #[inline(always)]
    pub fn skip(&mut self, text: &str) -> bool {
        let behind = self.rest.strip_prefix(text.as_bytes()).filter(|_| !text.is_empty());
        if let Some(rest) = behind {
            (self.rest, self.ends) = (rest, 0);
        }
        behind.is_some()
    }

    /// Looks for ends in the bytes from here on. Costs nothing to leave out, and time if several
    /// values that are not far from each other would each do it.
    #[inline(always)]
    pub fn look(&mut self) {
        self.ends = self.rest.first_chunk().map_or_else(|| last_ends(self.rest), ends);
    }

    #[inline(always)]
    pub fn is_at<const N: usize>(&self, key: &[u8; N]) -> bool {
        self.rest.first_chunk() == Some(key)
    }

    #[inline(always)]
    fn key<const N: usize>(&mut self, key: &[u8; N]) -> Option<()> {
        let (found, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        self.ends >>= N;
        (found == key).then_some(())
    }

    #[inline(always)]
    fn take(&mut self, length: usize) -> Option<()> {
        self.rest = self.rest.get(length..)?;
        self.ends = if length < BLOCK { self.ends >> length } else { 0 };
        Some(())
    }

    /// A value. Keys have no blanks: the next end is the value's own.
    #[inline(always)]
    fn value<const N: usize>(&mut self, key: &[u8; N]) -> Option<&'a str> {
        self.key(key)?;
        let begin = self.position();
        if self.ends == 0 {
            self.look();
        }
        if self.ends == 0 {
            self.rest = self.rest.get(far_end(self.rest)?..)?;
        } else {
            let length = self.ends.trailing_zeros();
            self.rest = self.rest.get(length as usize..)?;
            self.ends >>= length;
        }
        self.since(begin)
    }

    /// A text; nothing for an empty one.
    #[inline(always)]
    pub fn text<const N: usize>(&mut self, key: &[u8; N]) -> Option<Option<&'a str>> {
        let text = self.value(key)?;
        Some(Some(text).filter(|text| !text.is_empty()))
    }

    /// A number of up to 15 digits. Its end need not be looked for.
    #[inline(always)]
    pub fn number<const N: usize>(&mut self, key: &[u8; N]) -> Option<i64> {
        self.key(key)?;
        let (value, count) = number(self.rest)?;
        self.take(count)?;
        Some(value)
    }

    /// A number of up to three digits.
    #[inline(always)]
    pub fn few<const N: usize>(&mut self, key: &[u8; N]) -> Option<i64> {
        self.key(key)?;
        let few = Few::leading(self.rest)?;
        self.take(few.count)?;
        Some(i64::from(few.value()))
    }

    /// A time of the usual length.
    #[inline(always)]
    pub fn time<const N: usize>(&mut self, key: &[u8; N], day: &mut Day) -> Option<Micros> {
        self.key(key)?;
        let (time, rest) = self.rest.split_first_chunk::<PADDED>()?;
        (self.rest, self.ends) = (rest, 0);
        Stamp::padded(time, day)
    }

    /// A peer as it stands, and its address if that is an IPv4 one in brackets.
    #[inline(always)]
    pub fn peer<const N: usize>(&mut self, key: &[u8; N]) -> Option<(&'a str, Option<&'a str>)> {
        let from = self.rest;
        let text = self.value(key)?;
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let inside = from.get(N + 1..)?;
        let address = match bare {
            Some(bare) if begins_with_ipv4(inside, bare.len()) => Some(bare),
            _ => None,
        };
        Some((text, address))
    }

    /// Numbers with commas between; `-1` is none that is known.
    #[inline(always)]
    pub fn counts<const N: usize>(
        &mut self,
        key: &[u8; N],
        into: &mut Vec<Option<i64>>,
    ) -> Option<()> {
        into.clear();
        self.key(key)?;
        let mut rest = self.rest;
        loop {
            let (count, length) = match Few::leading(rest) {
                Some(few) => (Some(i64::from(few.value())), few.count),
                None => long_count(rest)?,
            };
            into.push(count);
            rest = rest.get(length..)?;
            match rest.split_first() {
                Some((b',', behind)) => rest = behind,
                _ => break,
            }
        }
        self.take(self.rest.len() - rest.len())?;
        Some(())
    }

    /// The length of the line with its line feed, if this is its end.
    #[inline(always)]
    pub fn finish(self) -> Option<usize> {
        match self.rest {
            [b'\n', ..] => Some(self.position() + 1),
            [b'\r', b'\n', ..] => Some(self.position() + 2),
            _ => None,
        }
    }
}

/// A count that is not of one to three digits, and its length.
#[cold]
fn long_count(text: &[u8]) -> Option<(Option<i64>, usize)> {
    if text.starts_with(b"-1") {
        return Some((None, 2));
    }
    number(text).map(|(count, length)| (Some(count), length))
}

/// The ends in fewer bytes than a block.
#[cold]
fn last_ends(rest: &[u8]) -> u64 {
    let mut bytes = [b'.'; BLOCK];
    for (to, from) in bytes.iter_mut().zip(rest) {
        *to = *from;
    }
    ends(&bytes)
}

/// The first end in a text that has none in its first block.
#[cold]
fn far_end(rest: &[u8]) -> Option<usize> {
    let block = |bytes: &[u8]| bytes.first_chunk().map_or_else(|| last_ends(bytes), ends);
    let blocks = rest.chunks(BLOCK).enumerate().skip(1).map(|(at, bytes)| (at, block(bytes)));
    let (at, ends) = { blocks }.find(|(_, ends)| *ends != 0)?;
    Some(at * BLOCK + ends.trailing_zeros() as usize)
}
