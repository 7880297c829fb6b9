//! A stream of datagrams with times and senders: correlated under small ceilings, and every record
//! written in every form.
//!
//! Input: for each datagram its length (u16, little-endian), the time since the one before it
//! (2^n seconds for n of 0 to 15; 16 and more: no clock), the sender's number, and its bytes.

#![no_main]

use gridtap::access::record::{Column, FileAccess, Record, Session, Sink, Visitor};
use gridtap::access::{Config, Correlator};
use gridtap::capture::{Host, Peer};
use gridtap::error::Ignore;
use gridtap::export::profile::{AnyRecord, Context, Encoder, NoNames, ProfileSettings};
use gridtap::xrootd::Message;
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr};

const PROFILES: &[&str] = &[
    "{}",
    r#"{"profile": "osg-go"}"#,
    r#"{"profile": "osg-py", "strict": true}"#,
    r#"{"profile": "wlcg", "extended": true}"#,
    r#"{"profile": "wlcg", "strict": true, "time_unit": "ms"}"#,
    r#"{"profile": "otel"}"#,
    r#"{"profile": "otel", "otel_form": "otlp"}"#,
];

/// Visits every cell of every record, so that all of them are made, and writes it in every form.
struct Seen {
    accesses: usize,
    cells: usize,
    encoders: Vec<Encoder>,
}

impl Seen {
    fn new() -> Self {
        let encoder = |text: &&str| {
            let settings: ProfileSettings = serde_json::from_str(text).expect("settings");
            Encoder::new(&settings).expect("good settings")
        };
        Self { accesses: 0, cells: 0, encoders: PROFILES.iter().map(encoder).collect() }
    }

    fn write(&mut self, record: &AnyRecord<'_>) {
        let context = Context { now: 1_700_000_000_000_000, collector_host: "c", names: &NoNames };
        for encoder in &mut self.encoders {
            let mut out = Vec::new();
            let written = encoder.write(record, &context, &mut out);
            assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), written);
            if let Some(line) = out.strip_suffix(b"\n") {
                assert!(serde_json::from_slice::<serde_json::Value>(line).is_ok());
            }
        }
    }
}

impl Visitor for Seen {
    fn text(&mut self, _: Option<&str>) {
        self.cells += 1;
    }
    fn int(&mut self, _: Option<i64>) {
        self.cells += 1;
    }
    fn float(&mut self, value: Option<f64>) {
        assert!(value.is_none_or(f64::is_finite));
        self.cells += 1;
    }
    fn boolean(&mut self, _: Option<bool>) {
        self.cells += 1;
    }
    fn ints(&mut self, _: Option<&[Option<i64>]>) {
        self.cells += 1;
    }
    fn json(&mut self, value: Option<&str>) {
        assert!(value.is_none_or(|text| serde_json::from_str::<serde_json::Value>(text).is_ok()));
        self.cells += 1;
    }
}

fn whole<R: Record>(record: &R, seen: &mut Seen) {
    let before = seen.cells;
    record.visit(seen);
    let columns: Vec<Column> = R::table();
    assert_eq!(seen.cells - before, columns.len());
}

impl Sink for Seen {
    fn access(&mut self, record: &FileAccess<'_>) {
        self.accesses += 1;
        assert!(record.close_reason.is_some() && record.file_id.is_some());
        whole(record, self);
        self.write(&AnyRecord::Access(record));
    }
    fn session(&mut self, record: &Session<'_>) {
        whole(record, self);
        self.write(&AnyRecord::Session(record));
    }
    fn redirect(&mut self, record: &gridtap::access::record::Redirect<'_>) {
        whole(record, self);
        self.write(&AnyRecord::Redirect(record));
    }
    fn io(&mut self, record: &gridtap::access::record::IoEvent<'_>) {
        whole(record, self);
        self.write(&AnyRecord::Io(record));
    }
    fn plugin(&mut self, record: &gridtap::access::record::PluginEvent<'_>) {
        whole(record, self);
        self.write(&AnyRecord::Plugin(record));
    }
    fn server(&mut self, record: &gridtap::access::record::ServerIdent<'_>) {
        whole(record, self);
        self.write(&AnyRecord::Server(record));
    }
    fn summary(&mut self, record: &gridtap::access::record::Summary<'_>) {
        whole(record, self);
        self.write(&AnyRecord::Summary(record));
    }
    fn wants_io(&self) -> bool {
        true
    }
}

fuzz_target!(|input: &[u8]| {
    let config = Config {
        max_open_files: 8,
        max_named_files: 4,
        max_sessions: 6,
        max_servers: 3,
        ..Config::default()
    };
    let mut correlator = Correlator::new(config);
    let mut seen = Seen::new();
    let mut now = 1_700_000_000_000_000;
    let mut rest = input;
    while let [a, b, step, sender, tail @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*a, *b])).min(tail.len());
        let (datagram, next) = tail.split_at(length);
        rest = next;
        let time = (*step < 16).then(|| {
            now += 1_000_000u64 << step;
            now
        });
        let host = Host::Ip(IpAddr::V4(Ipv4Addr::new(192, 0, 2, sender & 3)));
        let peer = Peer { host, port: Some(u16::from(sender >> 2)) };
        match Message::decode(datagram, &mut Ignore) {
            Some(message) => {
                correlator.message(Some(&peer), time, datagram, &message, &mut seen);
            }
            None => correlator.damaged(Some(&peer), time, datagram, &mut seen),
        }
        assert!(correlator.open_files() <= 8);
        assert_eq!(correlator.usage().bytes, correlator.count_bytes());
    }
    let open = correlator.open_files();
    let before = seen.accesses;
    correlator.finish(&mut seen);
    assert_eq!(seen.accesses - before, open, "every open file ends in one record");
    assert_eq!(correlator.open_files(), 0);
});
