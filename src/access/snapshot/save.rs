//! From the state to entries.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Result, Write};

use super::frames::FrameWriter;
use super::rows::{Bytes, Entry, FileRow, ServerRow, SessionRow};
use super::{MAGIC, VERSION};
use crate::access::correlator::Correlator;
use crate::access::sequence::Micros;
use crate::access::slab::{BY_AGE, Held, Linked, List, Slab};

/// Dictids in one entry.
const CLOSED_IDS: usize = 4096;

/// The place of each row in a list.
fn places<T: Linked<BY_AGE> + Held + Default>(lists: &[&List<BY_AGE>], rows: &Slab<T>) -> Vec<u32> {
    let mut places = Vec::new();
    for list in lists {
        for (place, id) in (0..).zip(list.ids(rows)) {
            if places.len() <= id as usize {
                places.resize(id as usize + 1, 0);
            }
            if let Some(slot) = places.get_mut(id as usize) {
                *slot = place;
            }
        }
    }
    places
}

fn place(places: &[u32], id: u32) -> u32 {
    places.get(id as usize).copied().unwrap_or(0)
}

struct Saver<'a, W> {
    state: &'a Correlator,
    out: FrameWriter<W>,
    sessions: Vec<u32>,
    files: Vec<u32>,
    rows: u64,
}

impl Correlator {
    /// Writes everything that matters to records that are still to come.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn save(&self, out: &mut impl Write) -> Result<()> {
        out.write_all(MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        let mut saver = Saver {
            state: self,
            out: FrameWriter::new(&mut *out),
            sessions: places(&[&self.sessions.by_age], &self.sessions.rows),
            files: places(&[&self.files.active, &self.files.named], &self.files.rows),
            rows: 0,
        };
        saver.save()?;
        out.flush()
    }
}

impl<W: Write> Saver<'_, W> {
    fn save(&mut self) -> Result<()> {
        let now = self.wall(self.state.clock.now);
        self.out.write(&Entry::Start { now, stats: Cow::Borrowed(&self.state.stats) })?;
        let mut closed: HashMap<u32, Vec<(u32, bool)>> = HashMap::new();
        for ((generation, fileid), newer) in self.state.closed.iter() {
            closed.entry(generation).or_default().push((fileid, newer));
        }
        let servers = &self.state.servers;
        let mut ids: Vec<_> = servers
            .ids()
            .filter_map(|id| servers.get(id).map(|server| (server.generation, id)))
            .collect();
        // New generations are given in the order of loading.
        ids.sort_unstable();
        for (generation, id) in ids {
            self.server(id)?;
            let mut ids = closed.remove(&generation).unwrap_or_default();
            ids.sort_unstable();
            for ids in ids.chunks(CLOSED_IDS) {
                self.out.write(&Entry::Closed(ids.to_vec()))?;
            }
        }
        self.out.write(&Entry::End { rows: self.rows })?;
        self.out.end_frame()
    }

    fn wall(&self, at: Micros) -> Micros {
        self.state.clock.wall(at)
    }

    fn server(&mut self, id: u32) -> Result<()> {
        let Some(server) = self.state.servers.get(id) else { return Ok(()) };
        let mut numbers = server.numbers.clone();
        numbers.shift(|time| *time = self.wall(*time));
        let lead = self.state.servers.lead(id);
        let senders = self.state.servers.senders(id);
        let row = ServerRow {
            host: server.key.host.as_ref().map(Into::into),
            sid: server.key.sid,
            stod: server.key.stod,
            udp_port: server.udp_port,
            ident: server.ident.as_deref().map(Cow::Borrowed),
            first_seen: self.wall(server.first_seen),
            last_seen: self.wall(server.last_seen),
            due: server.superseded.then(|| self.wall(server.due)),
            serial: server.serial,
            damaged_at: server.damaged_at,
            sends_fstat: server.sends_fstat,
            sends_closes: server.sends_closes,
            sends_requests: server.sends_requests,
            window_s: server.window_s,
            is_confirmed: server.is_confirmed,
            standing: server.standing,
            heard: server.heard,
            order: server.used_at,
            numbers: Cow::Owned(numbers),
            leads_sid: lead.sid,
            leads_ident: lead.ident,
            ports: senders
                .map(|((peer, stod), leads)| (peer.as_ref().map(Into::into), *stod, leads))
                .collect(),
        };
        self.row(&Entry::Server(Box::new(row)))?;
        for session in server.sessions.ids(&self.state.sessions.rows) {
            self.session(session)?;
        }
        Ok(())
    }

    fn session(&mut self, id: u32) -> Result<()> {
        let Some(session) = self.state.sessions.get(id) else { return Ok(()) };
        let ended = session.ended.as_deref().copied();
        let row = SessionRow {
            dictid: session.dictid,
            nobody: session.nobody,
            user: session.user.as_deref().map(Cow::Borrowed),
            leads_userid: self.state.sessions.leads_userid(id),
            ended: ended.map(|mut ended| {
                ended.due = self.wall(ended.due);
                ended
            }),
            totals: session.totals,
            first_seen: self.wall(session.first_seen),
            last_seen: self.wall(session.last_seen),
            first_serial: session.first_serial,
            order: place(&self.sessions, id),
            generation: session.generation,
        };
        self.row(&Entry::Session(row))?;
        for file in session.files.ids(&self.state.files.rows) {
            self.file(file)?;
        }
        Ok(())
    }

    fn file(&mut self, id: u32) -> Result<()> {
        let Some(file) = self.state.files.get(id) else { return Ok(()) };
        let extra = file.extra.as_deref().map(|extra| {
            let mut extra = extra.clone();
            extra.due = self.wall(extra.due);
            Cow::Owned(extra)
        });
        let row = FileRow {
            fileid: file.fileid,
            open_serial: file.open_serial,
            path: file.path.as_deref().map(Bytes),
            size: file.size,
            totals: file.totals,
            opened_at: file.opened_at,
            open_window: file.open_window,
            last_seen: self.wall(file.last_seen),
            extra,
            known: file.known,
            order: place(&self.files, id),
        };
        self.row(&Entry::File(row))
    }

    fn row(&mut self, entry: &Entry<'_>) -> Result<()> {
        self.rows += 1;
        self.out.write(entry)
    }
}
