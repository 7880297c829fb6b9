//! From a log file to records: unpacks it, scans it, and keeps count.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::record::{LogFault, LogSink, Transfer};
use super::scanner::Scanner;
use super::unpack::{Unpacked, unpack};
use crate::columns::Target;
use crate::error::FaultKind;

/// Bytes scanned in one go.
const PIECE: usize = 256 * 1024;

/// Kinds of operation counted by name: servers know a dozen.
const MAX_OPERATIONS: usize = 32;

/// What was read so far.
#[derive(Clone, Debug, Default)]
pub struct LogCounts {
    pub transfers: u64,
    pub bytes: u64,
    pub operations: BTreeMap<String, u64>,
    /// By FTP reply; what is none is 0.
    pub codes: BTreeMap<i64, u64>,
    pub faults: BTreeMap<FaultKind, u64>,
    pub other_lines: u64,
    pub first_started_at: Option<f64>,
    pub last_ended_at: Option<f64>,
    pub volumes: Volumes,
}

impl LogCounts {
    fn add(&mut self, transfer: &Transfer<'_>) {
        self.transfers += 1;
        let bytes = transfer.transferred_bytes.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        self.bytes = self.bytes.saturating_add(bytes);
        let operation = transfer.operation.unwrap_or("-");
        match self.operations.get_mut(operation) {
            Some(count) => *count += 1,
            None => {
                let is_room = self.operations.len() < MAX_OPERATIONS;
                let name = if is_room { operation } else { "other" };
                *self.operations.entry(name.to_owned()).or_default() += 1;
            }
        }
        let code = transfer.code.filter(|code| (100..1000).contains(code)).unwrap_or(0);
        *self.codes.entry(code).or_default() += 1;
        if let Some(started) = transfer.started_at {
            self.first_started_at = Some(self.first_started_at.map_or(started, |t| t.min(started)));
        }
        if let Some(ended) = transfer.ended_at {
            self.last_ended_at = Some(self.last_ended_at.map_or(ended, |t| t.max(ended)));
            self.volumes.add(ended as i64, bytes);
        }
    }
}

/// Bytes by the time at which their transfers ended. However long the log is, there are few spans:
/// when there get too many, each two become one.
#[derive(Clone, Debug)]
pub struct Volumes {
    width_s: i64,
    spans: BTreeMap<i64, u64>,
}

impl Default for Volumes {
    fn default() -> Self {
        Self { width_s: 60, spans: BTreeMap::new() }
    }
}

impl Volumes {
    const MAX_SPANS: usize = 1024;

    fn add(&mut self, second: i64, bytes: u64) {
        *self.spans.entry(second.div_euclid(self.width_s)).or_default() += bytes;
        while self.spans.len() > Self::MAX_SPANS {
            self.width_s *= 2;
            for (span, bytes) in std::mem::take(&mut self.spans) {
                *self.spans.entry(span.div_euclid(2)).or_default() += bytes;
            }
        }
    }

    /// Seconds of each span.
    pub fn width_s(&self) -> i64 {
        self.width_s
    }

    /// Begin (UTC epoch seconds) and bytes of each span in which a transfer ended.
    pub fn spans(&self) -> impl Iterator<Item = (i64, u64)> {
        self.spans.iter().map(|(span, bytes)| (span * self.width_s, *bytes))
    }
}

/// What is known of a source while others read from it.
#[derive(Debug, Default)]
struct Meter {
    read: AtomicU64,
    error: Mutex<Option<io::Error>>,
}

/// A source that keeps its own errors, so that nobody takes them for those of a damaged file.
struct Metered {
    source: Box<dyn Read + Send>,
    meter: Arc<Meter>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.source.read(buffer);
        match result {
            Ok(read) => {
                self.meter.read.fetch_add(read as u64, Ordering::Relaxed);
                Ok(read)
            }
            Err(error) => {
                *self.meter.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Err(io::Error::other("the source failed"))
            }
        }
    }
}

/// The log that is being read.
struct Log {
    source: Unpacked,
    scanner: Scanner,
    meter: Arc<Meter>,
}

/// Reads logs one after the other.
#[derive(Default)]
pub struct LogReading {
    log: Option<Log>,
    counts: LogCounts,
    piece: Vec<u8>,
}

impl LogReading {
    /// Goes on with another log. `name` is what its records say of it.
    pub fn open(&mut self, source: Box<dyn Read + Send>, name: Option<&str>) -> io::Result<()> {
        let meter = Arc::new(Meter::default());
        let metered = Metered { source, meter: meter.clone() };
        let source = unpack(Box::new(metered)).map_err(|error| meter.cause(error))?;
        self.log = Some(Log { source, scanner: Scanner::new(name), meter });
        Ok(())
    }

    /// Reads on for a while. `false` at the end of the log. Faults go to `report`.
    pub fn step<T: Target>(
        &mut self,
        target: &mut T,
        report: &mut dyn FnMut(&LogFault),
    ) -> io::Result<bool> {
        let Some(log) = &mut self.log else { return Ok(false) };
        self.piece.resize(PIECE, 0);
        let read = log.source.read(&mut self.piece);
        let mut tally = Tally { target, counts: &mut self.counts, report };
        let others = log.scanner.other_lines();
        let more = match read {
            Ok(0) => false,
            Ok(read) => {
                let piece = self.piece.get(..read).unwrap_or_default();
                log.scanner.push(piece, &mut tally);
                true
            }
            Err(error) => {
                log.meter.check()?;
                if !log.source.is_packed() {
                    return Err(error);
                }
                let (line, offset) = (log.scanner.line(), log.scanner.consumed());
                let context = "the compressed log is damaged or ends early";
                let kind = FaultKind::BadCompression;
                tally.fault(&LogFault { kind, line, offset, context });
                false
            }
        };
        if !more {
            log.scanner.finish(&mut tally);
        }
        self.counts.other_lines += log.scanner.other_lines() - others;
        if !more {
            self.log = None;
        }
        Ok(more)
    }

    /// Bytes of the file behind, as it is: packed bytes if it is packed.
    pub fn position(&self) -> u64 {
        self.log.as_ref().map_or(0, |log| log.meter.read.load(Ordering::Relaxed))
    }

    pub fn counts(&self) -> &LogCounts {
        &self.counts
    }
}

impl Meter {
    fn take(&self) -> Option<io::Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn check(&self) -> io::Result<()> {
        self.take().map_or(Ok(()), Err)
    }

    fn cause(&self, error: io::Error) -> io::Error {
        self.take().unwrap_or(error)
    }
}

/// Counts what goes by.
struct Tally<'t, T> {
    target: &'t mut T,
    counts: &'t mut LogCounts,
    report: &'t mut dyn FnMut(&LogFault),
}

impl<T: Target> LogSink for Tally<'_, T> {
    fn transfer(&mut self, transfer: &Transfer<'_>) {
        self.counts.add(transfer);
        self.target.push(transfer);
    }

    fn fault(&mut self, fault: &LogFault) {
        *self.counts.faults.entry(fault.kind).or_default() += 1;
        (self.report)(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_stay_few_and_lose_nothing() {
        let mut volumes = Volumes::default();
        for second in (0..10_000_000).step_by(61) {
            volumes.add(second, 3);
        }
        assert!(volumes.spans().count() <= Volumes::MAX_SPANS);
        assert!(volumes.width_s() >= 10_000_000 / 1024);
        let sum: u64 = volumes.spans().map(|(_, bytes)| bytes).sum();
        assert_eq!(sum, 3 * 10_000_000u64.div_ceil(61));
        assert_eq!(volumes.spans().next().map(|(begin, _)| begin), Some(0));
    }
}
