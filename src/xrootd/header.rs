//! The header of every binary packet.
//!
//! | off | size | name   | meaning                                            |
//! |----:|-----:|--------|----------------------------------------------------|
//! |   0 |    1 | `code` | packet kind, an ASCII letter                       |
//! |   1 |    1 | `pseq` | packet sequence number modulo 256                  |
//! |   2 |    2 | `plen` | length of the whole packet, these 8 bytes included |
//! |   4 |    4 | `stod` | UNIX time (s, UTC) at which the sender started     |
//!
//! `stod` is declared signed by the sender (`XrdXrootdMonData.hh`); it is read unsigned here, which
//! agrees until 2038 and goes on working after it.

use crate::cursor::Block;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    pub code: u8,
    pub pseq: u8,
    pub plen: u16,
    pub stod: u32,
}

impl Header {
    pub const SIZE: usize = 8;

    /// Reads the header and nothing else: `plen` is a claim that the caller must check.
    #[inline]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let block = Block::<8>::first(bytes)?;
        Some(Self {
            code: block.u8::<0>(),
            pseq: block.u8::<1>(),
            plen: block.u16::<2>(),
            stod: block.u32::<4>(),
        })
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code);
        out.push(self.pseq);
        out.extend(self.plen.to_be_bytes());
        out.extend(self.stod.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_times_after_2038_stay_positive() {
        let header = Header::decode(&[b'u', 7, 0, 8, 0x90, 0, 0, 0]).expect("8 bytes");
        assert_eq!(header, Header { code: b'u', pseq: 7, plen: 8, stod: 0x9000_0000 });
        let mut out = Vec::new();
        header.encode(&mut out);
        assert_eq!(out, [b'u', 7, 0, 8, 0x90, 0, 0, 0]);
    }

    #[test]
    fn seven_bytes_are_no_header() {
        assert_eq!(Header::decode(&[0x64, 0, 0, 7, 0, 0, 0]), None);
    }
}
