//! What networks do to packets: some are lost, some come twice, some come late.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::chance::Chance;
use super::settings::Settings;

/// A packet on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Late {
    /// The number of the packet behind which it goes.
    slot: u64,
    /// Which packet it is.
    number: u64,
    sender: usize,
    payload: Box<[u8]>,
}

impl Ord for Late {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // Behind the packet of the slot itself, or a place more would be no place more.
        self.slot.cmp(&other.slot).then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for Late {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What became of the packets so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub lost: u64,
    pub duplicated: u64,
    /// Packets that went behind one that came after them.
    pub reordered: u64,
}

/// Loses, doubles and delays packets, the same ones for the same seed.
pub struct Disturbance {
    loss: f64,
    duplicate: f64,
    reorder: u32,
    chance: Chance,
    waiting: BinaryHeap<Reverse<Late>>,
    number: u64,
    /// The highest number that went.
    newest: u64,
    taken: Taken,
}

impl Disturbance {
    pub fn new(settings: &Settings) -> Self {
        Self {
            loss: settings.loss,
            duplicate: settings.duplicate,
            reorder: settings.reorder,
            chance: Chance::new(settings.seed),
            waiting: BinaryHeap::new(),
            number: 0,
            newest: 0,
            taken: Taken::default(),
        }
    }

    /// One more packet came; `out` gets what goes now, with its sender.
    pub fn push(&mut self, sender: usize, payload: &[u8], out: &mut impl FnMut(usize, &[u8])) {
        self.number += 1;
        if self.loss > 0.0 && self.chance.happens(self.loss) {
            self.taken.lost += 1;
        } else {
            self.place(sender, payload, out);
            if self.duplicate > 0.0 && self.chance.happens(self.duplicate) {
                self.taken.duplicated += 1;
                self.place(sender, payload, out);
            }
        }
        self.release(self.number, out);
    }

    /// Nothing comes any more.
    pub fn finish(&mut self, out: &mut impl FnMut(usize, &[u8])) {
        self.release(u64::MAX, out);
    }

    pub fn taken(&self) -> Taken {
        self.taken
    }

    fn place(&mut self, sender: usize, payload: &[u8], out: &mut impl FnMut(usize, &[u8])) {
        if self.reorder == 0 {
            return out(sender, payload);
        }
        let number = self.number;
        let slot = number + self.chance.up_to(self.reorder);
        self.waiting.push(Reverse(Late { slot, number, sender, payload: payload.into() }));
    }

    fn release(&mut self, until: u64, out: &mut impl FnMut(usize, &[u8])) {
        while self.waiting.peek().is_some_and(|Reverse(late)| late.slot <= until) {
            let Some(Reverse(late)) = self.waiting.pop() else { return };
            if late.number < self.newest {
                self.taken.reordered += 1;
            }
            self.newest = self.newest.max(late.number);
            out(late.sender, &late.payload);
        }
    }
}
