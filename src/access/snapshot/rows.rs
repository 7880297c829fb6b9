//! What stands in a snapshot. Rows name no other rows: a login belongs to the server before it, a
//! file to the login before it.
//!
//! Changing anything here, or in what it embeds, is another [`super::VERSION`].

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::net::IpAddr;

use crate::access::files::Extra;
use crate::access::incarnation::{Ident, Standing};
use crate::access::numbers::Numbers;
use crate::access::sequence::Micros;
use crate::access::sessions::{Ended, Totals};
use crate::access::stats::Stats;
use crate::access::user::User;
use crate::capture::{Host, Peer};

#[derive(Debug, Serialize, Deserialize)]
pub enum Entry<'a> {
    /// The first one.
    Start {
        now: Micros,
        #[serde(borrow)]
        stats: Cow<'a, Stats>,
    },
    Server(Box<ServerRow<'a>>),
    Session(SessionRow<'a>),
    File(FileRow<'a>),
    /// Dictids of the server's files whose record has gone out, and whether among the newer ones.
    Closed(Vec<(u32, bool)>),
    /// The last one: how many rows there were.
    End {
        rows: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ServerRow<'a> {
    #[serde(borrow)]
    pub host: Option<HostRow<'a>>,
    pub sid: Option<u64>,
    pub stod: u32,
    pub udp_port: Option<u16>,
    pub ident: Option<Cow<'a, Ident>>,
    pub first_seen: Micros,
    pub last_seen: Micros,
    /// When it leaves, if a newer incarnation was seen.
    pub due: Option<Micros>,
    pub serial: u32,
    pub damaged_at: u32,
    pub sends_fstat: bool,
    pub sends_closes: bool,
    pub sends_requests: bool,
    pub window_s: u32,
    pub is_confirmed: bool,
    pub standing: Standing,
    pub heard: u64,
    /// Its place in the order of use.
    pub order: u64,
    pub numbers: Cow<'a, Numbers>,
    /// It is the newest of its sid, or of its host, port, instance and program.
    pub leads_sid: bool,
    pub leads_ident: bool,
    /// Senders that lead to it, by peer and start time, and whether they still do.
    #[serde(borrow)]
    pub ports: Vec<(Option<PeerRow<'a>>, u32, bool)>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct SessionRow<'a> {
    pub dictid: u32,
    pub nobody: bool,
    #[serde(borrow)]
    pub user: Option<Cow<'a, User>>,
    /// It is the newest of its userid.
    pub leads_userid: bool,
    pub ended: Option<Ended>,
    pub totals: Totals,
    pub first_seen: Micros,
    pub last_seen: Micros,
    pub first_serial: u32,
    pub order: u32,
    /// Its place in the order of waits.
    pub generation: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct FileRow<'a> {
    pub fileid: u32,
    pub open_serial: u32,
    #[serde(borrow)]
    pub path: Option<Bytes<'a>>,
    pub size: i64,
    pub totals: [i64; 3],
    pub opened_at: f64,
    pub open_window: (u32, u32),
    pub last_seen: Micros,
    pub extra: Option<Cow<'a, Extra>>,
    pub known: u8,
    pub order: u32,
}

/// Bytes that are written and read at once, not one by one.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(Self)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub enum HostRow<'a> {
    Ip(IpAddr),
    Name(&'a str),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct PeerRow<'a> {
    #[serde(borrow)]
    pub host: HostRow<'a>,
    pub port: Option<u16>,
}

impl<'a> From<&'a Host> for HostRow<'a> {
    fn from(host: &'a Host) -> Self {
        match host {
            Host::Ip(address) => Self::Ip(*address),
            Host::Name(name) => Self::Name(name),
        }
    }
}

impl From<&HostRow<'_>> for Host {
    fn from(row: &HostRow<'_>) -> Self {
        match row {
            HostRow::Ip(address) => Self::Ip(*address),
            HostRow::Name(name) => Self::Name((*name).into()),
        }
    }
}

impl<'a> From<&'a Peer> for PeerRow<'a> {
    fn from(peer: &'a Peer) -> Self {
        Self { host: (&peer.host).into(), port: peer.port }
    }
}

impl From<&PeerRow<'_>> for Peer {
    fn from(row: &PeerRow<'_>) -> Self {
        Self { host: (&row.host).into(), port: row.port }
    }
}
