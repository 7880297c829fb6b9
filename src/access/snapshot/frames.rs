//! Frames: pieces of a snapshot, each with its length and checksum.
//!
//! | bytes | what                                          |
//! |-------|-----------------------------------------------|
//! | 4     | length of the payload, little-endian          |
//! | 8     | XXH3 of the payload, little-endian            |
//! |       | the payload: entries one behind the other     |

use std::io::{Read, Write};
use xxhash_rust::xxh3::xxh3_64;

use super::SnapshotError;
use super::rows::Entry;

/// A frame is written when it is at least so long: long enough for few calls, short enough to be
/// read into memory at once.
const FRAME: usize = 64 * 1024;

/// Longest payload: a frame is at most one entry longer than `FRAME`, and the longest entry is a
/// server with a relay's name of 128 KiB for each of its ports.
const MAX_FRAME: u32 = 16 * 1024 * 1024;

pub struct FrameWriter<W> {
    out: W,
    payload: Vec<u8>,
}

impl<W: Write> FrameWriter<W> {
    pub fn new(out: W) -> Self {
        Self { out, payload: Vec::with_capacity(2 * FRAME) }
    }

    pub fn write(&mut self, entry: &Entry<'_>) -> std::io::Result<()> {
        let payload = std::mem::take(&mut self.payload);
        self.payload = postcard::to_extend(entry, payload).map_err(std::io::Error::other)?;
        if self.payload.len() >= FRAME { self.end_frame() } else { Ok(()) }
    }

    pub fn end_frame(&mut self) -> std::io::Result<()> {
        if self.payload.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&xxh3_64(&self.payload).to_le_bytes())?;
        self.out.write_all(&self.payload)?;
        self.payload.clear();
        Ok(())
    }
}

/// Reads the next payload, checked, into `payload`. The length is a claim: memory grows with the
/// bytes that are really there.
///
/// # Errors
///
/// `Truncated` at the end of the input, `Damaged` where the checksum is another, and those of `input`.
pub fn read_frame(input: &mut impl Read, payload: &mut Vec<u8>) -> Result<(), SnapshotError> {
    let (mut length, mut sum) = ([0; 4], [0; 8]);
    read_whole(input, &mut length)?;
    read_whole(input, &mut sum)?;
    let length = u32::from_le_bytes(length);
    if length > MAX_FRAME {
        return Err(SnapshotError::Damaged("a frame is too long"));
    }
    payload.clear();
    input.take(u64::from(length)).read_to_end(payload).map_err(SnapshotError::Io)?;
    if payload.len() < length as usize {
        return Err(SnapshotError::Truncated);
    }
    if xxh3_64(payload).to_le_bytes() != sum {
        return Err(SnapshotError::Damaged("a checksum is wrong"));
    }
    Ok(())
}

pub fn read_whole(input: &mut impl Read, bytes: &mut [u8]) -> Result<(), SnapshotError> {
    input.read_exact(bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => SnapshotError::Truncated,
        _ => SnapshotError::Io(error),
    })
}
