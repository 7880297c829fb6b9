//! IP fragments that wait for the rest of their datagram.
//!
//! They may come in any order, more than once and overlapping. Waiting datagrams are bounded: the
//! oldest goes when another begins, and is counted. Duplicates that come behind a complete datagram
//! begin another one that never completes; that is no loss, so it is not counted.

use std::collections::VecDeque;

use etherparse::IpNumber;
use etherparse::defrag::IpDefragBuf;

use super::SourceFault;
use super::ip::{Fragment, FragmentKey};
use crate::error::FaultKind;
use crate::limits::MAX_WAITING_FRAGMENTS;

struct Waiting {
    key: FragmentKey,
    buffer: IpDefragBuf,
    number: u64,
    offset: u64,
    /// A datagram of this key has just been completed.
    echo: bool,
}

impl Waiting {
    fn given_up(&self, faults: &mut dyn FnMut(SourceFault)) {
        if !self.echo {
            faults(SourceFault {
                kind: FaultKind::MissingFragments,
                number: self.number,
                offset: self.offset,
                context: "IP fragments without the rest of their datagram",
            });
        }
    }
}

/// All datagrams that wait, the oldest first.
#[derive(Default)]
pub struct Fragments {
    waiting: VecDeque<Waiting>,
    completed: VecDeque<FragmentKey>,
}

impl Fragments {
    /// Adds a piece and returns the IP payload if it is whole now. `number` and `offset` are those
    /// of the frame. `Err` is a piece that contradicts the others.
    pub fn add(
        &mut self,
        fragment: &Fragment<'_>,
        number: u64,
        offset: u64,
        faults: &mut dyn FnMut(SourceFault),
    ) -> Result<Option<Vec<u8>>, &'static str> {
        let at = match self.waiting.iter().position(|waiting| waiting.key == fragment.key) {
            Some(at) => at,
            None => self.begin(fragment, number, offset, faults),
        };
        let Some(waiting) = self.waiting.get_mut(at) else { return Ok(None) };
        // All but the last piece are whole units of 8 bytes; a snapshot length may have cut it.
        let whole = if fragment.more { fragment.data.len() & !7 } else { fragment.data.len() };
        let data = fragment.data.get(..whole).unwrap_or_default();
        waiting
            .buffer
            .add(fragment.offset, fragment.more, data)
            .map_err(|_| "IP fragment that contradicts the others of its datagram")?;
        if !waiting.buffer.is_complete() {
            return Ok(None);
        }
        let Some(done) = self.waiting.remove(at) else { return Ok(None) };
        self.completed.push_back(done.key);
        if self.completed.len() > MAX_WAITING_FRAGMENTS {
            self.completed.pop_front();
        }
        Ok(Some(done.buffer.take_bufs().0))
    }

    /// Makes room for a datagram that begins with `fragment`, and says where it is.
    fn begin(
        &mut self,
        fragment: &Fragment<'_>,
        number: u64,
        offset: u64,
        faults: &mut dyn FnMut(SourceFault),
    ) -> usize {
        if self.waiting.len() >= MAX_WAITING_FRAGMENTS
            && let Some(oldest) = self.waiting.pop_front()
        {
            oldest.given_up(faults);
        }
        let protocol = IpNumber(fragment.protocol);
        self.waiting.push_back(Waiting {
            key: fragment.key,
            buffer: IpDefragBuf::new(protocol, Vec::new(), Vec::new()),
            number,
            offset,
            echo: self.completed.contains(&fragment.key),
        });
        self.waiting.len() - 1
    }

    /// Gives up everything that still waits: the capture is over.
    pub fn finish(&mut self, faults: &mut dyn FnMut(SourceFault)) {
        for waiting in self.waiting.drain(..) {
            waiting.given_up(faults);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::IpFragOffset;
    use std::net::{IpAddr, Ipv4Addr};

    fn piece(identification: u32, offset: u16, more: bool, data: &[u8]) -> Fragment<'_> {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let key = FragmentKey { source: address, destination: address, identification };
        let offset = IpFragOffset::try_new(offset / 8).expect("small");
        Fragment { key, protocol: 17, offset, more, data }
    }

    fn none(_: SourceFault) {
        panic!("unexpected fault");
    }

    #[test]
    fn order_and_copies_do_not_matter() {
        let whole: Vec<u8> = (0..=43).collect();
        let pieces = [
            piece(1, 0, true, &whole[..16]),
            piece(1, 8, true, &whole[8..32]),
            piece(1, 32, false, &whole[32..]),
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let mut fragments = Fragments::default();
            let mut done = None;
            for at in order {
                assert_eq!(done, None);
                done = fragments.add(&pieces[at], 1, 0, &mut none).expect("sound");
                if done.is_none() {
                    assert_eq!(fragments.add(&pieces[at], 1, 0, &mut none), Ok(None));
                }
            }
            assert_eq!(done.as_deref(), Some(&whole[..]));
            // A late copy waits in vain, and is no loss.
            assert_eq!(fragments.add(&pieces[0], 1, 0, &mut none), Ok(None));
            fragments.finish(&mut none);
        }
    }

    #[test]
    fn the_oldest_goes_first_and_the_rest_is_counted_at_the_end() {
        let mut fragments = Fragments::default();
        let mut numbers = Vec::new();
        let mut faults = |fault: SourceFault| numbers.push(fault.number);
        for id in 0..66u32 {
            let begun = fragments.add(&piece(id, 0, true, &[0; 8]), u64::from(id), 0, &mut faults);
            assert_eq!(begun, Ok(None));
        }
        fragments.finish(&mut faults);
        assert_eq!(numbers, (0..66).collect::<Vec<_>>());
    }

    #[test]
    fn contradictions_are_reported() {
        let mut fragments = Fragments::default();
        assert_eq!(fragments.add(&piece(1, 8, false, &[0; 8]), 1, 0, &mut none), Ok(None));
        assert!(fragments.add(&piece(1, 16, false, &[0; 8]), 2, 0, &mut none).is_err());
    }
}
