//! Packets that were turned away or could not be read, by kind and sender's network.

use hashbrown::HashMap;
use ipnet::IpNet;
use std::net::IpAddr;

use super::networks::neighbourhood;

/// Rows; a flood of spoofed senders must not buy memory with them.
pub const MAX_ROWS: usize = 1000;

/// Kind and network; no network for the row of all others.
type Key = (&'static str, Option<IpNet>);

#[derive(Clone, Debug, Default)]
pub struct Rejections {
    rows: HashMap<Key, u64>,
}

impl Rejections {
    /// Counts one; a sender that nobody knows goes with the others.
    pub fn count(&mut self, kind: &'static str, sender: Option<IpAddr>) {
        self.add((kind, sender.map(neighbourhood)), 1);
    }

    fn add(&mut self, key: Key, count: u64) {
        let key = if self.rows.len() < MAX_ROWS || self.rows.contains_key(&key) {
            key
        } else {
            (key.0, None)
        };
        *self.rows.entry(key).or_default() += count;
    }

    pub fn merge(&mut self, other: &Self) {
        for (key, count) in &other.rows {
            self.add(*key, *count);
        }
    }

    /// Kind, network (`other` for all others) and count, in order.
    pub fn rows(&self) -> Vec<(&'static str, String, u64)> {
        let mut rows: Vec<_> = self.rows.iter().map(|(key, count)| (*key, *count)).collect();
        rows.sort_unstable();
        let name = |network: Option<IpNet>| network.map_or("other".into(), |net| net.to_string());
        rows.into_iter().map(|((kind, net), count)| (kind, name(net), count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_bounded_and_nothing_goes_uncounted() {
        let mut rejections = Rejections::default();
        for number in 0..5000_u32 {
            rejections.count("not_allowed", Some(IpAddr::V4((number << 8).into())));
        }
        let rows = rejections.rows();
        assert_eq!(rows.len(), MAX_ROWS + 1);
        assert_eq!(rows.iter().map(|(_, _, count)| count).sum::<u64>(), 5000);
        assert_eq!(rows[0], ("not_allowed", "other".into(), 4000));
    }
}
