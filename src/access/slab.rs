//! Tables whose rows are named by small numbers and stand in lists that cost no allocation.
//!
//! Rows live in chunks of fixed size: a table grows by one chunk at a time, never copies its rows
//! and never holds twice what it needs, so bytes per row are a number that can be promised.

use std::ops::{Deref, DerefMut};

use super::prefetch::prefetch;

/// No row.
pub const NIL: u32 = u32::MAX;

const CHUNK: usize = 512;

/// A row that can tell the bytes it points to.
pub trait Held {
    /// Bytes allocated for the row beside itself. Takes no time.
    fn held(&self) -> usize;
}

/// A row on loan. What it points to is counted again when it comes back, so that the sum over all
/// rows is right whatever was done to it.
pub struct Edit<'a, T: Held> {
    row: &'a mut T,
    held: &'a mut usize,
}

impl<T: Held> Deref for Edit<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.row
    }
}

impl<T: Held> DerefMut for Edit<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.row
    }
}

impl<T: Held> Drop for Edit<'_, T> {
    fn drop(&mut self) {
        *self.held += self.row.held();
    }
}

/// Rows of `T`, reused after removal.
pub struct Slab<T> {
    chunks: Vec<Vec<T>>,
    /// One bit for each row that is in use.
    used: Vec<u64>,
    /// Rows that are not; those beyond the last chunk went away with theirs.
    free: Vec<u32>,
    len: usize,
    held: usize,
}

impl<T: Default + Held> Slab<T> {
    pub fn new() -> Self {
        Self { chunks: Vec::new(), used: Vec::new(), free: Vec::new(), len: 0, held: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes of the table and of what its rows point to.
    pub fn bytes(&self) -> usize {
        self.own_bytes() + self.held
    }

    fn own_bytes(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<T>()
            + self.chunks.capacity() * size_of::<Vec<T>>()
            + self.used.capacity() * size_of::<u64>()
            + self.free.capacity() * size_of::<u32>()
    }

    /// The same, counted anew; `held` must not rely on sums of its own.
    pub fn count(&self, held: impl Fn(&T) -> usize) -> usize {
        self.own_bytes() + self.chunks.iter().flatten().map(held).sum::<usize>()
    }

    pub fn insert(&mut self, row: T) -> u32 {
        self.len += 1;
        self.held += row.held();
        let id = self.vacant();
        if let Some(slot) = self.row(id) {
            *slot = row;
        }
        self.mark(id, true);
        id
    }

    /// A row that is not in use.
    fn vacant(&mut self) -> u32 {
        let slots = (self.chunks.len() * CHUNK) as u32;
        while let Some(id) = self.free.pop() {
            if id < slots {
                if let Some(next) = self.free.last() {
                    self.prefetch(*next);
                }
                return id;
            }
        }
        let mut chunk = Vec::with_capacity(CHUNK);
        chunk.resize_with(CHUNK, T::default);
        self.chunks.push(chunk);
        self.used.resize(self.chunks.len() * CHUNK / 64, 0);
        self.free.extend((slots + 1..slots + CHUNK as u32).rev());
        slots
    }

    fn mark(&mut self, id: u32, used: bool) {
        if let Some(word) = self.used.get_mut(id as usize / 64) {
            let bit = 1 << (id % 64);
            *word = if used { *word | bit } else { *word & !bit };
        }
    }

    /// Takes a row out and leaves a default in its place.
    pub fn remove(&mut self, id: u32) -> T {
        let row = self.row(id).map(std::mem::take).unwrap_or_default();
        self.held -= row.held();
        self.vacate(id);
        row
    }

    /// Gives a row back that points to nothing. What it says stays there unread: to write all of it anew
    /// would mean to wait for it.
    pub fn vacate(&mut self, id: u32) {
        self.free.push(id);
        self.mark(id, false);
        self.len -= 1;
    }

    #[inline]
    pub fn get(&self, id: u32) -> Option<&T> {
        self.chunks.get(id as usize / CHUNK)?.get(id as usize % CHUNK)
    }

    #[inline]
    pub fn get_mut(&mut self, id: u32) -> Option<Edit<'_, T>> {
        let row = self.chunks.get_mut(id as usize / CHUNK)?.get_mut(id as usize % CHUNK)?;
        self.held -= row.held();
        Some(Edit { row, held: &mut self.held })
    }

    /// Says that a row will be needed soon.
    #[inline]
    pub fn prefetch(&self, id: u32) {
        if let Some(row) = self.get(id) {
            prefetch(row);
        }
    }

    /// A row whose links alone may be changed.
    #[inline]
    fn row(&mut self, id: u32) -> Option<&mut T> {
        self.chunks.get_mut(id as usize / CHUNK)?.get_mut(id as usize % CHUNK)
    }

    /// Whether a chunk can be given back without needing it again soon.
    pub fn is_sparse(&self) -> bool {
        self.chunks.len() * CHUNK - self.len >= 2 * CHUNK + self.len / 8
    }

    /// Moves a row of the last chunk to another one, if there is one to move. Where it went, its owner
    /// must mend what named it.
    pub fn move_last(&mut self) -> Option<(u32, u32)> {
        let start = self.chunks.len().checked_sub(1)? * CHUNK;
        let words = self.used.get(start / 64..)?;
        let at = words.iter().position(|word| *word != 0)?;
        let from = (start + 64 * at) as u32 + words.get(at)?.trailing_zeros();
        let to = loop {
            let id = self.free.pop()?;
            if (id as usize) < start {
                break id;
            }
        };
        let row = self.row(from).map(std::mem::take)?;
        *self.row(to)? = row;
        self.mark(from, false);
        self.mark(to, true);
        Some((from, to))
    }

    /// Gives the last chunk back; no row of it is in use.
    pub fn drop_last(&mut self) {
        self.chunks.pop();
        let slots = self.chunks.len() * CHUNK;
        self.used.truncate(slots / 64);
        if self.free.len() > 2 * (slots - self.len) + CHUNK {
            self.free.retain(|id| (*id as usize) < slots);
        }
        if self.free.capacity() > 4 * self.free.len() + CHUNK {
            self.free.shrink_to(2 * self.free.len());
        }
        if self.chunks.capacity() > 4 * self.chunks.len() + 64 {
            self.chunks.shrink_to(2 * self.chunks.len());
            self.used.shrink_to(2 * self.used.len());
        }
    }
}

/// A row's place in one list.
#[derive(Clone, Copy, Debug)]
pub struct Links {
    prev: u32,
    next: u32,
}

impl Default for Links {
    fn default() -> Self {
        Self { prev: NIL, next: NIL }
    }
}

/// Which list of a row: its place by age of use, or among the rows of one owner.
pub const BY_AGE: usize = 0;
pub const BY_OWNER: usize = 1;

/// A row with a place in list `L`.
pub trait Linked<const L: usize> {
    fn links(&self) -> Links;
    fn links_mut(&mut self) -> &mut Links;
}

/// A doubly linked list through the rows of a slab.
#[derive(Clone, Copy, Debug)]
pub struct List<const L: usize> {
    first: u32,
    last: u32,
    len: usize,
}

impl<const L: usize> Default for List<L> {
    fn default() -> Self {
        Self { first: NIL, last: NIL, len: 0 }
    }
}

impl<const L: usize> List<L> {
    pub fn first(&self) -> Option<u32> {
        (self.first != NIL).then_some(self.first)
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Says that a row will be taken out soon, which changes those beside it.
    pub fn prefetch_beside<T: Linked<L> + Held + Default>(&self, rows: &Slab<T>, row: &T) {
        let Links { prev, next } = row.links();
        for beside in [prev, next].into_iter().filter_map(|id| rows.get(id)) {
            prefetch(beside);
        }
    }

    pub fn push_back<T: Linked<L> + Held + Default>(&mut self, rows: &mut Slab<T>, id: u32) {
        if let Some(row) = rows.row(id) {
            *row.links_mut() = Links { prev: self.last, next: NIL };
        }
        match rows.row(self.last) {
            Some(last) => last.links_mut().next = id,
            None => self.first = id,
        }
        self.last = id;
        self.len += 1;
    }

    /// Takes a row out. Its own links stay as they are: most rows leave the table next, and who reads a row
    /// right behind writing a part of it waits until all earlier writes are done.
    pub fn unlink<T: Linked<L> + Held + Default>(&mut self, rows: &mut Slab<T>, id: u32) {
        let Some(Links { prev, next }) = rows.get(id).map(Linked::links) else { return };
        match rows.row(prev) {
            Some(row) => row.links_mut().next = next,
            None => self.first = next,
        }
        match rows.row(next) {
            Some(row) => row.links_mut().prev = prev,
            None => self.last = prev,
        }
        self.len -= 1;
    }

    /// Makes a row the youngest.
    pub fn touch<T: Linked<L> + Held + Default>(&mut self, rows: &mut Slab<T>, id: u32) {
        if self.last != id {
            self.unlink(rows, id);
            self.push_back(rows, id);
        }
    }

    /// Mends the list after one of its rows has moved.
    pub fn moved<T: Linked<L> + Held + Default>(&mut self, rows: &mut Slab<T>, to: u32) {
        let Some(Links { prev, next }) = rows.get(to).map(Linked::links) else { return };
        match rows.row(prev) {
            Some(row) => row.links_mut().next = to,
            None => self.first = to,
        }
        match rows.row(next) {
            Some(row) => row.links_mut().prev = to,
            None => self.last = to,
        }
    }

    /// Adds rows that stand in no list of this kind, each with its age and its place among those of the
    /// same age, and puts all into the order of age.
    pub fn merge<T: Linked<L> + Held + Default>(
        &mut self,
        rows: &mut Slab<T>,
        more: Vec<(u64, u64, u32)>,
        age: impl Fn(&T) -> u64,
    ) {
        let here = self.ids(rows).filter_map(|id| rows.get(id).map(|row| (age(row), id)));
        let here = (0..).zip(here).map(|(place, (age, id))| (age, true, place, id));
        let mut all: Vec<_> = here.collect();
        all.extend(more.into_iter().map(|(age, place, id)| (age, false, place, id)));
        all.sort_unstable();
        *self = Self::default();
        for (_, _, _, id) in all {
            self.push_back(rows, id);
        }
    }

    /// The rows from the oldest to the youngest.
    pub fn ids<T: Linked<L> + Held + Default>(&self, rows: &Slab<T>) -> impl Iterator<Item = u32> {
        std::iter::successors(self.first(), |id| self.after(rows, *id))
    }

    /// The next younger row.
    pub fn after<T: Linked<L> + Held + Default>(&self, rows: &Slab<T>, id: u32) -> Option<u32> {
        rows.get(id).map(|row| row.links().next).filter(|id| *id != NIL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Row(u32, Links);

    impl Linked<BY_AGE> for Row {
        fn links(&self) -> Links {
            self.1
        }
        fn links_mut(&mut self) -> &mut Links {
            &mut self.1
        }
    }

    /// Each row points to as many bytes as its number says.
    impl Held for Row {
        fn held(&self) -> usize {
            self.0 as usize
        }
    }

    fn order(list: &List<BY_AGE>, rows: &Slab<Row>) -> Vec<u32> {
        list.ids(rows).filter_map(|id| rows.get(id)).map(|row| row.0).collect()
    }

    #[test]
    fn lists_keep_their_order_through_removal_and_reuse() {
        let (mut rows, mut list) = (Slab::new(), List::default());
        let ids: Vec<_> = (0..5)
            .map(|n| {
                let id = rows.insert(Row(n, Links::default()));
                list.push_back(&mut rows, id);
                id
            })
            .collect();
        list.unlink(&mut rows, ids[0]);
        rows.remove(ids[0]);
        list.touch(&mut rows, ids[2]);
        assert_eq!(order(&list, &rows), [1, 3, 4, 2]);
        let id = rows.insert(Row(9, Links::default()));
        assert_eq!(id, ids[0]);
        list.push_back(&mut rows, id);
        assert_eq!(order(&list, &rows), [1, 3, 4, 2, 9]);
        assert_eq!((rows.len(), list.len()), (5, 5));
    }

    #[test]
    fn rows_beyond_a_chunk_are_found() {
        let mut rows = Slab::new();
        for n in 0..3 * CHUNK as u32 {
            assert_eq!(rows.insert(Row(n, Links::default())), n);
        }
        assert_eq!(rows.get(2 * CHUNK as u32).map(|row| row.0), Some(2 * CHUNK as u32));
        assert!(rows.get(NIL).is_none());
    }

    #[test]
    fn what_rows_point_to_is_counted_through_every_change() {
        let mut rows = Slab::new();
        let ids: Vec<_> = (0..1000).map(|n| rows.insert(Row(n, Links::default()))).collect();
        for id in &ids {
            if let Some(mut row) = rows.get_mut(*id) {
                row.0 *= 3;
            }
            if id % 7 == 0 {
                rows.remove(*id);
            } else if id % 5 == 0 {
                if let Some(mut row) = rows.get_mut(*id) {
                    row.0 = 0;
                }
                rows.vacate(*id);
            }
            assert_eq!(rows.bytes(), rows.count(Held::held));
        }
        let gone = ids.iter().filter(|id| *id % 7 == 0 || *id % 5 == 0).count();
        assert_eq!(rows.len(), ids.len() - gone);
        for _ in 0..gone {
            let id = rows.insert(Row(1, Links::default()));
            assert!(id % 7 == 0 || id % 5 == 0, "{id} was in use");
        }
    }

    #[test]
    fn a_sparse_table_gives_its_chunks_back_and_keeps_its_lists() {
        let (mut rows, mut list) = (Slab::new(), List::default());
        for n in 0..20 * CHUNK as u32 {
            let id = rows.insert(Row(n, Links::default()));
            list.push_back(&mut rows, id);
        }
        for id in (0..20 * CHUNK as u32).filter(|id| id % 50 != 0) {
            list.unlink(&mut rows, id);
            rows.remove(id);
        }
        let (kept, before) = (order(&list, &rows), rows.own_bytes());
        while rows.is_sparse() {
            while let Some((_, to)) = rows.move_last() {
                list.moved(&mut rows, to);
            }
            rows.drop_last();
            assert_eq!(rows.bytes(), rows.count(Held::held));
        }
        assert_eq!(order(&list, &rows), kept);
        assert!(rows.own_bytes() < before / 5, "{} of {before}", rows.own_bytes());
        for n in 0..20 * CHUNK as u32 {
            let id = rows.insert(Row(n, Links::default()));
            list.push_back(&mut rows, id);
        }
        assert_eq!(order(&list, &rows).len(), kept.len() + 20 * CHUNK);
        assert_eq!((rows.len(), rows.bytes()), (list.len(), rows.count(Held::held)));
    }
}
