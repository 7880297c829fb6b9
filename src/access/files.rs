//! Files between their first and last record.
//!
//! A row is one open: named by a `d` map, opened, reported on and closed by f-stream or t-stream
//! records, in whatever order those arrive. Rows are small on purpose: a busy federation has a
//! million of them.

use hashbrown::{DefaultHashBuilder, HashTable};
use serde::{Deserialize, Serialize};
use std::hash::BuildHasher;

use super::prefetch::prefetch;
use super::sequence::Micros;
use super::slab::{BY_AGE, BY_OWNER, Edit, Held, Linked, Links, List, NIL, Slab};
use crate::xrootd::fstat::{StatOps, StatSsq};

/// What is known of a file, one bit each.
pub mod known {
    /// An open record of the f-stream.
    pub const OPEN: u8 = 0x01;
    /// An open record of the t-stream.
    pub const TRACE_OPEN: u8 = 0x02;
    pub const SIZE: u8 = 0x04;
    pub const MODE: u8 = 0x08;
    pub const WRITABLE: u8 = 0x10;
    pub const TOTALS: u8 = 0x20;
    /// More than its name: it counts as an open file, not as a name waiting for one.
    pub const ACTIVE: u8 = 0x40;
}

/// How a file was closed, kept until everything else about it is known.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Close {
    pub forced: bool,
    /// Only the t-stream said so: a close of the f-stream is better.
    pub from_trace: bool,
    pub read: Option<i64>,
    pub readv: Option<i64>,
    pub write: Option<i64>,
    pub ops: Option<StatOps>,
    pub ssq: Option<StatSsq>,
    pub at: f64,
    pub window: (u32, u32),
}

/// Sums over the single requests of the t-stream.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Requests {
    pub read: i64,
    pub readv: i64,
    pub write: i64,
    pub reads: i32,
    pub readvs: i32,
    pub writes: i32,
    pub segments: i64,
}

/// What only some files have.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Extra {
    pub close: Option<Close>,
    pub requests: Option<Requests>,
    /// When its wait is over.
    pub due: Micros,
    /// Tells this wait from an earlier one of the same row.
    pub generation: u32,
}

/// Two lines of a cache, which processors fetch together where they lie like this.
#[derive(Default)]
#[repr(align(128))]
pub struct File {
    pub(super) by_age: Links,
    pub(super) by_session: Links,
    pub server: u32,
    pub fileid: u32,
    pub session: u32,
    pub open_serial: u32,
    pub path: Option<Box<[u8]>>,
    pub size: i64,
    /// Bytes read, readv and write of the newest report.
    pub totals: [i64; 3],
    pub opened_at: f64,
    pub open_window: (u32, u32),
    pub last_seen: Micros,
    pub extra: Option<Box<Extra>>,
    pub known: u8,
}

impl Held for File {
    fn held(&self) -> usize {
        let extra = self.extra.as_ref().map_or(0, |_| size_of::<Extra>());
        self.path.as_ref().map_or(0, |path| path.len()) + extra
    }
}

impl Linked<BY_AGE> for File {
    fn links(&self) -> Links {
        self.by_age
    }
    fn links_mut(&mut self) -> &mut Links {
        &mut self.by_age
    }
}

impl Linked<BY_OWNER> for File {
    fn links(&self) -> Links {
        self.by_session
    }
    fn links_mut(&mut self) -> &mut Links {
        &mut self.by_session
    }
}

impl File {
    pub fn knows(&self, what: u8) -> bool {
        self.known & what != 0
    }

    pub fn open_seen(&self) -> bool {
        self.knows(known::OPEN | known::TRACE_OPEN)
    }

    pub fn close(&self) -> Option<&Close> {
        self.extra.as_ref()?.close.as_ref()
    }
}

/// All files, by server and dictid.
pub struct Files {
    pub rows: Slab<File>,
    /// Files that are open, and names that nothing has opened yet.
    pub active: List<BY_AGE>,
    pub named: List<BY_AGE>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// Rows that are brought nearer at once, and of the path of each so many bytes: few are longer.
pub const PREFETCHED: usize = 16;
const PATH_PREFETCHED: usize = 256;

/// Whether a hash table is worth making smaller.
pub fn is_roomy(len: usize, capacity: usize) -> bool {
    capacity > 4 * len + 1024
}

fn hash(hasher: &DefaultHashBuilder, server: u32, fileid: u32) -> u64 {
    hasher.hash_one(u64::from(server) << 32 | u64::from(fileid))
}

impl Files {
    pub fn new() -> Self {
        Self {
            rows: Slab::new(),
            active: List::default(),
            named: List::default(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    pub fn get(&self, id: u32) -> Option<&File> {
        self.rows.get(id)
    }

    pub fn get_mut(&mut self, id: u32) -> Option<Edit<'_, File>> {
        self.rows.get_mut(id)
    }

    pub fn find(&self, server: u32, fileid: u32) -> Option<u32> {
        let rows = &self.rows;
        self.index
            .find(hash(&self.hasher, server, fileid), |id| {
                rows.get(*id).is_some_and(|file| file.server == server && file.fileid == fileid)
            })
            .copied()
    }

    /// Says which files will be asked for soon: so their memory is waited for once, not for each.
    pub fn prefetch(&self, server: u32, fileids: impl Iterator<Item = u32>) {
        let mut rows = [NIL; PREFETCHED];
        for (row, fileid) in rows.iter_mut().zip(fileids) {
            // Nearly always the one; to be sure would mean to look at it.
            let id = self.index.find(hash(&self.hasher, server, fileid), |_| true);
            if let Some(id) = id {
                *row = *id;
                self.rows.prefetch(*id);
            }
        }
        for file in rows.into_iter().filter_map(|id| self.rows.get(id)) {
            if let Some(path) = &file.path {
                prefetch(path.get(..PATH_PREFETCHED).unwrap_or(path));
            }
            self.active.prefetch_beside(&self.rows, file);
        }
    }

    /// Adds a file that is only named so far; the caller links it to a session.
    pub fn add(&mut self, server: u32, fileid: u32, session: u32, now: Micros) -> u32 {
        let id =
            self.rows.insert(File { server, fileid, session, last_seen: now, ..File::default() });
        self.named.push_back(&mut self.rows, id);
        let Self { index, rows, hasher, .. } = self;
        index.insert_unique(hash(hasher, server, fileid), id, |id| {
            rows.get(*id).map_or(0, |file| hash(hasher, file.server, file.fileid))
        });
        id
    }

    /// Makes a file the youngest of the open ones.
    pub fn touch(&mut self, id: u32, now: Micros) {
        let Some(mut file) = self.rows.get_mut(id) else { return };
        file.last_seen = now;
        let is_active = file.knows(known::ACTIVE);
        file.known |= known::ACTIVE;
        drop(file);
        if is_active {
            self.active.touch(&mut self.rows, id);
        } else {
            self.named.unlink(&mut self.rows, id);
            self.active.push_back(&mut self.rows, id);
        }
    }

    /// Adds a file from a snapshot, in no order yet; the caller links it to a session.
    pub fn restore(&mut self, file: File) -> u32 {
        let hash_of = hash(&self.hasher, file.server, file.fileid);
        let id = self.rows.insert(file);
        let Self { index, rows, hasher, .. } = self;
        index.insert_unique(hash_of, id, |id| {
            rows.get(*id).map_or(0, |file| hash(hasher, file.server, file.fileid))
        });
        id
    }

    /// Puts restored files into the order of their use.
    pub fn relist(&mut self, active: Vec<(Micros, u64, u32)>, named: Vec<(Micros, u64, u32)>) {
        self.active.merge(&mut self.rows, active, |file| file.last_seen);
        self.named.merge(&mut self.rows, named, |file| file.last_seen);
    }

    pub fn bytes(&self) -> usize {
        self.rows.bytes() + self.index.allocation_size()
    }

    /// The same, counted anew.
    pub fn count_bytes(&self) -> usize {
        self.rows.count(Held::held) + self.index.allocation_size()
    }

    /// Gives memory of the index back, if it is much. Answers whether it did.
    pub fn shrink_index(&mut self) -> bool {
        let Self { index, rows, hasher, .. } = self;
        if !is_roomy(index.len(), index.capacity()) {
            return false;
        }
        index.shrink_to(2 * index.len(), |id| {
            rows.get(*id).map_or(0, |file| hash(hasher, file.server, file.fileid))
        });
        true
    }

    /// Moves a row of the last chunk elsewhere; the caller mends its session's list and its wait.
    pub fn move_last(&mut self) -> Option<u32> {
        let (from, to) = self.rows.move_last()?;
        let file = self.rows.get(to)?;
        let hash = hash(&self.hasher, file.server, file.fileid);
        let list = if file.knows(known::ACTIVE) { &mut self.active } else { &mut self.named };
        list.moved(&mut self.rows, to);
        if let Some(id) = self.index.find_mut(hash, |id| *id == from) {
            *id = to;
        }
        Some(to)
    }

    /// Takes a file out of the table; its session's list must not hold it.
    pub fn remove(&mut self, id: u32) {
        let Self { index, rows, hasher, .. } = self;
        if let Some(file) = rows.get(id) {
            let hash = hash(hasher, file.server, file.fileid);
            if let Ok(entry) = index.find_entry(hash, |other| *other == id) {
                entry.remove();
            }
            let list = if file.knows(known::ACTIVE) { &mut self.active } else { &mut self.named };
            list.unlink(rows, id);
        }
        if let Some(mut file) = self.rows.get_mut(id) {
            (file.path, file.extra) = (None, None);
        }
        self.rows.vacate(id);
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stays_small() {
        assert!(size_of::<File>() == 128, "{} bytes", size_of::<File>());
    }
}
