//! Login sessions.
//!
//! Facts about a login arrive in any order: its own map (`u`), its files, application text (`i`),
//! tokens (`T`), activity (`U`). A session is made by whichever comes first, under its dictid or, if
//! only that is known, under the bytes of its userid, and the others are joined to it.

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use serde::{Deserialize, Serialize};
use std::hash::BuildHasher;

use super::files::is_roomy;
use super::record;
use super::sequence::Micros;
use super::slab::{BY_AGE, BY_OWNER, Edit, Held, Linked, Links, List, Slab};
use super::user::User;
use crate::xrootd::userid::UserId;

/// How a session ended.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Ended {
    pub at: Option<f64>,
    pub window: (u32, u32),
    pub forced: Option<bool>,
    pub duration_s: Option<u32>,
    /// So far only the t-stream said so.
    pub from_trace: bool,
    /// When the wait for late closes is over.
    pub due: Micros,
}

/// Sums over the files of a session.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    pub files: i64,
    pub read: i64,
    pub readv: i64,
    pub write: i64,
}

#[derive(Default)]
pub struct Session {
    pub(super) by_age: Links,
    pub(super) by_server: Links,
    pub server: u32,
    /// 0 while only the userid is known.
    pub dictid: u32,
    /// Stands for files without a login; never reported.
    pub nobody: bool,
    pub user: Option<Box<User>>,
    pub ended: Option<Box<Ended>>,
    pub files: List<BY_OWNER>,
    pub totals: Totals,
    pub first_seen: Micros,
    pub last_seen: Micros,
    pub first_serial: u32,
    pub generation: u32,
}

impl Held for Session {
    fn held(&self) -> usize {
        let user = self.user.as_ref().map_or(0, |user| size_of::<User>() + user.held());
        user + self.ended.as_ref().map_or(0, |_| size_of::<Ended>())
    }
}

impl Linked<BY_AGE> for Session {
    fn links(&self) -> Links {
        self.by_age
    }
    fn links_mut(&mut self) -> &mut Links {
        &mut self.by_age
    }
}

impl Linked<BY_OWNER> for Session {
    fn links(&self) -> Links {
        self.by_server
    }
    fn links_mut(&mut self) -> &mut Links {
        &mut self.by_server
    }
}

impl Session {
    /// The connection descriptor, if it is known.
    pub fn userid(&self) -> Option<&[u8]> {
        self.user.as_ref().map(|user| &*user.raw).filter(|raw| !raw.is_empty())
    }

    pub fn columns(&self) -> record::User<'_> {
        let user_id = (self.dictid != 0).then_some(i64::from(self.dictid));
        let user = self.user.as_deref().map(User::columns).unwrap_or_default();
        record::User { user_id, ..user }
    }
}

/// All sessions, by dictid and by userid.
pub struct Sessions {
    pub rows: Slab<Session>,
    pub by_age: List<BY_AGE>,
    by_dictid: HashMap<(u32, u32), u32>,
    /// The newest session of each userid.
    by_userid: HashTable<u32>,
    hasher: DefaultHashBuilder,
    generations: u32,
}

impl Sessions {
    pub fn new() -> Self {
        Self {
            rows: Slab::new(),
            by_age: List::default(),
            by_dictid: HashMap::new(),
            by_userid: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            generations: 0,
        }
    }

    pub fn get(&self, id: u32) -> Option<&Session> {
        self.rows.get(id)
    }

    pub fn get_mut(&mut self, id: u32) -> Option<Edit<'_, Session>> {
        self.rows.get_mut(id)
    }

    pub fn find(&self, server: u32, dictid: u32) -> Option<u32> {
        self.by_dictid.get(&(server, dictid)).copied()
    }

    pub fn find_userid(&self, server: u32, raw: &[u8]) -> Option<u32> {
        let rows = &self.rows;
        let hash = self.hasher.hash_one((server, raw));
        self.by_userid
            .find(hash, |id| {
                rows.get(*id).is_some_and(|session| {
                    session.server == server
                        && session.user.as_ref().is_some_and(|user| *user.raw == *raw)
                })
            })
            .copied()
    }

    /// Adds a session that nothing else is known of; the caller links it to its server.
    pub fn add(&mut self, server: u32, dictid: u32, now: Micros, serial: u32) -> u32 {
        self.generations = self.generations.wrapping_add(1);
        let id = self.rows.insert(Session {
            server,
            dictid,
            first_seen: now,
            last_seen: now,
            first_serial: serial,
            generation: self.generations,
            ..Session::default()
        });
        self.by_age.push_back(&mut self.rows, id);
        if dictid != 0 {
            self.by_dictid.insert((server, dictid), id);
        }
        id
    }

    /// Takes the facts of a session that goes into another one; no userid leads here any more.
    pub fn take_user(&mut self, id: u32) -> Option<Box<User>> {
        self.forget_userid(id);
        self.rows.get_mut(id)?.user.take()
    }

    pub fn set_dictid(&mut self, id: u32, dictid: u32) {
        if let Some(mut session) = self.rows.get_mut(id) {
            session.dictid = dictid;
            // It is among the columns.
            if let Some(user) = &mut session.user {
                user.settle();
            }
            self.by_dictid.insert((session.server, dictid), id);
        }
    }

    /// Makes this session the newest of its userid.
    pub fn describe(&mut self, id: u32, raw: &[u8]) {
        self.forget_userid(id);
        let Some(mut session) = self.rows.get_mut(id) else { return };
        let server = session.server;
        session.user.get_or_insert_default().describe(raw, &UserId::decode(raw));
        drop(session);
        let Self { rows, by_userid, hasher, .. } = self;
        let hash = hasher.hash_one((server, raw));
        let same = |other: &u32| {
            rows.get(*other).is_some_and(|session| {
                session.server == server
                    && session.user.as_ref().is_some_and(|user| *user.raw == *raw)
            })
        };
        match by_userid.find_mut(hash, same) {
            Some(newest) => *newest = id,
            None => {
                by_userid.insert_unique(hash, id, |id| hash_row(rows, hasher, *id));
            }
        }
    }

    fn forget_userid(&mut self, id: u32) {
        let hash = hash_row(&self.rows, &self.hasher, id);
        if let Ok(entry) = self.by_userid.find_entry(hash, |other| *other == id) {
            entry.remove();
        }
    }

    pub fn touch(&mut self, id: u32, now: Micros) {
        self.by_age.touch(&mut self.rows, id);
        if let Some(mut session) = self.rows.get_mut(id) {
            session.last_seen = now;
        }
    }

    /// Makes a session stand for files without a login. It leaves with its server and not by age:
    /// it would take along files that are in use.
    pub fn make_nobody(&mut self, id: u32) {
        self.by_age.unlink(&mut self.rows, id);
        if let Some(mut session) = self.rows.get_mut(id) {
            session.nobody = true;
        }
    }

    /// Forgets a session; its files must be gone and its server's list must not hold it.
    pub fn remove(&mut self, id: u32) {
        self.forget_userid(id);
        if self.rows.get(id).is_some_and(|session| !session.nobody) {
            self.by_age.unlink(&mut self.rows, id);
        }
        let session = self.rows.remove(id);
        let key = (session.server, session.dictid);
        if self.by_dictid.get(&key) == Some(&id) {
            self.by_dictid.remove(&key);
        }
    }
}

impl Sessions {
    /// Whether this is the session that its userid leads to.
    pub fn leads_userid(&self, id: u32) -> bool {
        let hash = hash_row(&self.rows, &self.hasher, id);
        self.by_userid.find(hash, |other| *other == id).is_some()
    }

    /// Adds a session from a snapshot, in no order yet; the caller links it to its server.
    pub fn restore(&mut self, session: Session, leads_userid: bool) -> u32 {
        let (server, dictid) = (session.server, session.dictid);
        let user = session.user.as_ref().filter(|_| leads_userid);
        let raw = user.map(|user| user.raw.clone());
        let id = self.rows.insert(session);
        if dictid != 0 {
            self.by_dictid.insert((server, dictid), id);
        }
        if let Some(raw) = raw
            && self.find_userid(server, &raw).is_none()
        {
            let Self { rows, by_userid, hasher, .. } = self;
            let hash = hash_row(rows, hasher, id);
            by_userid.insert_unique(hash, id, |id| hash_row(rows, hasher, *id));
        }
        id
    }

    /// Puts restored sessions into the order of their use.
    pub fn relist(&mut self, sessions: Vec<(Micros, u64, u32)>) {
        self.by_age.merge(&mut self.rows, sessions, |session| session.last_seen);
    }

    /// Gives a session a generation of this state; answers it and the end of the session's wait.
    pub fn renew(&mut self, id: u32) -> (u32, Option<Micros>) {
        self.generations = self.generations.wrapping_add(1);
        let generation = self.generations;
        let Some(mut session) = self.rows.get_mut(id) else { return (generation, None) };
        session.generation = generation;
        (generation, session.ended.as_ref().map(|ended| ended.due))
    }

    pub fn bytes(&self) -> usize {
        self.rows.bytes() + self.by_dictid.allocation_size() + self.by_userid.allocation_size()
    }

    /// The same, counted anew.
    pub fn count_bytes(&self) -> usize {
        let rows = self.rows.count(Held::held);
        rows + self.by_dictid.allocation_size() + self.by_userid.allocation_size()
    }

    /// Gives memory of the indexes back, if it is much. Answers whether it did.
    pub fn shrink_indexes(&mut self) -> bool {
        let Self { by_dictid, by_userid, rows, hasher, .. } = self;
        if is_roomy(by_dictid.len(), by_dictid.capacity()) {
            by_dictid.shrink_to(2 * by_dictid.len());
            return true;
        }
        if is_roomy(by_userid.len(), by_userid.capacity()) {
            by_userid.shrink_to(2 * by_userid.len(), |id| hash_row(rows, hasher, *id));
            return true;
        }
        false
    }

    /// Moves a row of the last chunk elsewhere; the caller mends its server, its files and its wait.
    pub fn move_last(&mut self) -> Option<(u32, u32)> {
        let (from, to) = self.rows.move_last()?;
        let session = self.rows.get(to)?;
        let key = (session.server, session.dictid);
        if !session.nobody {
            self.by_age.moved(&mut self.rows, to);
        }
        if let Some(id) = self.by_dictid.get_mut(&key).filter(|id| **id == from) {
            *id = to;
        }
        let hash = hash_row(&self.rows, &self.hasher, to);
        if let Some(id) = self.by_userid.find_mut(hash, |id| *id == from) {
            *id = to;
        }
        Some((from, to))
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self::new()
    }
}

fn hash_row(rows: &Slab<Session>, hasher: &DefaultHashBuilder, id: u32) -> u64 {
    let session = rows.get(id);
    let raw = session.and_then(|session| session.user.as_ref()).map_or(&[][..], |user| &user.raw);
    hasher.hash_one((session.map_or(0, |session| session.server), raw))
}
