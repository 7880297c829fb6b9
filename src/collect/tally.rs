//! What one sink got, and what it did not get and why.

use std::collections::BTreeMap;

/// What one sink got, and what it did not get and why.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub records: u64,
    pub bytes: u64,
    /// Records that its profile has no form for.
    pub unformed: u64,
    /// By the condition of its filter that they did not meet.
    pub refused: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.unformed += other.unformed;
        for (reason, count) in &other.refused {
            *self.refused.entry(reason).or_default() += count;
        }
    }
}
