//! The datagrams to send, with one look ahead.

use std::collections::BTreeMap;
use std::io::Result;
use std::time::Duration;

use hashbrown::HashMap;

use crate::capture::{Peer, Source};
use crate::error::FaultKind;

/// The next datagram.
#[derive(Default)]
pub struct Ahead {
    pub payload: Vec<u8>,
    /// Its place among the senders.
    pub sender: usize,
    /// Since the first datagram; `None` where the source has no clock.
    pub received: Option<Duration>,
    /// As in [`crate::capture::Datagram::number`].
    pub number: u64,
}

/// A datagram of a source that is gone through more than once.
struct Kept {
    start: usize,
    length: usize,
    sender: usize,
    received: Option<Duration>,
    number: u64,
    position: u64,
}

/// Datagrams one after the other, through the source once or more often.
pub struct Feed {
    /// `None` once all of it is in memory.
    source: Option<Box<dyn Source + Send>>,
    bytes: Vec<u8>,
    kept: Vec<Kept>,
    next: usize,
    pass: u64,
    passes: u64,
    ahead: Ahead,
    is_loaded: bool,
    senders: Vec<Option<Peer>>,
    places: HashMap<Option<Peer>, usize>,
    /// Microseconds since the UTC epoch.
    began_at: Option<u64>,
    position: u64,
    faults: BTreeMap<FaultKind, u64>,
}

impl Feed {
    /// Goes through the source `passes` times, 0: without end.
    pub fn new(source: Box<dyn Source + Send>, passes: u64) -> Self {
        Self {
            source: Some(source),
            bytes: Vec::new(),
            kept: Vec::new(),
            next: 0,
            pass: 0,
            passes,
            ahead: Ahead::default(),
            is_loaded: false,
            senders: Vec::new(),
            places: HashMap::new(),
            began_at: None,
            position: 0,
            faults: BTreeMap::new(),
        }
    }

    /// Reads on into memory for a while, where the source is needed more than once; true when there
    /// is no more to be read.
    ///
    /// # Errors
    ///
    /// Those of the source.
    pub fn hold(&mut self, datagrams: usize) -> Result<bool> {
        if self.passes == 1 || self.source.is_none() {
            return Ok(true);
        }
        for _ in 0..datagrams {
            if !self.load()? {
                self.source = None;
                self.position = 0;
                return Ok(true);
            }
            self.kept.push(Kept {
                start: self.bytes.len(),
                length: self.ahead.payload.len(),
                sender: self.ahead.sender,
                received: self.ahead.received,
                number: self.ahead.number,
                position: self.position,
            });
            self.bytes.extend_from_slice(&self.ahead.payload);
            self.advance();
        }
        Ok(false)
    }

    /// Makes the next datagram available; false at the end.
    ///
    /// # Errors
    ///
    /// Those of the source.
    pub fn load(&mut self) -> Result<bool> {
        if !self.is_loaded {
            self.is_loaded = if self.source.is_some() { self.read()? } else { self.recall() };
        }
        Ok(self.is_loaded)
    }

    /// The datagram that [`Feed::load`] made available.
    pub fn ahead(&self) -> &Ahead {
        &self.ahead
    }

    /// Goes on behind it.
    pub fn advance(&mut self) {
        self.is_loaded = false;
    }

    /// Senders in the order in which they came.
    pub fn senders(&self) -> &[Option<Peer>] {
        &self.senders
    }

    /// Bytes of the source that are behind, over all passes.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Places where the source is damaged, by kind.
    pub fn faults(&self) -> &BTreeMap<FaultKind, u64> {
        &self.faults
    }

    fn read(&mut self) -> Result<bool> {
        let Some(source) = &mut self.source else { return Ok(false) };
        let faults = &mut self.faults;
        let datagram = source.next(&mut |fault| *faults.entry(fault.kind).or_default() += 1)?;
        let Some(datagram) = datagram else {
            self.position = source.position();
            return Ok(false);
        };
        let began_at = match (self.began_at, datagram.received_at) {
            (None, Some(at)) => *self.began_at.insert(at),
            (began_at, _) => began_at.unwrap_or(0),
        };
        let since = |at: u64| Duration::from_micros(at.saturating_sub(began_at));
        self.ahead.received = datagram.received_at.map(since);
        self.ahead.number = datagram.number;
        self.ahead.payload.clear();
        self.ahead.payload.extend_from_slice(datagram.payload);
        let peer = datagram.peer;
        // Most datagrams come from the sender of the one before.
        if self.senders.get(self.ahead.sender) != Some(&peer) {
            let (places, senders) = (&mut self.places, &mut self.senders);
            self.ahead.sender = *places.entry(peer.clone()).or_insert_with(|| {
                senders.push(peer);
                senders.len() - 1
            });
        }
        self.position = source.position();
        Ok(true)
    }

    fn recall(&mut self) -> bool {
        if self.next == self.kept.len() {
            self.next = 0;
            self.pass += 1;
        }
        let is_over = self.passes > 0 && self.pass >= self.passes;
        let (Some(datagram), false) = (self.kept.get(self.next), is_over) else { return false };
        self.next += 1;
        let last = self.kept.last();
        let span = last.and_then(|last| last.received).unwrap_or_default();
        let gone = span.saturating_mul(u32::try_from(self.pass).unwrap_or(u32::MAX));
        let payload = self.bytes.get(datagram.start..datagram.start + datagram.length);
        self.ahead.received = datagram.received.map(|received| received.saturating_add(gone));
        self.ahead.sender = datagram.sender;
        self.ahead.number = datagram.number;
        self.ahead.payload.clear();
        self.ahead.payload.extend_from_slice(payload.unwrap_or_default());
        self.position = self.pass * last.map_or(0, |last| last.position) + datagram.position;
        true
    }
}
