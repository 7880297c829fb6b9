//! The t-stream: single requests, and opens and closes for servers that send no f-stream.
//!
//! Where a server sends both, the f-stream wins: it has names, counts and exact totals. Its records
//! come later, though, so a close of the t-stream waits for them, unless the server has shown for
//! long enough that it sends no f-stream at all.

use super::correlator::Correlator;
use super::files::{Close, Extra, Requests, known};
use super::fstream::Spread;
use super::record::{IoEvent, Sink};
use super::sessions::Ended;
use crate::cursor::cut_at_nul;
use crate::xrootd::trace::{Trace, TraceRecord, disc_flag};

impl Correlator {
    pub(super) fn trace(&mut self, server: u32, stream: &Trace<'_>, out: &mut impl Sink) {
        let mut records = stream.records();
        let mut spread = Spread::new(0, 0, 0);
        while let Some(record) = records.next() {
            if let TraceRecord::Window { start, .. } = record {
                spread = window_after(start, records.clone());
                continue;
            }
            let at = spread.next();
            let is_segment = self.is_segment(server, &record);
            if out.wants_io() {
                self.emit_io(server, &record, at, spread.window, is_segment, out);
            }
            if !is_segment {
                self.trace_record(server, &record, at, spread.window, out);
            }
        }
    }

    /// Whether a read is one of those that spell out a READU before it.
    fn is_segment(&mut self, server: u32, record: &TraceRecord<'_>) -> bool {
        let Some(mut server) = self.servers.get_mut(server) else { return false };
        match *record {
            TraceRecord::Readv { unpacked: true, count, dictid, .. } => {
                server.numbers.expect_segments(dictid, count);
                false
            }
            TraceRecord::ReadWrite { buflen, dictid, .. } if buflen >= 0 => {
                server.numbers.take_segment(dictid)
            }
            _ => false,
        }
    }

    fn trace_record(
        &mut self,
        server: u32,
        record: &TraceRecord<'_>,
        at: f64,
        window: (u32, u32),
        out: &mut impl Sink,
    ) {
        match *record {
            TraceRecord::Open { filesize, dictid, .. } => {
                self.trace_open(server, dictid, filesize, at, window);
            }
            TraceRecord::ReadWrite { buflen, dictid, .. } => {
                self.count_request(server, dictid, |requests| requests.count_plain(buflen));
            }
            TraceRecord::Readv { count, buflen, dictid, .. } => {
                self.count_request(server, dictid, |requests| {
                    requests.count_vector(count, buflen);
                });
            }
            TraceRecord::Close { dictid, .. } => {
                if let Some(totals) = record.close_totals() {
                    self.trace_close(server, dictid, totals, at, window, out);
                }
            }
            TraceRecord::Disc { flags, seconds, user, .. } if flags & disc_flag::BOUND == 0 => {
                let forced = Some(flags & disc_flag::FORCED != 0);
                let duration_s = Some(seconds);
                let at = Some(at);
                let ended = Ended { at, window, forced, duration_s, ..Ended::default() };
                self.disconnect(server, user, ended, true);
            }
            _ => {}
        }
    }

    /// The file of a t-stream open or close, made if the t-stream may make files here.
    fn traced_file(&mut self, server: u32, fileid: u32) -> Option<u32> {
        if let Some(id) = self.files.find(server, fileid) {
            return Some(id);
        }
        let sends_closes = self.servers.get(server).is_some_and(|server| server.sends_closes);
        if sends_closes || self.was_closed(server, fileid) {
            return None;
        }
        let session = self.nobody(server);
        Some(self.add_file(server, fileid, session))
    }

    fn trace_open(&mut self, server: u32, fileid: u32, size: u64, at: f64, window: (u32, u32)) {
        let Some(id) = self.traced_file(server, fileid) else { return };
        self.files.touch(id, self.clock.now);
        let serial = self.servers.get(server).map_or(0, |server| server.serial);
        let Some(mut file) = self.files.get_mut(id) else { return };
        if file.open_seen() {
            return;
        }
        file.known |= known::TRACE_OPEN | known::SIZE;
        file.size = size as i64;
        file.opened_at = at;
        file.open_window = window;
        file.open_serial = serial;
    }

    fn count_request(&mut self, server: u32, fileid: u32, count: impl FnOnce(&mut Requests)) {
        let Some(mut row) = self.servers.get_mut(server) else { return };
        row.sends_requests = true;
        let sends_closes = row.sends_closes;
        drop(row);
        if sends_closes {
            return;
        }
        let Some(id) = self.files.find(server, fileid) else { return };
        self.files.touch(id, self.clock.now);
        if let Some(mut file) = self.files.get_mut(id) {
            let extra = file.extra.get_or_insert_with(Box::<Extra>::default);
            count(extra.requests.get_or_insert_default());
        }
    }

    fn trace_close(
        &mut self,
        server: u32,
        fileid: u32,
        (read, written): (u64, u64),
        at: f64,
        window: (u32, u32),
        out: &mut impl Sink,
    ) {
        let Some(id) = self.traced_file(server, fileid) else { return };
        self.files.touch(id, self.clock.now);
        let Some(mut file) = self.files.get_mut(id) else { return };
        let extra = file.extra.get_or_insert_with(Box::<Extra>::default);
        if extra.close.is_some() {
            return;
        }
        extra.close = Some(Close {
            from_trace: true,
            read: Some(i64::try_from(read).unwrap_or(i64::MAX)),
            readv: None,
            write: Some(i64::try_from(written).unwrap_or(i64::MAX)),
            at,
            window,
            ..Close::default()
        });
        drop(file);
        if !self.end_if_complete(id, out) {
            let wait = if self.is_trace_only(server) {
                self.config.late_grace
            } else {
                self.config.trace_wait
            };
            self.hold(id, wait);
        }
    }

    /// Whether a server has been seen for long enough to know that it sends no f-stream.
    pub(super) fn is_trace_only(&self, server: u32) -> bool {
        self.servers.get(server).is_some_and(|server| {
            let age = self.clock.now.saturating_sub(server.first_seen);
            !server.sends_fstat && age >= self.config.trace_wait
        })
    }

    fn emit_io(
        &self,
        server: u32,
        record: &TraceRecord<'_>,
        at: f64,
        window: (u32, u32),
        is_segment: bool,
        out: &mut impl Sink,
    ) {
        let Some(server_row) = self.servers.get(server) else { return };
        let (file_id, user_id) = match *record {
            TraceRecord::Disc { user, .. } => (None, Some(user)),
            TraceRecord::Open { dictid, .. }
            | TraceRecord::ReadWrite { dictid, .. }
            | TraceRecord::Readv { dictid, .. }
            | TraceRecord::Close { dictid, .. } => (Some(dictid), None),
            _ => (None, None),
        };
        let file = file_id.and_then(|id| self.files.get(self.files.find(server, id)?));
        let session = match user_id {
            Some(user) => self.sessions.find(server, user),
            None => file.map(|file| file.session),
        };
        let path = file.and_then(|file| file.path.as_deref()).map(String::from_utf8_lossy);
        let user = session.and_then(|id| self.sessions.get(id));
        let text = match record {
            TraceRecord::AppId { text, .. } => String::from_utf8_lossy(cut_at_nul(*text).0),
            _ => "".into(),
        };
        let known = (window != (0, 0)).then_some(window);
        let mut event = IoEvent {
            server: server_row.columns(),
            user: user.map(|session| session.columns()).unwrap_or_default(),
            file_id: file_id.map(i64::from),
            path: path.as_deref(),
            at: known.map(|_| at),
            window_start: known.map(|(start, _)| i64::from(start)),
            window_end: known.map(|(_, end)| i64::from(end)),
            ..IoEvent::default()
        };
        if describe(record, &mut event, is_segment) {
            if matches!(record, TraceRecord::AppId { .. }) {
                event.app_id = Some(&text);
            }
            out.io(&event);
        }
    }
}

/// Fills in what is particular to the kind of record; false if it is no event.
fn describe(record: &TraceRecord<'_>, event: &mut IoEvent<'_>, is_segment: bool) -> bool {
    match *record {
        TraceRecord::Open { filesize, .. } => {
            event.operation = Some("open");
            event.file_size_bytes = Some(filesize as i64);
        }
        TraceRecord::ReadWrite { offset, buflen, .. } => {
            let is_write = buflen < 0;
            event.operation = Some(if is_write { "write" } else { "read" });
            event.offset_bytes = Some(offset);
            event.length_bytes = Some(i64::from(buflen.unsigned_abs()));
            if !is_write {
                event.is_segment = Some(is_segment);
            }
        }
        TraceRecord::Readv { readid, count, buflen, .. } => {
            event.operation = Some("readv");
            event.length_bytes = Some(i64::from(buflen));
            event.segments = Some(i64::from(count));
            event.readv_id = Some(i64::from(readid));
        }
        TraceRecord::Close { .. } => {
            let Some((read, written)) = record.close_totals() else { return false };
            event.operation = Some("close");
            event.read_bytes = i64::try_from(read).ok();
            event.write_bytes = i64::try_from(written).ok();
        }
        TraceRecord::Disc { flags, seconds, .. } => {
            event.operation = Some("disconnect");
            event.duration_s = Some(i64::from(seconds));
            event.forced = Some(flags & disc_flag::FORCED != 0);
            event.bound = Some(flags & disc_flag::BOUND != 0);
        }
        TraceRecord::AppId { .. } => event.operation = Some("appid"),
        TraceRecord::Window { .. } | TraceRecord::Unknown { .. } => return false,
    }
    true
}

impl Requests {
    fn count_plain(&mut self, buflen: i32) {
        let bytes = i64::from(buflen.unsigned_abs());
        if buflen < 0 {
            self.write = self.write.saturating_add(bytes);
            self.writes = self.writes.saturating_add(1);
        } else {
            self.read = self.read.saturating_add(bytes);
            self.reads = self.reads.saturating_add(1);
        }
    }

    fn count_vector(&mut self, segments: u16, buflen: i32) {
        self.readv = self.readv.saturating_add(i64::from(buflen));
        self.readvs = self.readvs.saturating_add(1);
        self.segments = self.segments.saturating_add(i64::from(segments));
    }

    /// Whether all requests of the file were seen: their bytes are those that its close tells.
    /// Closes of 4 GiB and more have lost their low bits.
    pub(super) fn add_up_to(&self, read: i64, written: i64) -> bool {
        let (reads, writes) = (self.read.saturating_add(self.readv), self.write);
        let matches = |sum: i64, total: i64| {
            let shift = 33u32.saturating_sub(total.leading_zeros());
            let mask = if total >> 32 == 0 { i64::MAX } else { i64::MAX << shift };
            sum & mask == total & mask
        };
        matches(reads, read) && matches(writes, written)
    }
}

/// The window that a mark opens: it ends at the next mark, and its records are those between.
fn window_after<'a>(start: u32, rest: impl Iterator<Item = TraceRecord<'a>>) -> Spread {
    let mut count = 0;
    for record in rest {
        if let TraceRecord::Window { end, .. } = record {
            return Spread::new(start, end.max(start), count);
        }
        count += 1;
    }
    Spread::new(start, start, count)
}
