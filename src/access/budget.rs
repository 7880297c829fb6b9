//! Ceilings: of rows, and of bytes.
//!
//! Bytes are not estimated. Each table knows its own and sums up what its rows point to; all of it
//! together is compared with the budget after each message. Tables that have become sparse give
//! memory back before a row has to leave for it.

use super::correlator::Correlator;
use super::record::Sink;
use super::sequence::Micros;
use super::stats::{Reason, Usage};
use super::waits::Wait;

/// The smallest part of a datagram that makes a row.
const BYTES_FOR_A_ROW: usize = 16;

/// The most memory that a received byte can buy: short records make long rows.
const BYTES_FOR_A_BYTE: usize = 32;

/// A server nobody knows may send as much as fits a datagram, whatever the ceilings.
const HEARD_AT_LEAST: usize = 8 * 65_536;

/// The kinds of rows that can leave for others, those that less is lost with first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Oldest {
    Name,
    File,
    Session,
    Server,
}

impl Correlator {
    /// How much the state holds. Takes no time.
    pub fn usage(&self) -> Usage {
        Usage {
            files: self.files.active.len(),
            names: self.files.named.len(),
            sessions: self.sessions.rows.len(),
            servers: self.servers.rows.len(),
            bytes: self.bytes(),
            evicted: self.stats.evicted,
        }
    }

    fn bytes(&self) -> usize {
        self.files.bytes()
            + self.sessions.bytes()
            + self.servers.bytes()
            + self.waits.bytes()
            + self.closed.bytes()
    }

    /// The bytes of [`Usage`], counted row by row, for checks.
    pub fn count_bytes(&self) -> usize {
        self.files.count_bytes()
            + self.sessions.count_bytes()
            + self.servers.count_bytes()
            + self.waits.bytes()
            + self.closed.bytes()
    }

    pub(super) fn enforce_servers(&mut self, out: &mut impl Sink) {
        let most = self.config.max_servers.max(1);
        while self.servers.rows.len() > most
            && let Some(id) = self.servers.least(most)
        {
            self.end_server(id, Reason::Evicted, out);
        }
    }

    /// Keeps every table under its ceiling and all of them within the budget.
    pub(super) fn enforce(&mut self, out: &mut impl Sink) {
        self.enforce_servers(out);
        while self.files.active.len() > self.config.max_open_files
            && let Some(id) = self.files.active.first()
        {
            if !self.evict_unknown(out) {
                self.end_file(id, Reason::Evicted, out);
            }
        }
        while self.files.named.len() > self.config.max_named_files
            && let Some(id) = self.files.named.first()
        {
            if !self.evict_unknown(out) {
                self.end_file(id, Reason::Evicted, out);
            }
        }
        while self.sessions.by_age.len() > self.config.max_sessions
            && let Some(id) = self.sessions.by_age.first()
        {
            if !self.evict_unknown(out) {
                self.end_session(id, Reason::Evicted, out);
            }
        }
        while self.bytes() > self.config.max_bytes
            && (self.reclaim() || self.evict_unknown(out) || self.evict_oldest(out))
        {}
    }

    /// Lets the oldest server of unknown standing go, with all it has, if there are many of those or
    /// they may hold much.
    fn evict_unknown(&mut self, out: &mut impl Sink) -> bool {
        let config = &self.config;
        let rows = config.max_open_files.min(config.max_named_files).min(config.max_sessions);
        let most = rows.saturating_mul(BYTES_FOR_A_ROW).min(config.max_bytes / BYTES_FOR_A_BYTE);
        let id = self.servers.least_known(config.max_servers, most.max(HEARD_AT_LEAST));
        if let Some(id) = id {
            self.end_server(id, Reason::Evicted, out);
        }
        id.is_some()
    }

    /// Lets the row go that was used longest ago, of whatever kind.
    fn evict_oldest(&mut self, out: &mut impl Sink) -> bool {
        loop {
            let Some((_, kind, id)) = self.oldest() else { return false };
            match kind {
                Oldest::File | Oldest::Name => self.end_file(id, Reason::Evicted, out),
                // Its files can be younger than itself.
                Oldest::Session
                    if self.sessions.get(id).is_some_and(|session| session.files.len() > 0) =>
                {
                    self.sessions.touch(id, self.clock.now);
                    continue;
                }
                Oldest::Session => self.end_session(id, Reason::Evicted, out),
                Oldest::Server => self.end_server(id, Reason::Evicted, out),
            }
            return true;
        }
    }

    fn oldest(&self) -> Option<(Micros, Oldest, u32)> {
        let file = |id: Option<u32>, kind| {
            id.and_then(|id| self.files.get(id).map(|file| (file.last_seen, kind, id)))
        };
        let session = self.sessions.by_age.first();
        let session = session.and_then(|id| self.sessions.get(id).map(|row| (row.last_seen, id)));
        let server = self.servers.oldest();
        let server = server.and_then(|id| self.servers.get(id).map(|row| (row.last_seen, id)));
        let candidates = [
            file(self.files.named.first(), Oldest::Name),
            file(self.files.active.first(), Oldest::File),
            session.map(|(time, id)| (time, Oldest::Session, id)),
            server.map(|(time, id)| (time, Oldest::Server, id)),
        ];
        candidates.into_iter().flatten().min()
    }

    /// Gives memory of sparse tables back, a bounded piece at a time. Answers whether there was any.
    fn reclaim(&mut self) -> bool {
        if self.files.rows.is_sparse() {
            while let Some(to) = self.files.move_last() {
                self.file_moved(to);
            }
            self.files.rows.drop_last();
            return true;
        }
        if self.sessions.rows.is_sparse() {
            while let Some((from, to)) = self.sessions.move_last() {
                self.session_moved(from, to);
            }
            self.sessions.rows.drop_last();
            return true;
        }
        self.files.shrink_index()
            || self.sessions.shrink_indexes()
            || self.servers.shrink_maps()
            || self.shrink_waits()
    }

    fn file_moved(&mut self, to: u32) {
        let Some(file) = self.files.get(to) else { return };
        let wait = file.extra.as_ref().map(|extra| (extra.due, extra.generation));
        if let Some(mut session) = self.sessions.get_mut(file.session) {
            session.files.moved(&mut self.files.rows, to);
        }
        if let Some((due, generation)) = wait.filter(|(due, _)| *due != 0) {
            self.wait(Wait::File, to, due, generation);
        }
    }

    fn session_moved(&mut self, from: u32, to: u32) {
        let Some(session) = self.sessions.get(to) else { return };
        let (owner, files, generation) = (session.server, session.files, session.generation);
        let due = session.ended.as_ref().map(|ended| ended.due);
        if let Some(mut server) = self.servers.get_mut(owner) {
            server.sessions.moved(&mut self.sessions.rows, to);
            if server.nobody == Some(from) {
                server.nobody = Some(to);
            }
        }
        let mut at = files.first();
        while let Some(id) = at {
            at = files.after(&self.files.rows, id);
            if let Some(mut file) = self.files.get_mut(id) {
                file.session = to;
            }
        }
        if let Some(due) = due {
            self.wait(Wait::Session, to, due, generation);
        }
    }
}
