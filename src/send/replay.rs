//! A replay: takes datagrams when they are due, disturbs them, sends them.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::disturb::Disturbance;
use super::feed::Feed;
use super::pace::{Due, Pace};
use super::settings::Settings;
use super::sockets::Sockets;
use crate::capture::{Peer, Source};
use crate::error::FaultKind;

/// Longest work between two looks at signals.
const STEP: Duration = Duration::from_millis(50);

/// Datagrams read into memory in one step.
const HELD: usize = 16_384;

/// Longest payload of UDP over IPv4 and over IPv6 without jumbograms, bytes.
const MAX_PAYLOAD: [usize; 2] = [65_507, 65_527];

/// What a replay has done so far.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Datagrams taken from the source.
    pub read: u64,
    pub sent: u64,
    /// Of those sent.
    pub bytes: u64,
    pub lost: u64,
    pub duplicated: u64,
    pub reordered: u64,
    /// Answers that nobody listens there.
    pub refused: u64,
    /// Since the first packet.
    pub elapsed_s: f64,
    pub faults: BTreeMap<FaultKind, u64>,
    /// Original senders, and where the packets of each come from now.
    pub senders: Vec<(Option<Peer>, SocketAddr)>,
}

/// One replay.
pub struct Replay {
    feed: Feed,
    disturbance: Disturbance,
    pace: Pace,
    sockets: Sockets,
    max_payload: usize,
    is_timed: bool,
    count: u64,
    read: u64,
    began: Option<Instant>,
    ended: Option<Duration>,
}

/// Why a replay ends.
#[derive(Debug)]
pub enum Failure {
    /// The source cannot be read.
    Source(io::Error),
    /// The source cannot be replayed like this.
    Unfit(String),
    /// Nothing can be sent there.
    Network(io::Error),
}

impl Replay {
    pub fn new(source: Box<dyn Source + Send>, settings: &Settings) -> Self {
        let [v4, v6] = MAX_PAYLOAD;
        Self {
            feed: Feed::new(source, settings.repeat),
            disturbance: Disturbance::new(settings),
            pace: Pace::new(settings.rate, settings.speed),
            sockets: Sockets::new(settings.to, settings.local),
            max_payload: if settings.to.is_ipv4() { v4 } else { v6 },
            is_timed: settings.speed.is_some(),
            count: settings.count.unwrap_or(u64::MAX),
            read: 0,
            began: None,
            ended: None,
        }
    }

    /// Works for a moment; false at the end.
    ///
    /// # Errors
    ///
    /// What was sent before stays counted.
    pub fn step(&mut self) -> Result<bool, Failure> {
        if self.ended.is_some() {
            return Ok(false);
        }
        if !self.feed.hold(HELD).map_err(Failure::Source)? {
            return Ok(true);
        }
        let began = *self.began.get_or_insert_with(Instant::now);
        let step = Instant::now();
        while step.elapsed() < STEP {
            if self.read >= self.count || !self.feed.load().map_err(Failure::Source)? {
                self.finish(began)?;
                return Ok(false);
            }
            let received = self.received()?;
            match self.pace.due(began.elapsed(), received) {
                Due::Now(most) => self.take(most)?,
                Due::After(wait) => {
                    // What went is late enough.
                    self.sockets.flush().map_err(Failure::Network)?;
                    std::thread::sleep(wait.min(STEP));
                }
            }
        }
        if self.is_timed {
            self.sockets.flush().map_err(Failure::Network)?;
        }
        Ok(true)
    }

    /// Bytes of the source that are behind, over all passes.
    pub fn position(&self) -> u64 {
        self.feed.position()
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        let (sent, taken) = (self.sockets.sent(), self.disturbance.taken());
        let elapsed = self.ended.or(self.began.map(|began| began.elapsed())).unwrap_or_default();
        let addresses = self.sockets.addresses().unwrap_or_default();
        let senders = self.feed.senders().iter().cloned();
        Counts {
            read: self.read,
            sent: sent.packets,
            bytes: sent.bytes,
            lost: taken.lost,
            duplicated: taken.duplicated,
            reordered: taken.reordered,
            refused: sent.refused,
            elapsed_s: elapsed.as_secs_f64(),
            faults: self.feed.faults().clone(),
            senders: senders.zip(addresses.into_iter().cycle()).collect(),
        }
    }

    fn received(&self) -> Result<Duration, Failure> {
        match self.feed.ahead().received {
            None if self.is_timed => Err(Failure::Unfit(
                "it does not tell when packets came: give --rate instead of --speed".into(),
            )),
            received => Ok(received.unwrap_or_default()),
        }
    }

    /// Takes up to `most` datagrams; the first is loaded.
    fn take(&mut self, most: usize) -> Result<(), Failure> {
        let mut taken = 0;
        loop {
            let ahead = self.feed.ahead();
            if ahead.payload.len() > self.max_payload {
                let (length, max) = (ahead.payload.len(), self.max_payload);
                let text = format!("packet {} has {length} bytes, UDP carries {max}", ahead.number);
                return Err(Failure::Unfit(text));
            }
            self.sockets.open(self.feed.senders()).map_err(Failure::Network)?;
            let mut failure = Ok(());
            let sockets = &mut self.sockets;
            self.disturbance.push(ahead.sender, &ahead.payload, &mut |sender, payload| {
                if failure.is_ok() {
                    failure = sockets.push(sender, payload);
                }
            });
            failure.map_err(Failure::Network)?;
            self.feed.advance();
            self.read += 1;
            taken += 1;
            if taken == most || self.read >= self.count {
                break;
            }
            if !self.feed.load().map_err(Failure::Source)? {
                break;
            }
        }
        self.pace.spend(taken);
        Ok(())
    }

    fn finish(&mut self, began: Instant) -> Result<(), Failure> {
        let mut failure = Ok(());
        let sockets = &mut self.sockets;
        self.disturbance.finish(&mut |sender, payload| {
            if failure.is_ok() {
                failure = sockets.push(sender, payload);
            }
        });
        failure.and_then(|()| sockets.flush()).map_err(Failure::Network)?;
        self.ended = Some(began.elapsed());
        Ok(())
    }
}
