//! Tables whose rows are named by small numbers and stand in lists that cost no allocation.
//!
//! Rows live in chunks of fixed size: a table grows by one chunk at a time, never copies its rows
//! and never holds twice what it needs, so bytes per row are a number that can be promised.

/// No row.
pub const NIL: u32 = u32::MAX;

const CHUNK: usize = 512;

/// Rows of `T`, reused after removal.
pub struct Slab<T> {
    chunks: Vec<Vec<T>>,
    free: Vec<u32>,
    len: usize,
}

impl<T: Default> Slab<T> {
    pub fn new() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn insert(&mut self, row: T) -> u32 {
        self.len += 1;
        if let Some(id) = self.free.pop() {
            if let Some(slot) = self.get_mut(id) {
                *slot = row;
            }
            return id;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let at = self.chunks.len() - 1;
        let mut id = NIL;
        if let Some(chunk) = self.chunks.last_mut() {
            id = (at * CHUNK + chunk.len()) as u32;
            chunk.push(row);
        }
        id
    }

    /// Takes a row out and leaves a default in its place.
    pub fn remove(&mut self, id: u32) -> T {
        let row = self.get_mut(id).map(std::mem::take).unwrap_or_default();
        self.free.push(id);
        self.len -= 1;
        row
    }

    #[inline]
    pub fn get(&self, id: u32) -> Option<&T> {
        self.chunks.get(id as usize / CHUNK)?.get(id as usize % CHUNK)
    }

    #[inline]
    pub fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.chunks.get_mut(id as usize / CHUNK)?.get_mut(id as usize % CHUNK)
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

impl Links {
    pub fn next(self) -> u32 {
        self.next
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

    pub fn push_back<T: Linked<L> + Default>(&mut self, rows: &mut Slab<T>, id: u32) {
        if let Some(row) = rows.get_mut(id) {
            *row.links_mut() = Links { prev: self.last, next: NIL };
        }
        match rows.get_mut(self.last) {
            Some(last) => last.links_mut().next = id,
            None => self.first = id,
        }
        self.last = id;
        self.len += 1;
    }

    pub fn unlink<T: Linked<L> + Default>(&mut self, rows: &mut Slab<T>, id: u32) {
        let Some(row) = rows.get_mut(id) else { return };
        let Links { prev, next } = std::mem::take(row.links_mut());
        match rows.get_mut(prev) {
            Some(row) => row.links_mut().next = next,
            None => self.first = next,
        }
        match rows.get_mut(next) {
            Some(row) => row.links_mut().prev = prev,
            None => self.last = prev,
        }
        self.len -= 1;
    }

    /// Makes a row the youngest.
    pub fn touch<T: Linked<L> + Default>(&mut self, rows: &mut Slab<T>, id: u32) {
        if self.last != id {
            self.unlink(rows, id);
            self.push_back(rows, id);
        }
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

    fn order(list: &List<BY_AGE>, rows: &Slab<Row>) -> Vec<u32> {
        let mut out = Vec::new();
        let mut at = list.first();
        while let Some(row) = at.and_then(|id| rows.get(id)) {
            out.push(row.0);
            at = Some(row.links().next()).filter(|id| *id != NIL);
        }
        out
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
}
