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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wait {
    /// A closed file for its open or its maps.
    File(u32),
    /// A disconnected login for late closes.
    Session(u32),
    /// An old incarnation for its last packets.
    Server(u32),
}

/// All waits, the next one first.
#[derive(Default)]
pub(super) struct Waits {
    queue: BinaryHeap<Reverse<(Micros, Wait, u32)>>,
    generations: u32,
}

impl Waits {
    pub fn clear(&mut self) {
        self.queue.clear();
    }
}

impl Correlator {
    /// Sets a wait; `generation` must still be the row's when it ends.
    pub(super) fn wait(&mut self, what: Wait, delay: Micros, generation: u32) {
        let rows = self.files.rows.len() + self.sessions.rows.len() + self.servers.rows.len();
        if self.waits.queue.len() > FEW_WAITS + 4 * rows {
            let mut waits = std::mem::take(&mut self.waits.queue);
            waits.retain(|Reverse((_, what, generation))| self.is_waiting(*what, *generation));
            self.waits.queue = waits;
        }
        self.waits.queue.push(Reverse((self.clock.now + delay, what, generation)));
    }

    /// Whether a row still waits for this; no row waits for more than two things.
    fn is_waiting(&self, what: Wait, generation: u32) -> bool {
        let current = match what {
            Wait::File(id) => {
                let held = self.files.get(id).and_then(|file| file.extra.as_ref());
                held.map(|held| held.generation)
            }
            Wait::Session(id) => self.sessions.get(id).map(|session| session.generation),
            Wait::Server(id) => self.servers.get(id).map(|server| server.generation),
        };
        current == Some(generation)
    }

    /// Keeps a closed file until the rest about it has come.
    pub(super) fn hold(&mut self, id: u32, delay: Micros) {
        self.waits.generations = self.waits.generations.wrapping_add(1);
        let generation = self.waits.generations;
        if let Some(file) = self.files.get_mut(id) {
            file.extra.get_or_insert_with(Box::<Extra>::default).generation = generation;
            self.wait(Wait::File(id), delay, generation);
        }
    }

    pub(super) fn end_waits(&mut self, out: &mut impl Sink) {
        while let Some(Reverse((due, what, generation))) = self.waits.queue.peek().copied() {
            if due > self.clock.now {
                break;
            }
            self.waits.queue.pop();
            if !self.is_waiting(what, generation) {
                continue;
            }
            match what {
                Wait::File(id) => self.end_file(id, Reason::Closed, out),
                Wait::Session(id) => self.end_session(id, Reason::Disconnect, out),
                Wait::Server(id) => self.end_server(id, Reason::Restart, out),
            }
        }
    }
}
