//! The g-stream in its binary framing, code `g`: events of plug-ins, one text line each.
//!
//! | off | size    | name     | meaning                                          |
//! |----:|--------:|----------|--------------------------------------------------|
//! |   8 |       4 | `tBeg`   | UNIX time of the first event                     |
//! |  12 |       4 | `tEnd`   | UNIX time of the last event                      |
//! |  16 |       1 | provider | a letter, see [`provider_name`]                  |
//! |  17 |       1 |          | 0                                                |
//! |  18 |       6 | `sid`    | server id                                        |
//! |  24 | plen-24 | events   | LF after each, but NUL after the last            |
//!
//! Releases 5.0.0 to 5.0.3 sent the two times in their own byte order. They are recognised by a
//! `tBeg` that is before the server's start as sent and within a year of it when swapped
//! (`XrdXrootdGSReal.cc`).

use crate::cursor::Block;
use crate::error::{DecodeError, FaultKind, Faults};

const HEAD: usize = 16;

/// What a provider letter stands for: the name in the server's configuration.
pub fn provider_name(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'C' => "pfc",
        b'M' => "ccm",
        b'T' => "tcpmon",
        b'P' => "tpc",
        b'R' => "throttle",
        b'O' => "oss",
        b'H' => "http",
        _ => return None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gstream<'a> {
    /// UNIX seconds of the first and the last event.
    pub start: u32,
    pub end: u32,
    pub provider: u8,
    /// 48 bits.
    pub sid: u64,
    /// The two times were sent in little-endian order.
    pub swapped: bool,
    reserved: u8,
    /// Event lines with their separators.
    pub text: &'a [u8],
}

impl<'a> Gstream<'a> {
    /// Decodes the body behind the header; `stod` tells the byte order of the times.
    pub fn decode(body: &'a [u8], stod: u32, faults: &mut impl Faults) -> Option<Self> {
        let Some(head) = Block::<HEAD>::first(body) else {
            faults.fault(DecodeError::new(FaultKind::ShortGstream, 8, "head of a g packet"));
            return None;
        };
        let (mut start, mut end) = (head.u32::<0>(), head.u32::<4>());
        let swapped = is_swapped(start, stod);
        if swapped {
            (start, end) = (start.swap_bytes(), end.swap_bytes());
        }
        Some(Self {
            start,
            end,
            provider: head.u8::<8>(),
            sid: head.u64::<8>() & super::SID_MASK,
            swapped,
            reserved: head.u8::<9>(),
            text: body.get(HEAD..).unwrap_or_default(),
        })
    }

    pub fn lines(&self) -> Lines<'a> {
        Lines::new(self.text)
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        let order = |time: u32| if self.swapped { time.swap_bytes() } else { time };
        out.extend(order(self.start).to_be_bytes());
        out.extend(order(self.end).to_be_bytes());
        let id = u64::from(self.provider) << 56 | u64::from(self.reserved) << 48 | self.sid;
        out.extend(id.to_be_bytes());
        out.extend(self.text);
    }
}

fn is_swapped(start: u32, stod: u32) -> bool {
    const DAY: i64 = 86_400;
    let (start, stod) = (start, i64::from(stod));
    let plausible = |time: u32| (stod - DAY..stod + 365 * DAY).contains(&i64::from(time));
    stod > 365 * DAY && !plausible(start) && plausible(start.swap_bytes())
}

/// Event lines: split at LF alone, without trailing NULs and empty lines.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        let end = text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Self { rest: text.get(..end).unwrap_or_default(), at: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    /// The offset in the text, and the line.
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
            let line = self.rest.get(..end)?;
            let at = self.at;
            let skipped = (end + 1).min(self.rest.len());
            self.rest = self.rest.get(skipped..)?;
            self.at += skipped;
            if !line.is_empty() {
                return Some((at, line));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_line_feeds_alone() {
        let text = "{\"a\":1}\n\n{\"p\":\"x\u{2028}y\"}\n\0\0".as_bytes();
        let lines: Vec<_> = Lines::new(text).collect();
        assert_eq!(lines, [(0, &b"{\"a\":1}"[..]), (9, "{\"p\":\"x\u{2028}y\"}".as_bytes())]);
    }

    #[test]
    fn little_endian_times_of_5_0_are_turned() {
        let stod = 1_700_000_000u32;
        let mut body = (stod + 60).to_le_bytes().to_vec();
        body.extend((stod + 61).to_le_bytes());
        body.extend([b'C', 0, 0x41, 0x67, 0xa3, 0x78, 0x7b, 0x57]);
        let stream = Gstream::decode(&body, stod, &mut crate::error::Ignore).expect("whole head");
        assert_eq!((stream.start, stream.end, stream.swapped), (stod + 60, stod + 61, true));
        let mut out = Vec::new();
        stream.encode(&mut out);
        assert_eq!(out, body);
    }
}
