//! Scanning of transfer logs beside a bare count of line feeds over the same bytes.
//!
//! `cargo bench --bench gridftp -- LOG...` with logs that benches/gridftp.py writes. Every field of
//! every record is read. Prints one JSON object with the fastest round of each.

use gridtap::columns::{Cells, Visitor};
use gridtap::gridftp::{LogFault, LogSink, Scanner, Transfer};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 15;

/// As pieces come from a file.
const PIECE: usize = 256 * 1024;

#[derive(Default)]
struct Sum {
    records: u64,
    faults: u64,
    sum: u64,
}

impl LogSink for Sum {
    fn transfer(&mut self, transfer: &Transfer<'_>) {
        self.records += 1;
        transfer.visit(self);
    }

    fn fault(&mut self, _: &LogFault) {
        self.faults += 1;
    }
}

impl Visitor for Sum {
    fn text(&mut self, value: Option<&str>) {
        self.sum = self.sum.wrapping_add(value.map_or(0, |text| text.len() as u64));
    }

    fn int(&mut self, value: Option<i64>) {
        self.sum = self.sum.wrapping_add(value.unwrap_or(0) as u64);
    }

    fn float(&mut self, value: Option<f64>) {
        self.sum = self.sum.wrapping_add(value.unwrap_or(0.0).to_bits());
    }

    fn boolean(&mut self, value: Option<bool>) {
        self.sum = self.sum.wrapping_add(u64::from(value.unwrap_or(false)));
    }

    fn ints(&mut self, value: Option<&[Option<i64>]>) {
        for number in value.unwrap_or_default() {
            self.int(*number);
        }
    }

    fn json(&mut self, value: Option<&str>) {
        self.text(value);
    }
}

fn scan(log: &[u8]) -> Sum {
    let mut scanner = Scanner::new(Some("gridftp-transfer.log"));
    let mut sum = Sum::default();
    for piece in log.chunks(PIECE) {
        scanner.push(piece, &mut sum);
    }
    scanner.finish(&mut sum);
    sum
}

fn fastest(mut run: impl FnMut() -> u64) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn main() {
    let logs = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let mut figures = Vec::new();
    for path in logs {
        let log = std::fs::read(&path).expect("a log");
        let found = scan(&log);
        assert_eq!(found.faults, 0, "the log is a good one");
        let scanning = fastest(|| scan(black_box(&log)).sum);
        let counting = fastest(|| memchr::memchr_iter(b'\n', black_box(&log)).count() as u64);
        let finding = fastest(|| {
            memchr::memchr_iter(b'\n', black_box(&log)).fold(0, |sum, at| sum ^ at as u64)
        });
        figures.push(serde_json::json!({
            "log": path,
            "bytes": log.len(),
            "records": found.records,
            "bytes_per_second": log.len() as f64 / scanning,
            "records_per_second": found.records as f64 / scanning,
            "ratio_to_counting_newlines": counting / scanning,
            "ratio_to_finding_newlines": finding / scanning,
        }));
    }
    println!("{}", serde_json::Value::from(figures));
}
