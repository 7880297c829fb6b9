//! What one worker knows, and the way of a packet through it: gate, decoder, correlator, outlets.

use std::io::Read;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::counters::Counters;
use super::gate::Gate;
use super::outlet::Outlet;
use super::settings::Settings;
use crate::access::record::{
    FileAccess, IoEvent, PluginEvent, Redirect, ServerIdent, Session, Sink, Summary,
};
use crate::access::sequence::Micros;
use crate::access::{Config, Correlator, Evicted, Restored, SnapshotError, Usage};
use crate::capture::{Datagram, Host};
use crate::error::{DecodeError, FaultKind};
use crate::export::profile::{AnyRecord, Context, Names};
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
    past_evicted: Evicted,
    faults: Vec<DecodeError>,
    ticked: Instant,
    host: Arc<str>,
    names: SharedNames,
}

/// The names that all workers ask for.
pub type SharedNames = Arc<dyn Names + Send + Sync>;

/// Time passes without packets too: what is kept for a time must end.
pub const TICK: Duration = Duration::from_secs(1);

/// The outlets of a state as a sink, while its correlator is at work.
macro_rules! outlets {
    ($state:ident, $now:expr) => {
        Outlets {
            outlets: &mut $state.outlets,
            counters: &mut $state.counters,
            context: Context { now: $now, collector_host: &$state.host, names: &*$state.names },
        }
    };
}

impl State {
    pub fn new(settings: &Settings, outlets: Vec<Outlet>, names: SharedNames) -> Self {
        let config = settings.state.config(settings.workers);
        Self {
            gate: Gate::new(&settings.gate),
            correlator: Correlator::new(config.clone()),
            config,
            outlets,
            counters: Counters::default(),
            past: Outcome::default(),
            past_evicted: Evicted::default(),
            faults: Vec::new(),
            ticked: Instant::now(),
            host: settings.host.as_str().into(),
            names,
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
        let now = datagram.received_at.unwrap_or(now);
        let mut out = outlets!(self, now);
        let (peer, payload) = (datagram.peer.as_ref(), datagram.payload);
        out.deliver(What::Packets, &AnyRecord::Datagram { peer, payload });
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
        self.correlator.finish(&mut outlets!(self, now));
        let next = Correlator::new(self.config.clone());
        let ended = std::mem::replace(&mut self.correlator, next);
        self.past.add(&Outcome::of(&ended));
        self.past_evicted.add(ended.usage().evicted);
        self.flush();
        self.set_patient(false);
    }

    /// Hands over what is in open batches.
    pub fn flush(&mut self) {
        for outlet in &mut self.outlets {
            outlet.flush();
        }
    }

    /// Whether full queues are waited for.
    pub fn set_patient(&mut self, is_patient: bool) {
        for outlet in &mut self.outlets {
            outlet.set_patient(is_patient);
        }
    }

    /// Lets time pass: once a second for the correlator, and for the batches that are due. Answers when
    /// there will be something to do again.
    pub fn pass(&mut self, now: Instant, clock: impl FnOnce() -> Micros) -> Instant {
        if now.saturating_duration_since(self.ticked) >= TICK {
            self.ticked = now;
            let clock = clock();
            self.correlator.tick(clock, &mut outlets!(self, clock));
        }
        for outlet in &mut self.outlets {
            if outlet.due().is_some_and(|due| due <= now) {
                outlet.flush();
            }
        }
        let due = self.outlets.iter().filter_map(Outlet::due).min();
        due.map_or(self.ticked + TICK, |due| due.min(self.ticked + TICK))
    }

    /// Other settings from the next packet on. Batches that are open go out under the old ones.
    pub fn reload(
        &mut self,
        settings: &Settings,
        outlets: Vec<Outlet>,
        names: SharedNames,
        now: Micros,
    ) {
        for outlet in std::mem::replace(&mut self.outlets, outlets) {
            outlet.retire();
        }
        self.gate = Gate::new(&settings.gate);
        self.config = settings.state.config(settings.workers);
        self.host = settings.host.as_str().into();
        self.names = names;
        self.correlator.set_config(self.config.clone(), &mut outlets!(self, now));
    }

    /// Takes in a part of a snapshot.
    ///
    /// # Errors
    ///
    /// Those of [`Correlator::load`].
    pub fn load(
        &mut self,
        input: &mut impl Read,
        keep: impl FnMut(Option<&Host>) -> bool,
        now: Micros,
    ) -> Result<Restored, SnapshotError> {
        self.correlator.load(input, keep, &mut outlets!(self, now))
    }

    /// Begins anew, as if no packet had come; for what was taken in of a snapshot that is damaged.
    pub fn forget(&mut self) {
        self.correlator = Correlator::new(self.config.clone());
    }

    /// What is held now, and what had to leave so far.
    pub fn usage(&self) -> Usage {
        let mut usage = self.correlator.usage();
        usage.evicted.add(self.past_evicted);
        usage
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
    context: Context<'a>,
}

impl Outlets<'_> {
    #[inline]
    fn deliver(&mut self, what: What, record: &AnyRecord<'_>) {
        self.counters.record(what);
        for outlet in self.outlets.iter_mut().filter(|outlet| outlet.wants(what)) {
            outlet.push(record, &self.context);
        }
    }
}

impl Sink for Outlets<'_> {
    #[inline]
    fn access(&mut self, record: &FileAccess<'_>) {
        self.counters.io.count(record);
        self.deliver(What::Accesses, &AnyRecord::Access(record));
    }

    fn session(&mut self, record: &Session<'_>) {
        self.deliver(What::Sessions, &AnyRecord::Session(record));
    }

    fn redirect(&mut self, record: &Redirect<'_>) {
        self.deliver(What::Redirects, &AnyRecord::Redirect(record));
    }

    fn io(&mut self, record: &IoEvent<'_>) {
        self.deliver(What::Io, &AnyRecord::Io(record));
    }

    fn plugin(&mut self, record: &PluginEvent<'_>) {
        self.deliver(What::Plugins, &AnyRecord::Plugin(record));
    }

    fn server(&mut self, record: &ServerIdent<'_>) {
        // Asked for now, so that it is there when the first record needs it.
        if let Some(address) = record.server.server_address {
            self.context.names.host(address);
        }
        self.deliver(What::Servers, &AnyRecord::Server(record));
    }

    fn summary(&mut self, record: &Summary<'_>) {
        self.deliver(What::Summaries, &AnyRecord::Summary(record));
    }

    fn wants_io(&self) -> bool {
        self.outlets.iter().any(|outlet| outlet.wants(What::Io))
    }
}
