//! The packets of one incarnation: their numbers, repetitions and announced segments.

use serde::{Deserialize, Serialize};

use super::sequence::{Class, Loss, Micros, Recent, Tracker, Verdict};

/// Sequence classes followed for one incarnation: eight providers in two framings, three counters
/// and two destinations fit. A sender that changes ports beyond that is not followed.
pub const MAX_TRACKERS: usize = 48;

/// Missing numbers remembered for one incarnation; beyond them the oldest of the class with the newest
/// gap count as lost at once, so that a sender of random numbers cannot buy memory.
const MAX_MISSING: usize = 512;

/// Files whose announced segments are followed at once. They come right behind their READU; only a
/// packet boundary or a window mark can stand between.
const MAX_SEGMENTED_FILES: usize = 64;

/// A packet as its number tells it: source port, class, number, fingerprint.
#[derive(Clone, Copy, Debug)]
pub struct Numbered {
    pub port: Option<u16>,
    pub class: Class,
    pub number: u16,
    pub fingerprint: u32,
    /// A server of before 5.0.1 may give every such packet the number 0.
    pub may_be_constant: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Numbers {
    trackers: Vec<(Option<u16>, Class, Tracker)>,
    recent: Vec<(Option<u16>, Class, Recent)>,
    /// Ports and bodies of the t and r packets seen last.
    copies: Recent,
    /// Files with vector reads whose segments are still to come as plain reads, and how many.
    segments_due: Vec<(u32, u16)>,
    /// Packets that came right behind the one before.
    pub in_order: u32,
    /// Bytes that trackers and fingerprints point to.
    #[serde(skip)]
    held: usize,
}

impl Numbers {
    /// Follows a packet's number. The f-stream has one counter for all destinations, so its
    /// repetitions are found whatever port they came from. `serial` counts the packets.
    pub fn observe(&mut self, packet: &Numbered, now: Micros, serial: u32) -> Verdict {
        let Numbered { port, class, number, fingerprint, .. } = *packet;
        let shared = if class == Class::File { None } else { port };
        let at = match self.trackers.iter().position(|(p, c, _)| (*p, *c) == (port, class)) {
            Some(at) => at,
            None if self.trackers.len() < MAX_TRACKERS => {
                self.trackers.push((port, class, Tracker::default()));
                self.trackers.len() - 1
            }
            None => return Verdict::InOrder,
        };
        let seen = match self.recent.iter().position(|(p, c, _)| (*p, *c) == (shared, class)) {
            Some(seen) => seen,
            None => {
                self.recent.push((shared, class, Recent::default()));
                self.recent.len() - 1
            }
        };
        let (Some((_, _, tracker)), Some((_, _, recent))) =
            (self.trackers.get_mut(at), self.recent.get_mut(seen))
        else {
            return Verdict::InOrder;
        };
        if packet.may_be_constant && number == 0 && !tracker.expects(class, number) {
            return Verdict::InOrder;
        }
        let before = tracker.held() + recent.held();
        let is_first = !tracker.has_begun();
        let repeated = class == Class::File && recent.contains(number, fingerprint);
        let verdict = tracker.observe(class, number, fingerprint, recent, now, serial);
        self.held = self.held - before + tracker.held() + recent.held();
        if verdict == Verdict::InOrder && !is_first && !repeated {
            self.in_order = self.in_order.saturating_add(1);
        }
        if verdict == Verdict::Gap {
            self.shed(at);
        }
        if repeated { Verdict::Duplicate } else { verdict }
    }

    /// Lets go of the oldest missing numbers of one class if there are too many in all.
    fn shed(&mut self, at: usize) {
        let missing: usize = self.trackers.iter().map(|(_, _, t)| t.missing()).sum();
        if let Some((_, _, tracker)) = self.trackers.get_mut(at) {
            let before = tracker.held();
            tracker.shed(missing.saturating_sub(MAX_MISSING));
            self.held = self.held - before + tracker.held();
        }
    }

    /// Whether the body of a packet came from another port before.
    pub fn is_copy(&mut self, port: u16, body: u32) -> bool {
        let is_copy = self.copies.has_from_another(port, body);
        if !is_copy {
            self.copies.remember(port, body);
        }
        is_copy
    }

    /// A READU announced so many segments of a file.
    pub fn expect_segments(&mut self, fileid: u32, count: u16) {
        self.segments_due.retain(|(file, _)| *file != fileid);
        if count > 0 {
            if self.segments_due.len() == MAX_SEGMENTED_FILES {
                self.segments_due.remove(0);
            }
            self.segments_due.push((fileid, count));
        }
    }

    /// Whether a read of this file is an announced segment; if so it is counted off.
    pub fn take_segment(&mut self, fileid: u32) -> bool {
        let Some(at) = self.segments_due.iter().position(|(file, _)| *file == fileid) else {
            return false;
        };
        if let Some((_, due)) = self.segments_due.get_mut(at) {
            *due -= 1;
            if *due == 0 {
                self.segments_due.remove(at);
            }
        }
        true
    }

    /// The serial of the newest gap in any class; 0 if there was none.
    pub fn newest_gap(&self) -> u32 {
        self.trackers.iter().map(|(_, _, tracker)| tracker.newest_gap()).fold(0, u32::max)
    }

    pub fn losses(&self) -> impl Iterator<Item = (Class, Loss)> + '_ {
        self.trackers.iter().map(|(_, class, tracker)| (*class, tracker.counts()))
    }

    /// Whatever is still missing will not come.
    pub fn give_up_missing(&mut self, now: Micros) {
        for (_, _, tracker) in &mut self.trackers {
            tracker.give_up(now, true);
        }
    }

    /// Calls `shift` with each time in it.
    pub fn shift(&mut self, shift: impl Fn(&mut Micros)) {
        self.trackers.iter_mut().for_each(|(_, _, tracker)| tracker.shift(&shift));
    }

    /// Takes what a snapshot says, if that can have come about by packets.
    pub fn restore(mut self) -> Option<Self> {
        let missing: usize = self.trackers.iter().map(|(_, _, tracker)| tracker.missing()).sum();
        let is_sound = self.trackers.len() <= MAX_TRACKERS
            && self.recent.len() <= MAX_TRACKERS
            && missing <= MAX_MISSING
            && self.trackers.iter().all(|(_, class, tracker)| tracker.is_sound(*class))
            && self.recent.iter().all(|(_, _, recent)| recent.is_sound())
            && self.copies.is_sound()
            && self.segments_due.len() <= MAX_SEGMENTED_FILES
            && self.segments_due.iter().all(|(_, due)| *due > 0);
        self.held = self.count_held() - self.own_bytes();
        is_sound.then_some(self)
    }

    /// Bytes that all this points to. Takes no time.
    pub fn held(&self) -> usize {
        self.own_bytes() + self.held
    }

    fn own_bytes(&self) -> usize {
        self.trackers.capacity() * size_of::<(Option<u16>, Class, Tracker)>()
            + self.recent.capacity() * size_of::<(Option<u16>, Class, Recent)>()
            + self.copies.held()
            + self.segments_due.capacity() * size_of::<(u32, u16)>()
    }

    /// The same as `held`, counted anew.
    pub fn count_held(&self) -> usize {
        let trackers: usize = self.trackers.iter().map(|(_, _, tracker)| tracker.held()).sum();
        let recent: usize = self.recent.iter().map(|(_, _, recent)| recent.held()).sum();
        self.own_bytes() + trackers + recent
    }
}
