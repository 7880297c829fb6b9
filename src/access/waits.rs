//! Rows that wait for a time.
//!
//! A wait is not taken back when its row leaves: a generation tells that it is void, and void ones are
//! swept out before they outnumber the rows, so that no sender can buy memory with them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::correlator::{Correlator, Reason};
use super::files::Extra;
use super::record::Sink;
use super::sequence::Micros;

/// Waits kept before void ones are looked for.
const FEW_WAITS: usize = 1024;

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
type Entry = (Micros, Wait, u32, u32);

/// All waits, the next one first.
#[derive(Default)]
pub(super) struct Waits {
    queue: BinaryHeap<Reverse<Entry>>,
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

impl Correlator {
    /// Sets a wait. Its end and generation must be the row's own, else it is void.
    pub(super) fn wait(&mut self, what: Wait, id: u32, due: Micros, generation: u32) {
        let rows = self.files.rows.len() + self.sessions.rows.len() + self.servers.rows.len();
        if self.waits.queue.len() > FEW_WAITS + 4 * rows {
            self.sweep_waits();
        }
        self.waits.queue.push(Reverse((due, what, generation, id)));
    }

    fn sweep_waits(&mut self) {
        let mut waits = std::mem::take(&mut self.waits.queue);
        waits.retain(|Reverse(entry)| self.is_waiting(*entry));
        self.waits.queue = waits;
    }

    /// Gives the memory of waits that are void or over back, if it is much. Answers whether it did.
    pub(super) fn shrink_waits(&mut self) -> bool {
        let rows = self.files.rows.len() + self.sessions.rows.len() + self.servers.rows.len();
        if self.waits.queue.capacity() <= FEW_WAITS + 8 * rows {
            return false;
        }
        let before = self.waits.queue.capacity();
        self.sweep_waits();
        self.waits.queue.shrink_to(2 * self.waits.queue.len());
        self.waits.queue.capacity() < before
    }

    /// Whether a row still waits for this.
    fn is_waiting(&self, (due, what, generation, id): Entry) -> bool {
        let current = match what {
            Wait::File => {
                let held = self.files.get(id).and_then(|file| file.extra.as_ref());
                held.map(|held| (held.due, held.generation))
            }
            Wait::Session => self.sessions.get(id).and_then(|session| {
                session.ended.as_ref().map(|ended| (ended.due, session.generation))
            }),
            Wait::Server => self.servers.get(id).map(|server| (server.due, server.generation)),
        };
        current == Some((due, generation))
    }

    /// Keeps a closed file until the rest about it has come.
    pub(super) fn hold(&mut self, id: u32, delay: Micros) {
        self.hold_until(id, self.clock.now + delay);
    }

    pub(super) fn hold_until(&mut self, id: u32, due: Micros) {
        self.waits.generations = self.waits.generations.wrapping_add(1);
        let generation = self.waits.generations;
        if let Some(mut file) = self.files.get_mut(id) {
            let extra = file.extra.get_or_insert_with(Box::<Extra>::default);
            (extra.due, extra.generation) = (due, generation);
        }
        self.wait(Wait::File, id, due, generation);
    }

    pub(super) fn end_waits(&mut self, out: &mut impl Sink) {
        while let Some(Reverse(entry)) = self.waits.queue.peek().copied() {
            let (due, what, _, id) = entry;
            if due > self.clock.now {
                break;
            }
            self.waits.queue.pop();
            if !self.is_waiting(entry) {
                continue;
            }
            match what {
                Wait::File => self.end_file(id, Reason::Closed, out),
                Wait::Session => self.end_session(id, Reason::Disconnect, out),
                Wait::Server => self.end_server(id, Reason::Restart, out),
            }
        }
    }
}
