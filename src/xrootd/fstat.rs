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

use crate::cursor::{Block, NulSearch, cut_at_nul};
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

const CLS: u8 = 0;
const OPN: u8 = 1;
const TOD: u8 = 2;
const XFR: u8 = 3;
const DSC: u8 = 4;
const ERR: u8 = 5;

const HEADER: usize = 8;
const XFR_SIZE: usize = 32;
const OPS_SIZE: usize = 48;
const SSQ_SIZE: usize = 32;
const ERR_FIXED: usize = 8;

/// Any record of the stream, borrowed from its packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FileRecord<'a> {
    Close(FileCls<'a>),
    Open(FileOpn<'a>),
    Time(FileTod),
    Transfer(FileXfr<'a>),
    Disconnect(FileDsc),
    Error(FileErr<'a>),
    Unknown(UnknownRecord<'a>),
}

/// The time window of the records behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileTod {
    pub flags: u8,
    pub size: u16,
    /// XFR records in the packet.
    pub records_xfr: u16,
    /// Records in the packet, this one not counted.
    pub records_total: u16,
    /// UNIX seconds of the first record and of the sending.
    pub start: u32,
    pub end: u32,
    /// As sent; the id is the low 48 bits.
    pub sid: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileOpn<'a> {
    pub flags: u8,
    pub size: u16,
    pub fileid: u32,
    /// Size of the file at open, bytes.
    pub filesize: i64,
    /// Login dictid; only with hasLFN.
    pub user: Option<u32>,
    /// Logical file name; only with hasLFN.
    pub lfn: Option<&'a [u8]>,
    /// What follows the name (or the size) up to the end of the record.
    pub padding: &'a [u8],
}

/// Byte totals since the open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatXfr<'a>(Block<'a, 24>);

impl<'a> StatXfr<'a> {
    pub fn new(bytes: &'a [u8; 24]) -> Self {
        Self(Block::new(bytes))
    }

    #[inline]
    pub fn read(self) -> i64 {
        self.0.i64::<0>()
    }

    #[inline]
    pub fn readv(self) -> i64 {
        self.0.i64::<8>()
    }

    #[inline]
    pub fn write(self) -> i64 {
        self.0.i64::<16>()
    }

    pub fn encode(read: i64, readv: i64, write: i64) -> [u8; 24] {
        let mut out = [0; 24];
        for (slot, value) in out.chunks_exact_mut(8).zip([read, readv, write]) {
            slot.copy_from_slice(&value.to_be_bytes());
        }
        out
    }
}

/// Operation counts and extremes of one access (the OPS block). Where all requests of a kind were
/// pgreads or pgwrites the smallest is 2147483647 and the largest 0: nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatOps {
    pub read: i32,
    pub readv: i32,
    pub write: i32,
    pub rsmin: i16,
    pub rsmax: i16,
    pub rsegs: i64,
    pub rdmin: i32,
    pub rdmax: i32,
    pub rvmin: i32,
    pub rvmax: i32,
    pub wrmin: i32,
    pub wrmax: i32,
}

impl StatOps {
    #[inline]
    pub fn decode(block: Block<'_, OPS_SIZE>) -> Self {
        Self {
            read: block.i32::<0>(),
            readv: block.i32::<4>(),
            write: block.i32::<8>(),
            rsmin: block.i16::<12>(),
            rsmax: block.i16::<14>(),
            rsegs: block.i64::<16>(),
            rdmin: block.i32::<24>(),
            rdmax: block.i32::<28>(),
            rvmin: block.i32::<32>(),
            rvmax: block.i32::<36>(),
            wrmin: block.i32::<40>(),
            wrmax: block.i32::<44>(),
        }
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        for count in [self.read, self.readv, self.write] {
            out.extend(count.to_be_bytes());
        }
        out.extend(self.rsmin.to_be_bytes());
        out.extend(self.rsmax.to_be_bytes());
        out.extend(self.rsegs.to_be_bytes());
        for size in [self.rdmin, self.rdmax, self.rvmin, self.rvmax, self.wrmin, self.wrmax] {
            out.extend(size.to_be_bytes());
        }
    }
}

/// Sums of the squared request sizes (the SSQ block), binary64 as sent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StatSsq {
    pub read: f64,
    pub readv: f64,
    pub rsegs: f64,
    pub write: f64,
}

impl StatSsq {
    #[inline]
    pub fn decode(block: Block<'_, SSQ_SIZE>) -> Self {
        Self {
            read: block.f64::<0>(),
            readv: block.f64::<8>(),
            rsegs: block.f64::<16>(),
            write: block.f64::<24>(),
        }
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        for sum in [self.read, self.readv, self.rsegs, self.write] {
            out.extend(sum.to_be_bytes());
        }
    }

    pub fn is_sound(&self) -> bool {
        [self.read, self.readv, self.rsegs, self.write]
            .iter()
            .all(|sum| sum.is_finite() && *sum >= 0.0)
    }
}

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatErr<'a> {
    /// An XRootD error code (`kXR_...`).
    pub code: i32,
    /// 1 open, 2 read, 3 write, 4 close, 5 authorization.
    pub category: u8,
    pub reserved: [u8; 3],
    pub message: &'a [u8],
    /// From the NUL behind the message to the end of the record.
    pub padding: &'a [u8],
}

impl<'a> StatErr<'a> {
    fn decode(bytes: &'a [u8]) -> Option<Self> {
        let block = Block::<ERR_FIXED>::first(bytes)?;
        let rest = bytes.get(ERR_FIXED..)?;
        let (message, _) = cut_at_nul(rest);
        Some(Self {
            code: block.i32::<0>(),
            category: block.u8::<4>(),
            reserved: [block.u8::<5>(), block.u8::<6>(), block.u8::<7>()],
            message,
            padding: rest.get(message.len()..).unwrap_or_default(),
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.code.to_be_bytes());
        out.push(self.category);
        out.extend(self.reserved);
        out.extend(self.message);
        out.extend(self.padding);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FileXfr<'a> {
    pub flags: u8,
    pub size: u16,
    pub fileid: u32,
    pub xfr: StatXfr<'a>,
    pub padding: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FileCls<'a> {
    pub flags: u8,
    pub size: u16,
    pub fileid: u32,
    pub xfr: StatXfr<'a>,
    ops: Option<Block<'a, OPS_SIZE>>,
    ssq: Option<Block<'a, SSQ_SIZE>>,
    /// Behind the blocks that the flags announce: an error block, or padding.
    rest: &'a [u8],
}

impl<'a> FileCls<'a> {
    /// Why the close (or the last request before it) failed.
    pub fn err(&self) -> Option<StatErr<'a>> {
        if self.flags & close_flag::HAS_ERR == 0 { None } else { StatErr::decode(self.rest) }
    }

    pub fn padding(&self) -> &'a [u8] {
        if self.err().is_some() { &[] } else { self.rest }
    }

    #[inline]
    pub fn forced(&self) -> bool {
        self.flags & close_flag::FORCED != 0
    }

    #[inline]
    pub fn ops(&self) -> Option<StatOps> {
        self.ops.map(StatOps::decode)
    }

    #[inline]
    pub fn ssq(&self) -> Option<StatSsq> {
        self.ssq.map(StatSsq::decode)
    }
}

/// A connection ended. User 0 is a connection that never logged in: servers send those too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileDsc {
    pub flags: u8,
    pub size: u16,
    pub user: u32,
}

/// An operation that failed without a close of its own, such as a denied open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileErr<'a> {
    pub flags: u8,
    pub size: u16,
    pub fileid: u32,
    pub user: Option<u32>,
    pub lfn: Option<&'a [u8]>,
    pub err: StatErr<'a>,
}

/// A record of a type that nobody has defined, or one longer than its header says it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRecord<'a> {
    pub kind: u8,
    pub bytes: &'a [u8],
}

impl<'a> FileRecord<'a> {
    /// Decodes one record: its header, what is behind it, and both together.
    #[inline]
    fn decode(
        header: Block<'a, HEADER>,
        body: &'a [u8],
        bytes: &'a [u8],
    ) -> Result<Self, &'static str> {
        let (kind, flags) = (header.u8::<0>(), header.u8::<1>());
        let (size, id) = (header.u16::<2>(), header.u32::<4>());
        match kind {
            CLS => FileCls::decode(flags, size, id, body).map(Self::Close),
            OPN => FileOpn::decode(flags, size, id, body).map(Self::Open),
            TOD => FileTod::decode(flags, size, id, body).map(Self::Time),
            XFR => {
                let Some(xfr) = Block::<24>::first(body) else {
                    return Err("transfer record smaller than 32 bytes");
                };
                let padding = body.get(XFR_SIZE - HEADER..).unwrap_or_default();
                Ok(Self::Transfer(FileXfr { flags, size, fileid: id, xfr: StatXfr(xfr), padding }))
            }
            DSC => Ok(Self::Disconnect(FileDsc { flags, size, user: id })),
            ERR => FileErr::decode(flags, size, id, body).map(Self::Error),
            _ => Ok(Self::Unknown(UnknownRecord { kind, bytes })),
        }
    }

    /// Writes the record. What a time or disconnect record holds beyond its known part comes out as
    /// NULs, so that the size still leads to the next record.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let mut head = |kind: u8, flags: u8, size: u16, id: u32| {
            out.extend([kind, flags]);
            out.extend(size.to_be_bytes());
            out.extend(id.to_be_bytes());
        };
        match self {
            Self::Close(r) => {
                head(CLS, r.flags, r.size, r.fileid);
                out.extend(StatXfr::encode(r.xfr.read(), r.xfr.readv(), r.xfr.write()));
                if let Some(ops) = r.ops() {
                    ops.encode(out);
                }
                if let Some(ssq) = r.ssq() {
                    ssq.encode(out);
                }
                if let Some(err) = r.err() {
                    err.encode(out);
                }
                out.extend(r.padding());
            }
            Self::Open(r) => {
                head(OPN, r.flags, r.size, r.fileid);
                out.extend(r.filesize.to_be_bytes());
                if let Some(user) = r.user {
                    out.extend(user.to_be_bytes());
                }
                out.extend(r.lfn.unwrap_or_default());
                out.extend(r.padding);
            }
            Self::Time(r) => {
                let counts = u32::from(r.records_xfr) << 16 | u32::from(r.records_total);
                head(TOD, r.flags, r.size, counts);
                out.extend(r.start.to_be_bytes());
                out.extend(r.end.to_be_bytes());
                if let Some(sid) = r.sid {
                    out.extend(sid.to_be_bytes());
                }
                fill_up(out, start, r.size);
            }
            Self::Transfer(r) => {
                head(XFR, r.flags, r.size, r.fileid);
                out.extend(StatXfr::encode(r.xfr.read(), r.xfr.readv(), r.xfr.write()));
                out.extend(r.padding);
            }
            Self::Disconnect(r) => {
                head(DSC, r.flags, r.size, r.user);
                fill_up(out, start, r.size);
            }
            Self::Error(r) => {
                head(ERR, r.flags, r.size, r.fileid);
                if let Some(user) = r.user {
                    out.extend(user.to_be_bytes());
                    out.extend(r.lfn.unwrap_or_default());
                    out.push(0);
                }
                r.err.encode(out);
            }
            Self::Unknown(r) => out.extend(r.bytes),
        }
    }
}

/// Makes the record that begins at `start` as long as its size says, if it is shorter.
fn fill_up(out: &mut Vec<u8>, start: usize, size: u16) {
    out.resize(out.len().max(start + usize::from(size)), 0);
}

impl FileTod {
    fn decode(flags: u8, size: u16, counts: u32, body: &[u8]) -> Result<Self, &'static str> {
        let Some(times) = Block::<8>::first(body) else {
            return Err("time record smaller than 16 bytes");
        };
        let sid = if flags & time_flag::HAS_SID != 0 {
            body.get(8..).and_then(Block::<8>::first).map(|block| block.u64::<0>())
        } else {
            None
        };
        Ok(Self {
            flags,
            size,
            records_xfr: (counts >> 16) as u16,
            records_total: counts as u16,
            start: times.u32::<0>(),
            end: times.u32::<4>(),
            sid,
        })
    }
}

impl<'a> FileOpn<'a> {
    #[inline]
    fn decode(flags: u8, size: u16, fileid: u32, body: &'a [u8]) -> Result<Self, &'static str> {
        let Some(fixed) = Block::<8>::first(body) else {
            return Err("open record smaller than 16 bytes");
        };
        let rest = body.get(8..).unwrap_or_default();
        let filesize = fixed.i64::<0>();
        if flags & open_flag::HAS_LFN == 0 {
            return Ok(Self {
                flags,
                size,
                fileid,
                filesize,
                user: None,
                lfn: None,
                padding: rest,
            });
        }
        let Some((user, lfn, padding)) = split_name(rest) else {
            return Err("open record with a name smaller than 20 bytes");
        };
        Ok(Self { flags, size, fileid, filesize, user: Some(user), lfn: Some(lfn), padding })
    }
}

/// User dictid, name up to its NUL, and the rest from that NUL on.
#[inline]
fn split_name(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let user = Block::<4>::first(bytes)?.u32::<0>();
    let text = bytes.get(4..)?;
    let (name, padding) = split_padded(text);
    Some((user, name, padding))
}

/// Splits at the first NUL of a padded name. The padding tells where that should be; that it is so
/// takes a look at every byte, but no decision before the end.
#[inline]
fn split_padded(text: &[u8]) -> (&[u8], &[u8]) {
    if let Some(end) = padded_end(text) {
        return text.split_at(end);
    }
    let (name, _) = cut_at_nul(text);
    text.split_at(name.len())
}

/// Where the name ends if at most eight NULs follow it, no other NUL is there, and the text is long
/// enough for this way of looking.
#[inline]
fn padded_end(text: &[u8]) -> Option<usize> {
    let (head, last) = text.split_last_chunk::<8>()?;
    let padding = u64::from_be_bytes(*last).trailing_zeros() as usize / 8;
    let end = text.len() - padding;
    // Whole chunks from the front, the last chunk of the head and the last of the name: they
    // overlap, and together they cover every byte of the name.
    let (chunks, _) = head.as_chunks::<16>();
    let name = text.get(..end)?;
    let found = NulSearch::new(head.last_chunk()?).and(name.last_chunk()?);
    let found = chunks.iter().fold(found, NulSearch::and);
    (!found.any()).then_some(end)
}

impl<'a> FileCls<'a> {
    #[inline]
    fn decode(flags: u8, size: u16, fileid: u32, body: &'a [u8]) -> Result<Self, &'static str> {
        let Some(xfr) = Block::<24>::first(body) else {
            return Err("close record smaller than 32 bytes");
        };
        let mut rest = body.get(24..).unwrap_or_default();
        let (mut ops, mut ssq) = (None, None);
        if flags & close_flag::HAS_OPS != 0 {
            let Some(block) = Block::<OPS_SIZE>::first(rest) else {
                return Err("close record with counts smaller than 80 bytes");
            };
            ops = Some(block);
            rest = rest.get(OPS_SIZE..).unwrap_or_default();
            if flags & close_flag::HAS_SSQ != 0 {
                let Some(block) = Block::<SSQ_SIZE>::first(rest) else {
                    return Err("close record with sums of squares smaller than 112 bytes");
                };
                ssq = Some(block);
                rest = rest.get(SSQ_SIZE..).unwrap_or_default();
            }
        }
        Ok(Self { flags, size, fileid, xfr: StatXfr(xfr), ops, ssq, rest })
    }
}

impl<'a> FileErr<'a> {
    fn decode(flags: u8, size: u16, fileid: u32, body: &'a [u8]) -> Result<Self, &'static str> {
        let (mut user, mut lfn, mut rest) = (None, None, body);
        if flags & open_flag::HAS_LFN != 0 {
            let Some((id, name, tail)) = split_name(body) else {
                return Err("error record without its user");
            };
            (user, lfn) = (Some(id), Some(name));
            rest = tail.get(1..).unwrap_or_default();
        }
        let Some(err) = StatErr::decode(rest) else {
            return Err("error record without its error block");
        };
        Ok(Self { flags, size, fileid, user, lfn, err })
    }
}

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

    /// The window at the head of the packet.
    pub fn window(&self) -> Option<FileTod> {
        match self.records().next() {
            Some(Ok(FileRecord::Time(tod))) => Some(tod),
            _ => None,
        }
    }

    /// What [`Fstat::records`] does not say because the records themselves are fine.
    pub fn check(&self, faults: &mut impl Faults) {
        let mut flag = |kind, at, context| faults.fault(DecodeError::new(kind, 8 + at, context));
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
                        flag(FaultKind::ClockStep, at, "window ends before it begins");
                    }
                }
                Ok(FileRecord::Transfer(record)) => {
                    found_xfr += 1;
                    if is_negative(record.xfr) {
                        flag(FaultKind::NegativeCount, at, "byte total below zero");
                    }
                }
                Ok(FileRecord::Close(record)) => check_close(&record, at, &mut flag),
                Ok(FileRecord::Unknown(_)) => {
                    flag(FaultKind::FstatUnknownRecord, at, "record type nobody has defined");
                }
                Ok(_) => {}
                Err(_) => whole = false,
            }
        }
        match first {
            None => flag(FaultKind::FstatNoTime, 0, "first record is not the time record"),
            Some(tod) => {
                let claimed = (u32::from(tod.records_xfr), u32::from(tod.records_total));
                if whole && claimed != (found_xfr, found - 1) {
                    flag(FaultKind::FstatCountMismatch, 0, "record counts of the time record");
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

fn check_close(
    record: &FileCls<'_>,
    at: usize,
    flag: &mut impl FnMut(FaultKind, usize, &'static str),
) {
    if is_negative(record.xfr) {
        flag(FaultKind::NegativeCount, at, "byte total below zero");
    }
    if record.flags & (close_flag::HAS_OPS | close_flag::HAS_SSQ) == close_flag::HAS_SSQ {
        flag(FaultKind::FstatSquaresWithoutCounts, at, "sums of squares without counts");
    }
    if record
        .ops()
        .is_some_and(|ops| ops.read < 0 || ops.readv < 0 || ops.write < 0 || ops.rsegs < 0)
    {
        flag(FaultKind::NegativeCount, at, "operation count below zero");
    }
    if record.ssq().is_some_and(|ssq| !ssq.is_sound()) {
        flag(FaultKind::BadSumOfSquares, at, "sum of squares is no positive number");
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

impl FileRecords<'_> {
    /// Offset in the packet of the next record.
    pub fn offset(&self) -> usize {
        self.end - self.rest.len()
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

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some(header) = Block::<HEADER>::first(self.rest) else {
            return Some(Err(self.overrun(0)));
        };
        let size = usize::from(header.u16::<2>());
        let Some((record, rest)) = self.rest.split_at_checked(size) else {
            return Some(Err(self.overrun(size)));
        };
        let Some(body) = record.get(HEADER..) else {
            return Some(Err(self.overrun(size)));
        };
        let at = self.offset();
        self.rest = rest;
        match FileRecord::decode(header, body, record) {
            Ok(record) => Some(Ok(record)),
            Err(context) => Some(Err(DecodeError::new(FaultKind::FstatRecordSize, at, context))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn names_end_at_their_first_nul(text in proptest::collection::vec(0u8..3, 0..48)) {
            let (name, padding) = split_padded(&text);
            let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
            proptest::prop_assert_eq!((name, padding), text.split_at(end));
        }

        #[test]
        fn padded_names_are_whole(length in 0usize..64, padding in 0usize..12) {
            let mut text = vec![b'a'; length];
            text.resize(length + padding, 0);
            proptest::prop_assert_eq!(split_padded(&text).0.len(), length);
        }
    }
}
