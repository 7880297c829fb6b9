//! Bytes in, in any pieces; records and faults out.
//!
//! | a line that                                   | is                                             |
//! |-----------------------------------------------|------------------------------------------------|
//! | begins with `DATE=`                           | a record of a transfer log                     |
//! | has `Transfer stats: DATE=`                   | the same, in a server's log or from syslog     |
//! | has `DATE=`, 14 digits and ` HOST=` elsewhere | a record behind something else, or several     |
//! | begins with `{`                               | a JSON record, or several                      |
//! | begins like a line of a server's log          | skipped, as are the lines that it goes on with |
//! | is anything else                              | a fault                                        |
//!
//! Servers cut records at 4,095 bytes, the line feed too: the next record then stands on the same line.
//!
//! Memory is bounded by [`MAX_LOG_LINE`]: of a longer line, whole records are read as they come, and
//! what is longer than that between two of them is skipped. What comes out does not depend on how
//! the log was cut into pieces.

use memchr::{memchr, memmem, memrchr};
use simdutf8::compat::from_utf8;

use super::canonical;
use super::event::{Event, KnownKeys};
use super::fields::{Place, Times, deliver};
use super::json::Reader;
use super::kinds::{first_record, is_server_log, is_text, read_one};
use super::netlogger::{Fields, LONGEST_MARK, next_record};
use super::notes::Scratch;
use super::record::{LogFault, LogSink};
use super::usual::Usual;
use crate::error::FaultKind;
use crate::limits::MAX_LOG_LINE;

/// How the line being gathered began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    /// Its first byte is there.
    Whole,
    /// Its first bytes have been read or skipped: records are still to be found.
    Gone,
    /// The same, and it was JSON: nothing can be found in the rest.
    Lost,
}

/// Reads a log.
#[derive(Debug)]
pub struct Scanner {
    file: Option<String>,
    /// The line whose end has not come.
    carry: Vec<u8>,
    begin: Begin,
    /// Number of the line that comes next, and where what is not read of it begins.
    line: u64,
    offset: u64,
    consumed: u64,
    /// Lines of a server's log have been seen, and no bare record since.
    in_server_log: bool,
    times: Times,
    other_lines: u64,
    usual: Usual,
    known: KnownKeys,
    scratch: Scratch,
}

impl Scanner {
    /// `file` is the log's name in the records.
    pub fn new(file: Option<&str>) -> Self {
        Self::resume(file, 0, 1)
    }

    /// Goes on in a log at the first byte of a line: its offset and its number.
    pub fn resume(file: Option<&str>, offset: u64, line: u64) -> Self {
        Self {
            file: file.map(str::to_owned),
            carry: Vec::new(),
            begin: Begin::Whole,
            line,
            offset,
            consumed: offset,
            in_server_log: false,
            times: Times::default(),
            other_lines: 0,
            usual: Usual::default(),
            known: KnownKeys::default(),
            scratch: Scratch::default(),
        }
    }

    /// Offset behind the last complete line: where another run may go on.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Number of the line there.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Lines without a transfer that are no faults: of a server's log, other events.
    pub fn other_lines(&self) -> u64 {
        self.other_lines
    }

    pub fn push<S: LogSink>(&mut self, bytes: &[u8], sink: &mut S) {
        let mut rest = bytes;
        loop {
            let is_begin = self.carry.is_empty() && self.begin == Begin::Whole;
            if is_begin && rest.starts_with(b"DATE=") {
                let done = self.read_usual(lines_ahead(rest), sink);
                rest = rest.get(done..).unwrap_or_default();
                if done > 0 {
                    continue;
                }
            }
            let Some((line, behind)) = memchr(b'\n', rest).and_then(|at| rest.split_at_checked(at))
            else {
                break;
            };
            rest = behind.get(1..).unwrap_or_default();
            self.read_line(line, sink);
        }
        self.gather(rest, sink);
    }

    /// Reads the lines that have ended; how many bytes those are.
    fn read_usual<S: LogSink>(&mut self, text: &str, sink: &mut S) -> usize {
        let mut done = 0;
        while let Some(rest) = text.get(done..) {
            let place = Place { file: self.file.as_deref(), line: self.line, offset: self.offset };
            let (usual, day) = (&mut self.usual, &mut self.times.day);
            if let Some(length) = canonical::deliver(rest, &place, usual, day, sink) {
                self.in_server_log = false;
                self.line += 1;
                self.offset += length as u64;
                self.consumed = self.offset;
                done += length;
            } else {
                let Some((line, _)) = rest.split_once('\n') else { break };
                self.read_line(line.as_bytes(), sink);
                done += line.len() + 1;
            }
        }
        done
    }

    /// Reads a line, with what was gathered of it.
    fn read_line<S: LogSink>(&mut self, line: &[u8], sink: &mut S) {
        let is_whole = self.carry.is_empty() && self.begin == Begin::Whole;
        if is_whole && line.len() <= MAX_LOG_LINE {
            self.read(line, sink);
            self.offset += line.len() as u64;
        } else {
            self.gather(line, sink);
            self.read_carry(sink);
        }
        self.offset += 1;
        self.consumed = self.offset;
        self.line += 1;
        self.begin = Begin::Whole;
    }

    /// Says that no more will come. A line without its line feed is not read: nobody knows what it
    /// still lacks, and whoever resumes begins with it.
    pub fn finish<S: LogSink>(&mut self, sink: &mut S) {
        let is_open = match self.begin {
            Begin::Whole => !self.carry.trim_ascii().is_empty(),
            Begin::Gone => first_record(&self.carry).is_some(),
            Begin::Lost => false,
        };
        if is_open {
            let context = "the last line has no end: not read";
            self.fault(FaultKind::UnfinishedLine, 0, context, sink);
        }
    }

    fn gather<S: LogSink>(&mut self, mut piece: &[u8], sink: &mut S) {
        while !piece.is_empty() {
            if self.carry.len() >= MAX_LOG_LINE {
                self.make_room(sink);
            }
            let room = MAX_LOG_LINE - self.carry.len();
            let (now, later) = piece.split_at_checked(room).unwrap_or((piece, &[]));
            self.carry.extend_from_slice(now);
            piece = later;
        }
    }

    fn read_carry<S: LogSink>(&mut self, sink: &mut S) {
        let line = std::mem::take(&mut self.carry);
        match self.begin {
            Begin::Whole => self.read(&line, sink),
            Begin::Gone => drop(self.read_records(&line, sink)),
            Begin::Lost => {}
        }
        self.offset += line.len() as u64;
        self.carry = line;
        self.carry.clear();
    }

    /// Reads the records of a line that is too long to be kept, and skips what is none.
    fn make_room<S: LogSink>(&mut self, sink: &mut S) {
        let mut line = std::mem::take(&mut self.carry);
        let is_json = self.begin == Begin::Lost
            || (self.begin == Begin::Whole && line.trim_ascii_start().starts_with(b"{"));
        let mut last = None;
        while !is_json && let Some(at) = next_record(&line, last.map_or(0, |at| at + 1)) {
            last = Some(at);
        }
        let done = match last {
            Some(at) if at > 0 => {
                self.read_records(line.get(..at).unwrap_or_default(), sink);
                at
            }
            _ => {
                if self.begin == Begin::Whole || last.is_some() {
                    let context = "longer than any record: skipped";
                    self.fault(FaultKind::LongLine, 0, context, sink);
                }
                // A record may begin in its last bytes.
                line.len().saturating_sub(LONGEST_MARK)
            }
        };
        self.begin = if is_json { Begin::Lost } else { Begin::Gone };
        self.offset += done as u64;
        line.drain(..done);
        self.carry = line;
    }

    /// Reads a whole line.
    fn read<S: LogSink>(&mut self, line: &[u8], sink: &mut S) {
        let line = line.trim_ascii_end();
        let begin = line.len() - line.trim_ascii_start().len();
        if line.is_empty() {
            return;
        }
        if line.get(begin) == Some(&b'{') {
            return self.read_json(line, begin, sink);
        }
        if !self.read_records(line, sink) {
            self.read_other(line, sink);
        }
    }

    #[inline]
    fn deliver<S: LogSink>(&mut self, fields: &Fields<'_>, within: usize, sink: &mut S) {
        // Without something in front this is no server's log.
        self.in_server_log &= within > 0;
        let place = Place {
            file: self.file.as_deref(),
            line: self.line,
            offset: self.offset + within as u64,
        };
        deliver(fields, &place, &mut self.scratch, &mut self.times, sink);
    }

    /// Reads the netlogger records of a line; whether there is one, or the rest of one.
    fn read_records<S: LogSink>(&mut self, line: &[u8], sink: &mut S) -> bool {
        let Some(mut at) = first_record(line) else { return false };
        loop {
            let next = next_record(line, at + 1);
            let record = line.get(at..next.unwrap_or(line.len())).unwrap_or_default();
            let record = record.trim_ascii_end();
            match read_one(record) {
                Some(fields) => self.deliver(&fields, at, sink),
                None => {
                    let context = "a record without its end, or with damaged keys";
                    self.fault(FaultKind::CutRecord, at, context, sink);
                }
            }
            match next {
                Some(next) => at = next,
                None => return true,
            }
        }
    }

    fn read_json<S: LogSink>(&mut self, line: &[u8], begin: usize, sink: &mut S) {
        let mut at = begin;
        let mut has_event = false;
        while at < line.len() {
            let mut reader = Reader::new(line, at);
            match Event::read(&mut reader, &mut self.known, &mut self.scratch) {
                Ok(event) => {
                    if event.is_transfer() {
                        let offset = self.offset + at as u64;
                        let place = Place { file: self.file.as_deref(), line: self.line, offset };
                        event.deliver(&place, &mut self.scratch, sink);
                    } else {
                        has_event = true;
                    }
                    reader.take(b',');
                    reader.peek();
                    at = reader.position();
                }
                Err(context) => {
                    self.fault(FaultKind::BadJson, at, context, sink);
                    // Another one may have been glued to what was cut.
                    let behind = line.get(at + 1..).unwrap_or_default();
                    let Some(next) = memmem::find(behind, b"{\"event_type\"") else { break };
                    at += 1 + next;
                }
            }
        }
        self.other_lines += u64::from(has_event);
    }

    fn read_other<S: LogSink>(&mut self, line: &[u8], sink: &mut S) {
        if memmem::find(line, b"NL.EVNT=").is_some() {
            let context = "a record whose DATE is damaged or missing";
            return self.fault(FaultKind::CutRecord, 0, context, sink);
        }
        let is_server_log = is_server_log(line);
        self.in_server_log |= is_server_log;
        if is_server_log || (self.in_server_log && is_text(line)) {
            self.other_lines += 1;
        } else {
            let context = "neither a record nor a line of a server's log";
            self.fault(FaultKind::NotARecord, 0, context, sink);
        }
    }

    #[cold]
    fn fault<S: LogSink>(
        &self,
        kind: FaultKind,
        within: usize,
        context: &'static str,
        sink: &mut S,
    ) {
        let offset = self.offset + within as u64;
        sink.fault(&LogFault { kind, line: self.line, offset, context });
    }
}

/// Bytes that are checked to be UTF-8 at once. They are read while the processor fetches the next.
const AHEAD: usize = 32 * 1024;

/// The next few lines, as far as they are UTF-8.
fn lines_ahead(bytes: &[u8]) -> &str {
    let ahead = bytes.get(..AHEAD).unwrap_or(bytes);
    let lines = memrchr(b'\n', ahead).and_then(|last| ahead.get(..=last)).unwrap_or_default();
    from_utf8(lines).unwrap_or_else(|error| {
        let valid = lines.get(..error.valid_up_to()).unwrap_or_default();
        from_utf8(valid).unwrap_or_default()
    })
}
