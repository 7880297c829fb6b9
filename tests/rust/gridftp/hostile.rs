//! Garbage, endless lines and damaged bytes.

use gridtap::error::FaultKind;
use gridtap::gridftp::{LogFault, LogSink, Scanner, Transfer};

use crate::log::{read, scan, scan_pieces};

const MIB: usize = 1 << 20;

fn first_line() -> Vec<u8> {
    read("samples-netlogger.log")
        .split_inclusive(|byte| *byte == b'\n')
        .next()
        .expect("a line")
        .to_vec()
}

#[derive(Default)]
struct Count {
    transfers: u64,
    kinds: Vec<FaultKind>,
}

impl LogSink for Count {
    fn transfer(&mut self, _: &Transfer<'_>) {
        self.transfers += 1;
    }

    fn fault(&mut self, fault: &LogFault) {
        self.kinds.push(fault.kind);
    }
}

#[test]
fn a_line_of_a_gibibyte_is_one_fault() {
    let piece = vec![b'x'; MIB];
    let mut scanner = Scanner::new(None);
    let mut count = Count::default();
    scanner.push(&first_line(), &mut count);
    for _ in 0..1024 {
        scanner.push(&piece, &mut count);
    }
    scanner.push(b"\n", &mut count);
    scanner.push(&first_line(), &mut count);
    assert_eq!((count.transfers, &*count.kinds), (2, &[FaultKind::LongLine][..]));
    assert_eq!(scanner.consumed(), (1 << 30) + 1 + 2 * first_line().len() as u64);
}

#[test]
fn a_record_behind_endless_garbage_is_read() {
    let record = first_line();
    let record = record.trim_ascii_end();
    for gap in [0, 100, MIB - 50, 3 * MIB] {
        let log = [&vec![b'\0'; gap][..], record, b"\n"].concat().repeat(5);
        let found = scan(&log);
        assert_eq!(found.transfers.len(), 5, "{gap}");
        for size in [1000, 65_536, MIB + 1] {
            let pieces = scan_pieces(log.chunks(size));
            assert_eq!((&pieces.transfers, &pieces.faults), (&found.transfers, &found.faults));
        }
    }
}

#[test]
fn glued_records_longer_than_memory_are_read() {
    let record = first_line();
    let log = record.trim_ascii_end().repeat(8000);
    assert!(log.len() > 2 * MIB);
    let found = scan(&[&log[..], b"\n"].concat());
    assert_eq!((found.transfers.len(), found.faults.len()), (8000, 0));
}

#[test]
fn a_long_json_line_is_skipped() {
    let log =
        [b"{\"event_type\": \"".as_slice(), &vec![b'x'; 3 * MIB], b"\"}\n", &first_line()].concat();
    let found = scan(&log);
    assert_eq!((found.transfers.len(), found.kinds()), (1, vec![(FaultKind::LongLine, 1)]));
}

#[test]
fn binary_garbage_is_a_fault_a_line() {
    let mut state = 1u32;
    let mut noise = Vec::new();
    for _ in 0..100_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push((state >> 24) as u8);
    }
    let lines = noise.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let lines = lines.count();
    let found = scan(&[&first_line()[..], &noise, b"\n", &first_line()].concat());
    assert_eq!(found.transfers.len(), 2);
    // A line of noise may begin like one of a server's log.
    assert!(found.faults.len() >= lines - 3, "{} of {lines}", found.faults.len());
}

#[test]
fn another_encoding_is_a_fault_a_line() {
    let text = String::from_utf8(first_line()).expect("UTF-8").repeat(3);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let found = scan(&utf16);
    assert_eq!(found.transfers.len(), 0);
    assert!(found.faults.len() >= 3);
}

#[test]
fn every_damaged_byte_costs_at_most_its_record() {
    for name in ["samples-netlogger.log", "samples-json.log", "two-server.log"] {
        let log = read(name);
        let whole = scan(&log).transfers.len();
        for at in 0..log.len() {
            for damage in [0x01, 0x20, 0x80, 0xff] {
                let mut bytes = log.clone();
                bytes[at] ^= damage;
                let found = scan(&bytes);
                // A lost line feed joins two JSON lines, which are still both read.
                assert!(found.transfers.len() + 1 >= whole, "{name} {at} {damage}");
                assert!(found.transfers.len() <= whole + 1);
            }
        }
    }
}

#[test]
fn every_prefix_gives_the_records_it_has() {
    for name in ["samples-netlogger.log", "samples-json.log"] {
        let log = read(name);
        let all = scan(&log).transfers;
        for end in 0..log.len() {
            let found = scan(&log[..end]).transfers;
            assert_eq!(found, all[..found.len()], "{name} {end}");
        }
    }
}
