//! The f-stream: opens, reports, closes and disconnects.

use super::correlator::Correlator;
use super::emit::all_requests;
use super::files::{Close, Extra, File, PREFETCHED, known};
use super::record::Sink;
use super::sequence::SECOND;
use super::sessions::Ended;
use super::stats::Reason;
use super::waits::Wait;
use crate::xrootd::fstat::{FileCls, FileOpn, FileRecord, FileTod, FileXfr, Fstat, open_flag};

/// A disconnected login waits for late closes for twice the longest window, but not for longer.
const LONGEST_GRACE_S: u32 = 1200;

/// The time of records inside one window, which the protocol does not tell any closer: the records
/// are in the order of their events, so they are spread evenly.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    pub window: (u32, u32),
    count: u32,
    index: u32,
}

impl Spread {
    pub fn new(start: u32, end: u32, count: u32) -> Self {
        Self { window: (start, end), count, index: 0 }
    }

    /// The time of the next record, UTC epoch seconds.
    #[inline]
    pub fn next(&mut self) -> f64 {
        let (start, end) = self.window;
        let length = f64::from(end.saturating_sub(start));
        let share = f64::from(self.index.min(self.count)) / f64::from(self.count.max(1));
        self.index += 1;
        f64::from(start) + length * share
    }
}

impl Correlator {
    pub(super) fn fstat(&mut self, server: u32, stream: &Fstat<'_>, out: &mut impl Sink) {
        let arrival = (self.clock.wall(self.clock.now) / SECOND) as u32;
        let mut spread: Option<Spread> = None;
        if let Some(mut server) = self.servers.get_mut(server) {
            server.sends_fstat = true;
        }
        let mut ids = stream.ids();
        for (number, record) in stream.records().flatten().enumerate() {
            if number % PREFETCHED == 0 {
                self.files.prefetch(server, &mut ids);
            }
            if let FileRecord::Time(tod) = record {
                spread = Some(Spread::new(tod.start, tod.end, u32::from(tod.records_total)));
                self.note_window(server, &tod);
                continue;
            }
            // Without a time record the arrival is all there is, and no window.
            let at = spread.as_mut().map_or(f64::from(arrival), Spread::next);
            let window = spread.map_or((0, 0), |spread| spread.window);
            match record {
                FileRecord::Open(open) => self.file_open(server, &open, at, window, out),
                FileRecord::Transfer(report) => self.file_report(server, &report),
                FileRecord::Close(close) => self.file_close(server, &close, at, window, out),
                FileRecord::Disconnect(disconnect) => {
                    let ended = Ended { at: Some(at), window, ..Ended::default() };
                    self.disconnect(server, disconnect.user, ended, false);
                }
                FileRecord::Error(_) => self.stats.failed_operations += 1,
                FileRecord::Time(_) | FileRecord::Unknown(_) => {}
            }
        }
    }

    fn note_window(&mut self, server: u32, tod: &FileTod) {
        if let Some(mut server) = self.servers.get_mut(server) {
            server.window_s = server.window_s.max(tod.end.saturating_sub(tod.start));
        }
    }

    fn file_open(
        &mut self,
        server: u32,
        open: &FileOpn<'_>,
        at: f64,
        window: (u32, u32),
        out: &mut impl Sink,
    ) {
        let known = self.files.find(server, open.fileid);
        if known.is_none() && self.was_closed(server, open.fileid) {
            return;
        }
        let user = open.user.filter(|user| *user != 0);
        let session = user.map(|user| self.session_of_dictid(server, user));
        let id = match known {
            Some(id) => {
                if let Some(session) = session {
                    self.claim_file(id, session);
                }
                id
            }
            None => {
                let session = session.unwrap_or_else(|| self.nobody(server));
                self.add_file(server, open.fileid, session)
            }
        };
        self.files.touch(id, self.clock.now);
        let serial = self.servers.get(server).map_or(0, |server| server.serial);
        let Some(mut file) = self.files.get_mut(id) else { return };
        file.known |= known::OPEN | known::SIZE | known::MODE;
        if open.flags & open_flag::READ_WRITE != 0 {
            file.known |= known::WRITABLE;
        }
        file.size = open.filesize;
        if let Some(lfn) = open.lfn.filter(|lfn| !lfn.is_empty())
            && file.path.as_deref() != Some(lfn)
        {
            file.path = Some(lfn.into());
        }
        file.opened_at = at;
        file.open_window = window;
        file.open_serial = serial;
        let may_be_complete = file.extra.is_some();
        drop(file);
        if may_be_complete {
            self.end_if_complete(id, out);
        }
    }

    /// The file of a record other than an open, made if its open was never seen. `None` if its record
    /// has gone out: no id is used twice.
    fn file_of(&mut self, server: u32, fileid: u32) -> Option<u32> {
        match self.files.find(server, fileid) {
            Some(id) => Some(id),
            None if self.was_closed(server, fileid) => None,
            None => {
                let session = self.nobody(server);
                Some(self.add_file(server, fileid, session))
            }
        }
    }

    fn file_report(&mut self, server: u32, report: &FileXfr<'_>) {
        let id = self.file_of(server, report.fileid);
        if let Some(id) = id {
            self.files.touch(id, self.clock.now);
        }
        if let Some(mut file) = id.and_then(|id| self.files.get_mut(id)) {
            let xfr = report.xfr;
            file.totals = [xfr.read(), xfr.readv(), xfr.write()];
            file.known |= known::TOTALS;
        }
    }

    fn file_close(
        &mut self,
        server: u32,
        close: &FileCls<'_>,
        at: f64,
        window: (u32, u32),
        out: &mut impl Sink,
    ) {
        if self.servers.get(server).is_some_and(|server| !server.sends_closes)
            && let Some(mut server) = self.servers.get_mut(server)
        {
            server.sends_closes = true;
        }
        let Some(id) = self.file_of(server, close.fileid) else { return };
        let xfr = close.xfr;
        let close = Close {
            forced: close.forced(),
            from_trace: false,
            read: Some(xfr.read()),
            readv: Some(xfr.readv()),
            write: Some(xfr.write()),
            ops: close.ops(),
            ssq: close.ssq(),
            at,
            window,
        };
        // Nearly always: what leaves at once need not be put down first.
        if self.files.get(id).is_some_and(|file| self.is_complete(file, &close)) {
            return self.end_closed_file(id, Some(&close), Reason::Closed, out);
        }
        self.files.touch(id, self.clock.now);
        if let Some(mut file) = self.files.get_mut(id) {
            file.extra.get_or_insert_with(Box::<Extra>::default).close = Some(close);
        }
        self.hold(id, self.config.late_grace);
    }

    /// Ends a closed file if nothing more about it can be expected.
    pub(super) fn end_if_complete(&mut self, id: u32, out: &mut impl Sink) -> bool {
        let Some(file) = self.files.get(id) else { return false };
        let complete = file.close().is_some_and(|close| self.is_complete(file, close));
        if complete {
            self.end_file(id, Reason::Closed, out);
        }
        complete
    }

    /// Whether nothing more can be expected about a file that was closed like this.
    fn is_complete(&self, file: &File, close: &Close) -> bool {
        if close.from_trace && !self.is_trace_only(file.server) {
            return false;
        }
        // Opens and closes can overtake the requests between them, which travel in other packets.
        let is_counted = !close.from_trace
            || self.servers.get(file.server).is_some_and(|server| {
                !server.sends_requests || all_requests(server, file, close).is_some()
            });
        // Maps of a login that was heard of just now may still be on their way, and nothing tells how
        // many there will be.
        is_counted
            && file.open_seen()
            && file.path.is_some()
            && self.sessions.get(file.session).is_none_or(|session| {
                self.clock.now.saturating_sub(session.first_seen) > self.config.late_grace
            })
    }

    /// A login ended. Its files end too, after a grace for late closes: those of the f-stream come
    /// with the disconnect of the f-stream, and so later than a disconnect of the t-stream.
    pub(super) fn disconnect(&mut self, server: u32, user: u32, ended: Ended, from_trace: bool) {
        let Some(id) = (user != 0).then(|| self.sessions.find(server, user)).flatten() else {
            return;
        };
        let grace = if from_trace && !self.is_trace_only(server) {
            self.config.trace_wait
        } else {
            let window_s = self.servers.get(server).map_or(0, |server| server.window_s);
            let windows = u64::from(window_s.saturating_mul(2).min(LONGEST_GRACE_S)) * SECOND;
            self.config.late_grace.max(windows)
        };
        let due = self.clock.now + grace;
        let Some(mut session) = self.sessions.get_mut(id) else { return };
        let generation = session.generation;
        match &mut session.ended {
            Some(known) if from_trace || known.from_trace == from_trace => {
                known.forced = known.forced.or(ended.forced);
                known.duration_s = known.duration_s.or(ended.duration_s);
                return;
            }
            Some(known) => {
                let (forced, duration_s) = (known.forced, known.duration_s);
                // Whichever wait is over first ends the login.
                let due = known.due.min(due);
                **known = Ended { forced, duration_s, due, ..ended };
            }
            None => session.ended = Some(Box::new(Ended { from_trace, due, ..ended })),
        }
        let due = session.ended.as_ref().map_or(due, |ended| ended.due);
        drop(session);
        self.wait(Wait::Session, id, due, generation);
    }
}
