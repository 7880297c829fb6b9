//! One record of each type: its fields, from bytes and to bytes.

use super::blocks::{OPS_SIZE, SSQ_SIZE, StatErr, StatOps, StatSsq, StatXfr};
use super::name::split_name;
use super::{HEADER, close_flag, open_flag, time_flag};
use crate::cursor::Block;

const CLS: u8 = 0;
const OPN: u8 = 1;
const TOD: u8 = 2;
const XFR: u8 = 3;
const DSC: u8 = 4;
const ERR: u8 = 5;

const XFR_SIZE: usize = 32;

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
    pub(super) fn decode(
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
