//! A snapshot of the state, loaded, lived with and saved again.
//!
//! Input: the payloads of the snapshot's frames, each with its length (u16, little-endian). Magic,
//! version and checksums are put around them: the fuzzer could not guess them.

#![no_main]

use gridtap::access::record::Sink;
use gridtap::access::{Config, Correlator};
use libfuzzer_sys::fuzz_target;
use xxhash_rust::xxh3::xxh3_64;

/// Takes no notes.
struct Nothing;

impl Sink for Nothing {}

const HOUR: u64 = 3_600_000_000;

fn framed(input: &[u8]) -> Vec<u8> {
    let mut snapshot = b"gridtap state  \n\x01\0\0\0".to_vec();
    let mut rest = input;
    while let [a, b, tail @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*a, *b])).min(tail.len());
        let (payload, next) = tail.split_at(length);
        rest = next;
        snapshot.extend((length as u32).to_le_bytes());
        snapshot.extend(xxh3_64(payload).to_le_bytes());
        snapshot.extend(payload);
    }
    snapshot
}

fuzz_target!(|input: &[u8]| {
    let config = Config { max_open_files: 8, max_servers: 3, ..Config::default() };
    let mut correlator = Correlator::new(config.clone());
    let loaded = correlator.load(&mut &*framed(input), |_| true, &mut Nothing);
    assert_eq!(correlator.usage().bytes, correlator.count_bytes());
    let Ok(restored) = loaded else {
        let usage = correlator.usage();
        assert_eq!((usage.servers, usage.sessions, usage.files, usage.names), (0, 0, 0, 0));
        return;
    };
    correlator.add_stats(&restored.stats);
    let mut saved = Vec::new();
    correlator.save(&mut saved).expect("memory takes all");
    let mut again = Correlator::new(config);
    again.load(&mut &*saved, |_| true, &mut Nothing).expect("what was saved is sound");
    assert_eq!(again.usage().files, correlator.usage().files);
    for hour in 0..50 {
        again.tick(1_700_000_000_000_000 + hour * HOUR, &mut Nothing);
        assert_eq!(again.usage().bytes, again.count_bytes());
    }
    again.finish(&mut Nothing);
    assert_eq!(again.open_files(), 0);
});
