//! Who may send, and how much.

use hashbrown::DefaultHashBuilder;
use std::hash::BuildHasher;
use std::net::IpAddr;

use super::networks::Networks;
use super::settings::GateSettings;
use crate::access::sequence::{Micros, SECOND};

/// Why a packet did not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    NotAllowed,
    OverCeiling,
}

impl Refused {
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAllowed => "not_allowed",
            Self::OverCeiling => "over_ceiling",
        }
    }
}

/// Lets packets in by their sender's address.
pub struct Gate {
    allowed: Option<Networks>,
    ceiling: Option<Ceiling>,
}

impl Gate {
    pub fn new(settings: &GateSettings) -> Self {
        let allowed = (!settings.allow.is_empty()).then(|| Networks::new(&settings.allow));
        let rate = settings.max_packets_per_second;
        let ceiling = (rate > 0).then(|| Ceiling::new(rate, settings.max_senders));
        Self { allowed, ceiling }
    }

    /// Asks for one packet. Without a time there is no rate.
    #[inline]
    pub fn admit(&mut self, sender: IpAddr, at: Option<Micros>) -> Result<(), Refused> {
        if let Some(allowed) = &self.allowed
            && !allowed.contains(sender)
        {
            return Err(Refused::NotAllowed);
        }
        if let (Some(ceiling), Some(at)) = (&mut self.ceiling, at)
            && !ceiling.admit(sender, at)
        {
            return Err(Refused::OverCeiling);
        }
        Ok(())
    }
}

/// Places that a sender's state may be in.
const WAYS: usize = 8;

/// A full bucket, in time: a sender may send what it saved up in one second at once.
const BURST: Micros = SECOND;

/// A token bucket for each sender, in memory that never grows.
///
/// A bucket is one number, the time at which it will be full again (the "theoretical arrival time" of
/// the generic cell rate algorithm): a bucket that is full says nothing, so its place is free. Only
/// where more senders than places are above their rate at once does one of them get its packets free
/// again: the one that owes least. One that sends too much owes most, and stays.
struct Ceiling {
    /// Microseconds, in 1/1024, that one packet costs.
    cost: u64,
    places: Vec<[Place; WAYS]>,
    hasher: DefaultHashBuilder,
}

/// In 1/1024 microseconds, so that rates above a million a second have a cost at all.
const FRACTION: u64 = 1024;

#[derive(Clone, Copy)]
struct Place {
    sender: IpAddr,
    full_at: u64,
}

impl Ceiling {
    fn new(rate: u32, senders: usize) -> Self {
        let nobody = Place { sender: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), full_at: 0 };
        let sets = senders.div_ceil(WAYS);
        Self {
            cost: (SECOND * FRACTION / u64::from(rate)).max(1),
            places: vec![[nobody; WAYS]; sets],
            hasher: DefaultHashBuilder::default(),
        }
    }

    fn admit(&mut self, sender: IpAddr, at: Micros) -> bool {
        let hash = self.hasher.hash_one(sender) as usize;
        let now = at.saturating_mul(FRACTION);
        let sets = self.places.len();
        let Some(set) = self.places.get_mut(hash % sets.max(1)) else { return true };
        let known = set.iter().position(|place| place.sender == sender);
        let slot = match known {
            Some(slot) => set.get_mut(slot),
            None => set.iter_mut().min_by_key(|place| place.full_at),
        };
        let Some(place) = slot else { return true };
        let burst = BURST * FRACTION;
        // A bucket that fills up later than any can means that the clock was set back.
        if known.is_none() || place.full_at > now + burst + self.cost {
            *place = Place { sender, full_at: now };
        }
        let full_at = place.full_at.max(now) + self.cost;
        if full_at > now + burst {
            return false;
        }
        place.full_at = full_at;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn gate(rate: u32) -> Gate {
        let settings =
            GateSettings { max_packets_per_second: rate, max_senders: 1000, ..Default::default() };
        Gate::new(&settings)
    }

    const START: Micros = 1_700_000_000 * SECOND;
    const GOOD: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const MAD: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_sender_gets_its_rate_and_a_second_in_advance() {
        let mut gate = gate(100);
        let admitted =
            (0..10_000).filter(|n| gate.admit(MAD, Some(START + n * 1000)).is_ok()).count();
        // Ten seconds at a thousand a second: a hundred of each second's, and the first bucket.
        assert!((1090..=1110).contains(&admitted), "{admitted}");
        assert!((0..100).all(|n| gate.admit(GOOD, Some(START + n * 10_000)).is_ok()));
    }

    #[test]
    fn a_million_senders_take_no_memory_and_no_good_sender_suffers() {
        let mut gate = gate(100);
        let ceiling = |gate: &Gate| gate.ceiling.as_ref().map_or(0, |c| c.places.capacity());
        let (before, mut at) = (ceiling(&gate), START);
        let mut mad = 0;
        for number in 0..1_000_000_u32 {
            at += 10;
            let spoofed = IpAddr::V6(Ipv6Addr::from_bits(u128::from(number) << 32));
            let _ = gate.admit(spoofed, Some(at));
            if number % 10 == 0 {
                mad += u32::from(gate.admit(MAD, Some(at)).is_ok());
            }
            if number % 1000 == 0 {
                assert_eq!(gate.admit(GOOD, Some(at)), Ok(()));
            }
        }
        assert_eq!(ceiling(&gate), before);
        // Ten seconds at ten thousand a second; a hundred of them each second.
        assert!((1090..=1110).contains(&mad), "{mad}");
    }

    #[test]
    fn a_clock_that_is_set_back_shuts_nobody_out() {
        let mut gate = gate(10);
        for n in 0..100 {
            let _ = gate.admit(GOOD, Some(START + n));
        }
        assert_eq!(gate.admit(GOOD, Some(START + 200)), Err(Refused::OverCeiling));
        assert_eq!(gate.admit(GOOD, Some(START - 86_400 * SECOND)), Ok(()));
    }
}
