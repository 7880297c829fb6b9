//! Packets through the decoder, the correlator and an encoder, as a collector would.

use gridtap::access::record::{
    FileAccess, IoEvent, PluginEvent, Redirect, ServerIdent, Session, Sink, Summary,
};
use gridtap::access::sequence::{Micros, SECOND};
use gridtap::access::{Config, Correlator};
use gridtap::capture::{self, Peer};
use gridtap::error::{DecodeError, FaultKind};
use gridtap::export::profile::{AnyRecord, Context, Encoder, Names, NoNames, ProfileSettings};
use gridtap::xrootd::Message;
use serde_json::{Map, Value};
use std::sync::Arc;

/// When the packets are processed, UTC epoch seconds: long after they were sent.
pub const NOW: u64 = 1_700_009_999;
pub const COLLECTOR: &str = "collector.example.org";

/// When they arrive, unless a test says otherwise.
pub const ARRIVAL: u64 = 1_700_000_300;

/// A datagram with its sender.
#[derive(Clone, Debug)]
pub struct Sent {
    pub peer: Option<Peer>,
    pub bytes: Vec<u8>,
    /// When it arrives, UTC epoch seconds.
    pub at: u64,
}

/// The known packets.
pub fn golden() -> Vec<Sent> {
    let file = include_bytes!("../../data/xrootd/transfer-records-golden.jsonl");
    let mut source = capture::open(Box::new(&file[..]), &[]).expect("memory");
    let mut packets = Vec::new();
    while let Some(datagram) = source.next(&mut |fault| panic!("{fault:?}")).expect("memory") {
        let (peer, bytes) = (datagram.peer.clone(), datagram.payload.to_vec());
        packets.push(Sent { peer, bytes, at: ARRIVAL });
    }
    assert_eq!(packets.len(), 11);
    packets
}

/// Names that the resolver of a test knows.
pub struct Known(pub &'static [(&'static str, &'static str)]);

impl Names for Known {
    fn host(&self, address: &str) -> Option<Arc<str>> {
        self.0.iter().find(|(known, _)| *known == address).map(|(_, name)| Arc::from(*name))
    }
}

/// Writes down what an encoder makes of each record.
struct Told<'n> {
    encoder: Encoder,
    names: &'n dyn Names,
    lines: Vec<(&'static str, String)>,
}

impl Told<'_> {
    fn record(&mut self, record: &AnyRecord<'_>) {
        let context = Context { now: NOW * SECOND, collector_host: COLLECTOR, names: self.names };
        let mut out = Vec::new();
        let written = self.encoder.write(record, &context, &mut out);
        let text = String::from_utf8(out).expect("UTF-8");
        assert_eq!(written == 0, text.is_empty());
        assert!(text.is_empty() || text.ends_with('\n'));
        self.lines.extend(text.lines().map(|line| (record.kind(), line.to_owned())));
    }
}

impl Sink for Told<'_> {
    fn access(&mut self, record: &FileAccess<'_>) {
        self.record(&AnyRecord::Access(record));
    }
    fn session(&mut self, record: &Session<'_>) {
        self.record(&AnyRecord::Session(record));
    }
    fn redirect(&mut self, record: &Redirect<'_>) {
        self.record(&AnyRecord::Redirect(record));
    }
    fn io(&mut self, record: &IoEvent<'_>) {
        self.record(&AnyRecord::Io(record));
    }
    fn plugin(&mut self, record: &PluginEvent<'_>) {
        self.record(&AnyRecord::Plugin(record));
    }
    fn server(&mut self, record: &ServerIdent<'_>) {
        self.record(&AnyRecord::Server(record));
    }
    fn summary(&mut self, record: &Summary<'_>) {
        self.record(&AnyRecord::Summary(record));
    }
    fn wants_io(&self) -> bool {
        true
    }
}

/// What came of some packets.
pub struct Outcome {
    /// Kind of the record and its line.
    pub lines: Vec<(&'static str, String)>,
    pub faults: Vec<FaultKind>,
}

impl Outcome {
    pub fn of_kind(&self, kind: &str) -> Vec<Value> {
        let lines = self.lines.iter().filter(|(found, _)| *found == kind);
        lines.map(|(_, line)| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The only record of its kind that has this value.
    pub fn only(&self, kind: &str, key: &str, value: impl Into<Value>) -> Value {
        let value = value.into();
        let mut found = self.of_kind(kind);
        found.retain(|record| record[key] == value);
        assert_eq!(found.len(), 1, "{kind} with {key}={value}: {:#?}", self.of_kind(kind));
        found.remove(0)
    }
}

pub fn settings(text: &str) -> ProfileSettings {
    serde_json::from_str(text).expect("settings")
}

/// A binary packet of the known server with the next number of the f-stream.
pub fn packet(code: u8, number: u8, body: &[u8]) -> Sent {
    let length = u16::try_from(8 + body.len()).expect("short");
    let mut bytes = vec![code, number];
    bytes.extend(length.to_be_bytes());
    bytes.extend(1_700_000_000_u32.to_be_bytes());
    bytes.extend(body);
    Sent { peer: golden().remove(0).peer, bytes, at: ARRIVAL }
}

/// Feeds packets and ends everything that is open then.
pub fn told(profile: &str, packets: &[Sent]) -> Outcome {
    told_with(profile, packets, &NoNames)
}

pub fn told_with(profile: &str, packets: &[Sent], names: &dyn Names) -> Outcome {
    let encoder = Encoder::new(&settings(profile)).expect("good settings");
    let mut told = Told { encoder, names, lines: Vec::new() };
    let mut correlator = Correlator::new(Config::default());
    let mut faults: Vec<DecodeError> = Vec::new();
    for Sent { peer, bytes, at } in packets {
        let message = Message::decode(bytes, &mut faults);
        let now: Option<Micros> = Some(at * SECOND);
        match &message {
            Some(message) => {
                message.check(&mut faults);
                correlator.message(peer.as_ref(), now, bytes, message, &mut told);
            }
            None => correlator.damaged(peer.as_ref(), now, bytes, &mut told),
        }
    }
    correlator.finish(&mut told);
    let faults = faults.iter().map(|fault| fault.kind).collect();
    Outcome { lines: told.lines, faults }
}

/// Checks the values of some keys; null stands for a key that is not there.
pub fn assert_keys(record: &Value, expected: &Value) {
    let nothing = Map::new();
    let record = record.as_object().unwrap_or(&nothing);
    for (key, value) in expected.as_object().expect("object") {
        let found = record.get(key).unwrap_or(&Value::Null);
        let same = match (found.as_f64(), value.as_f64()) {
            (Some(found), Some(value)) => (found - value).abs() <= value.abs() * 1e-12,
            _ => found == value,
        };
        assert!(same, "{key}: {found} instead of {value}");
    }
}
