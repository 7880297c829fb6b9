//! Allocations of the collector's way of a packet, counted by an allocator of this test's own: beyond
//! what the state itself keeps there are none for a packet or a record, only for a batch. Without the
//! test harness, whose threads allocate too.

// Each test program uses another part of the packet builder.
#[allow(dead_code)]
#[path = "access/feed.rs"]
mod feed;

use feed::{PATH, Server, close, open};
use gridtap::access::record::Sink;
use gridtap::access::{Config, Correlator};
use gridtap::capture::{Datagram, Peer, Source, SourceFault};
use gridtap::collect::{Engine, Settings};
use gridtap::error::Ignore;
use gridtap::xrootd::Message;
use serde_json::{Value, json};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only their number is kept beside it,
// and keeping it allocates nothing. Counting them is not possible without this trait.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `at` came from `System` with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const NOW: u64 = 1_700_000_200_000_000;

/// Packets as a source gives them.
struct Packets<'a> {
    peer: Peer,
    left: std::slice::Iter<'a, Vec<u8>>,
}

impl Source for Packets<'_> {
    fn next(&mut self, _: &mut dyn FnMut(SourceFault)) -> io::Result<Option<Datagram<'_>>> {
        let peer = Some(self.peer.clone());
        Ok(self.left.next().map(|payload| Datagram {
            payload,
            peer,
            destination_port: None,
            received_at: Some(NOW),
            number: 0,
            offset: 0,
        }))
    }

    fn position(&self) -> u64 {
        0
    }
}

/// Counts nothing and keeps nothing.
struct Nothing;

impl Sink for Nothing {}

/// Allocations while `work` is done.
fn calls(work: impl FnOnce()) -> usize {
    let before = CALLS.load(Ordering::Relaxed);
    work();
    CALLS.load(Ordering::Relaxed) - before
}

fn collected(settings: &Value, server: &Server, packets: &[Vec<u8>]) -> (usize, Engine) {
    let settings = Settings::read(&settings.to_string()).expect("settings");
    let engine = Engine::new(settings, Vec::new()).expect("a collector");
    let mut source = Packets { peer: server.peer.clone(), left: packets.iter() };
    let count = calls(|| engine.feed(&mut source).expect("not started").expect("memory"));
    (count, engine)
}

fn correlated(server: &Server, packets: &[Vec<u8>]) -> usize {
    calls(|| {
        let mut correlator = Correlator::new(Config::default());
        for packet in packets {
            let message = Message::decode(packet, &mut Ignore).expect("decodes");
            correlator.message(Some(&server.peer), Some(NOW), packet, &message, &mut Nothing);
        }
        correlator.finish(&mut Nothing);
    })
}

const PACKETS: u32 = 20_000;

fn main() {
    let mut server = Server::new(1);
    let packets: Vec<_> = (0..PACKETS)
        .map(|file| server.files(&[open(file, 1, PATH), close(file, [1, 2, 3])]).bytes)
        .collect();
    let few = PACKETS as usize / 50;

    let sink = json!({"name": "a", "records": ["accesses"], "queue_bytes": 1 << 20, "batch_bytes": 1 << 18});
    let (count, engine) = collected(&json!({"workers": 1, "sinks": [sink]}), &server, &packets);
    assert_eq!(engine.status()["sinks"][0]["records"], PACKETS);
    let own = correlated(&server, &packets);
    println!("{PACKETS} packets with an access each: {count} allocations, {own} of the state");
    assert!(count < own + few, "{count} allocations, {own} of them the state's");

    let gate = json!({"allow": ["203.0.113.0/24"]});
    let (count, engine) =
        collected(&json!({"workers": 1, "gate": gate, "sinks": []}), &server, &packets);
    assert_eq!(engine.status()["rejected"][0][2], PACKETS);
    println!("{PACKETS} packets turned away: {count} allocations");
    assert!(count < few, "{count} allocations");
}
