//! Real packets and files with damage: nothing panics, hangs or turns into an error.
//!
//! Packets above 512 bytes and files above 1 KiB are not damaged at every byte but at every n-th, so
//! that the whole takes seconds, not hours: the first bytes always, and those behind them at a
//! stride that spreads a fixed number of positions evenly. Large packets repeat the same records.

mod corpus;

use std::fs;

use corpus::exercise::exercise;
use corpus::{folder, own_files, payloads, read_bytes};

/// Replacements of one byte: single bits at both ends, alternating bits, and both extremes.
const DAMAGES: [fn(u8) -> u8; 5] =
    [|byte| byte ^ 0x01, |byte| byte ^ 0x80, |byte| byte ^ 0x55, |_| 0x00, |_| 0xff];

/// Every position up to `dense`, then `spread` of those that follow.
fn positions(length: usize, dense: usize, spread: usize) -> impl Iterator<Item = usize> {
    let stride = (length.saturating_sub(dense) / spread).max(1);
    (0..length.min(dense)).chain((dense..length).step_by(stride))
}

/// Damages `bytes` at each of `positions` in every way and hands each result over.
fn damage(bytes: &[u8], positions: impl Iterator<Item = usize>, mut each: impl FnMut(&[u8])) {
    let mut bytes = bytes.to_vec();
    for at in positions {
        let before = bytes[at];
        for damage in DAMAGES {
            bytes[at] = damage(before);
            each(&bytes);
        }
        bytes[at] = before;
    }
}

/// Datagrams of the repository's own captures, each once.
fn datagrams() -> Vec<Vec<u8>> {
    let captures = own_files(&[".pcap"]);
    let mut all: Vec<_> = captures.iter().flat_map(|path| payloads(path).1).collect();
    all.sort();
    all.dedup();
    assert!(all.len() > 1000);
    all
}

#[test]
fn every_prefix_of_every_datagram() {
    for datagram in datagrams() {
        for end in positions(datagram.len(), 1024, 512) {
            exercise(&datagram[..end]);
        }
    }
}

#[test]
fn every_damaged_byte_of_every_datagram() {
    for datagram in datagrams() {
        damage(&datagram, positions(datagram.len(), 512, 256), |bytes| {
            exercise(bytes);
        });
    }
}

/// Captures and dumps below 16 KiB.
fn small_files() -> Vec<Vec<u8>> {
    let files = own_files(&[".pcap", ".bin"]);
    let mut found: Vec<_> = files.iter().map(|path| fs::read(path).expect("a file")).collect();
    found.retain(|bytes| bytes.len() < 16 * 1024);
    // The one pcapng file is larger: its start has every kind of block.
    let pcapng = fs::read(folder().join("two-servers.pcapng")).expect("a file");
    found.push(pcapng[..4096].to_vec());
    assert!(found.len() > 50);
    found
}

fn read(bytes: &[u8]) {
    let (datagrams, faults) = read_bytes(bytes, &[]);
    // Whatever a length says, no more comes out than went in.
    let total: usize = datagrams.iter().map(|datagram| datagram.payload.len()).sum();
    assert!(total <= bytes.len());
    assert!(faults.len() <= bytes.len());
    let end = bytes.len() as u64;
    assert!(faults.iter().all(|fault| fault.offset <= end));
    assert!(datagrams.iter().all(|datagram| datagram.offset < end));
}

#[test]
fn every_prefix_of_every_small_file() {
    for bytes in small_files() {
        for end in positions(bytes.len(), 2048, 512) {
            read(&bytes[..end]);
        }
    }
}

#[test]
fn every_damaged_byte_of_every_small_file() {
    for bytes in small_files() {
        damage(&bytes, positions(bytes.len(), 1024, 512), read);
    }
}
