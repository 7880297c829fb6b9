//! What one worker counted. Each worker has its own; they are summed when somebody asks.

use hashbrown::{Equivalent, HashMap};
use std::collections::BTreeMap;

use super::rejections::Rejections;
use crate::access::record::{FileAccess, Stamp};
use crate::error::FaultKind;
use crate::reading::What;
use crate::xrootd::Message;
use crate::xrootd::packet::code_label;

/// Servers whose totals are told apart; a spoofer must not buy memory with them.
const MAX_IO_ROWS: usize = 4096;

/// Address and site of all others.
const OTHERS: (&str, &str) = ("other", "");

/// What was moved in one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    pub bytes: u64,
    pub operations: u64,
}

impl Moved {
    /// What is not known, or cannot be, is nothing.
    fn add(&mut self, bytes: Option<i64>, operations: Option<i64>) {
        self.bytes += bytes.map_or(0, |bytes| bytes.max(0) as u64);
        self.operations += operations.map_or(0, |count| count.max(0) as u64);
    }
}

/// Names of the ways, as [`IoTotals`] has them in order.
pub const OPERATIONS: [&str; 3] = ["read", "readv", "write"];

/// Totals over the accesses that ended, by server address and site.
#[derive(Clone, Debug, Default)]
pub struct IoTotals {
    rows: Vec<([Box<str>; 2], [Moved; 3])>,
    /// The places of rows.
    index: HashMap<[Box<str>; 2], usize>,
    /// The server of the last access, and its row: a packet has many accesses of one server.
    last: (Stamp, usize),
}

#[derive(Hash)]
struct Borrowed<'a>([&'a str; 2]);

impl Equivalent<[Box<str>; 2]> for Borrowed<'_> {
    fn equivalent(&self, key: &[Box<str>; 2]) -> bool {
        self.0.iter().zip(key).all(|(ours, theirs)| **ours == **theirs)
    }
}

impl IoTotals {
    /// The place of a row; those that are too many share one.
    fn place(&mut self, address: &str, site: &str) -> usize {
        if let Some(place) = self.index.get(&Borrowed([address, site])) {
            return *place;
        }
        if self.rows.len() >= MAX_IO_ROWS && (address, site) != OTHERS {
            return self.place(OTHERS.0, OTHERS.1);
        }
        let (key, place) = ([address.into(), site.into()], self.rows.len());
        self.rows.push((key.clone(), Default::default()));
        self.index.insert(key, place);
        place
    }

    pub fn count(&mut self, access: &FileAccess<'_>) {
        let server = &access.server;
        if self.last.0 != server.stamp || server.stamp == Stamp::default() {
            let address = server.server_address.unwrap_or_default();
            let site = server.server_site.unwrap_or_default();
            self.last = (server.stamp, self.place(address, site));
        }
        let Some((_, row)) = self.rows.get_mut(self.last.1) else { return };
        let [read, readv, write] = row;
        read.add(access.read_bytes, access.read_ops);
        readv.add(access.readv_bytes, access.readv_ops);
        write.add(access.write_bytes, access.write_ops);
    }

    fn merge(&mut self, other: &Self) {
        for ([address, site], moved) in &other.rows {
            let place = self.place(address, site);
            let Some((_, sums)) = self.rows.get_mut(place) else { continue };
            for (sum, more) in sums.iter_mut().zip(moved) {
                sum.bytes += more.bytes;
                sum.operations += more.operations;
            }
        }
    }

    /// Address, site, operation and what was moved, in order.
    pub fn rows(&self) -> Vec<(&str, &str, &'static str, Moved)> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|(key, _)| key);
        let each = rows.into_iter().flat_map(|([address, site], moved)| {
            OPERATIONS.iter().zip(moved).map(|(name, moved)| (&**address, &**site, *name, *moved))
        });
        each.collect()
    }
}

/// Counts since the start.
#[derive(Clone, Debug)]
pub struct Counters {
    pub received: u64,
    pub bytes: u64,
    codes: [u64; 256],
    families: [u64; 3],
    faults: [u64; FaultKind::ALL.len()],
    records: [u64; What::ALL.len()],
    pub rejections: Rejections,
    pub io: IoTotals,
    /// Errors of the sockets, other than that they are empty.
    pub receive_errors: u64,
    /// Packets that a mistake in the collector itself cost.
    pub internal_errors: u64,
}

const FAMILIES: [&str; 3] = ["text", "summary", "undecoded"];

impl Default for Counters {
    fn default() -> Self {
        Self {
            received: 0,
            bytes: 0,
            codes: [0; 256],
            families: [0; 3],
            faults: [0; FaultKind::ALL.len()],
            records: [0; What::ALL.len()],
            rejections: Rejections::default(),
            io: IoTotals::default(),
            receive_errors: 0,
            internal_errors: 0,
        }
    }
}

impl Counters {
    #[inline]
    pub fn message(&mut self, message: Option<&Message<'_>>) {
        match message {
            Some(Message::Binary(packet)) => {
                if let Some(count) = self.codes.get_mut(usize::from(packet.header.code)) {
                    *count += 1;
                }
            }
            Some(Message::Text(_)) => self.families[0] += 1,
            Some(Message::Summary(_)) => self.families[1] += 1,
            None => self.families[2] += 1,
        }
    }

    #[inline]
    pub fn fault(&mut self, kind: FaultKind) {
        if let Some(count) = self.faults.get_mut(kind as usize) {
            *count += 1;
        }
    }

    #[inline]
    pub fn record(&mut self, what: What) {
        if let Some(count) = self.records.get_mut(what as usize) {
            *count += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.received += other.received;
        self.bytes += other.bytes;
        self.receive_errors += other.receive_errors;
        self.internal_errors += other.internal_errors;
        add(&mut self.codes, &other.codes);
        add(&mut self.families, &other.families);
        add(&mut self.faults, &other.faults);
        add(&mut self.records, &other.records);
        self.rejections.merge(&other.rejections);
        self.io.merge(&other.io);
    }

    /// Packets by the names that [`Message::label`] gives.
    pub fn by_code(&self) -> BTreeMap<&'static str, u64> {
        let codes = (0..=u8::MAX).zip(&self.codes).map(|(code, count)| (code_label(code), count));
        let mut sums = BTreeMap::new();
        for (name, count) in codes.chain(FAMILIES.into_iter().zip(&self.families)) {
            if *count > 0 {
                *sums.entry(name).or_default() += count;
            }
        }
        sums
    }

    pub fn faults(&self) -> BTreeMap<&'static str, u64> {
        let kinds = FaultKind::ALL.iter().map(|kind| kind.name()).zip(self.faults);
        kinds.filter(|(_, count)| *count > 0).collect()
    }

    pub fn records(&self) -> BTreeMap<&'static str, u64> {
        let sum = |what: What| self.records.get(what as usize).copied().unwrap_or(0);
        What::ALL.iter().map(|(name, what)| (*name, sum(*what))).collect()
    }
}

fn add<const N: usize>(sums: &mut [u64; N], more: &[u64; N]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}
