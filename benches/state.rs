//! What the state of a busy collector costs: packets in, a snapshot out and in again.
//!
//! `cargo bench --bench state`. Prints one JSON object with the fastest round of each.

// Each program uses another part of the packet builder.
#[allow(dead_code)]
#[path = "../tests/rust/access/feed.rs"]
mod feed;

use feed::{Sent, Server, USER, close, open};
use gridtap::access::record::Sink;
use gridtap::access::sequence::SECOND;
use gridtap::access::{Config, Correlator};
use gridtap::error::Ignore;
use gridtap::xrootd::Message;
use std::time::Instant;

const NOW: u64 = 1_700_000_200 * SECOND;
const FILES: u32 = 1_000_000;
/// Opens in one packet.
const AT_ONCE: u32 = 20;

/// Takes no notes.
struct Nothing;

impl Sink for Nothing {}

fn feed_all(correlator: &mut Correlator, packets: &[Sent]) -> f64 {
    let began = Instant::now();
    for (at, Sent { peer, bytes }) in packets.iter().enumerate() {
        let now = Some(NOW + 100 * at as u64);
        if let Some(message) = Message::decode(bytes, &mut Ignore) {
            correlator.message(Some(peer), now, bytes, &message, &mut Nothing);
        }
    }
    began.elapsed().as_secs_f64()
}

/// A million opens over many servers, each with a path of 100 bytes; or their closes.
fn packets(is_open: bool) -> Vec<Sent> {
    let mut servers: Vec<_> = (1..=50).map(Server::new).collect();
    let mut packets = Vec::new();
    for first in (0..FILES).step_by(AT_ONCE as usize) {
        let server = &mut servers[first as usize / AT_ONCE as usize % 50];
        if is_open && first < 50 * AT_ONCE {
            packets.push(server.ident());
        }
        let records: Vec<_> = (first..first + AT_ONCE)
            .map(|file| match is_open {
                true => open(file, USER + file % 1000, &format!("/store/{file:093}")),
                false => close(file, [1, 2, 3]),
            })
            .collect();
        if !is_open {
            server.files = server.files.wrapping_add(100);
        }
        packets.push(server.files(&records));
    }
    packets
}

fn main() {
    let (opens, closes) = (packets(true), packets(false));
    let mut best = [f64::MAX; 5];
    let mut keep = |at: usize, seconds: f64| best[at] = best[at].min(seconds);
    let mut size = 0;
    for _ in 0..5 {
        let mut correlator = Correlator::new(Config::default());
        keep(0, feed_all(&mut correlator, &opens));
        assert_eq!(correlator.open_files(), FILES as usize);
        let mut snapshot = Vec::with_capacity(size);
        let began = Instant::now();
        correlator.save(&mut snapshot).expect("memory takes all");
        keep(1, began.elapsed().as_secs_f64());
        size = snapshot.len();
        let mut again = Correlator::new(Config::default());
        let began = Instant::now();
        again.load(&mut &*snapshot, |_| true, &mut Nothing).expect("sound");
        keep(2, began.elapsed().as_secs_f64());
        assert_eq!(again.open_files(), FILES as usize);
        keep(3, feed_all(&mut again, &closes));
        let config = Config { max_bytes: 64 << 20, ..Config::default() };
        keep(4, feed_all(&mut Correlator::new(config), &opens));
    }
    let [opened, saved, loaded, closed, evicting] = best;
    println!(
        "{{\"open_1m_s\": {opened:.3}, \"close_1m_s\": {closed:.3}, \"save_1m_s\": {saved:.3}, \
         \"load_1m_s\": {loaded:.3}, \"snapshot_bytes\": {size}, \
         \"open_1m_evicting_s\": {evicting:.3}}}"
    );
}
