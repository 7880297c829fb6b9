//! One incarnation: one run of one daemon, as seen from here.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::numbers::Numbers;
use super::record::{self, Stamp};
use super::sequence::Micros;
use super::slab::{BY_AGE, BY_OWNER, Held, Linked, Links, List};
use crate::capture::{Host, Peer};

/// Packets in order, each right behind the one before, after which a server is known to be one: who
/// invents servers would have to send so many for each.
const PROVEN_AFTER: u32 = 8;
const LIKELY_AFTER: u32 = 2;

/// How much speaks for an incarnation being a server and not an invention. It only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Standing {
    #[default]
    Unknown,
    /// It identified itself, or some packets came in order.
    Likely,
    /// Many packets came in order.
    Proven,
}

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// Where packets without a sid come from: a sender and a start time.
pub type Sender = (Option<Peer>, u32);

/// One incarnation.
#[derive(Default)]
pub struct Server {
    pub(super) by_age: Links,
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
    pub is_confirmed: bool,
    /// A newer incarnation was seen.
    pub superseded: bool,
    /// Sessions of this incarnation.
    pub sessions: List<BY_OWNER>,
    /// Holds the files whose login is not known.
    pub nobody: Option<u32>,
    pub numbers: Numbers,
    pub standing: Standing,
    /// Tells by its order which was used last.
    pub used_at: u64,
    /// Bytes received while its standing was unknown: what it can have bought with them is bounded.
    pub heard: u64,
    /// When an old incarnation leaves.
    pub due: Micros,
    /// Unlike that of any other incarnation, also of one that had this row before.
    pub generation: u32,
    /// Keys under which the other maps know this incarnation.
    pub(super) ports: Vec<Sender>,
    pub(super) ident_hash: Option<u64>,
    /// Bytes of names and of the identification.
    pub(super) texts: usize,
    /// Tells what [`Server::columns`] gives from what it gave before.
    pub(super) stamp: Stamp,
}

/// What tells incarnations apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    pub host: Option<Host>,
    pub sid: Option<u64>,
    pub stod: u32,
}

/// What a packet says of the run of the server that sent it.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub sid: Option<u64>,
    pub stod: u32,
    /// The sid stands in the userid of a map, which is text and can be anything.
    pub by_userid: bool,
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
            stamp: self.stamp,
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

    /// The serial of the newest gap in any class, or damaged packet; 0 if there was none.
    pub fn newest_gap(&self) -> u32 {
        self.numbers.newest_gap().max(self.damaged_at)
    }

    /// The standing that its packets speak for.
    pub fn earned_standing(&self) -> Standing {
        let in_order = self.numbers.in_order;
        if in_order >= PROVEN_AFTER {
            Standing::Proven
        } else if self.ident.is_some() || in_order >= LIKELY_AFTER {
            Standing::Likely
        } else {
            Standing::Unknown
        }
    }

    /// Whether a name is the very one of the key.
    fn is_shared(&self, host: &Host) -> bool {
        match (host, &self.key.host) {
            (Host::Name(name), Some(Host::Name(key))) => Arc::ptr_eq(name, key),
            _ => false,
        }
    }

    /// To be called after each change of names or of the identification.
    pub(super) fn settle(&mut self) {
        self.texts = self.count_texts();
        self.stamp = Stamp::fresh();
    }

    fn count_texts(&self) -> usize {
        let ident = self.ident.as_deref().map_or(0, |ident| {
            let Ident { host, instance, program, version, site, user, .. } = ident;
            let texts = [host, instance, program, version, site, user].into_iter().flatten();
            size_of::<Ident>() + texts.map(|text| text.len()).sum::<usize>()
        });
        let peers = self.ports.iter().filter_map(|(peer, _)| peer.as_ref());
        let others = peers.map(|peer| &peer.host).filter(|host| !self.is_shared(host));
        let hosts: usize = others.chain(&self.key.host).map(held_by_host).sum();
        self.address.as_ref().map_or(0, |address| address.len()) + ident + hosts
    }
}

impl Server {
    /// The bytes of [`Held`], counted anew.
    pub fn count_held(&self) -> usize {
        let ports = self.ports.capacity() * size_of::<Sender>();
        self.numbers.count_held() + ports + self.count_texts()
    }
}

/// Bytes of a name that is shared: two counts stand before it.
fn held_by_host(host: &Host) -> usize {
    match host {
        Host::Ip(_) => 0,
        Host::Name(name) => (2 * size_of::<usize>() + name.len()).next_multiple_of(8),
    }
}

impl Held for Server {
    fn held(&self) -> usize {
        let ports = self.ports.capacity() * size_of::<Sender>();
        self.numbers.held() + ports + self.texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// docs/correlation.md says what the rows of the most servers take.
    #[test]
    fn a_row_stays_small() {
        assert!(size_of::<Server>() <= 480, "{} bytes", size_of::<Server>());
    }
}
