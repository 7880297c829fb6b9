//! From entries to the state.

use std::io::Read;

use super::frames::{read_frame, read_whole};
use super::rows::{Entry, FileRow, ServerRow, SessionRow};
use super::{MAGIC, SnapshotError, VERSION};
use crate::access::correlator::Correlator;
use crate::access::files::{Extra, File, known};
use crate::access::incarnation::{Key, Server};
use crate::access::record::Sink;
use crate::access::sequence::{Micros, SECOND};
use crate::access::servers::Lead;
use crate::access::sessions::Session;
use crate::access::stats::{Reason, Stats};
use crate::access::waits::Wait;
use crate::capture::Host;
use crate::limits::MAX_DATAGRAM;

use SnapshotError::Damaged;

/// Times and counts beyond this are no state's; below it sums cannot overflow.
const ABSURD: u64 = 1 << 62;

/// No wait is longer.
const LONGEST_WAIT: Micros = 366 * 24 * 3600 * SECOND;

/// What a snapshot brought.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Rows of the servers that were kept.
    pub servers: usize,
    pub sessions: usize,
    pub files: usize,
    /// The counters, not added to those of the state: whoever loads a snapshot in parts adds them
    /// once, with [`Correlator::add_stats`].
    pub stats: Stats,
}

/// When a row was used last, and its place among those of the same time.
type Age = (Micros, u64, u32);

struct Loader<'a, K, S> {
    state: &'a mut Correlator,
    keep: K,
    out: &'a mut S,
    now: Option<Micros>,
    /// The ones that entries belong to; `None` for one that is not kept.
    server: Option<Option<u32>>,
    session: Option<Option<u32>>,
    /// Rows so far, kept or not.
    rows: u64,
    restored: Restored,
    /// Servers and their generations, to take them back.
    added: Vec<(u32, u32)>,
    servers: Vec<Age>,
    sessions: Vec<Age>,
    active: Vec<Age>,
    named: Vec<Age>,
    /// Generations of the rows in the snapshot, which tell the order of waits.
    session_generations: Vec<(u32, u32)>,
    file_generations: Vec<(u32, u32)>,
}

/// Takes no records.
struct Nothing;

impl Sink for Nothing {}

impl Correlator {
    /// Takes in what a snapshot says of the servers that `keep` wants, by the address or name that
    /// their packets come from (`None`: it was not known). Servers that the state knows already stay as
    /// they are. Rows over the ceilings leave as `evicted`. Load before the first packet.
    ///
    /// # Errors
    ///
    /// A snapshot of another version, or a damaged one; then nothing of it stays.
    pub fn load(
        &mut self,
        input: &mut impl Read,
        keep: impl FnMut(Option<&Host>) -> bool,
        out: &mut impl Sink,
    ) -> Result<Restored, SnapshotError> {
        let before = self.stats.clone();
        let mut loader = Loader {
            state: self,
            keep,
            out,
            now: None,
            server: None,
            session: None,
            rows: 0,
            restored: Restored::default(),
            added: Vec::new(),
            servers: Vec::new(),
            sessions: Vec::new(),
            active: Vec::new(),
            named: Vec::new(),
            session_generations: Vec::new(),
            file_generations: Vec::new(),
        };
        let outcome = loader.read(input);
        loader.settle();
        let Loader { restored, added, .. } = loader;
        if let Err(error) = outcome {
            for (id, generation) in added {
                if self.servers.get(id).is_some_and(|server| server.generation == generation) {
                    self.end_server(id, Reason::Evicted, &mut Nothing);
                }
            }
            self.stats = before;
            return Err(error);
        }
        self.enforce(out);
        Ok(restored)
    }

    /// Adds counters, as of a snapshot.
    pub fn add_stats(&mut self, more: &Stats) {
        self.stats.add(more);
    }
}

impl<K: FnMut(Option<&Host>) -> bool, S: Sink> Loader<'_, K, S> {
    fn read(&mut self, input: &mut impl Read) -> Result<(), SnapshotError> {
        let (mut magic, mut version) = ([0; MAGIC.len()], [0; 4]);
        read_whole(input, &mut magic)?;
        if magic != *MAGIC {
            return Err(SnapshotError::NotASnapshot);
        }
        read_whole(input, &mut version)?;
        if version != VERSION.to_le_bytes() {
            return Err(SnapshotError::Version(u32::from_le_bytes(version)));
        }
        let mut payload = Vec::new();
        loop {
            read_frame(input, &mut payload)?;
            let mut rest = &payload[..];
            while !rest.is_empty() {
                let (entry, behind) = postcard::take_from_bytes::<Entry<'_>>(rest)
                    .map_err(|_| Damaged("an entry cannot be read"))?;
                rest = behind;
                if let Entry::End { rows } = entry {
                    let is_whole = rows == self.rows && self.now.is_some() && rest.is_empty();
                    return if is_whole { Ok(()) } else { Err(Damaged("rows are missing")) };
                }
                self.entry(entry)?;
            }
        }
    }

    fn entry(&mut self, entry: Entry<'_>) -> Result<(), SnapshotError> {
        if let Entry::Start { now, stats } = entry {
            if self.now.is_some() || !stats.is_sound() {
                return Err(Damaged("it begins twice, or with absurd counters"));
            }
            let now = self.time(now)?;
            self.now = Some(now);
            self.state.clock.resume(now);
            self.restored.stats = stats.into_owned();
            return Ok(());
        }
        let now = self.now.ok_or(Damaged("it has no beginning"))?;
        self.rows += 1;
        match entry {
            Entry::Server(row) => self.server(&row, now),
            Entry::Session(row) => self.session(row, now),
            Entry::File(row) => self.file(row, now),
            Entry::Closed(ids) => {
                self.rows -= 1;
                let id = self.server.ok_or(Damaged("closed files without a server"))?;
                let server = id.and_then(|id| self.state.servers.get(id));
                if let Some(generation) = server.map(|server| server.generation) {
                    for (fileid, is_newer) in ids {
                        self.state.closed.restore((generation, fileid), is_newer);
                    }
                }
                Ok(())
            }
            Entry::Start { .. } | Entry::End { .. } => Ok(()),
        }
    }

    /// A time of the wall clock as one of the state.
    fn time(&self, wall: Micros) -> Result<Micros, SnapshotError> {
        if wall >= ABSURD {
            return Err(Damaged("an absurd time"));
        }
        Ok(self.state.clock.steady(wall))
    }

    fn due(&self, wall: Micros, now: Micros) -> Result<Micros, SnapshotError> {
        let due = self.time(wall)?;
        if due > now.saturating_add(LONGEST_WAIT) {
            return Err(Damaged("an absurd time"));
        }
        Ok(due)
    }

    fn server(&mut self, row: &ServerRow<'_>, now: Micros) -> Result<(), SnapshotError> {
        // Several times what may be held is never built up.
        if self.state.usage().bytes > self.state.config.max_bytes.saturating_mul(2) {
            self.settle();
            self.state.enforce(self.out);
        }
        self.session = None;
        let host = row.host.as_ref().map(Host::from);
        if !(self.keep)(host.as_ref()) {
            self.server = Some(None);
            return Ok(());
        }
        let numbers = row.numbers.clone().into_owned().restore();
        let mut numbers = numbers.ok_or(Damaged("absurd sequence numbers"))?;
        let clock = self.state.clock;
        numbers.shift(|time| *time = clock.steady((*time).min(ABSURD)));
        let due = row.due.map(|due| self.due(due, now)).transpose()?;
        let server = Server {
            address: host.as_ref().map(|host| host.to_string().into()),
            key: Key { host, sid: row.sid, stod: row.stod },
            udp_port: row.udp_port,
            ident: row.ident.as_deref().cloned().map(Box::new),
            first_seen: self.time(row.first_seen)?,
            last_seen: self.time(row.last_seen)?.min(now),
            due: due.unwrap_or(0),
            superseded: due.is_some(),
            serial: row.serial,
            damaged_at: row.damaged_at,
            sends_fstat: row.sends_fstat,
            sends_closes: row.sends_closes,
            sends_requests: row.sends_requests,
            window_s: row.window_s,
            is_confirmed: row.is_confirmed,
            standing: row.standing,
            heard: row.heard.min(u64::from(u32::MAX)),
            numbers,
            ..Server::default()
        };
        let last_seen = server.last_seen;
        let lead = Lead { sid: row.leads_sid, ident: row.leads_ident };
        let ports = row
            .ports
            .iter()
            .map(|(peer, stod, leads)| ((peer.as_ref().map(Into::into), *stod), *leads));
        let id = self.state.servers.restore(server, lead, ports);
        self.server = Some(id);
        if let Some(id) = id {
            let generation = self.state.servers.get(id).map_or(0, |server| server.generation);
            self.added.push((id, generation));
            self.servers.push((last_seen, row.order, id));
            self.restored.servers += 1;
        }
        Ok(())
    }

    fn session(&mut self, row: SessionRow<'_>, now: Micros) -> Result<(), SnapshotError> {
        let owner = self.server.ok_or(Damaged("a login without a server"))?;
        self.session = Some(None);
        let Some(owner) = owner else { return Ok(()) };
        let totals = row.totals;
        let is_absurd = !(0..ABSURD as i64).contains(&totals.files);
        let ended_at = row.ended.and_then(|ended| ended.at);
        if is_absurd || ended_at.is_some_and(|at| !at.is_finite()) {
            return Err(Damaged("an absurd login"));
        }
        let ended = row.ended.map(|ended| {
            self.due(ended.due, now).map(|due| {
                let mut ended = ended;
                ended.due = due;
                Box::new(ended)
            })
        });
        let session = Session {
            server: owner,
            dictid: row.dictid,
            nobody: row.nobody,
            user: row.user.map(|user| Box::new(user.into_owned())),
            ended: ended.transpose()?,
            totals,
            first_seen: self.time(row.first_seen)?,
            last_seen: self.time(row.last_seen)?.min(now),
            first_serial: row.first_serial,
            ..Session::default()
        };
        let last_seen = session.last_seen;
        let id = self.state.sessions.restore(session, row.leads_userid);
        if let Some(mut server) = self.state.servers.get_mut(owner) {
            server.sessions.push_back(&mut self.state.sessions.rows, id);
            if row.nobody {
                server.nobody = Some(id);
            }
        }
        if !row.nobody {
            self.sessions.push((last_seen, u64::from(row.order), id));
        }
        self.session_generations.push((row.generation, id));
        self.session = Some(Some(id));
        self.restored.sessions += 1;
        Ok(())
    }

    fn file(&mut self, row: FileRow<'_>, now: Micros) -> Result<(), SnapshotError> {
        let owner = self.session.ok_or(Damaged("a file without a login"))?;
        let (Some(Some(server)), Some(session)) = (self.server, owner) else { return Ok(()) };
        let path = row.path.map(|path| path.0);
        let extra = row.extra.map(std::borrow::Cow::into_owned);
        let close = extra.as_ref().and_then(|extra| extra.close.as_ref());
        let is_finite = row.opened_at.is_finite() && close.is_none_or(|close| close.at.is_finite());
        if !is_finite || path.is_some_and(|path| path.len() > MAX_DATAGRAM) {
            return Err(Damaged("an absurd file"));
        }
        let extra = match extra {
            Some(mut extra) => {
                extra.due = self.due(extra.due, now)?;
                Some(Box::<Extra>::new(extra))
            }
            None => None,
        };
        let wait =
            extra.as_ref().map(|extra| extra.generation).filter(|generation| *generation != 0);
        let file = File {
            server,
            session,
            fileid: row.fileid,
            open_serial: row.open_serial,
            path: path.map(Into::into),
            size: row.size,
            totals: row.totals,
            opened_at: row.opened_at,
            open_window: row.open_window,
            last_seen: self.time(row.last_seen)?.min(now),
            extra,
            known: row.known,
            ..File::default()
        };
        let age = (file.last_seen, u64::from(row.order));
        let list = if file.knows(known::ACTIVE) { &mut self.active } else { &mut self.named };
        let id = self.state.files.restore(file);
        list.push((age.0, age.1, id));
        if let Some(mut session) = self.state.sessions.get_mut(session) {
            session.files.push_back(&mut self.state.files.rows, id);
        }
        self.file_generations.extend(wait.map(|generation| (generation, id)));
        self.restored.files += 1;
        Ok(())
    }

    /// Puts what was loaded into the order of its use, and lets it wait.
    fn settle(&mut self) {
        let state = &mut *self.state;
        state.servers.relist(std::mem::take(&mut self.servers));
        state.sessions.relist(std::mem::take(&mut self.sessions));
        state.files.relist(std::mem::take(&mut self.active), std::mem::take(&mut self.named));
        let mut sessions = std::mem::take(&mut self.session_generations);
        sessions.sort_unstable();
        for (_, id) in sessions {
            let (generation, due) = state.sessions.renew(id);
            if let Some(due) = due {
                state.wait(Wait::Session, id, due, generation);
            }
        }
        let mut files = std::mem::take(&mut self.file_generations);
        files.sort_unstable();
        for (_, id) in files {
            let due = state.files.get(id).and_then(|file| file.extra.as_ref().map(|e| e.due));
            if let Some(due) = due {
                state.hold_until(id, due);
            }
        }
        for (id, _) in &self.added {
            let Some(server) = state.servers.get(*id).filter(|server| server.superseded) else {
                continue;
            };
            let (due, generation) = (server.due, server.generation);
            state.wait(Wait::Server, *id, due, generation);
        }
    }
}
