//! Everything a caller can do with a datagram, done for its panics.

use gridtap::error::{DecodeError, FaultKind};
use gridtap::xrootd::event::{self, Event};
use gridtap::xrootd::fstat::{FileRecord, Fstat};
use gridtap::xrootd::redirect::{RedirectEntry, operation_name};
use gridtap::xrootd::trace::TraceRecord;
use gridtap::xrootd::{Body, Message, Packet};

/// Decodes, checks, walks and encodes. Returns how many records there were, so that nothing of it
/// can be left out as unused.
pub fn exercise(datagram: &[u8]) -> usize {
    let mut faults: Vec<DecodeError> = Vec::new();
    let Some(message) = Message::decode(datagram, &mut faults) else {
        assert!(!faults.is_empty(), "dropped without a word");
        return 0;
    };
    message.check(&mut faults);
    let end = datagram.len();
    for fault in &faults {
        assert!(usize::try_from(fault.offset).expect("small") <= end, "{fault}");
    }
    let records = match &message {
        Message::Binary(packet) => walk(packet, end),
        Message::Text(packet) => packet
            .lines()
            .filter_map(|(_, line)| event::parse(line))
            .map(|object| type_of(packet.provider, &object).len())
            .sum(),
        Message::Summary(summary) => summary.stats.len(),
    };
    records + message.label().len() + faults.len()
}

fn walk(packet: &Packet<'_>, length: usize) -> usize {
    let mut out = Vec::new();
    packet.encode(&mut out);
    // Surplus bytes and broken tails go; nothing is added.
    assert!(out.len() <= length, "{} from {length}", out.len());
    let sid = packet.sid().map_or(0, |sid| sid.count_ones() as usize);
    sid + match &packet.body {
        Body::Map(map) => format!("{:?} {:?}", map.user_id(), map.typed()).len(),
        Body::Trace(trace) => trace
            .records()
            .map(|record| match record {
                TraceRecord::Close { .. } => usize::from(record.close_totals().is_some()),
                _ => 1,
            })
            .sum(),
        Body::Redirects(stream) => stream
            .entries()
            .map(|entry| match entry {
                Ok(RedirectEntry::Redirect(entry)) => {
                    let (server, path) = entry.target();
                    server.map_or(0, <[u8]>::len)
                        + path.len()
                        + operation_name(entry.operation()).map_or(0, str::len)
                }
                _ => 0,
            })
            .sum(),
        Body::Fstat(stream) => file_records(stream),
        Body::Gstream(stream) => stream
            .lines()
            .filter_map(|(_, line)| event::parse(line))
            .map(|object| type_of(Some(stream.provider), &object).len())
            .sum(),
        Body::Unknown(bytes) => bytes.len(),
    }
}

fn file_records(stream: &Fstat<'_>) -> usize {
    let mut ids = stream.ids();
    let looked_at = stream.records().map(|record| {
        let is_cut = matches!(&record, Err(error) if error.kind == FaultKind::FstatRecordOverrun);
        assert_eq!(ids.next().is_none(), is_cut, "an id for each record that can be followed");
        match record {
            Ok(FileRecord::Close(close)) => {
                let sound = close.ssq().is_some_and(|ssq| ssq.is_sound());
                usize::from(sound) + usize::from(close.ops().is_some())
            }
            _ => 1,
        }
    });
    looked_at.sum()
}

fn type_of(
    provider: Option<u8>,
    object: &serde_json::Map<String, serde_json::Value>,
) -> &'static str {
    match Event::typed(provider, object) {
        Event::Cache(_) => "cache",
        Event::Copy(_) => "copy",
        Event::Throttle(_) => "throttle",
        Event::Tcp(_) => "tcp",
        Event::Counters => "counters",
        Event::Other => "other",
    }
}
