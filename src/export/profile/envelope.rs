//! Datagrams as shovelers put them on a message bus.

use super::AnyRecord;
use crate::capture::{Host, Peer, write_envelope};

/// What envelopes call their producer.
const VERSION: &str = concat!("gridtap-", env!("CARGO_PKG_VERSION"));

/// Appends the envelope of a datagram; no other record has one.
pub(super) fn write(record: &AnyRecord<'_>, out: &mut Vec<u8>) -> bool {
    let AnyRecord::Datagram { peer, payload } = record else { return false };
    match peer {
        Some(peer) => write_envelope(out, peer, VERSION, payload),
        // Readers take an empty `remote` for a sender that nobody knows.
        None => {
            let nobody = Peer { host: Host::Name("".into()), port: None };
            write_envelope(out, &nobody, VERSION, payload);
        }
    }
    out.push(b'\n');
    true
}
