//! The state of the correlation: what a packet does to it, and the end of rows.

use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::clock::{Clock, time_in};
use super::closed::ClosedIds;
use super::config::Config;
use super::files::{Close, File, Files, known};
use super::incarnation::Run;
use super::numbers::Numbered;
use super::record::Sink;
use super::sequence::{Class, Loss, Micros, SECOND, Verdict};
use super::servers::{Found, Servers};
use super::sessions::Sessions;
use super::stats::{Reason, Stats, count_losses};
use super::waits::{Wait, Waits};
use crate::capture::Peer;
use crate::xrootd::{Body, Header, Message, Packet};

pub struct Correlator {
    pub(super) config: Config,
    pub(super) clock: Clock,
    pub(super) servers: Servers,
    pub(super) sessions: Sessions,
    pub(super) files: Files,
    pub(super) stats: Stats,
    pub(super) waits: Waits,
    pub(super) closed: ClosedIds,
    /// When rows are looked through again for those that were silent too long.
    expires_at: Micros,
}

/// Nobody minds a row for so long, and packets come faster.
const BETWEEN_EXPIRIES: Micros = SECOND / 1000;

impl Correlator {
    pub fn new(config: Config) -> Self {
        Self {
            config,
            clock: Clock::default(),
            servers: Servers::new(),
            sessions: Sessions::new(),
            files: Files::new(),
            stats: Stats::default(),
            waits: Waits::default(),
            closed: ClosedIds::default(),
            expires_at: 0,
        }
    }

    /// Takes the next message. `received_at` is UTC epoch microseconds; without it the messages
    /// themselves tell the time.
    pub fn message(
        &mut self,
        peer: Option<&Peer>,
        received_at: Option<Micros>,
        datagram: &[u8],
        message: &Message<'_>,
        out: &mut impl Sink,
    ) {
        self.advance(received_at, message, out);
        let run = match message {
            Message::Binary(packet) => Run {
                sid: packet.sid(),
                stod: packet.header.stod,
                by_userid: matches!(packet.body, Body::Map(map) if map.code != b'='),
            },
            Message::Text(text) => match text.stod {
                Some(stod) => Run { sid: text.sid, stod, by_userid: false },
                None => return self.headerless(peer, text, out),
            },
            Message::Summary(summary) => return self.summary(peer, summary, out),
        };
        let Some(server) = self.enter(peer, run, datagram.len(), out) else { return };
        match message {
            _ if self.is_repeated(server, peer, datagram, message) => {
                self.stats.duplicate_packets += 1;
            }
            Message::Binary(packet) => self.packet(server, packet, out),
            Message::Text(text) => self.text(server, text, out),
            Message::Summary(_) => {}
        }
        self.enforce(out);
    }

    /// Takes note of a datagram that could not be decoded: its number is not missing, but its records
    /// are.
    pub fn damaged(
        &mut self,
        peer: Option<&Peer>,
        received_at: Option<Micros>,
        datagram: &[u8],
        out: &mut impl Sink,
    ) {
        self.set_time(received_at, None, out);
        let Some(header) = Header::decode(datagram) else { return };
        let class = match header.code {
            b'f' => Class::File,
            b'x' | b'p' => Class::Frm,
            b'd' | b'i' | b'u' | b'T' | b'U' | b't' | b'r' => Class::Main,
            _ => return,
        };
        let run = Run { sid: None, stod: header.stod, by_userid: true };
        let Some(server) = self.enter(peer, run, datagram.len(), out) else { return };
        let port = peer.and_then(|peer| peer.port);
        let (number, fingerprint) = (u16::from(header.pseq), Self::fingerprint(datagram));
        let packet = Numbered { port, class, number, fingerprint, may_be_constant: false };
        self.servers.observe(server, &packet, self.clock.now);
        if let Some(mut server) = self.servers.get_mut(server) {
            server.damaged_at = server.serial;
        }
        self.enforce(out);
    }

    fn packet(&mut self, server: u32, packet: &Packet<'_>, out: &mut impl Sink) {
        match &packet.body {
            Body::Map(map) => self.map(server, map, out),
            Body::Fstat(stream) => self.fstat(server, stream, out),
            Body::Trace(stream) => self.trace(server, stream, out),
            Body::Redirects(stream) => self.redirects(server, stream, out),
            Body::Gstream(stream) => self.gstream(server, stream, out),
            Body::Unknown(_) => {}
        }
    }

    /// Finds the incarnation of a packet and counts the packet. `None` if it is over.
    fn enter(
        &mut self,
        peer: Option<&Peer>,
        run: Run,
        length: usize,
        out: &mut impl Sink,
    ) -> Option<u32> {
        let id = match self.servers.find(peer, run, self.clock.now) {
            Found::Known(id) => id,
            Found::New(id, older) => {
                if let Some(older) = older {
                    self.supersede(older);
                }
                id
            }
            Found::Stale => {
                self.stats.stale_packets += 1;
                return None;
            }
        };
        self.servers.touch(id, length, self.clock.now);
        self.enforce_servers(out);
        Some(id)
    }

    pub(super) fn supersede(&mut self, id: u32) {
        let due = self.clock.now + self.config.restart_grace;
        let Some(mut server) = self.servers.get_mut(id).filter(|server| !server.superseded) else {
            return;
        };
        server.superseded = true;
        server.due = due;
        let generation = server.generation;
        drop(server);
        self.wait(Wait::Server, id, due, generation);
    }

    fn is_repeated(
        &mut self,
        server: u32,
        peer: Option<&Peer>,
        datagram: &[u8],
        message: &Message<'_>,
    ) -> bool {
        let Some((class, number)) = Class::of(message) else { return false };
        // Servers before 5.0.1 give every identification the number 0.
        let may_be_constant =
            matches!(message, Message::Binary(packet) if packet.header.code == b'=');
        // Two destinations get the same events under numbers of their own.
        let has_copies = matches!(
            message,
            Message::Binary(Packet { body: Body::Trace(_) | Body::Redirects(_), .. })
        );
        let body = datagram.get(Header::SIZE..).filter(|_| has_copies);
        let body = body.map(Self::fingerprint);
        let port = peer.and_then(|peer| peer.port);
        let fingerprint = Self::fingerprint(datagram);
        let packet = Numbered { port, class, number, fingerprint, may_be_constant };
        if self.servers.observe(server, &packet, self.clock.now) == Verdict::Duplicate {
            return true;
        }
        let copy = body.zip(port).zip(self.servers.get_mut(server));
        copy.is_some_and(|((body, port), mut server)| server.numbers.is_copy(port, body))
    }

    /// Tells packets with the same number apart: length, head and tail hold times, ids and counts.
    /// No seed: what was remembered must mean the same after a restart. Nothing is looked up by it.
    fn fingerprint(datagram: &[u8]) -> u32 {
        let head = datagram.get(..64).unwrap_or(datagram);
        let tail = datagram.get(datagram.len().saturating_sub(16)..).unwrap_or_default();
        let ends = xxh3_64_with_seed(head, datagram.len() as u64);
        xxh3_64_with_seed(tail, ends) as u32
    }

    fn advance(&mut self, received_at: Option<Micros>, message: &Message<'_>, out: &mut impl Sink) {
        let told = if received_at.is_some() { None } else { time_in(message) };
        self.set_time(received_at, told, out);
    }

    fn set_time(&mut self, received_at: Option<Micros>, told: Option<u32>, out: &mut impl Sink) {
        let before = self.clock.now;
        match (received_at, told) {
            (Some(time), _) => self.clock.receive(time),
            (None, Some(seconds)) => self.clock.tell(Micros::from(seconds) * SECOND),
            (None, None) => {}
        }
        self.pass_since(before, out);
    }

    fn pass_since(&mut self, before: Micros, out: &mut impl Sink) {
        if self.clock.now > before {
            self.end_waits(out);
            if self.clock.now >= self.expires_at {
                self.expires_at = self.clock.now + BETWEEN_EXPIRIES;
                self.expire(out);
            }
        }
    }

    /// Lets time pass without a packet; `now` is UTC epoch microseconds.
    ///
    /// For live sources, about once a second: from the first tick on, ticks tell whether time has
    /// passed or the clock was set (earlier by more than 5 seconds, later by more than an hour), and
    /// packets can be later than the newest tick by a minute at most. Captures are read without ticks.
    pub fn tick(&mut self, now: Micros, out: &mut impl Sink) {
        let before = self.clock.now;
        self.clock.tick(now);
        self.pass_since(before, out);
    }

    /// Takes new ceilings and waits. Rows over the new ceilings leave, those used longest ago first;
    /// waits that have begun end as they would have.
    pub fn set_config(&mut self, config: Config, out: &mut impl Sink) {
        self.config = config;
        self.expire(out);
        self.enforce(out);
    }

    /// Lets go of rows that nothing was heard of for too long.
    fn expire(&mut self, out: &mut impl Sink) {
        let before = |ttl: Micros, now: Micros| now.saturating_sub(ttl);
        let limit = before(self.config.file_ttl, self.clock.now);
        while let Some(id) = self.files.active.first()
            && self.files.get(id).is_some_and(|file| file.last_seen < limit)
        {
            self.end_file(id, Reason::Expired, out);
        }
        while let Some(id) = self.files.named.first()
            && self.files.get(id).is_some_and(|file| file.last_seen < limit)
        {
            self.end_file(id, Reason::Expired, out);
        }
        let limit = before(self.config.session_ttl, self.clock.now);
        while let Some(id) = self.sessions.by_age.first()
            && let Some(session) = self.sessions.get(id)
            && session.last_seen < limit
        {
            if session.files.len() > 0 {
                self.sessions.touch(id, self.clock.now);
            } else {
                self.end_session(id, Reason::Expired, out);
            }
        }
        let limit = before(self.config.server_ttl, self.clock.now);
        while let Some(id) = self.servers.oldest()
            && self.servers.get(id).is_some_and(|server| server.last_seen < limit)
        {
            self.end_server(id, Reason::Expired, out);
        }
    }

    /// Ends a file: its record goes out unless it was only a name.
    pub(super) fn end_file(&mut self, id: u32, reason: Reason, out: &mut impl Sink) {
        let close = self.files.get(id).and_then(File::close).copied();
        self.end_closed_file(id, close.as_ref(), reason, out);
    }

    /// Ends a file that was closed like this, whatever its row says.
    pub(super) fn end_closed_file(
        &mut self,
        id: u32,
        close: Option<&Close>,
        reason: Reason,
        out: &mut impl Sink,
    ) {
        let Some(file) = self.files.get(id) else { return };
        let (active, owner) = (file.knows(known::ACTIVE), file.session);
        let key = (file.server, file.fileid);
        if active {
            let has_more = self.may_have_more(file, close);
            let reason = self.emit_access(id, close, reason, out);
            self.stats.evicted.files += u64::from(reason == Reason::Evicted);
            *self.stats.accesses.entry(reason).or_default() += 1;
            if has_more {
                self.remember_closed(key);
            }
        } else {
            self.stats.unused_names += 1;
        }
        if let Some(mut session) = self.sessions.get_mut(owner) {
            session.files.unlink(&mut self.files.rows, id);
        }
        self.files.remove(id);
    }

    /// Whether records may still come of a file whose own record goes out now: the t-stream tells all
    /// twice and at its own time, and an open may be later than its close was made to wait.
    fn may_have_more(&self, file: &File, close: Option<&Close>) -> bool {
        let Some(close) = close else {
            let is_gone = self.sessions.get(file.session).is_some_and(|s| s.ended.is_some());
            let has_closes = self.servers.get(file.server).is_some_and(|s| s.sends_closes);
            return file.knows(known::TRACE_OPEN) || (is_gone && !has_closes);
        };
        file.knows(known::TRACE_OPEN) || close.from_trace || !file.open_seen()
    }

    fn remember_closed(&mut self, (server, fileid): (u32, u32)) {
        let Some(generation) = self.servers.get(server).map(|server| server.generation) else {
            return;
        };
        self.closed.insert((generation, fileid));
    }

    /// Whether a file's record has gone out already.
    pub(super) fn was_closed(&self, server: u32, fileid: u32) -> bool {
        let generation = self.servers.get(server).map(|server| server.generation);
        generation.is_some_and(|generation| self.closed.contains((generation, fileid)))
    }

    pub(super) fn end_session(&mut self, id: u32, reason: Reason, out: &mut impl Sink) {
        while let Some(file) = self.sessions.get(id).and_then(|session| session.files.first()) {
            self.end_file(file, reason, out);
        }
        let is_login = self.sessions.get(id).is_some_and(|session| !session.nobody);
        self.stats.evicted.sessions += u64::from(reason == Reason::Evicted && is_login);
        self.emit_session(id, reason, out);
        self.unlink_session(id);
        self.sessions.remove(id);
    }

    /// Takes a session out of its server's list.
    pub(super) fn unlink_session(&mut self, id: u32) {
        let Some(owner) = self.sessions.get(id).map(|session| session.server) else { return };
        if let Some(mut server) = self.servers.get_mut(owner) {
            server.sessions.unlink(&mut self.sessions.rows, id);
            if server.nobody == Some(id) {
                server.nobody = None;
            }
        }
    }

    pub(super) fn end_server(&mut self, id: u32, reason: Reason, out: &mut impl Sink) {
        let now = self.clock.now;
        if let Some(mut server) = self.servers.get_mut(id) {
            server.numbers.give_up_missing(now);
        }
        while let Some(session) = self.servers.get(id).and_then(|server| server.sessions.first()) {
            self.end_session(session, reason, out);
        }
        if self.servers.get(id).is_some_and(|server| server.ident.is_none()) {
            self.emit_server(id, out);
        }
        self.stats.evicted.servers += u64::from(reason == Reason::Evicted);
        let server = self.servers.remove(id);
        count_losses(&server, &mut self.stats.losses);
    }

    /// Ends everything that is still open, as at the end of a capture.
    pub fn finish(&mut self, out: &mut impl Sink) {
        while let Some(id) = self.servers.oldest() {
            let superseded = self.servers.get(id).is_some_and(|server| server.superseded);
            let reason = if superseded { Reason::Restart } else { Reason::Open };
            self.end_server(id, reason, out);
        }
        self.waits.clear();
    }

    /// Whether packets of this incarnation were seen.
    pub fn knows(&self, peer: Option<&Peer>, sid: Option<u64>, stod: u32) -> bool {
        self.servers.knows(peer, sid, stod)
    }

    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Losses by server and class, of all incarnations so far.
    pub fn losses(&self) -> BTreeMap<(String, Class), Loss> {
        let mut losses = self.stats.losses.clone();
        for server in self.servers.ids().filter_map(|id| self.servers.get(id)) {
            count_losses(server, &mut losses);
        }
        losses
    }

    pub fn open_files(&self) -> usize {
        self.files.active.len()
    }
}
