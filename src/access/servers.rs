//! Server incarnations: one run of one daemon, as seen from here.
//!
//! All dictionary ids belong to an incarnation, which is (sender's address, sid, start time). The
//! sid is stable over restarts since XRootD 5.1.0; before, a restart shows when the same host, port,
//! instance and program identify themselves with another start time. Packets that carry no sid
//! belong to the incarnation that sent others from the same address with the same start time.

use hashbrown::{DefaultHashBuilder, HashMap};
use std::hash::BuildHasher;

use super::record;
use super::sequence::{Class, Loss, Micros, Recent, Tracker, Verdict};
use super::slab::{BY_AGE, BY_OWNER, Linked, Links, List, NIL, Slab};
use crate::capture::{Host, Peer};

/// Sequence classes followed for one incarnation: eight providers in two framings, three counters
/// and two destinations fit. A sender that changes ports beyond that is not followed.
const MAX_TRACKERS: usize = 48;

/// Missing numbers remembered for one incarnation; beyond them the oldest of the class with the newest
/// gap count as lost at once, so that a sender of random numbers cannot buy memory.
const MAX_MISSING: usize = 512;

/// Files whose announced segments are followed at once. They come right behind their READU; only a
/// packet boundary or a window mark can stand between.
const MAX_SEGMENTED_FILES: usize = 64;

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ident {
    pub host: Option<Box<str>>,
    pub port: Option<i64>,
    pub instance: Option<Box<str>>,
    pub program: Option<Box<str>>,
    pub version: Option<Box<str>>,
    pub site: Option<Box<str>>,
    /// User and process id that it runs under.
    pub user: Option<Box<str>>,
    pub pid: Option<i64>,
}

/// One incarnation.
#[derive(Default)]
pub struct Server {
    by_age: Links,
    pub key: Key,
    pub address: Option<Box<str>>,
    pub udp_port: Option<u16>,
    pub ident: Option<Box<Ident>>,
    pub first_seen: Micros,
    pub last_seen: Micros,
    /// Packets so far: the clock by which gaps and records are compared.
    pub serial: u32,
    /// Serial of the newest packet that could not be decoded.
    pub damaged_at: u32,
    /// f-stream packets, and closes in them, were seen.
    pub sends_fstat: bool,
    pub sends_closes: bool,
    /// Single requests were seen in the t-stream.
    pub sends_requests: bool,
    /// Longest f-stream window, seconds.
    pub window_s: u32,
    /// Its sid stood elsewhere than in the userid of a map.
    is_confirmed: bool,
    /// A newer incarnation was seen.
    pub superseded: bool,
    /// Sessions of this incarnation.
    pub sessions: List<BY_OWNER>,
    /// Holds the files whose login is not known.
    pub nobody: Option<u32>,
    trackers: Vec<(Option<u16>, Class, Tracker)>,
    recent: Vec<(Option<u16>, Class, Recent)>,
    /// Ports and bodies of the t and r packets seen last.
    copies: Recent,
    /// Files with vector reads whose segments are still to come as plain reads, and how many.
    segments_due: Vec<(u32, u16)>,
    /// Unlike that of any other incarnation, also of one that had this row before.
    pub generation: u32,
    /// Keys under which the other maps know this incarnation.
    ports: Vec<(Option<Peer>, u32)>,
    ident_hash: Option<u64>,
}

/// What tells incarnations apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    pub host: Option<Host>,
    pub sid: Option<u64>,
    pub stod: u32,
}

impl Linked<BY_AGE> for Server {
    fn links(&self) -> Links {
        self.by_age
    }
    fn links_mut(&mut self) -> &mut Links {
        &mut self.by_age
    }
}

impl Server {
    pub fn columns(&self) -> record::Server<'_> {
        let ident = self.ident.as_deref();
        record::Server {
            server_address: self.address.as_deref(),
            server_udp_port: self.udp_port.map(i64::from),
            server_started_at: Some(i64::from(self.key.stod)),
            server_id: self.key.sid.map(|sid| sid as i64),
            server_host: ident.and_then(|ident| ident.host.as_deref()),
            server_port: ident.and_then(|ident| ident.port),
            server_instance: ident.and_then(|ident| ident.instance.as_deref()),
            server_program: ident.and_then(|ident| ident.program.as_deref()),
            server_version: ident.and_then(|ident| ident.version.as_deref()),
            server_site: ident.and_then(|ident| ident.site.as_deref()),
        }
    }

    /// Follows the packet's sequence number. The f-stream has one counter for all destinations, so
    /// its repetitions are found whatever port they came from.
    pub fn observe(
        &mut self,
        port: Option<u16>,
        class: Class,
        number: u16,
        fingerprint: u32,
        may_be_constant: bool,
        now: Micros,
    ) -> Verdict {
        let shared = if class == Class::File { None } else { port };
        let serial = self.serial;
        let at = match self.trackers.iter().position(|(p, c, _)| (*p, *c) == (port, class)) {
            Some(at) => at,
            None if self.trackers.len() < MAX_TRACKERS => {
                self.trackers.push((port, class, Tracker::default()));
                self.trackers.len() - 1
            }
            None => return Verdict::InOrder,
        };
        let seen = match self.recent.iter().position(|(p, c, _)| (*p, *c) == (shared, class)) {
            Some(seen) => seen,
            None => {
                self.recent.push((shared, class, Recent::default()));
                self.recent.len() - 1
            }
        };
        let (Some((_, _, tracker)), Some((_, _, recent))) =
            (self.trackers.get_mut(at), self.recent.get_mut(seen))
        else {
            return Verdict::InOrder;
        };
        if may_be_constant && number == 0 && !tracker.expects(class, number) {
            return Verdict::InOrder;
        }
        let repeated = class == Class::File && recent.contains(number, fingerprint);
        let verdict = tracker.observe(class, number, fingerprint, recent, now, serial);
        if verdict == Verdict::Gap {
            let missing: usize = self.trackers.iter().map(|(_, _, t)| t.missing()).sum();
            if let Some((_, _, tracker)) = self.trackers.get_mut(at) {
                tracker.shed(missing.saturating_sub(MAX_MISSING));
            }
        }
        if repeated { Verdict::Duplicate } else { verdict }
    }

    /// Whether the body of a packet came from another port before.
    pub fn is_copy(&mut self, port: u16, body: u32) -> bool {
        let is_copy = self.copies.has_from_another(port, body);
        if !is_copy {
            self.copies.remember(port, body);
        }
        is_copy
    }

    /// A READU announced so many segments of a file.
    pub fn expect_segments(&mut self, fileid: u32, count: u16) {
        self.segments_due.retain(|(file, _)| *file != fileid);
        if count > 0 {
            if self.segments_due.len() == MAX_SEGMENTED_FILES {
                self.segments_due.remove(0);
            }
            self.segments_due.push((fileid, count));
        }
    }

    /// Whether a read of this file is an announced segment; if so it is counted off.
    pub fn take_segment(&mut self, fileid: u32) -> bool {
        let Some(at) = self.segments_due.iter().position(|(file, _)| *file == fileid) else {
            return false;
        };
        if let Some((_, due)) = self.segments_due.get_mut(at) {
            *due -= 1;
            if *due == 0 {
                self.segments_due.remove(at);
            }
        }
        true
    }

    /// The serial of the newest gap in any class; 0 if there was none.
    pub fn newest_gap(&self) -> u32 {
        let gaps = self.trackers.iter().map(|(_, _, tracker)| tracker.newest_gap());
        gaps.fold(self.damaged_at, u32::max)
    }

    pub fn losses(&self) -> impl Iterator<Item = (Class, Loss)> + '_ {
        self.trackers.iter().map(|(_, class, tracker)| (*class, tracker.counts()))
    }

    /// Whatever is still missing will not come.
    pub fn give_up_missing(&mut self, now: Micros) {
        for (_, _, tracker) in &mut self.trackers {
            tracker.give_up(now, true);
        }
    }
}

/// All incarnations, and the ways to find one.
pub struct Servers {
    pub rows: Slab<Server>,
    pub by_age: List<BY_AGE>,
    by_key: HashMap<Key, u32>,
    /// The newest incarnation of a sid.
    newest: HashMap<(Option<Host>, u64), u32>,
    /// The incarnation that sends from a port, for packets without a sid.
    by_port: HashMap<(Option<Peer>, u32), u32>,
    /// The newest incarnation of a host, port, instance and program.
    by_ident: HashMap<u64, u32>,
    hasher: DefaultHashBuilder,
    generations: u32,
    last: Option<(Option<Peer>, Key, u32)>,
}

/// What a packet says of the run of the server that sent it.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub sid: Option<u64>,
    pub stod: u32,
    /// The sid stands in the userid of a map, which is text and can be anything.
    pub by_userid: bool,
}

/// Where a packet belongs.
pub enum Found {
    Known(u32),
    /// A new incarnation, and the one that is over because of it (or itself, if it is a late one).
    New(u32, Option<u32>),
    /// An older incarnation that is gone: its packets have nothing to join.
    Stale,
}

impl Servers {
    pub fn new() -> Self {
        Self {
            rows: Slab::new(),
            by_age: List::default(),
            by_key: HashMap::new(),
            newest: HashMap::new(),
            by_port: HashMap::new(),
            by_ident: HashMap::new(),
            hasher: DefaultHashBuilder::default(),
            generations: 0,
            last: None,
        }
    }

    pub fn get(&self, id: u32) -> Option<&Server> {
        self.rows.get(id)
    }

    pub fn get_mut(&mut self, id: u32) -> Option<&mut Server> {
        self.rows.get_mut(id)
    }

    /// Finds or makes the incarnation of a packet.
    pub fn find(&mut self, peer: Option<&Peer>, run: Run, now: Micros) -> Found {
        if let Some((last_peer, key, id)) = &self.last
            && last_peer.as_ref() == peer
            && key.stod == run.stod
            && (key.sid == run.sid || run.sid.is_none())
        {
            let id = *id;
            self.confirm(id, run);
            return Found::Known(id);
        }
        let found = self.look_up(peer, run, now);
        if let Found::Known(id) | Found::New(id, _) = found {
            self.confirm(id, run);
            if let Some(server) = self.rows.get(id) {
                self.last = Some((peer.cloned(), server.key.clone(), id));
            }
        }
        found
    }

    fn confirm(&mut self, id: u32, run: Run) {
        if run.sid.is_some()
            && !run.by_userid
            && let Some(server) = self.rows.get_mut(id)
        {
            server.is_confirmed = true;
        }
    }

    fn look_up(&mut self, peer: Option<&Peer>, run: Run, now: Micros) -> Found {
        let Run { sid, stod, by_userid } = run;
        let host = peer.map(|peer| peer.host.clone());
        let sender = (peer.cloned(), stod);
        let key = Key { host, sid, stod };
        if let Some(id) = self.by_key.get(&key) {
            let id = *id;
            self.remember_port(sender, id);
            return Found::Known(id);
        }
        let here = self.by_port.get(&sender).copied();
        if let Some(id) = here {
            let server = self.rows.get(id);
            let known = server.and_then(|server| server.key.sid);
            // One process sends from one port. A sid that is known from the texts of its maps alone is
            // no other server's, unless a relay hides the port, or there is none.
            let is_here = by_userid
                && peer.is_some_and(|peer| peer.port.is_some())
                && server.is_some_and(|server| server.is_confirmed);
            match (known, sid) {
                (_, None) => return Found::Known(id),
                (None, Some(_)) => return self.name(id, key),
                _ if is_here => return Found::Known(id),
                _ => {}
            }
        }
        let older = sid.and_then(|sid| self.newest.get(&(key.host.clone(), sid)).copied());
        if older.and_then(|id| self.rows.get(id)).is_some_and(|server| server.key.stod > stod) {
            return Found::Stale;
        }
        let id = self.add(peer, key, now);
        self.remember_port(sender, id);
        Found::New(id, older)
    }

    fn remember_port(&mut self, sender: (Option<Peer>, u32), id: u32) {
        if self.by_port.get(&sender) == Some(&id) {
            return;
        }
        if let Some(server) = self.rows.get_mut(id)
            && server.ports.len() < MAX_TRACKERS
        {
            server.ports.push(sender.clone());
            self.by_port.insert(sender, id);
        }
    }

    /// Gives the sid to an incarnation that was made by packets without one.
    fn name(&mut self, id: u32, key: Key) -> Found {
        if let Some(server) = self.rows.get_mut(id) {
            self.by_key.remove(&server.key);
            server.key = key.clone();
        }
        let mut older = None;
        if let Some(sid) = key.sid {
            let newest = self.newest.entry((key.host.clone(), sid)).or_insert(id);
            let other = *newest;
            if self.rows.get(other).is_some_and(|server| server.key.stod > key.stod) {
                older = Some(id);
            } else {
                *newest = id;
                older = Some(other).filter(|other| *other != id);
            }
        }
        self.by_key.insert(key, id);
        Found::New(id, older)
    }

    fn add(&mut self, peer: Option<&Peer>, key: Key, now: Micros) -> u32 {
        let address = peer.map(|peer| peer.host.to_string().into());
        self.generations = self.generations.wrapping_add(1);
        let id = self.rows.insert(Server {
            key: key.clone(),
            generation: self.generations,
            address,
            udp_port: peer.and_then(|peer| peer.port),
            first_seen: now,
            last_seen: now,
            ..Server::default()
        });
        self.by_age.push_back(&mut self.rows, id);
        if let Some(sid) = key.sid {
            self.newest.insert((key.host.clone(), sid), id);
        }
        self.by_key.insert(key, id);
        id
    }

    pub fn knows(&self, peer: Option<&Peer>, sid: Option<u64>, stod: u32) -> bool {
        let key = Key { host: peer.map(|peer| peer.host.clone()), sid, stod };
        self.by_key.contains_key(&key) || self.by_port.contains_key(&(peer.cloned(), stod))
    }

    /// Counts a packet of an incarnation and makes it the youngest.
    pub fn touch(&mut self, id: u32, now: Micros) {
        self.by_age.touch(&mut self.rows, id);
        if let Some(server) = self.rows.get_mut(id) {
            server.last_seen = now;
            server.serial = server.serial.saturating_add(1);
        }
    }

    /// Takes an identification. Answers whether it says something new, and which incarnation it
    /// replaces.
    pub fn identify(&mut self, id: u32, ident: Ident) -> (bool, Option<u32>) {
        let Some(server) = self.rows.get_mut(id) else { return (false, None) };
        if server.ident.as_deref() == Some(&ident) {
            return (false, None);
        }
        let stod = server.key.stod;
        let who = (&server.key.host, &ident.host, ident.port, &ident.instance, &ident.program);
        let hash = self.hasher.hash_one(who);
        server.ident = Some(Box::new(ident));
        let older = self.by_ident.get(&hash).copied().filter(|other| *other != id);
        let older_stod = older.and_then(|id| self.rows.get(id)).map(|server| server.key.stod);
        if older_stod.is_none_or(|older| older < stod) {
            self.by_ident.insert(hash, id);
            let before = self.rows.get_mut(id).and_then(|server| server.ident_hash.replace(hash));
            if let Some(before) = before.filter(|before| *before != hash)
                && self.by_ident.get(&before) == Some(&id)
            {
                self.by_ident.remove(&before);
            }
        }
        (true, older.filter(|_| older_stod.is_some_and(|older| older < stod)))
    }

    /// Forgets an incarnation; its sessions must be gone.
    pub fn remove(&mut self, id: u32) -> Server {
        self.by_age.unlink(&mut self.rows, id);
        let server = self.rows.remove(id);
        self.by_key.remove(&server.key);
        if let Some(sid) = server.key.sid {
            let newest = (server.key.host.clone(), sid);
            if self.newest.get(&newest) == Some(&id) {
                self.newest.remove(&newest);
            }
        }
        for sender in &server.ports {
            if self.by_port.get(sender) == Some(&id) {
                self.by_port.remove(sender);
            }
        }
        if let Some(hash) = server.ident_hash
            && self.by_ident.get(&hash) == Some(&id)
        {
            self.by_ident.remove(&hash);
        }
        self.last = None;
        server
    }

    /// The incarnation that was silent for longest.
    pub fn oldest(&self) -> Option<u32> {
        self.by_age.first()
    }
}

impl Default for Servers {
    fn default() -> Self {
        Self::new()
    }
}

/// The id in a list's links, if there is one.
pub fn next_of(links: Links) -> Option<u32> {
    Some(links.next()).filter(|id| *id != NIL)
}
