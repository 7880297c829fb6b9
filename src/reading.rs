//! From sources to records: reads datagrams, decodes them, correlates them, and keeps count.

use std::collections::BTreeMap;
use std::io;

use crate::access::record::{
    FileAccess, IoEvent, PacketLine, PluginEvent, Record, Redirect, ServerIdent, Session, Sink,
    Summary,
};
use crate::access::sequence::{Class, Loss, Micros, SECOND};
use crate::access::{Config, Correlator, Reason};
use crate::capture::{Datagram, Source};
pub use crate::columns::Target;
use crate::error::{DecodeError, FaultKind};
use crate::xrootd::{Body, Message};

/// A source that begins this long before the newest packet so far is another recording, not the next
/// part of the same one.
const OVERLAP: Micros = 5 * SECOND;

/// What a reader wants of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Packets,
    Accesses,
    Sessions,
    Redirects,
    Io,
    Plugins,
    Servers,
    Summaries,
}

impl What {
    pub const ALL: &'static [(&'static str, What)] = &[
        (PacketLine::NAME, What::Packets),
        (FileAccess::NAME, What::Accesses),
        (Session::NAME, What::Sessions),
        (Redirect::NAME, What::Redirects),
        (IoEvent::NAME, What::Io),
        (PluginEvent::NAME, What::Plugins),
        (ServerIdent::NAME, What::Servers),
        (Summary::NAME, What::Summaries),
    ];

    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, what)| *what)
    }

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, what)| *what == self).map_or("", |(name, _)| *name)
    }

    /// The columns of its records.
    pub fn columns(self) -> Vec<crate::access::record::Column> {
        match self {
            Self::Packets => PacketLine::table(),
            Self::Accesses => FileAccess::table(),
            Self::Sessions => Session::table(),
            Self::Redirects => Redirect::table(),
            Self::Io => IoEvent::table(),
            Self::Plugins => PluginEvent::table(),
            Self::Servers => ServerIdent::table(),
            Self::Summaries => Summary::table(),
        }
    }
}

/// Picks the records of one kind out of the stream.
pub struct Select<'t, T> {
    pub what: What,
    pub target: &'t mut T,
}

macro_rules! picks {
    ($($method:ident, $what:ident, $record:ident;)*) => {
        impl<T: Target> Sink for Select<'_, T> {
            $(fn $method(&mut self, record: &$record<'_>) {
                if self.what == What::$what {
                    self.target.push(record);
                }
            })*

            fn wants_io(&self) -> bool {
                self.what == What::Io
            }
        }
    };
}

picks! {
    access, Accesses, FileAccess;
    session, Sessions, Session;
    redirect, Redirects, Redirect;
    io, Io, IoEvent;
    plugin, Plugins, PluginEvent;
    server, Servers, ServerIdent;
    summary, Summaries, Summary;
}

/// A fault with its place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub kind: FaultKind,
    /// Packet (frame, line) number in the source, from 1.
    pub number: u64,
    /// Byte offset in the source of that packet (frame, line).
    pub offset: u64,
    /// Byte offset in the packet, for faults of the packet itself.
    pub within: Option<u32>,
    pub context: &'static str,
}

/// What was read so far.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub datagrams: u64,
    pub bytes: u64,
    pub packets: BTreeMap<&'static str, u64>,
    pub faults: BTreeMap<FaultKind, u64>,
}

/// What correlation added to it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub accesses: BTreeMap<Reason, u64>,
    pub losses: BTreeMap<(String, Class), Loss>,
    pub duplicate_packets: u64,
    pub stale_packets: u64,
    pub failed_operations: u64,
}

/// Reads sources one after the other.
pub struct Reading {
    config: Config,
    correlator: Correlator,
    counts: Counts,
    faults: Vec<DecodeError>,
    /// Newest time that a source with a clock told.
    newest: Micros,
    is_first: bool,
    past: Vec<Outcome>,
}

impl Reading {
    pub fn new(config: Config) -> Self {
        Self {
            correlator: Correlator::new(config.clone()),
            config,
            counts: Counts::default(),
            faults: Vec::new(),
            newest: 0,
            is_first: false,
            past: Vec::new(),
        }
    }

    /// The next datagrams come from another source. If they go on where the last source ended the
    /// state is kept; else all that is open ends with its own recording.
    pub fn begin_source(&mut self) {
        self.is_first = self.counts.datagrams > 0;
    }

    /// Reads one datagram. `false` at the end of the source. Faults go to `report`.
    pub fn step<T: Target>(
        &mut self,
        source: &mut dyn Source,
        out: &mut Select<'_, T>,
        report: &mut dyn FnMut(&Placed),
    ) -> io::Result<bool> {
        let counts = &mut self.counts.faults;
        let datagram = source.next(&mut |fault| {
            *counts.entry(fault.kind).or_default() += 1;
            let crate::capture::SourceFault { kind, number, offset, context } = fault;
            report(&Placed { kind, number, offset, within: None, context });
        })?;
        let Some(datagram) = datagram else { return Ok(false) };
        self.counts.datagrams += 1;
        self.counts.bytes += datagram.payload.len() as u64;
        self.faults.clear();
        let message = Message::decode(datagram.payload, &mut self.faults);
        if let Some(message) = &message {
            message.check(&mut self.faults);
        }
        self.count(&datagram, message.as_ref(), report);
        if std::mem::take(&mut self.is_first) {
            self.begin_recording(&datagram, message.as_ref(), out);
        }
        self.newest = self.newest.max(datagram.received_at.unwrap_or(0));
        if out.what == What::Packets {
            packet_line(&datagram, message.as_ref(), &self.faults, out.target);
        }
        let (peer, time) = (datagram.peer.as_ref(), datagram.received_at);
        match &message {
            Some(message) => {
                self.correlator.message(peer, time, datagram.payload, message, out);
            }
            None => self.correlator.damaged(peer, time, datagram.payload, out),
        }
        Ok(true)
    }

    fn count(
        &mut self,
        datagram: &Datagram<'_>,
        message: Option<&Message<'_>>,
        report: &mut dyn FnMut(&Placed),
    ) {
        let label = message.map_or("undecoded", Message::label);
        *self.counts.packets.entry(label).or_default() += 1;
        for fault in &self.faults {
            *self.counts.faults.entry(fault.kind).or_default() += 1;
            report(&Placed {
                kind: fault.kind,
                number: datagram.number,
                offset: datagram.offset,
                within: Some(fault.offset),
                context: fault.context,
            });
        }
    }

    fn begin_recording<T: Target>(
        &mut self,
        datagram: &Datagram<'_>,
        message: Option<&Message<'_>>,
        out: &mut Select<'_, T>,
    ) {
        let goes_on = match (datagram.received_at, message) {
            (Some(time), _) => time + OVERLAP >= self.newest,
            (None, Some(Message::Binary(packet))) => {
                self.correlator.knows(datagram.peer.as_ref(), packet.sid(), packet.header.stod)
            }
            (None, _) => true,
        };
        if !goes_on {
            self.finish(out);
            self.newest = 0;
        }
    }

    /// Ends everything that is still open.
    pub fn finish<T: Target>(&mut self, out: &mut Select<'_, T>) {
        self.correlator.finish(out);
        let next = Correlator::new(self.config.clone());
        let ended = std::mem::replace(&mut self.correlator, next);
        self.past.push(Outcome::of(&ended));
    }

    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What all recordings so far added up to.
    pub fn outcome(&self) -> Outcome {
        let mut sum = Outcome::of(&self.correlator);
        for past in &self.past {
            sum.add(past);
        }
        sum
    }
}

impl Outcome {
    pub fn of(correlator: &Correlator) -> Self {
        let stats = correlator.stats();
        Self {
            accesses: stats.accesses.clone(),
            losses: correlator.losses(),
            duplicate_packets: stats.duplicate_packets,
            stale_packets: stats.stale_packets,
            failed_operations: stats.failed_operations,
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (reason, count) in &other.accesses {
            *self.accesses.entry(*reason).or_default() += count;
        }
        for (key, loss) in &other.losses {
            self.losses.entry(key.clone()).or_default().add(*loss);
        }
        self.duplicate_packets += other.duplicate_packets;
        self.stale_packets += other.stale_packets;
        self.failed_operations += other.failed_operations;
    }
}

/// One datagram as a record of its own. A number of 0 is that of no source: it and the offset are
/// not known then.
pub(crate) fn packet_line(
    datagram: &Datagram<'_>,
    message: Option<&Message<'_>>,
    faults: &[DecodeError],
    target: &mut impl Target,
) {
    let peer = datagram.peer.as_ref();
    let address = peer.map(|peer| peer.host.to_string());
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let faults = faults.join("; ");
    let mut record = PacketLine {
        number: (datagram.number != 0).then_some(datagram.number as i64),
        offset_bytes: (datagram.number != 0).then_some(datagram.offset as i64),
        received_at: datagram.received_at.map(|micros| micros as f64 / SECOND as f64),
        server_address: address.as_deref(),
        server_udp_port: peer.and_then(|peer| peer.port).map(i64::from),
        udp_destination_port: datagram.destination_port.map(i64::from),
        length_bytes: Some(datagram.payload.len() as i64),
        code: Some(message.map_or("undecoded", Message::label)),
        faults: Some(faults.as_str()).filter(|faults| !faults.is_empty()),
        ..PacketLine::default()
    };
    let text;
    match message {
        Some(Message::Binary(packet)) => {
            record.sequence = Some(i64::from(packet.header.pseq));
            record.server_started_at = Some(i64::from(packet.header.stod));
            record.server_id = packet.sid().map(|sid| sid as i64);
            match &packet.body {
                Body::Map(map) => {
                    let payload = map.payload.unwrap_or_default();
                    text = format!(
                        "{} {}",
                        String::from_utf8_lossy(map.userid),
                        String::from_utf8_lossy(payload)
                    );
                    record.dictid = Some(i64::from(map.dictid));
                    record.text = Some(text.trim_end());
                }
                Body::Fstat(stream) => record.records = Some(stream.records().count() as i64),
                Body::Trace(stream) => record.records = Some(stream.records().len() as i64),
                Body::Redirects(stream) => record.records = Some(stream.entries().count() as i64),
                Body::Gstream(stream) => record.records = Some(stream.lines().count() as i64),
                Body::Unknown(_) => {}
            }
        }
        Some(Message::Text(packet)) => {
            record.sequence = packet.pseq.map(i64::from);
            record.server_started_at = packet.stod.map(i64::from);
            record.server_id = packet.sid.map(|sid| sid as i64);
            record.records = Some(packet.lines().count() as i64);
        }
        Some(Message::Summary(summary)) => {
            record.server_started_at = summary.tos;
            record.records = Some(summary.stats.len() as i64);
        }
        None => {}
    }
    target.push(&record);
}
