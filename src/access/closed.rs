//! Files whose record has gone out, remembered for a while.

use hashbrown::HashSet;

use crate::limits::MAX_CLOSED_IDS;

/// Incarnation and dictid.
type Key = (u32, u32);

/// A set that forgets the older half of its keys when it is full. Keys are never removed one by one:
/// a hash table that loses as many as it gains fills up with their traces and grows.
#[derive(Default)]
pub struct ClosedIds {
    newer: HashSet<Key>,
    older: HashSet<Key>,
}

impl ClosedIds {
    pub fn insert(&mut self, key: Key) {
        if self.newer.len() >= MAX_CLOSED_IDS / 2 {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.clear();
        }
        self.newer.insert(key);
    }

    /// All keys, and whether they are among the newer half.
    pub fn iter(&self) -> impl Iterator<Item = (Key, bool)> {
        let newer = self.newer.iter().map(|key| (*key, true));
        newer.chain(self.older.iter().map(|key| (*key, false)))
    }

    /// Takes a key from a snapshot, as far as there is room.
    pub fn restore(&mut self, key: Key, is_newer: bool) {
        let set = if is_newer { &mut self.newer } else { &mut self.older };
        if set.len() < MAX_CLOSED_IDS / 2 {
            set.insert(key);
        }
    }

    pub fn bytes(&self) -> usize {
        self.newer.allocation_size() + self.older.allocation_size()
    }

    pub fn contains(&self, key: Key) -> bool {
        self.newer.contains(&key) || self.older.contains(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_keys_stay_and_the_set_stays_small() {
        let mut closed = ClosedIds::default();
        let most = MAX_CLOSED_IDS as u32;
        for id in 0..4 * most {
            closed.insert((1, id));
            assert!(closed.newer.len() + closed.older.len() <= MAX_CLOSED_IDS);
        }
        assert!(closed.contains((1, 4 * most - 1)) && closed.contains((1, 4 * most - most / 2)));
        assert!(!closed.contains((1, 0)));
    }
}
