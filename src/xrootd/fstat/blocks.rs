//! What closes and transfer reports hold.

use serde::{Deserialize, Serialize};

use crate::cursor::{Block, cut_at_nul};

pub(super) const OPS_SIZE: usize = 48;
pub(super) const SSQ_SIZE: usize = 32;
const ERR_FIXED: usize = 8;

/// Byte totals since the open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatXfr<'a>(pub(super) Block<'a, 24>);

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
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

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.code.to_be_bytes());
        out.push(self.category);
        out.extend(self.reserved);
        out.extend(self.message);
        out.extend(self.padding);
    }
}
