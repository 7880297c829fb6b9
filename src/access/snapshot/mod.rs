//! The state as a file, so that a restart loses nothing.
//!
//! | file     | holds                                        |
//! |----------|----------------------------------------------|
//! | `frames` | checked pieces of the file                   |
//! | `rows`   | what stands in them                          |
//! | `save`   | from the state to entries                    |
//! | `load`   | from entries to the state                    |
//!
//! A snapshot is the magic, a version (4 bytes, little-endian) and frames of entries in postcard
//! form. Each server stands there with all that belongs to it, so that a snapshot can be loaded in
//! parts, and several into one state. Times are those of the wall clock as it was set.
//!
//! A snapshot is read as untrusted input: lengths are claims, memory grows with the bytes that are
//! there, and what no packets could have brought about is an error.

mod frames;
mod load;
mod rows;
mod save;

use std::fmt;

pub use load::Restored;

const MAGIC: &[u8; 16] = b"gridtap state  \n";

/// Other versions are refused: state is worth a restart's gap, not a converter for each change.
const VERSION: u32 = 1;

/// Why a snapshot was not loaded.
#[derive(Debug)]
pub enum SnapshotError {
    Io(std::io::Error),
    /// It does not begin like one.
    NotASnapshot,
    /// Another version wrote it.
    Version(u32),
    /// It ends early.
    Truncated,
    /// Something in it cannot be.
    Damaged(&'static str),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::NotASnapshot => f.write_str("is not a snapshot of the state"),
            Self::Version(version) => {
                write!(f, "is a snapshot of version {version}, not of version {VERSION}")
            }
            Self::Truncated => f.write_str("ends early"),
            Self::Damaged(what) => write!(f, "is damaged: {what}"),
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}
