//! The t-stream, code `t`: every open, read, write and close as a record of 16 bytes.
//!
//! | byte 0    | record       | bytes 1-7                        | bytes 8-11     | bytes 12-15    |
//! |-----------|--------------|----------------------------------|----------------|----------------|
//! | `00`-`7f` | READ / WRITE | (with byte 0) file offset        | length, < 0: a write | file dictid |
//! | `80`      | OPEN         | file size                        | 0              | file dictid    |
//! | `90` `91` | READV READU  | readid, count (u16), 0           | bytes          | file dictid    |
//! | `a0`      | APPID        | 3 bytes, then 12 bytes of text   | (text)         | (text)         |
//! | `c0`      | CLOSE        | rshift, wshift, 0, rval (u32)    | wval           | file dictid    |
//! | `d0`      | DISC         | flags, 2 bytes, 4 stale bytes    | seconds        | user dictid    |
//! | `e0`      | WINDOW       | 0, sid (u48)                     | end, UNIX s    | start, UNIX s  |
//!
//! The type is the whole byte: READV and READU differ in their low nibble only. A READU is followed
//! by one READ for each of its segments, so its bytes must not be added to theirs. Servers with two
//! destinations can send OPEN, CLOSE and DISC twice (`XrdXrootdMonData.hh`, `XrdXrootdMonitor.cc`).

use crate::cursor::Block;
use crate::error::{DecodeError, FaultKind, Faults};

pub const OPEN: u8 = 0x80;
pub const READV: u8 = 0x90;
pub const READU: u8 = 0x91;
pub const APPID: u8 = 0xa0;
pub const CLOSE: u8 = 0xc0;
pub const DISC: u8 = 0xd0;
pub const WINDOW: u8 = 0xe0;

/// Flags of a DISC record.
pub mod disc_flag {
    pub const FORCED: u8 = 0x01;
    /// A parallel path ended, not the control connection.
    pub const BOUND: u8 = 0x02;
}

const SIZE: usize = 16;
const LARGEST_SHIFT: u8 = 31;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceRecord<'a> {
    ReadWrite { offset: i64, buflen: i32, dictid: u32 },
    Open { filesize: u64, reserved: u32, dictid: u32 },
    Readv { unpacked: bool, readid: u8, count: u16, reserved: u32, buflen: i32, dictid: u32 },
    AppId { reserved: [u8; 3], text: &'a [u8; 12] },
    Close { rshift: u8, wshift: u8, reserved: u8, rval: u32, wval: u32, dictid: u32 },
    Disc { flags: u8, reserved: u16, stale: u32, seconds: u32, user: u32 },
    Window { reserved: u8, sid: u64, end: u32, start: u32 },
    Unknown { bytes: &'a [u8; 16] },
}

impl<'a> TraceRecord<'a> {
    #[inline]
    pub fn decode(bytes: &'a [u8; SIZE]) -> Self {
        let block = Block::new(bytes);
        let dictid = block.u32::<12>();
        match block.u8::<0>() {
            0x00..=0x7f => {
                Self::ReadWrite { offset: block.i64::<0>(), buflen: block.i32::<8>(), dictid }
            }
            OPEN => Self::Open {
                filesize: block.u64::<0>() & 0x00ff_ffff_ffff_ffff,
                reserved: block.u32::<8>(),
                dictid,
            },
            kind @ (READV | READU) => Self::Readv {
                unpacked: kind == READU,
                readid: block.u8::<1>(),
                count: block.u16::<2>(),
                reserved: block.u32::<4>(),
                buflen: block.i32::<8>(),
                dictid,
            },
            APPID => Self::AppId {
                reserved: *block.part::<1, 3>().bytes(),
                text: block.part::<4, 12>().bytes(),
            },
            CLOSE => Self::Close {
                rshift: block.u8::<1>(),
                wshift: block.u8::<2>(),
                reserved: block.u8::<3>(),
                rval: block.u32::<4>(),
                wval: block.u32::<8>(),
                dictid,
            },
            DISC => Self::Disc {
                flags: block.u8::<1>(),
                reserved: block.u16::<2>(),
                stale: block.u32::<4>(),
                seconds: block.u32::<8>(),
                user: dictid,
            },
            WINDOW => Self::Window {
                reserved: block.u8::<1>(),
                sid: block.u64::<0>() & super::SID_MASK,
                end: block.u32::<8>(),
                start: dictid,
            },
            _ => Self::Unknown { bytes },
        }
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut words = |first: u64, second: u32, third: u32| {
            out.extend(first.to_be_bytes());
            out.extend(second.to_be_bytes());
            out.extend(third.to_be_bytes());
        };
        let at = |byte: u8, position: u32| u64::from(byte) << (56 - 8 * position);
        match *self {
            Self::ReadWrite { offset, buflen, dictid } => {
                words(offset as u64, buflen as u32, dictid);
            }
            Self::Open { filesize, reserved, dictid } => {
                words(at(OPEN, 0) | filesize, reserved, dictid);
            }
            Self::Readv { unpacked, readid, count, reserved, buflen, dictid } => {
                let kind = if unpacked { READU } else { READV };
                let first = at(kind, 0) | at(readid, 1) | u64::from(count) << 32;
                words(first | u64::from(reserved), buflen as u32, dictid);
            }
            Self::Close { rshift, wshift, reserved, rval, wval, dictid } => {
                let first = at(CLOSE, 0) | at(rshift, 1) | at(wshift, 2) | at(reserved, 3);
                words(first | u64::from(rval), wval, dictid);
            }
            Self::Disc { flags, reserved, stale, seconds, user } => {
                let first = at(DISC, 0) | at(flags, 1) | u64::from(reserved) << 32;
                words(first | u64::from(stale), seconds, user);
            }
            Self::Window { reserved, sid, end, start } => {
                words(at(WINDOW, 0) | at(reserved, 1) | sid, end, start);
            }
            Self::AppId { reserved, text } => {
                out.push(APPID);
                out.extend(reserved);
                out.extend(text);
            }
            Self::Unknown { bytes } => out.extend(bytes),
        }
    }

    /// Bytes read and written of a CLOSE. Totals of 4 GiB and more lose their low bits on the wire;
    /// `None` if a shift is impossible.
    pub fn close_totals(&self) -> Option<(u64, u64)> {
        match *self {
            Self::Close { rshift, wshift, rval, wval, .. }
                if rshift <= LARGEST_SHIFT && wshift <= LARGEST_SHIFT =>
            {
                Some((u64::from(rval) << rshift, u64::from(wval) << wshift))
            }
            _ => None,
        }
    }
}

/// The body of a `t` packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace<'a> {
    records: &'a [[u8; SIZE]],
}

impl<'a> Trace<'a> {
    /// Takes all whole records of the body.
    pub fn decode(body: &'a [u8], faults: &mut impl Faults) -> Self {
        let (records, partial) = body.as_chunks::<SIZE>();
        if !partial.is_empty() {
            faults.fault(DecodeError::new(
                FaultKind::TracePartialRecord,
                8 + body.len() - partial.len(),
                "trace record shorter than 16 bytes",
            ));
        }
        Self { records }
    }

    #[inline]
    pub fn records(&self) -> impl ExactSizeIterator<Item = TraceRecord<'a>> + Clone + use<'a> {
        self.records.iter().map(TraceRecord::decode)
    }

    /// The server id that every window mark carries.
    pub fn sid(&self) -> Option<u64> {
        self.records().find_map(|record| match record {
            TraceRecord::Window { sid, .. } => Some(sid),
            _ => None,
        })
    }

    /// What [`Trace::records`] does not say because each record has its 16 bytes.
    pub fn check(&self, faults: &mut impl Faults) {
        let is_window = |bytes: Option<&[u8; SIZE]>| bytes.is_some_and(|bytes| bytes[0] == WINDOW);
        if self.records.is_empty() {
            faults.fault(DecodeError::new(FaultKind::TraceNoRecords, 8, "no trace record"));
        } else if !is_window(self.records.first()) || !is_window(self.records.last()) {
            faults.fault(DecodeError::new(
                FaultKind::TraceNoWindow,
                8,
                "trace records without window marks around them",
            ));
        }
        for (index, record) in self.records().enumerate() {
            let at = 8 + SIZE * index;
            match record {
                TraceRecord::Unknown { .. } => faults.fault(DecodeError::new(
                    FaultKind::TraceUnknownRecord,
                    at,
                    "trace type nobody has defined",
                )),
                TraceRecord::Close { .. } if record.close_totals().is_none() => faults.fault(
                    DecodeError::new(FaultKind::TraceBadShift, at, "close shifts by more than 31"),
                ),
                _ => {}
            }
        }
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        for record in self.records() {
            record.encode(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(hex: &str) -> [u8; 16] {
        u128::from_str_radix(hex, 16).expect("hex").to_be_bytes()
    }

    #[test]
    fn readu_is_not_readv() {
        let bytes = record("91010003000000000000007000000002");
        assert!(matches!(
            TraceRecord::decode(&bytes),
            TraceRecord::Readv { unpacked: true, readid: 1, count: 3, buflen: 112, dictid: 2, .. }
        ));
    }

    #[test]
    fn close_shifts_are_bounded() {
        let bytes = record("c0010000800000000000020000000002");
        assert_eq!(TraceRecord::decode(&bytes).close_totals(), Some((1 << 32, 512)));
        let bytes = record("c0200000800000000000020000000002");
        assert_eq!(TraceRecord::decode(&bytes).close_totals(), None);
    }

    #[test]
    fn application_ids_keep_their_padding_for_encoding() {
        let bytes = record("a00000006d7961707000000000000000");
        let TraceRecord::AppId { text, .. } = TraceRecord::decode(&bytes) else {
            panic!("not an appid");
        };
        assert_eq!(crate::cursor::cut_at_nul(text).0, b"myapp");
    }

    proptest::proptest! {
        #[test]
        fn every_record_survives_a_round_trip(bytes: [u8; 16]) {
            let mut out = Vec::new();
            TraceRecord::decode(&bytes).encode(&mut out);
            proptest::prop_assert_eq!(&out[..], &bytes[..]);
        }
    }
}
