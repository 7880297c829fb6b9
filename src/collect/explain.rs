//! What would become of each record of a capture, without anything being sent.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::gate::Gate;
use super::outlet::Outlet;
use super::queue::Queue;
use super::settings::Settings;
use super::worker::clock;
use crate::access::Correlator;
use crate::access::record::{
    FileAccess, IoEvent, PluginEvent, Redirect, ServerIdent, Session, Sink, Summary,
};
use crate::capture::{Host, Source};
use crate::error::Ignore;
use crate::export::profile::{AnyRecord, Context, NoNames};
use crate::reading::What;
use crate::xrootd::Message;

/// One record, and what each sink says to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub kind: &'static str,
    /// One line for people.
    pub summary: String,
    /// Name of the sink; `take`, or why it does not.
    pub verdicts: Vec<(Arc<str>, &'static str)>,
}

/// Explains the records of one source, one after the other.
pub struct Explainer {
    gate: Gate,
    correlator: Correlator,
    desk: Desk,
    source: Option<Box<dyn Source + Send>>,
}

/// Takes records and writes down what becomes of them.
struct Desk {
    sinks: Vec<(Arc<str>, Outlet)>,
    host: String,
    now: u64,
    explained: VecDeque<Explained>,
}

impl Explainer {
    /// # Errors
    ///
    /// One line: a sink cannot be.
    pub fn new(settings: &Settings, source: Box<dyn Source + Send>) -> Result<Self, String> {
        let sinks = settings.sinks.iter().map(|sink| {
            let outlet = Outlet::new(settings, sink, Arc::new(Queue::new(0)))?;
            Ok((sink.name.as_str().into(), outlet))
        });
        let desk = Desk {
            sinks: sinks.collect::<Result<_, String>>()?,
            host: settings.host.clone(),
            now: 0,
            explained: VecDeque::new(),
        };
        Ok(Self {
            gate: Gate::new(&settings.gate),
            correlator: Correlator::new(settings.state.config(1)),
            desk,
            source: Some(source),
        })
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of the source.
    pub fn next_record(&mut self) -> io::Result<Option<Explained>> {
        loop {
            if let Some(explained) = self.desk.explained.pop_front() {
                return Ok(Some(explained));
            }
            if self.source.is_none() {
                return Ok(None);
            }
            self.step()?;
        }
    }

    fn step(&mut self) -> io::Result<()> {
        let Self { gate, correlator, desk, source } = self;
        let Some(open) = source else { return Ok(()) };
        let Some(datagram) = open.next(&mut |_| {})? else {
            correlator.finish(desk);
            *source = None;
            return Ok(());
        };
        let (peer, time, payload) =
            (datagram.peer.as_ref(), datagram.received_at, datagram.payload);
        desk.now = time.unwrap_or_else(clock);
        if let Some(Host::Ip(sender)) = peer.map(|peer| &peer.host)
            && let Err(refused) = gate.admit(*sender, time)
        {
            desk.refuse(refused.name(), &sender.to_string());
            return Ok(());
        }
        if desk.wants(What::Packets) {
            desk.explain(What::Packets, &AnyRecord::Datagram { peer, payload });
        }
        match Message::decode(payload, &mut Ignore) {
            Some(message) => correlator.message(peer, time, payload, &message, desk),
            None => correlator.damaged(peer, time, payload, desk),
        }
        Ok(())
    }
}

impl Desk {
    fn wants(&self, what: What) -> bool {
        self.sinks.iter().any(|(_, outlet)| outlet.wants(what))
    }

    fn explain(&mut self, what: What, record: &AnyRecord<'_>) {
        let context = Context { now: self.now, collector_host: &self.host, names: &NoNames };
        let verdicts = self
            .sinks
            .iter_mut()
            .map(|(name, outlet)| (name.clone(), outlet.verdict(what, record, &context)));
        let (kind, verdicts) = (what.name(), verdicts.collect());
        self.explained.push_back(Explained { kind, summary: summary(record), verdicts });
    }

    /// A packet that the gate turned away gives no record to any sink.
    fn refuse(&mut self, why: &'static str, sender: &str) {
        let verdicts = self.sinks.iter().map(|(name, _)| (name.clone(), why)).collect();
        let summary = format!("packet from {sender}");
        self.explained.push_back(Explained { kind: What::Packets.name(), summary, verdicts });
    }
}

/// What a record is about, in one line.
fn summary(record: &AnyRecord<'_>) -> String {
    let parts: [Option<&str>; 3] = match record {
        AnyRecord::Access(access) => {
            [access.server.server_address, access.path, access.close_reason]
        }
        AnyRecord::Session(session) => {
            [session.server.server_address, session.user.user_name, session.end_reason]
        }
        AnyRecord::Redirect(redirect) => {
            [redirect.server.server_address, redirect.path, redirect.target_host]
        }
        AnyRecord::Io(event) => [event.server.server_address, event.path, event.operation],
        AnyRecord::Plugin(event) => {
            [event.server.server_address, event.path.or(event.provider_name), event.event]
        }
        AnyRecord::Server(server) => {
            [server.server.server_address, server.server.server_host, server.server.server_site]
        }
        AnyRecord::Summary(summary) => {
            [summary.server_address, summary.server_host, summary.server_site]
        }
        AnyRecord::Datagram { peer, payload } => {
            let sender = peer.map_or("?".to_owned(), |peer| peer.host.to_string());
            return format!("{sender} {} bytes", payload.len());
        }
    };
    parts.map(|part| part.unwrap_or("?")).join(" ")
}

impl Sink for Desk {
    fn access(&mut self, record: &FileAccess<'_>) {
        self.explain(What::Accesses, &AnyRecord::Access(record));
    }

    fn session(&mut self, record: &Session<'_>) {
        self.explain(What::Sessions, &AnyRecord::Session(record));
    }

    fn redirect(&mut self, record: &Redirect<'_>) {
        self.explain(What::Redirects, &AnyRecord::Redirect(record));
    }

    fn io(&mut self, record: &IoEvent<'_>) {
        self.explain(What::Io, &AnyRecord::Io(record));
    }

    fn plugin(&mut self, record: &PluginEvent<'_>) {
        self.explain(What::Plugins, &AnyRecord::Plugin(record));
    }

    fn server(&mut self, record: &ServerIdent<'_>) {
        self.explain(What::Servers, &AnyRecord::Server(record));
    }

    fn summary(&mut self, record: &Summary<'_>) {
        self.explain(What::Summaries, &AnyRecord::Summary(record));
    }

    fn wants_io(&self) -> bool {
        self.wants(What::Io)
    }
}
