//! To whom the newest packets of some senders belonged: nearly always the next one's are the same.

use super::incarnation::{Key, Run};
use crate::capture::udp::shard;
use crate::capture::{Host, Peer};

/// Senders that are remembered, each in the one place where it can be.
const PLACES: usize = 256;

struct Known {
    peer: Option<Peer>,
    sid: Option<u64>,
    stod: u32,
    id: u32,
}

/// Incarnations by sender.
pub struct Recent {
    places: Vec<Option<Known>>,
}

fn place(peer: Option<&Peer>) -> usize {
    let Some(peer) = peer else { return 0 };
    let host = match &peer.host {
        Host::Ip(address) => shard::of(*address, PLACES),
        Host::Name(name) => name.len(),
    };
    host.wrapping_add(usize::from(peer.port.unwrap_or(0))) % PLACES
}

impl Recent {
    pub fn new() -> Self {
        Self { places: (0..PLACES).map(|_| None).collect() }
    }

    /// The incarnation of a packet, if it is that of the sender's last one.
    #[inline]
    pub fn get(&self, peer: Option<&Peer>, run: Run) -> Option<u32> {
        let known = self.places.get(place(peer))?.as_ref()?;
        let is_same = known.stod == run.stod
            && (known.sid == run.sid || run.sid.is_none())
            && known.peer.as_ref() == peer;
        is_same.then_some(known.id)
    }

    pub fn put(&mut self, peer: Option<&Peer>, key: &Key, id: u32) {
        if let Some(place) = self.places.get_mut(place(peer)) {
            *place = Some(Known { peer: peer.cloned(), sid: key.sid, stod: key.stod, id });
        }
    }

    /// Forgets an incarnation that is no more.
    pub fn forget(&mut self, id: u32) {
        for place in &mut self.places {
            place.take_if(|known| known.id == id);
        }
    }
}
