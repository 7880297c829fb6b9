//! f-stream decoding beside plain passes over the same bytes.
//!
//! One pass adds the bytes up as the words that the wire is made of, 32 bits in network order; the
//! other as 64-bit words in the order of this processor, which it can do several at a time and a
//! decoder cannot. All walk the f packets of the bundled captures, in turn, several times; every field of every
//! record is read. Prints one JSON object with the fastest round of each: whatever else the machine
//! does can only make a round slower.

use gridtap::capture;
use gridtap::xrootd::fstat::{FileRecord, StatOps, StatSsq};
use gridtap::xrootd::{Body, Packet};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 201;
const PASSES: usize = 5;

fn main() {
    let packets = fstat_packets();
    let bytes: usize = packets.iter().map(Vec::len).sum();
    let records = packets.iter().map(|packet| read_fields(packet).0).sum::<u64>();
    let (mut decode, mut wire, mut host) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        decode.push(time(|| packets.iter().map(|packet| read_fields(packet).1).fold(0, add)));
        wire.push(time(|| packets.iter().map(|packet| sum_wire_words(packet)).fold(0, add)));
        host.push(time(|| packets.iter().map(|packet| sum_host_words(packet)).fold(0, add)));
    }
    let (decode, wire, host) = (fastest(&decode), fastest(&wire), fastest(&host));
    println!(
        concat!(
            "{{\"records\": {}, \"bytes\": {}, \"records_per_second\": {:.0}, ",
            "\"bytes_per_second\": {:.0}, \"ratio_to_wire_words\": {:.3}, ",
            "\"ratio_to_host_words\": {:.3}}}"
        ),
        records,
        bytes,
        records as f64 / decode,
        bytes as f64 / decode,
        wire / decode,
        host / decode,
    );
}

fn fstat_packets() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/xrootd");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("bundled captures").flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "pcap")) {
        let file = std::fs::File::open(path).expect("a bundled capture");
        let mut source = capture::open(Box::new(file), &[]).expect("a capture");
        while let Some(datagram) = source.next(&mut |_| {}).expect("a readable capture") {
            if datagram.payload.first() == Some(&b'f') {
                packets.push(datagram.payload.to_vec());
            }
        }
    }
    packets
}

/// Seconds of one pass, the mean of several.
fn time(mut run: impl FnMut() -> u64) -> f64 {
    let start = Instant::now();
    for _ in 0..PASSES {
        black_box(run());
    }
    start.elapsed().as_secs_f64() / PASSES as f64
}

fn fastest(rounds: &[f64]) -> f64 {
    rounds.iter().copied().fold(f64::INFINITY, f64::min)
}

fn add(sum: u64, value: u64) -> u64 {
    sum.wrapping_add(value)
}

fn sum_wire_words(packet: &[u8]) -> u64 {
    let (words, _) = black_box(packet).as_chunks::<4>();
    words.iter().map(|word| u64::from(u32::from_be_bytes(*word))).fold(0, add)
}

fn sum_host_words(packet: &[u8]) -> u64 {
    let (words, _) = black_box(packet).as_chunks::<8>();
    words.iter().map(|word| u64::from_ne_bytes(*word)).fold(0, add)
}

/// Decodes a packet; the number of its records, and the sum of all fields.
fn read_fields(packet: &[u8]) -> (u64, u64) {
    let Some(Packet { body: Body::Fstat(stream), .. }) =
        Packet::decode(black_box(packet), &mut gridtap::error::Ignore)
    else {
        return (0, 0);
    };
    let (mut count, mut sum) = (0, 0u64);
    for record in stream.records().flatten() {
        count += 1;
        sum = sum.wrapping_add(fields(&record));
    }
    (count, sum)
}

fn fields(record: &FileRecord<'_>) -> u64 {
    match record {
        FileRecord::Close(r) => {
            let xfr = (r.xfr.read() as u64)
                .wrapping_add(r.xfr.readv() as u64)
                .wrapping_add(r.xfr.write() as u64);
            let head = u64::from(r.fileid) + u64::from(r.flags) + u64::from(r.size);
            let ops = r.ops().map_or(0, |ops| ops_fields(&ops));
            let ssq = r.ssq().map_or(0, |ssq| ssq_fields(&ssq));
            xfr.wrapping_add(head).wrapping_add(ops).wrapping_add(ssq)
        }
        FileRecord::Open(r) => {
            // The name is a borrowed slice: finding its end has already read its bytes.
            let name = r.lfn.map_or(0, |lfn| lfn.len() as u64);
            let head = u64::from(r.fileid) + u64::from(r.flags) + u64::from(r.size);
            head.wrapping_add(r.filesize as u64)
                .wrapping_add(u64::from(r.user.unwrap_or(0)))
                .wrapping_add(name)
        }
        FileRecord::Transfer(r) => u64::from(r.fileid)
            .wrapping_add(r.xfr.read() as u64)
            .wrapping_add(r.xfr.readv() as u64)
            .wrapping_add(r.xfr.write() as u64),
        FileRecord::Time(r) => {
            u64::from(r.start) + u64::from(r.end) + u64::from(r.records_total) + r.sid.unwrap_or(0)
        }
        FileRecord::Disconnect(r) => u64::from(r.user),
        FileRecord::Error(r) => r.err.code as u64,
        FileRecord::Unknown(r) => u64::from(r.kind),
    }
}

fn ops_fields(ops: &StatOps) -> u64 {
    let counts = [
        ops.read, ops.readv, ops.write, ops.rdmin, ops.rdmax, ops.rvmin, ops.rvmax, ops.wrmin,
        ops.wrmax,
    ];
    let segments = i32::from(ops.rsmin).wrapping_add(i32::from(ops.rsmax));
    let sum = counts.iter().fold(segments, |sum, count| sum.wrapping_add(*count));
    (ops.rsegs as u64).wrapping_add(sum as u64)
}

fn ssq_fields(ssq: &StatSsq) -> u64 {
    [ssq.read, ssq.readv, ssq.rsegs, ssq.write].iter().fold(0, |sum, n| add(sum, n.to_bits()))
}
