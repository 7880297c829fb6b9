//! Server incarnations: one run of one daemon, as seen from here.
//!
//! All dictionary ids belong to an incarnation, which is (sender's address, sid, start time). The
//! sid is stable over restarts since XRootD 5.1.0; before, a restart shows when the same host, port,
//! instance and program identify themselves with another start time. Packets that carry no sid
//! belong to the incarnation that sent others from the same address with the same start time.

use hashbrown::{DefaultHashBuilder, HashMap};
use std::hash::{BuildHasher, Hash};

use super::files::is_roomy;
use super::incarnation::{Ident, Key, Run, Sender, Server, Standing};
use super::numbers::{MAX_TRACKERS, Numbered};
use super::recent::Recent;
use super::sequence::{Micros, Verdict};
use super::slab::{BY_AGE, Edit, List, Slab};
use crate::capture::{Host, Peer};

const STANDINGS: usize = 3;

/// Which names lead to an incarnation and not to another one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lead {
    /// It is the newest of its host and sid.
    pub sid: bool,
    /// It is the newest of its host, port, instance and program.
    pub ident: bool,
}

/// All incarnations, and the ways to find one.
pub struct Servers {
    pub rows: Slab<Server>,
    /// By standing; each from the one silent longest to the one heard last.
    by_age: [List<BY_AGE>; STANDINGS],
    by_key: HashMap<Key, u32>,
    /// The newest incarnation of a sid.
    newest: HashMap<(Option<Host>, u64), u32>,
    /// The incarnation that sends from a port, for packets without a sid.
    by_port: HashMap<Sender, u32>,
    /// The newest incarnation of a host, port, instance and program.
    by_ident: HashMap<u64, u32>,
    hasher: DefaultHashBuilder,
    generations: u32,
    uses: u64,
    /// Sum over those of unknown standing.
    heard: u64,
    recent: Recent,
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
            by_age: [List::default(); STANDINGS],
            by_key: HashMap::new(),
            newest: HashMap::new(),
            by_port: HashMap::new(),
            by_ident: HashMap::new(),
            hasher: DefaultHashBuilder::default(),
            generations: 0,
            uses: 0,
            heard: 0,
            recent: Recent::new(),
        }
    }

    pub fn get(&self, id: u32) -> Option<&Server> {
        self.rows.get(id)
    }

    pub fn get_mut(&mut self, id: u32) -> Option<Edit<'_, Server>> {
        self.rows.get_mut(id)
    }

    /// Finds or makes the incarnation of a packet.
    pub fn find(&mut self, peer: Option<&Peer>, run: Run, now: Micros) -> Found {
        if let Some(id) = self.recent.get(peer, run) {
            self.confirm(id, run);
            return Found::Known(id);
        }
        let found = self.look_up(peer, run, now);
        if let Found::Known(id) | Found::New(id, _) = found {
            self.confirm(id, run);
            if let Some(server) = self.rows.get(id) {
                self.recent.put(peer, &server.key, id);
            }
        }
        found
    }

    fn confirm(&mut self, id: u32, run: Run) {
        if run.sid.is_some()
            && !run.by_userid
            && let Some(mut server) = self.rows.get_mut(id)
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
        if let Some(mut server) = self.rows.get_mut(id)
            && server.ports.len() < MAX_TRACKERS
        {
            server.ports.push(sender.clone());
            server.settle();
            // A key that is there already would stay, and with it a name that another row counts.
            self.by_port.remove(&sender);
            self.by_port.insert(sender, id);
        }
    }

    /// Gives the sid to an incarnation that was made by packets without one.
    fn name(&mut self, id: u32, key: Key) -> Found {
        if let Some(mut server) = self.rows.get_mut(id) {
            self.by_key.remove(&server.key);
            server.key = key.clone();
            server.settle();
        }
        let mut older = None;
        if let Some(sid) = key.sid {
            let sid = (key.host.clone(), sid);
            let other = self.newest.get(&sid).copied();
            let other_stod = other.and_then(|id| self.rows.get(id)).map(|server| server.key.stod);
            if other_stod.is_some_and(|other| other > key.stod) {
                older = Some(id);
            } else {
                self.newest.remove(&sid);
                self.newest.insert(sid, id);
                older = other.filter(|other| *other != id);
            }
        }
        self.by_key.insert(key, id);
        Found::New(id, older)
    }

    fn add(&mut self, peer: Option<&Peer>, key: Key, now: Micros) -> u32 {
        let address = peer.map(|peer| peer.host.to_string().into());
        self.generations = self.generations.wrapping_add(1);
        let mut server = Server {
            key: key.clone(),
            generation: self.generations,
            address,
            udp_port: peer.and_then(|peer| peer.port),
            first_seen: now,
            last_seen: now,
            ..Server::default()
        };
        server.settle();
        let id = self.rows.insert(server);
        self.by_age[Standing::Unknown as usize].push_back(&mut self.rows, id);
        if let Some(sid) = key.sid {
            let sid = (key.host.clone(), sid);
            self.newest.remove(&sid);
            self.newest.insert(sid, id);
        }
        self.by_key.insert(key, id);
        id
    }

    pub fn lead(&self, id: u32) -> Lead {
        let Some(server) = self.rows.get(id) else { return Lead::default() };
        let newest = server.key.sid.map(|sid| (server.key.host.clone(), sid));
        let ident = server.ident.as_deref().map(|ident| hash(&self.hasher, &server.key, ident));
        Lead {
            sid: newest.is_some_and(|newest| self.newest.get(&newest) == Some(&id)),
            ident: ident == server.ident_hash
                && ident.is_some_and(|hash| self.by_ident.get(&hash) == Some(&id)),
        }
    }

    /// The senders of an incarnation, and whether they lead to it.
    pub fn senders(&self, id: u32) -> impl Iterator<Item = (&Sender, bool)> {
        let ports = self.rows.get(id).into_iter().flat_map(|server| &server.ports);
        ports.map(move |sender| (sender, self.by_port.get(sender) == Some(&id)))
    }

    /// Adds an incarnation from a snapshot, in no order yet. `None` if it is known already.
    pub fn restore(
        &mut self,
        mut server: Server,
        lead: Lead,
        senders: impl Iterator<Item = (Sender, bool)>,
    ) -> Option<u32> {
        if self.by_key.contains_key(&server.key) {
            return None;
        }
        self.generations = self.generations.wrapping_add(1);
        server.generation = self.generations;
        let senders: Vec<_> = senders.take(MAX_TRACKERS).collect();
        server.ports = senders.iter().map(|(sender, _)| sender.clone()).collect();
        server.settle();
        if server.standing != Standing::Unknown {
            server.heard = 0;
        }
        self.heard += server.heard;
        let (key, stod) = (server.key.clone(), server.key.stod);
        let ident = server.ident.as_deref().filter(|_| lead.ident);
        let ident = ident.map(|ident| hash(&self.hasher, &key, ident));
        server.ident_hash = ident;
        let id = self.rows.insert(server);
        for (sender, _) in senders.into_iter().filter(|(_, leads)| *leads) {
            self.by_port.entry(sender).or_insert(id);
        }
        let rows = &self.rows;
        let is_older = |other: Option<&u32>| {
            other.and_then(|id| rows.get(*id)).is_none_or(|server| server.key.stod < stod)
        };
        if let Some(sid) = key.sid.filter(|_| lead.sid) {
            let sid = (key.host.clone(), sid);
            if is_older(self.newest.get(&sid)) {
                self.newest.remove(&sid);
                self.newest.insert(sid, id);
            }
        }
        if let Some(hash) = ident
            && is_older(self.by_ident.get(&hash))
        {
            self.by_ident.insert(hash, id);
        }
        self.by_key.insert(key, id);
        Some(id)
    }

    /// Puts restored incarnations into the order of their use.
    pub fn relist(&mut self, more: Vec<(Micros, u64, u32)>) {
        let here = self.ids().filter_map(|id| {
            self.rows.get(id).map(|server| (server.last_seen, true, server.used_at, id))
        });
        let mut all: Vec<_> = here.collect();
        all.extend(more.into_iter().map(|(seen, used, id)| (seen, false, used, id)));
        all.sort_unstable();
        self.by_age = [List::default(); STANDINGS];
        for (_, _, _, id) in all {
            self.uses += 1;
            let Some(mut server) = self.rows.get_mut(id) else { continue };
            server.used_at = self.uses;
            let standing = server.standing;
            drop(server);
            self.by_age[standing as usize].push_back(&mut self.rows, id);
        }
    }

    pub fn knows(&self, peer: Option<&Peer>, sid: Option<u64>, stod: u32) -> bool {
        let key = Key { host: peer.map(|peer| peer.host.clone()), sid, stod };
        self.by_key.contains_key(&key) || self.by_port.contains_key(&(peer.cloned(), stod))
    }

    /// Counts a packet of so many bytes of an incarnation and makes it the youngest.
    pub fn touch(&mut self, id: u32, length: usize, now: Micros) {
        self.uses += 1;
        let Some(mut server) = self.rows.get_mut(id) else { return };
        server.last_seen = now;
        server.serial = server.serial.saturating_add(1);
        server.used_at = self.uses;
        let standing = server.standing;
        if standing == Standing::Unknown {
            let heard = (length + size_of::<Server>()) as u64;
            server.heard += heard;
            self.heard += heard;
        }
        drop(server);
        self.by_age[standing as usize].touch(&mut self.rows, id);
    }

    /// Follows a packet's number.
    pub fn observe(&mut self, id: u32, packet: &Numbered, now: Micros) -> Verdict {
        let Some(mut server) = self.rows.get_mut(id) else { return Verdict::InOrder };
        let serial = server.serial;
        let verdict = server.numbers.observe(packet, now, serial);
        drop(server);
        self.promote(id);
        verdict
    }

    /// Gives an incarnation the standing that it has earned.
    fn promote(&mut self, id: u32) {
        let Some(server) = self.rows.get(id) else { return };
        let earned = server.earned_standing();
        let standing = server.standing;
        if earned <= standing {
            return;
        }
        self.heard -= server.heard;
        self.by_age[standing as usize].unlink(&mut self.rows, id);
        self.by_age[earned as usize].push_back(&mut self.rows, id);
        if let Some(mut server) = self.rows.get_mut(id) {
            server.standing = earned;
            server.heard = 0;
        }
    }

    /// Takes an identification. Answers whether it says something new, and which incarnation it
    /// replaces.
    pub fn identify(&mut self, id: u32, ident: Ident) -> (bool, Option<u32>) {
        let Some(mut server) = self.rows.get_mut(id) else { return (false, None) };
        if server.ident.as_deref() == Some(&ident) {
            return (false, None);
        }
        let stod = server.key.stod;
        let hash = hash(&self.hasher, &server.key, &ident);
        server.ident = Some(Box::new(ident));
        server.settle();
        drop(server);
        self.promote(id);
        let older = self.by_ident.get(&hash).copied().filter(|other| *other != id);
        let older_stod = older.and_then(|id| self.rows.get(id)).map(|server| server.key.stod);
        if older_stod.is_none_or(|older| older < stod) {
            self.by_ident.insert(hash, id);
            let before = self.rows.get_mut(id).and_then(|mut row| row.ident_hash.replace(hash));
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
        if let Some(server) = self.rows.get(id) {
            let standing = server.standing;
            self.by_age[standing as usize].unlink(&mut self.rows, id);
        }
        let server = self.rows.remove(id);
        self.heard -= server.heard;
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
        self.recent.forget(id);
        server
    }

    /// The incarnation that was silent for longest.
    pub fn oldest(&self) -> Option<u32> {
        let firsts = self.by_age.iter().filter_map(List::first);
        firsts.min_by_key(|id| self.rows.get(*id).map_or(0, |server| server.used_at))
    }

    /// All incarnations, without an order.
    pub fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.by_age.iter().flat_map(|list| list.ids(&self.rows))
    }

    /// The incarnation that must leave when there are too many. Those that less speaks for go first,
    /// but for an eighth of the room, so that a new server has the time to prove itself.
    pub fn least(&self, most: usize) -> Option<u32> {
        let room = (most / 8).max(1);
        let crowded = self.by_age.iter().find(|list| list.len() > room);
        crowded.and_then(List::first).or_else(|| self.oldest())
    }

    /// The oldest of those of unknown standing if they are more than an eighth, or if they can hold
    /// more than an eighth, for every byte received, of what they may.
    pub fn least_known(&self, most: usize, most_heard: usize) -> Option<u32> {
        let list = &self.by_age[Standing::Unknown as usize];
        let is_crowded = list.len() > (most / 8).max(1) || self.heard > (most_heard / 8) as u64;
        list.first().filter(|_| is_crowded && list.len() > 1)
    }

    pub fn bytes(&self) -> usize {
        self.rows.bytes() + self.maps_bytes()
    }

    /// The same, counted anew.
    pub fn count_bytes(&self) -> usize {
        self.rows.count(Server::count_held) + self.maps_bytes()
    }

    fn maps_bytes(&self) -> usize {
        self.by_key.allocation_size()
            + self.newest.allocation_size()
            + self.by_port.allocation_size()
            + self.by_ident.allocation_size()
    }

    /// Gives memory of the maps back, if it is much. Answers whether it did.
    pub fn shrink_maps(&mut self) -> bool {
        let before = self.maps_bytes();
        shrink(&mut self.by_key);
        shrink(&mut self.newest);
        shrink(&mut self.by_port);
        shrink(&mut self.by_ident);
        self.maps_bytes() < before
    }
}

/// Who an incarnation says it is, over restarts.
fn hash(hasher: &DefaultHashBuilder, key: &Key, ident: &Ident) -> u64 {
    hasher.hash_one((&key.host, &ident.host, ident.port, &ident.instance, &ident.program))
}

fn shrink<K: Eq + Hash>(map: &mut HashMap<K, u32>) {
    if is_roomy(map.len(), map.capacity()) {
        map.shrink_to(2 * map.len());
    }
}

impl Default for Servers {
    fn default() -> Self {
        Self::new()
    }
}
