//! What happens to rows after a time.

use std::cmp::Reverse;

use super::correlator::Correlator;
use super::files::Extra;
use super::record::Sink;
use super::sequence::Micros;
use super::stats::Reason;
use super::waits::{Entry, FEW_WAITS, Wait};

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
