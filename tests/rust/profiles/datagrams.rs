//! Datagrams as they came.

use crate::feed::{COLLECTOR, NOW, Sent, assert_keys, golden, settings};
use gridtap::access::sequence::SECOND;
use gridtap::capture;
use gridtap::export::profile::{AnyRecord, Context, Encoder, NoNames, Profile};
use serde_json::{Value, json};

fn written(profile: &str, sent: &Sent) -> Option<Vec<u8>> {
    let mut encoder = Encoder::new(&settings(profile)).expect("good settings");
    let context = Context { now: NOW * SECOND, collector_host: COLLECTOR, names: &NoNames };
    let record = AnyRecord::Datagram { peer: sent.peer.as_ref(), payload: &sent.bytes };
    let mut out = Vec::new();
    (encoder.write(&record, &context, &mut out) == 1).then_some(out)
}

#[test]
fn envelopes_read_back_as_the_datagrams() {
    let mut file = Vec::new();
    for sent in &golden() {
        file.extend(written(r#"{"profile": "envelope"}"#, sent).expect("a form"));
    }
    let first = file.split(|byte| *byte == b'\n').next().expect("a line");
    let envelope: Value = serde_json::from_slice(first).expect("JSON");
    assert_eq!(envelope["remote"], "192.0.2.1:1234");
    let keys: Vec<_> = envelope.as_object().expect("object").keys().cloned().collect();
    assert_eq!(keys, ["remote", "version", "data"]);
    let mut source = capture::open(Box::new(std::io::Cursor::new(file)), &[]).expect("memory");
    for sent in &golden() {
        let read = source.next(&mut |fault| panic!("{fault:?}")).expect("memory").expect("one");
        assert_eq!((&read.peer, read.payload), (&sent.peer, &sent.bytes[..]));
    }
}

#[test]
fn a_sender_nobody_knows_is_empty() {
    let sent = Sent { peer: None, ..golden().remove(0) };
    let line = written(r#"{"profile": "envelope"}"#, &sent).expect("a form");
    let mut source = capture::open(Box::new(std::io::Cursor::new(line)), &[]).expect("memory");
    let read = source.next(&mut |fault| panic!("{fault:?}")).expect("memory").expect("one");
    assert_eq!((read.peer, read.payload), (None, &sent.bytes[..]));
}

#[test]
fn natively_they_are_described() {
    let line = written("{}", &golden()[5]).expect("a form");
    let record: Value = serde_json::from_slice(&line).expect("JSON");
    assert_keys(
        &record,
        &json!({
            "number": null, "offset_bytes": null, "received_at": NOW, "server_address": "192.0.2.1",
            "server_udp_port": 1234, "code": "f", "sequence": 0, "length_bytes": 88, "records": 2,
            "server_started_at": 1_700_000_000, "server_id": 123_456_789_012_u64, "faults": null,
        }),
    );
    let sent = Sent { bytes: vec![b'f', 0, 0], ..golden().remove(0) };
    let record: Value =
        serde_json::from_slice(&written("{}", &sent).expect("a form")).expect("JSON");
    assert_eq!(record["code"], "undecoded");
    assert!(record["faults"].as_str().is_some_and(|text| text.starts_with("short_header")));
}

#[test]
fn no_other_form_has_them() {
    for (name, profile) in Profile::ALL {
        let expected = matches!(profile, Profile::Native | Profile::Envelope);
        let line = written(&format!(r#"{{"profile": "{name}"}}"#), &golden()[0]);
        assert_eq!(line.is_some(), expected, "{name}");
    }
}
