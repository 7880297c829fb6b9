//! The f-stream, code `f`: one open and one close record for each file access.
//!
//! A packet is a time record (TOD), then records back to back. Sizes are multiples of 4, not of 8.
//!
//! | off | size | name        | meaning                                                       |
//! |----:|-----:|-------------|---------------------------------------------------------------|
//! |   0 |    1 | `recType`   | 0 CLS, 1 OPN, 2 TOD, 3 XFR, 4 DSC, 5 ERR                       |
//! |   1 |    1 | `recFlag`   | bits whose meaning depends on the type                         |
//! |   2 |    2 | `recSize`   | bytes of the record, these 8 included                          |
//! |   4 |    4 | id          | file (CLS, OPN, XFR) or user (DSC) dictid; record counts (TOD) |
//!
//! | record | size                       | behind the header                                      |
//! |--------|----------------------------|--------------------------------------------------------|
//! | TOD    | 24 (16 before 4.4.0)       | `tBeg`, `tEnd` (u32 s), with hasSID the sid (u64)      |
//! | OPN    | 16, with hasLFN any        | size (i64); with hasLFN user dictid (u32), name, NULs  |
//! | XFR    | 32                         | bytes read, readv, write so far (i64 each)             |
//! | CLS    | 32, 80 (OPS), 112 (SSQ)    | as XFR; counts and extremes; sums of squares (f64)     |
//! | DSC    | 8                          |                                                        |
//! | ERR    | any                        | with hasLFN user dictid, name, NUL; then an error block |
//!
//! ERR and the error block of a CLS (flag 08) belong to the servers that come after 6.1
//! (xrootd/xrootd pull request 2855): code (i32), category (u8), 3 bytes, message, NUL. Everything
//! else is from `XrdXrootdMonData.hh` and `XrdXrootdMonFile.cc`.
//!
//! | file     | holds                                                        |
//! |----------|--------------------------------------------------------------|
//! | `record` | one record of each type                                      |
//! | `blocks` | what closes and reports hold: totals, counts, squares, errors |
//! | `name`   | the file name in an open                                     |

mod blocks;
mod name;
mod record;

pub use blocks::{StatErr, StatOps, StatSsq, StatXfr};
pub use record::{FileCls, FileDsc, FileErr, FileOpn, FileRecord, FileTod, FileXfr, UnknownRecord};

use crate::cursor::Block;
use crate::error::{DecodeError, FaultKind, Faults};

/// Record flags of a close.
pub mod close_flag {
    /// The disconnect closed the file, not the client.
    pub const FORCED: u8 = 0x01;
    pub const HAS_OPS: u8 = 0x02;
    pub const HAS_SSQ: u8 = 0x04;
    pub const HAS_ERR: u8 = 0x08;
}

/// Record flags of an open (and of an error record).
pub mod open_flag {
    pub const HAS_LFN: u8 = 0x01;
    pub const READ_WRITE: u8 = 0x02;
}

/// Record flags of a time record.
pub mod time_flag {
    pub const HAS_SID: u8 = 0x01;
}

/// Bytes of a record's own header.
const HEADER: usize = 8;

/// The body of an `f` packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fstat<'a> {
    body: &'a [u8],
}

impl<'a> Fstat<'a> {
    /// `None` (with a fault) if there is no room for the smallest first record.
    pub fn decode(body: &'a [u8], faults: &mut impl Faults) -> Option<Self> {
        if body.len() < HEADER {
            faults.fault(DecodeError::new(FaultKind::ShortFstat, 8, "first record of an f packet"));
            return None;
        }
        Some(Self { body })
    }

    /// All records, the time record included, as far as the packet can be followed.
    #[inline]
    pub fn records(&self) -> FileRecords<'a> {
        FileRecords { rest: self.body, end: 8 + self.body.len() }
    }

    /// The ids of the records, whatever they name: for who wants to know early what will come.
    #[inline]
    pub fn ids(&self) -> impl Iterator<Item = u32> + use<'a> {
        let mut records = self.records();
        std::iter::from_fn(move || Some(records.frame()?.ok()?.header.u32::<4>()))
    }

    /// The window at the head of the packet.
    pub fn window(&self) -> Option<FileTod> {
        match self.records().next() {
            Some(Ok(FileRecord::Time(tod))) => Some(tod),
            _ => None,
        }
    }

    /// Everything that is wrong, also where the records themselves are fine.
    pub fn check(&self, faults: &mut impl Faults) {
        let (mut found, mut found_xfr, mut whole) = (0u32, 0u32, true);
        let mut first = None;
        let mut records = self.records();
        loop {
            let at = records.offset() - 8;
            let Some(record) = records.next() else { break };
            found += 1;
            match record {
                Ok(FileRecord::Time(tod)) => {
                    if at == 0 {
                        first = Some(tod);
                    }
                    if tod.end < tod.start {
                        flag(faults, FaultKind::ClockStep, at, "window ends before it begins");
                    }
                }
                Ok(FileRecord::Transfer(record)) => {
                    found_xfr += 1;
                    if is_negative(record.xfr) {
                        flag(faults, FaultKind::NegativeCount, at, "byte total below zero");
                    }
                }
                Ok(FileRecord::Close(record)) => check_close(&record, at, faults),
                Ok(FileRecord::Unknown(_)) => {
                    flag(
                        faults,
                        FaultKind::FstatUnknownRecord,
                        at,
                        "record type nobody has defined",
                    );
                }
                Ok(_) => {}
                Err(error) => {
                    whole = false;
                    faults.fault(error);
                }
            }
        }
        match first {
            None => flag(faults, FaultKind::FstatNoTime, 0, "first record is not the time record"),
            Some(tod) => {
                let claimed = (u32::from(tod.records_xfr), u32::from(tod.records_total));
                if whole && claimed != (found_xfr, found - 1) {
                    flag(
                        faults,
                        FaultKind::FstatCountMismatch,
                        0,
                        "record counts of the time record",
                    );
                }
            }
        }
    }

    /// Writes every record that can be followed.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for record in self.records().flatten() {
            record.encode(out);
        }
    }
}

fn is_negative(xfr: StatXfr<'_>) -> bool {
    xfr.read() < 0 || xfr.readv() < 0 || xfr.write() < 0
}

fn flag(faults: &mut impl Faults, kind: FaultKind, at: usize, context: &'static str) {
    faults.fault(DecodeError::new(kind, 8 + at, context));
}

fn check_close(record: &FileCls<'_>, at: usize, faults: &mut impl Faults) {
    if is_negative(record.xfr) {
        flag(faults, FaultKind::NegativeCount, at, "byte total below zero");
    }
    if record.flags & (close_flag::HAS_OPS | close_flag::HAS_SSQ) == close_flag::HAS_SSQ {
        flag(faults, FaultKind::FstatSquaresWithoutCounts, at, "sums of squares without counts");
    }
    if record
        .ops()
        .is_some_and(|ops| ops.read < 0 || ops.readv < 0 || ops.write < 0 || ops.rsegs < 0)
    {
        flag(faults, FaultKind::NegativeCount, at, "operation count below zero");
    }
    if record.ssq().is_some_and(|ssq| !ssq.is_sound()) {
        flag(faults, FaultKind::BadSumOfSquares, at, "sum of squares is no positive number");
    }
}

/// Iterator over the records of a packet. After a record that cannot be followed it ends; a record
/// too small for its type is skipped.
#[derive(Clone, Copy, Debug)]
pub struct FileRecords<'a> {
    rest: &'a [u8],
    /// Where the packet ends, as an offset in it.
    end: usize,
}

/// One record before it is decoded.
struct Frame<'a> {
    header: Block<'a, HEADER>,
    body: &'a [u8],
    /// Header and body.
    bytes: &'a [u8],
}

impl<'a> FileRecords<'a> {
    /// Offset in the packet of the next record.
    pub fn offset(&self) -> usize {
        self.end - self.rest.len()
    }

    /// The next record, as its size says.
    #[inline(always)] // A part of `next`.
    fn frame(&mut self) -> Option<Result<Frame<'a>, DecodeError>> {
        if self.rest.is_empty() {
            return None;
        }
        let Some(header) = Block::<HEADER>::first(self.rest) else {
            return Some(Err(self.overrun(0)));
        };
        let size = usize::from(header.u16::<2>());
        let Some((bytes, rest)) = self.rest.split_at_checked(size) else {
            return Some(Err(self.overrun(size)));
        };
        let Some(body) = bytes.get(HEADER..) else {
            return Some(Err(self.overrun(size)));
        };
        self.rest = rest;
        Some(Ok(Frame { header, body, bytes }))
    }

    #[cold]
    fn overrun(&mut self, size: usize) -> DecodeError {
        let at = self.offset();
        self.rest = &[];
        let context = if size < HEADER { "record size below 8" } else { "record past the packet" };
        DecodeError::new(FaultKind::FstatRecordOverrun, at, context)
    }
}

impl<'a> Iterator for FileRecords<'a> {
    type Item = Result<FileRecord<'a>, DecodeError>;

    #[inline(always)] // Whoever looks at few fields shall not have all of them put together.
    fn next(&mut self) -> Option<Self::Item> {
        let at = self.offset();
        let Frame { header, body, bytes } = match self.frame()? {
            Ok(frame) => frame,
            Err(error) => return Some(Err(error)),
        };
        match FileRecord::decode(header, body, bytes) {
            Ok(record) => Some(Ok(record)),
            Err(context) => Some(Err(DecodeError::new(FaultKind::FstatRecordSize, at, context))),
        }
    }
}
