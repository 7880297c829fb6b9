//! One datagram: decoded, checked and encoded again.

#![no_main]

use gridtap::error::{DecodeError, Ignore};
use gridtap::xrootd::event::{self, Event};
use gridtap::xrootd::redirect::RedirectEntry;
use gridtap::xrootd::{Body, Message, Packet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    let mut faults: Vec<DecodeError> = Vec::new();
    let Some(message) = Message::decode(datagram, &mut faults) else {
        assert!(!faults.is_empty(), "dropped without a word");
        return;
    };
    message.check(&mut faults);
    for fault in &faults {
        assert!(fault.offset as usize <= datagram.len(), "{fault}");
    }
    match &message {
        Message::Binary(packet) => binary(packet, datagram),
        Message::Text(packet) => {
            for (_, line) in packet.lines() {
                if let Some(object) = event::parse(line) {
                    let _ = Event::typed(packet.provider, &object);
                }
            }
        }
        Message::Summary(_) => {}
    }
});

fn binary(packet: &Packet<'_>, datagram: &[u8]) {
    let mut out = Vec::new();
    packet.encode(&mut out);
    assert!(out.len() <= datagram.len(), "encoding adds nothing");
    match &packet.body {
        Body::Map(map) => {
            let _ = (map.user_id(), map.typed());
        }
        Body::Redirects(stream) => {
            for entry in stream.entries().flatten() {
                if let RedirectEntry::Redirect(redirect) = entry {
                    let _ = redirect.target();
                }
            }
        }
        Body::Gstream(stream) => {
            for (_, line) in stream.lines() {
                if let Some(object) = event::parse(line) {
                    let _ = Event::typed(Some(stream.provider), &object);
                }
            }
        }
        Body::Trace(_) | Body::Fstat(_) | Body::Unknown(_) => {}
    }
    // A whole packet comes back as it was; a broken one, as what was kept of it.
    if out.len() == datagram.len() {
        let again = Packet::decode(&out, &mut Ignore).map(|packet| packet.header);
        assert_eq!(again, Some(packet.header));
    }
}
