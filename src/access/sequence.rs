//! Lost, late and repeated packets, by sequence number.
//!
//! The number in a packet counts within a *class*, and classes are not packet codes: all maps but
//! those of the frm daemons, the t-stream and the r-stream of one destination share a counter; the
//! f-stream has one, every g-stream provider has one (`XrdXrootdMonitor.cc`, `XrdXrootdMonFile.cc`,
//! `XrdXrootdGSReal.cc`, `XrdFrmMonitor.cc`). Classes are kept for each source port, because each
//! destination of a server has its own socket and its own main counter.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::xrootd::gtext::{Framing, TextPacket};
use crate::xrootd::{Body, Message};

/// UTC epoch microseconds.
pub type Micros = u64;

pub const SECOND: Micros = 1_000_000;

/// A missing number counts as lost when this much time or this many packets have passed.
const PATIENCE: Micros = 5 * SECOND;
const PATIENCE_PACKETS: u64 = 64;

/// After such a silence numbers are not compared: the wrap may have been passed any number of times.
const SILENCE: Micros = 2 * 3600 * SECOND;

/// Numbers remembered with their packet's fingerprint, to tell a repeated packet from a late one.
const REMEMBERED: usize = 64;

/// What shares one counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    Main,
    File,
    Frm,
    Gstream(u8),
    TextEvents(u8),
    TextIdent,
    TextMaps,
}

impl Class {
    /// The class of a message and its number, if it has one.
    pub fn of(message: &Message<'_>) -> Option<(Self, u16)> {
        match message {
            Message::Binary(packet) => {
                let number = u16::from(packet.header.pseq);
                let class = match &packet.body {
                    Body::Map(map) => match map.code {
                        b'x' | b'p' => Self::Frm,
                        // frm daemons, and servers before 4.0.0, identify themselves outside any sequence.
                        b'=' if !map.userid.starts_with(b"=/") => return None,
                        _ => Self::Main,
                    },
                    Body::Trace(_) | Body::Redirects(_) => Self::Main,
                    Body::Fstat(_) => Self::File,
                    Body::Gstream(stream) => Self::Gstream(stream.provider),
                    Body::Unknown(_) => return None,
                };
                Some((class, number))
            }
            Message::Text(TextPacket { framing: Framing::None, .. }) | Message::Summary(_) => None,
            Message::Text(packet) => {
                let class = match packet.code {
                    b'=' => Self::TextIdent,
                    b'g' => Self::TextEvents(packet.provider.unwrap_or(b'?')),
                    _ => Self::TextMaps,
                };
                Some((class, packet.pseq?))
            }
        }
    }

    /// How many numbers there are before they begin again.
    fn modulus(self) -> u16 {
        match self {
            Self::TextEvents(_) | Self::TextIdent | Self::TextMaps => 1000,
            _ => 256,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Main => f.write_str("main"),
            Self::File => f.write_str("f"),
            Self::Frm => f.write_str("frm"),
            Self::Gstream(letter) => write!(f, "g:{}", letter.escape_ascii()),
            Self::TextEvents(letter) => write!(f, "text:{}", letter.escape_ascii()),
            Self::TextIdent => f.write_str("text:="),
            Self::TextMaps => f.write_str("text:d"),
        }
    }
}

/// What one packet's number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    InOrder,
    /// Packets before this one are missing, for now.
    Gap,
    /// It came after later ones.
    Late,
    /// The very same packet came before.
    Duplicate,
}

/// Counts of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    pub received: u64,
    pub lost: u64,
    pub late: u64,
    pub duplicates: u64,
}

impl Loss {
    /// Adds what others counted.
    pub fn add(&mut self, more: Self) {
        self.received += more.received;
        self.lost += more.lost;
        self.late += more.late;
        self.duplicates += more.duplicates;
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Missing {
    number: u16,
    noticed_at: Micros,
    noticed_packet: u64,
    serial: u32,
}

/// Fingerprints of the packets seen last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Recent {
    seen: Vec<(u16, u32)>,
    at: usize,
}

impl Recent {
    pub fn contains(&self, number: u16, fingerprint: u32) -> bool {
        self.seen.contains(&(number, fingerprint))
    }

    /// Whether this can have come about by packets.
    pub fn is_sound(&self) -> bool {
        self.seen.len() <= REMEMBERED && self.at < REMEMBERED && self.at <= self.seen.len()
    }

    /// Whether the same was seen under another number.
    pub fn has_from_another(&self, number: u16, fingerprint: u32) -> bool {
        self.seen.iter().any(|(seen, print)| *print == fingerprint && *seen != number)
    }

    /// Bytes that it points to.
    pub fn held(&self) -> usize {
        self.seen.capacity() * size_of::<(u16, u32)>()
    }

    pub fn remember(&mut self, number: u16, fingerprint: u32) {
        match self.seen.get_mut(self.at) {
            Some(slot) => *slot = (number, fingerprint),
            None => self.seen.push((number, fingerprint)),
        }
        self.at = (self.at + 1) % REMEMBERED;
    }
}

/// Follows the numbers of one class.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tracker {
    last: Option<(u16, Micros)>,
    counts: Loss,
    missing: Vec<Missing>,
    /// Serial of the newest gap that turned out to be a loss.
    lost_serial: u32,
}

impl Tracker {
    /// Takes the next packet. `serial` counts the packets of the server, so that a gap has a place
    /// among its records.
    pub fn observe(
        &mut self,
        class: Class,
        number: u16,
        fingerprint: u32,
        recent: &mut Recent,
        now: Micros,
        serial: u32,
    ) -> Verdict {
        let modulus = class.modulus();
        let number = number % modulus;
        let verdict = self.place(class, number, fingerprint, recent, now, serial);
        if verdict == Verdict::Duplicate {
            self.counts.duplicates += 1;
            return verdict;
        }
        self.counts.received += 1;
        recent.remember(number, fingerprint);
        if verdict != Verdict::Late {
            self.last = Some((number, now));
        }
        if !self.missing.is_empty() {
            self.give_up(now, false);
        }
        verdict
    }

    fn place(
        &mut self,
        class: Class,
        number: u16,
        fingerprint: u32,
        recent: &Recent,
        now: Micros,
        serial: u32,
    ) -> Verdict {
        let Some((last, seen_at)) = self.last else { return Verdict::InOrder };
        let modulus = class.modulus();
        let step = (number + modulus - last) % modulus;
        if step == 1 {
            return Verdict::InOrder;
        }
        if now.saturating_sub(seen_at) > SILENCE {
            self.give_up(now, true);
            return Verdict::InOrder;
        }
        if (2..modulus / 2).contains(&step) {
            for behind in 1..step {
                self.missing.push(Missing {
                    number: (last + behind) % modulus,
                    noticed_at: now,
                    noticed_packet: self.counts.received,
                    serial,
                });
            }
            return Verdict::Gap;
        }
        if recent.contains(number, fingerprint) {
            return Verdict::Duplicate;
        }
        if let Some(at) = self.missing.iter().position(|missing| missing.number == number) {
            self.missing.remove(at);
        }
        self.counts.late += 1;
        Verdict::Late
    }

    /// Bytes that it points to.
    pub fn held(&self) -> usize {
        self.missing.capacity() * size_of::<Missing>()
    }

    /// Whether this can have come about by packets; what a damaged file says may not.
    pub fn is_sound(&self, class: Class) -> bool {
        let Loss { received, lost, late, duplicates } = self.counts;
        self.last.is_none_or(|(number, _)| number < class.modulus())
            && [received, lost, late, duplicates].iter().all(|count| *count < 1 << 62)
            && self.missing.iter().all(|missing| missing.noticed_packet <= received)
    }

    /// Calls `shift` with each time in it.
    pub fn shift(&mut self, shift: impl Fn(&mut Micros)) {
        if let Some((_, time)) = &mut self.last {
            shift(time);
        }
        self.missing.iter_mut().for_each(|missing| shift(&mut missing.noticed_at));
    }

    /// Whether any packet has come.
    pub fn has_begun(&self) -> bool {
        self.last.is_some()
    }

    pub fn missing(&self) -> usize {
        self.missing.len()
    }

    /// Counts the oldest so many missing packets as lost and gives their memory back.
    pub fn shed(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        for missing in self.missing.drain(..count.min(self.missing.len())) {
            self.counts.lost += 1;
            self.lost_serial = self.lost_serial.max(missing.serial);
        }
        self.missing.shrink_to_fit();
    }

    /// Counts missing packets as lost: those waited for long enough, or all.
    pub fn give_up(&mut self, now: Micros, all: bool) {
        let (counts, lost_serial) = (&mut self.counts, &mut self.lost_serial);
        self.missing.retain(|missing| {
            let waited = now.saturating_sub(missing.noticed_at) > PATIENCE
                || counts.received - missing.noticed_packet > PATIENCE_PACKETS;
            if all || waited {
                counts.lost += 1;
                *lost_serial = (*lost_serial).max(missing.serial);
                return false;
            }
            true
        });
    }

    /// Whether a number is the next one, or the first.
    pub fn expects(&self, class: Class, number: u16) -> bool {
        self.last.is_none_or(|(last, _)| (last + 1) % class.modulus() == number)
    }

    /// The serial of the newest gap, still open or lost for good; 0 if there was none.
    pub fn newest_gap(&self) -> u32 {
        self.missing.iter().map(|missing| missing.serial).fold(self.lost_serial, u32::max)
    }

    pub fn counts(&self) -> Loss {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds numbers (each packet unlike the others unless `same`) and returns the counts.
    fn run(class: Class, numbers: &[u16]) -> (Tracker, Vec<Verdict>) {
        let (mut tracker, mut recent) = (Tracker::default(), Recent::default());
        let verdicts = numbers
            .iter()
            .enumerate()
            .map(|(at, number)| {
                let now = at as Micros;
                tracker.observe(class, *number, at as u32, &mut recent, now, at as u32 + 1)
            })
            .collect();
        (tracker, verdicts)
    }

    fn lost(class: Class, numbers: &[u16]) -> u64 {
        let (mut tracker, _) = run(class, numbers);
        tracker.give_up(0, true);
        tracker.counts().lost
    }

    #[test]
    fn wraps_are_not_gaps() {
        assert_eq!(lost(Class::Main, &[254, 255, 0, 1]), 0);
        assert_eq!(lost(Class::TextEvents(b'C'), &[998, 999, 0, 1]), 0);
        assert_eq!(lost(Class::Main, &[254, 1]), 2);
        assert_eq!(lost(Class::TextEvents(b'C'), &[255, 256, 258]), 1);
    }

    #[test]
    fn a_late_packet_fills_its_gap() {
        let (tracker, verdicts) = run(Class::File, &[1, 3, 2, 4]);
        assert_eq!(verdicts[1..3], [Verdict::Gap, Verdict::Late]);
        assert_eq!((tracker.counts().late, tracker.newest_gap()), (1, 0));
        assert_eq!(lost(Class::File, &[1, 3, 2, 4]), 0);
    }

    #[test]
    fn the_same_packet_twice_is_a_duplicate_and_another_with_its_number_is_not() {
        let (mut tracker, mut recent) = (Tracker::default(), Recent::default());
        let mut feed =
            |number, print| tracker.observe(Class::File, number, print, &mut recent, 0, 1);
        assert_eq!(feed(7, 70), Verdict::InOrder);
        assert_eq!(feed(8, 80), Verdict::InOrder);
        assert_eq!(feed(8, 80), Verdict::Duplicate);
        assert_eq!(feed(7, 70), Verdict::Duplicate);
        assert_eq!(feed(8, 81), Verdict::Late);
        assert_eq!(tracker.counts(), Loss { received: 3, lost: 0, late: 1, duplicates: 2 });
    }

    #[test]
    fn missing_packets_are_lost_after_the_patience() {
        let (mut tracker, mut recent) = (Tracker::default(), Recent::default());
        let mut feed = |number: u16, now| {
            tracker.observe(Class::Main, number, u32::from(number), &mut recent, now, 5);
            (tracker.counts().lost, tracker.newest_gap())
        };
        assert_eq!(feed(1, 0), (0, 0));
        assert_eq!(feed(4, SECOND), (0, 5));
        assert_eq!(feed(5, 7 * SECOND), (2, 5));
    }

    #[test]
    fn a_long_silence_starts_anew() {
        let (mut tracker, mut recent) = (Tracker::default(), Recent::default());
        tracker.observe(Class::Main, 1, 1, &mut recent, 0, 1);
        let verdict = tracker.observe(Class::Main, 99, 2, &mut recent, 3 * 3600 * SECOND, 2);
        assert_eq!((verdict, tracker.newest_gap()), (Verdict::InOrder, 0));
    }
}
