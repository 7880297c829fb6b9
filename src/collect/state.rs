//! What one worker knows, and the way of a packet through it: gate, decoder, correlator, outlets.

use std::net::IpAddr;
use std::time::Instant;

use super::counters::Counters;
use super::gate::Gate;
use super::outlet::Outlet;
use super::settings::Settings;
use crate::access::record::{
    FileAccess, IoEvent, PluginEvent, Record, Redirect, ServerIdent, Session, Sink, Summary,
};
use crate::access::sequence::Micros;
use crate::access::{Config, Correlator};
use crate::capture::{Datagram, Host};
use crate::columns::Target;
use crate::error::{DecodeError, FaultKind};
use crate::reading::{Outcome, What};
use crate::xrootd::Message;

pub struct State {
    pub gate: Gate,
    pub correlator: Correlator,
    config: Config,
    pub outlets: Vec<Outlet>,
    pub counters: Counters,
    /// What correlators that have ended added up to.
    past: Outcome,
    faults: Vec<DecodeError>,
}

impl State {
    pub fn new(settings: &Settings, outlets: Vec<Outlet>) -> Self {
        let config = settings.state.config(settings.workers);
        Self {
            gate: Gate::new(&settings.gate),
            correlator: Correlator::new(config.clone()),
            config,
            outlets,
            counters: Counters::default(),
            past: Outcome::default(),
            faults: Vec::new(),
        }
    }

    /// Takes one datagram. `now` stands for its time where its source has no clock.
    pub fn take(&mut self, datagram: &Datagram<'_>, is_truncated: bool, now: Micros) {
        let Self { counters, faults, .. } = self;
        counters.received += 1;
        counters.bytes += datagram.payload.len() as u64;
        let sender = datagram.peer.as_ref().and_then(|peer| match peer.host {
            Host::Ip(address) => Some(address),
            Host::Name(_) => None,
        });
        if let Some(sender) = sender
            && let Err(refused) = self.gate.admit(sender, datagram.received_at)
        {
            counters.rejections.count(refused.name(), Some(sender));
            return;
        }
        faults.clear();
        let message = if is_truncated {
            let context = "datagram longer than the memory for it";
            faults.push(DecodeError::new(
                FaultKind::TruncatedDatagram,
                datagram.payload.len(),
                context,
            ));
            None
        } else {
            Message::decode(datagram.payload, faults)
        };
        if let Some(message) = &message {
            message.check(faults);
        }
        counters.message(message.as_ref());
        for fault in faults.iter() {
            counters.fault(fault.kind);
        }
        if message.is_none() {
            reject(counters, faults, sender);
        }
        self.correlate(datagram, message.as_ref(), now);
    }

    fn correlate(&mut self, datagram: &Datagram<'_>, message: Option<&Message<'_>>, now: Micros) {
        let mut out = Outlets {
            outlets: &mut self.outlets,
            counters: &mut self.counters,
            received_at: datagram.received_at.unwrap_or(now),
        };
        if out.outlets.iter().any(|outlet| outlet.wants(What::Packets)) {
            line(datagram, message, &self.faults, &mut out);
        }
        let (peer, time) = (datagram.peer.as_ref(), datagram.received_at);
        match message {
            Some(message) => {
                self.correlator.message(peer, time, datagram.payload, message, &mut out);
            }
            None => self.correlator.damaged(peer, time, datagram.payload, &mut out),
        }
    }

    /// Ends everything that is open, and hands over what came of it.
    pub fn finish(&mut self, now: Micros) {
        self.set_patient(true);
        let mut out =
            Outlets { outlets: &mut self.outlets, counters: &mut self.counters, received_at: now };
        self.correlator.finish(&mut out);
        let next = Correlator::new(self.config.clone());
        let ended = std::mem::replace(&mut self.correlator, next);
        self.past.add(&Outcome::of(&ended));
        for outlet in &mut self.outlets {
            outlet.flush();
        }
        self.set_patient(false);
    }

    /// Whether full queues are waited for.
    pub fn set_patient(&mut self, is_patient: bool) {
        for outlet in &mut self.outlets {
            outlet.set_patient(is_patient);
        }
    }

    /// Hands over the batches that are due, and says when the next one will be.
    pub fn flush_due(&mut self, now: Instant) -> Option<Instant> {
        for outlet in &mut self.outlets {
            if outlet.due().is_some_and(|due| due <= now) {
                outlet.flush();
            }
        }
        self.outlets.iter().filter_map(Outlet::due).min()
    }

    /// Other settings from the next packet on. Batches that are open go out under the old ones.
    pub fn reload(&mut self, settings: &Settings, outlets: Vec<Outlet>) {
        for outlet in std::mem::replace(&mut self.outlets, outlets) {
            outlet.retire();
        }
        self.gate = Gate::new(&settings.gate);
        self.config = settings.state.config(settings.workers);
    }

    pub fn outcome(&self) -> Outcome {
        let mut sum = Outcome::of(&self.correlator);
        sum.add(&self.past);
        sum
    }
}

/// Counts a packet that could not be read under the fault that cost it.
fn reject(counters: &mut Counters, faults: &[DecodeError], sender: Option<IpAddr>) {
    let kind = faults.last().map_or("undecodable", |fault| fault.kind.name());
    counters.rejections.count(kind, sender);
}

/// Where the records of one packet go.
struct Outlets<'a> {
    outlets: &'a mut [Outlet],
    counters: &'a mut Counters,
    received_at: Micros,
}

impl Outlets<'_> {
    #[inline]
    fn deliver(&mut self, what: What, record: &impl Record) {
        self.counters.record(what);
        for outlet in self.outlets.iter_mut().filter(|outlet| outlet.wants(what)) {
            outlet.push(what, record, self.received_at);
        }
    }
}

impl Target for Outlets<'_> {
    fn push(&mut self, record: &impl Record) {
        self.deliver(What::Packets, record);
    }
}

impl Sink for Outlets<'_> {
    #[inline]
    fn access(&mut self, record: &FileAccess<'_>) {
        self.counters.io.count(record);
        self.deliver(What::Accesses, record);
    }

    fn session(&mut self, record: &Session<'_>) {
        self.deliver(What::Sessions, record);
    }

    fn redirect(&mut self, record: &Redirect<'_>) {
        self.deliver(What::Redirects, record);
    }

    fn io(&mut self, record: &IoEvent<'_>) {
        self.deliver(What::Io, record);
    }

    fn plugin(&mut self, record: &PluginEvent<'_>) {
        self.deliver(What::Plugins, record);
    }

    fn server(&mut self, record: &ServerIdent<'_>) {
        self.deliver(What::Servers, record);
    }

    fn summary(&mut self, record: &Summary<'_>) {
        self.deliver(What::Summaries, record);
    }

    fn wants_io(&self) -> bool {
        self.outlets.iter().any(|outlet| outlet.wants(What::Io))
    }
}
