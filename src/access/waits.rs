//! Which rows wait for a time.
//!
//! A wait is not taken back when its row leaves: a generation tells that it is void, and void ones are
//! swept out before they outnumber the rows, so that no sender can buy memory with them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::sequence::Micros;

/// Waits kept before void ones are looked for.
pub(super) const FEW_WAITS: usize = 1024;

/// What kind of row waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wait {
    /// A closed file for its open or its maps.
    File,
    /// A disconnected login for late closes.
    Session,
    /// An old incarnation for its last packets.
    Server,
}

/// When it is over, and the row's kind, generation and id: the order in which waits end.
pub(super) type Entry = (Micros, Wait, u32, u32);

/// All waits, the next one first.
#[derive(Default)]
pub(super) struct Waits {
    pub queue: BinaryHeap<Reverse<Entry>>,
    pub generations: u32,
}

impl Waits {
    pub fn clear(&mut self) {
        self.queue.clear();
    }

    pub fn bytes(&self) -> usize {
        self.queue.capacity() * size_of::<Entry>()
    }
}
