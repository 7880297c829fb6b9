//! A transfer log, whole, in pieces and byte by byte: the same records and faults, in bounds.
//!
//! What comes in single bytes is gathered and read with care; usual lines that are there as a whole
//! are read in one pass. So this also holds the two readings together.

#![no_main]

use gridtap::columns::Record;
use gridtap::export::json::Keys;
use gridtap::gridftp::{LogFault, LogSink, Scanner, Transfer};
use libfuzzer_sys::fuzz_target;

struct Found {
    keys: Keys,
    lines: Vec<u8>,
    faults: Vec<LogFault>,
}

impl LogSink for Found {
    fn transfer(&mut self, transfer: &Transfer<'_>) {
        let begin = self.lines.len();
        self.keys.write(transfer, &mut self.lines);
        let line = self.lines.get(begin..).unwrap_or_default();
        assert!(serde_json::from_slice::<serde_json::Value>(line).is_ok());
    }

    fn fault(&mut self, fault: &LogFault) {
        self.faults.push(*fault);
    }
}

fn scan<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Found, u64) {
    let keys = Keys::new(&Transfer::table());
    let mut found = Found { keys, lines: Vec::new(), faults: Vec::new() };
    let mut scanner = Scanner::new(None);
    for piece in pieces {
        scanner.push(piece, &mut found);
    }
    scanner.finish(&mut found);
    (found, scanner.consumed())
}

fuzz_target!(|bytes: &[u8]| {
    let Some((size, log)) = bytes.split_first() else { return };
    let (whole, consumed) = scan(std::iter::once(log));
    let (pieces, same) = scan(log.chunks(usize::from(*size) + 1));
    assert!(whole.lines == pieces.lines && whole.faults == pieces.faults);
    let (careful, _) = scan(log.chunks(1));
    assert!(whole.lines == careful.lines && whole.faults == careful.faults);
    let lines = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    assert!(consumed == lines as u64 && consumed == same);
    let end = log.len() as u64;
    assert!(whole.faults.iter().all(|fault| fault.offset < end && fault.line <= end));
});
