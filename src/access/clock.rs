//! What time it is for the state.
//!
//! The state's own time never goes back. Where ticks come (a live source), a wall clock that was set
//! is told from time that passed, and only the difference is remembered.

use super::sequence::{Micros, SECOND};
use crate::xrootd::redirect::RedirectEntry;
use crate::xrootd::trace::TraceRecord;
use crate::xrootd::{Body, Message};

/// Without a clock of its own a source's packets tell the time, but none of them may move it on by
/// more than this: one absurd time must not expire everything. A tick that is later than this after
/// the one before it tells of a clock that was set, not of time.
const LARGEST_STEP: Micros = 3600 * SECOND;

/// Packets may be stamped by so much later than the newest tick; they come every second or so.
const AHEAD_OF_TICK: Micros = 60 * SECOND;

/// A tick that is earlier than the state's time by more than this tells of a clock that was set back.
/// Less may come of stamps that are not in order, and is waited for.
const LARGEST_DISORDER: Micros = 5 * SECOND;

/// No time is later, so that sums with waits cannot overflow: the year 70,000.
const LATEST: Micros = 1 << 61;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The state's time; 0 before anything told it.
    pub now: Micros,
    /// What the wall clock shows beyond it: not 0 after the clock was set.
    ahead: i64,
    /// The state's time at the newest tick.
    ticked_at: Option<Micros>,
}

impl Clock {
    /// Takes the time at which a packet was received.
    pub fn receive(&mut self, at: Micros) {
        let at = self.steady(at.min(LATEST));
        let latest = self.ticked_at.map_or(Micros::MAX, |tick| tick + AHEAD_OF_TICK);
        self.now = self.now.max(at.min(latest));
    }

    /// Takes the time that a packet itself tells.
    pub fn tell(&mut self, at: Micros) {
        let latest = if self.now == 0 { Micros::MAX } else { self.now + LARGEST_STEP };
        self.now = self.now.max(at.min(latest));
    }

    pub fn tick(&mut self, wall: Micros) {
        let wall = wall.min(LATEST);
        let at = wall.saturating_add_signed(-self.ahead);
        let latest = self.ticked_at.map_or(Micros::MAX, |_| self.now + LARGEST_STEP);
        let is_sane =
            self.now == 0 || (at <= latest && at.saturating_add(LARGEST_DISORDER) >= self.now);
        if is_sane {
            self.now = self.now.max(at);
        } else {
            self.ahead = wall as i64 - self.now as i64;
        }
        self.ticked_at = Some(self.now);
    }

    /// Goes on from the time of a snapshot: the first tick after it tells how long it has been.
    pub fn resume(&mut self, at: Micros) {
        self.now = self.now.max(at);
    }

    /// The state's time when the wall clock, as it is set now, showed this.
    pub fn steady(&self, wall: Micros) -> Micros {
        if wall == 0 { 0 } else { wall.saturating_add_signed(-self.ahead) }
    }

    /// What the wall clock, as it is set now, showed at a time of the state.
    pub fn wall(&self, at: Micros) -> Micros {
        if at == 0 { 0 } else { at.saturating_add_signed(self.ahead) }
    }
}

/// The newest time that a message itself tells, UNIX seconds.
pub(super) fn time_in(message: &Message<'_>) -> Option<u32> {
    let time = match message {
        Message::Binary(packet) => match &packet.body {
            Body::Fstat(stream) => stream.window().map(|window| window.end),
            Body::Trace(stream) => stream
                .records()
                .filter_map(|record| match record {
                    TraceRecord::Window { start, .. } => Some(start),
                    _ => None,
                })
                .last(),
            Body::Redirects(stream) => stream
                .entries()
                .filter_map(|entry| match entry {
                    Ok(RedirectEntry::Mark { time, .. }) => Some(time),
                    _ => None,
                })
                .last(),
            Body::Gstream(stream) => Some(stream.end),
            Body::Map(_) | Body::Unknown(_) => Some(packet.header.stod),
        },
        Message::Text(text) => text.tend,
        Message::Summary(summary) => summary.tod.and_then(|tod| u32::try_from(tod).ok()),
    };
    time.filter(|time| *time != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_700_000_000 * SECOND;
    const YEAR: Micros = 365 * 24 * 3600 * SECOND;

    fn ticking() -> Clock {
        let mut clock = Clock::default();
        clock.tick(NOW);
        clock
    }

    #[test]
    fn a_clock_that_was_set_is_no_time_and_time_goes_on_behind_it() {
        for set_to in [NOW - YEAR, NOW - 10 * SECOND, NOW + YEAR, 0] {
            let mut clock = ticking();
            clock.tick(set_to);
            assert_eq!(clock.now, NOW, "{set_to}");
            clock.tick(set_to + SECOND);
            clock.receive(set_to + 2 * SECOND);
            assert_eq!(clock.now, NOW + 2 * SECOND, "{set_to}");
            assert_eq!(clock.wall(clock.now), set_to + 2 * SECOND);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_and_forth_expires_nothing() {
        let mut clock = ticking();
        for n in 0..1000 {
            clock.tick(if n % 2 == 0 { NOW + YEAR } else { NOW });
        }
        assert!(clock.now <= NOW + SECOND);
    }

    #[test]
    fn one_absurd_stamp_moves_a_ticking_clock_by_a_minute_at_most() {
        let mut clock = ticking();
        clock.receive(NOW + YEAR);
        clock.receive(NOW - YEAR);
        assert_eq!(clock.now, NOW + AHEAD_OF_TICK);
        clock.tick(NOW + SECOND);
        clock.tick(NOW + 2 * SECOND);
        assert_eq!(clock.now, NOW + AHEAD_OF_TICK + SECOND);
    }

    #[test]
    fn without_ticks_the_stamps_are_believed() {
        let mut clock = Clock::default();
        clock.receive(NOW);
        clock.receive(NOW + YEAR);
        clock.receive(NOW);
        assert_eq!((clock.now, clock.wall(clock.now)), (NOW + YEAR, NOW + YEAR));
    }
}
