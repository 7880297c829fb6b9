//! Packets that fit together by chance.

use crate::feed::{PATH, START, Sent, Server, USER, close, disconnect, open, report};
use gridtap::capture::{Host, Peer};
use gridtap::xrootd::trace::TraceRecord;
use proptest::prelude::*;

/// One packet of any kind, from one of a few or of very many senders.
pub fn any_packet() -> impl Strategy<Value = Sent> {
    let what = (0u8..15, 0u32..400, 0usize..300, any::<u8>());
    let sender = prop_oneof![4 => 0u32..4, 1 => any::<u32>()];
    (what, sender, 0u32..3, 0u8..8).prop_map(|((kind, id, length, pseq), sender, run, number)| {
        let mut server = Server {
            sid: u64::from(sender),
            stod: START + run,
            main: if pseq < 200 { number } else { pseq },
            files: if pseq < 200 { number } else { pseq },
            ..Server::new(sender as u8)
        };
        if sender % 5 == 4 {
            let name = format!("relay{sender}.example.org").as_str().into();
            server.peer = Peer { host: Host::Name(name), port: Some(run as u16) };
        } else {
            server.peer.port = Some(run as u16);
        }
        let (name, text) = (format!("user{}", id % 50), "x".repeat(length));
        match kind {
            0 => server.ident_of(id as u16, &text),
            1 => server.login(id, &name),
            2 => server.login(id, &text),
            3 => server.path(id, &name, &text),
            4 => server.app(&name, &text),
            5 => server.token(id, &name, &text),
            6 | 7 => server.files(&[open(id, id % 50, &text), open(id + 1, USER, PATH)]),
            8 => server.files(&[close(id, [1; 3]), report(id + 1, [1; 3])]),
            9 => server.files(&[disconnect(id % 50)]),
            10 => server.trace(
                START,
                START + 60,
                &[TraceRecord::Open { filesize: 1, reserved: 0, dictid: id }],
            ),
            11 => server.trace(
                START,
                START + 60,
                &[TraceRecord::ReadWrite { offset: 0, buflen: 9, dictid: id }],
            ),
            12 => server.trace(
                START,
                START + 60,
                &[TraceRecord::Close {
                    rshift: 0,
                    wshift: 0,
                    reserved: 0,
                    rval: 1,
                    wval: 0,
                    dictid: id,
                }],
            ),
            13 => server.activity(id, &name),
            // Cut off: it cannot be decoded.
            _ => {
                let mut sent = server.files(&[open(id, USER, PATH)]);
                sent.bytes.truncate(40);
                sent
            }
        }
    })
}
