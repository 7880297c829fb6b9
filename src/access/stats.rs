//! What the state counts, and what it tells of itself.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::incarnation::Server;
use super::sequence::{Class, Loss};

/// Distinct servers in the table of losses; the rest is counted together.
const MAX_LOSS_ROWS: usize = 4096;

/// Characters of a host's or a program's name in it: names of hosts have no more than 255.
const LONGEST_LOSS_NAME: usize = 255;

/// Why a file or a login left the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    Closed,
    Disconnect,
    Restart,
    Expired,
    Evicted,
    /// Still open at the end of the input.
    Open,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Disconnect => "disconnect",
            Self::Restart => "restart",
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::Open => "open",
        }
    }
}

/// Rows that left before their time, because a ceiling was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evicted {
    pub files: u64,
    pub sessions: u64,
    pub servers: u64,
}

impl Evicted {
    /// Adds what others had to give up.
    pub fn add(&mut self, more: Self) {
        self.files += more.files;
        self.sessions += more.sessions;
        self.servers += more.servers;
    }
}

/// What the state holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Open files.
    pub files: usize,
    /// Names of files that nothing has opened yet.
    pub names: usize,
    pub sessions: usize,
    pub servers: usize,
    /// Bytes of all tables and of what their rows point to.
    pub bytes: usize,
    pub evicted: Evicted,
}

impl Usage {
    /// Adds what another state holds.
    pub fn add(&mut self, other: Self) {
        self.files += other.files;
        self.names += other.names;
        self.sessions += other.sessions;
        self.servers += other.servers;
        self.bytes += other.bytes;
        self.evicted.add(other.evicted);
    }
}

/// What happened so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// File accesses by the reason of their end.
    pub accesses: BTreeMap<Reason, u64>,
    /// Packets that repeat another one and were not counted again.
    pub duplicate_packets: u64,
    /// Packets of an incarnation that had ended.
    pub stale_packets: u64,
    /// Failed operations that servers reported (error records of the f-stream).
    pub failed_operations: u64,
    /// Names of files that were never opened, given up.
    pub unused_names: u64,
    pub evicted: Evicted,
    /// Losses of incarnations that have ended, by server and class.
    pub losses: BTreeMap<(String, Class), Loss>,
}

/// A count beyond this is no count of packets; below it sums cannot overflow.
const ABSURD_COUNT: u64 = 1 << 60;

impl Stats {
    /// Adds what others counted.
    pub fn add(&mut self, more: &Self) {
        for (reason, count) in &more.accesses {
            *self.accesses.entry(*reason).or_default() += count;
        }
        self.duplicate_packets += more.duplicate_packets;
        self.stale_packets += more.stale_packets;
        self.failed_operations += more.failed_operations;
        self.unused_names += more.unused_names;
        self.evicted.add(more.evicted);
        for ((name, class), loss) in &more.losses {
            add_loss(&mut self.losses, name, *class, *loss);
        }
    }

    /// Whether this can have been counted; what a damaged file says may not.
    pub(super) fn is_sound(&self) -> bool {
        let Evicted { files, sessions, servers } = self.evicted;
        let singles = [self.duplicate_packets, self.stale_packets, self.failed_operations];
        let losses = self
            .losses
            .values()
            .flat_map(|loss| [loss.received, loss.lost, loss.late, loss.duplicates]);
        let counts = self.accesses.values().copied().chain(singles).chain(losses);
        let mut counts = counts.chain([files, sessions, servers, self.unused_names]);
        counts.all(|count| count < ABSURD_COUNT)
            && self.losses.len() <= 2 * MAX_LOSS_ROWS
            && self.losses.keys().all(|(name, _)| name.len() <= 16 * LONGEST_LOSS_NAME)
    }
}

/// Adds the losses of an incarnation.
pub(super) fn count_losses(server: &Server, losses: &mut BTreeMap<(String, Class), Loss>) {
    let ident = server.ident.as_deref();
    let host = ident.and_then(|ident| ident.host.as_deref()).or(server.address.as_deref());
    let port = ident.and_then(|ident| ident.port).filter(|port| *port != 0);
    let mut name: String = host.unwrap_or("unknown").chars().take(LONGEST_LOSS_NAME).collect();
    if let Some(port) = port {
        name = format!("{name}:{port}");
    } else if let Some(program) = ident.and_then(|ident| ident.program.as_deref()) {
        name.push(' ');
        name.extend(program.chars().take(LONGEST_LOSS_NAME));
    }
    for (class, counts) in server.numbers.losses() {
        add_loss(losses, &name, class, counts);
    }
}

fn add_loss(losses: &mut BTreeMap<(String, Class), Loss>, name: &str, class: Class, more: Loss) {
    let key = (name.to_owned(), class);
    let key = if losses.len() < MAX_LOSS_ROWS || losses.contains_key(&key) {
        key
    } else {
        ("others".to_owned(), class)
    };
    losses.entry(key).or_default().add(more);
}
