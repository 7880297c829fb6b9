//! Logs as tests see them: records as JSON objects, faults as tuples.

use gridtap::columns::Record;
use gridtap::error::FaultKind;
use gridtap::export::json::Keys;
use gridtap::gridftp::unpack::unpack;
use gridtap::gridftp::{LogFault, LogSink, Scanner, Transfer};
use serde_json::Value;
use std::io::Read;
use std::path::PathBuf;

/// All that came out of a log.
pub struct Found {
    keys: Keys,
    pub transfers: Vec<Value>,
    pub faults: Vec<LogFault>,
}

impl Default for Found {
    fn default() -> Self {
        let keys = Keys::new(&Transfer::table());
        Self { keys, transfers: Vec::new(), faults: Vec::new() }
    }
}

impl LogSink for Found {
    fn transfer(&mut self, transfer: &Transfer<'_>) {
        let mut line = Vec::new();
        self.keys.write(transfer, &mut line);
        self.transfers.push(serde_json::from_slice(&line).expect("a line of JSON"));
    }

    fn fault(&mut self, fault: &LogFault) {
        self.faults.push(*fault);
    }
}

impl Found {
    /// Kinds of fault with the lines they are on.
    pub fn kinds(&self) -> Vec<(FaultKind, u64)> {
        self.faults.iter().map(|fault| (fault.kind, fault.line)).collect()
    }

    pub fn paths(&self) -> Vec<&str> {
        self.transfers.iter().filter_map(|transfer| transfer["path"].as_str()).collect()
    }
}

pub fn scan(log: &[u8]) -> Found {
    scan_pieces([log])
}

pub fn scan_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Found {
    let mut scanner = Scanner::new(None);
    let mut found = Found::default();
    for piece in pieces {
        scanner.push(piece, &mut found);
    }
    scanner.finish(&mut found);
    found
}

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/gridftp")).join(name)
}

/// A log of the repository, unpacked.
pub fn read(name: &str) -> Vec<u8> {
    let file = std::fs::File::open(path(name)).expect("a bundled log");
    let mut bytes = Vec::new();
    unpack(Box::new(file)).expect("a log").read_to_end(&mut bytes).expect("a good log");
    bytes
}
