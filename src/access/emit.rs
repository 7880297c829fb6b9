//! From rows to records.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

use super::correlator::Correlator;
use super::files::{Close, File, Requests, known};
use super::incarnation::Server;
use super::record::{FileAccess, ServerIdent, Session, Sink};
use super::sequence::SECOND;
use super::stats::Reason;
use crate::xrootd::fstat::{StatOps, StatSsq};

/// Seconds of the epoch, as records give them.
pub(super) fn seconds(micros: u64) -> Option<f64> {
    (micros != 0).then(|| micros as f64 / SECOND as f64)
}

/// A path for people and, where that loses something, its bytes.
struct Shown<'a> {
    text: Cow<'a, str>,
    raw: Option<String>,
}

impl<'a> Shown<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self { text: text.into(), raw: None },
            Err(_) => {
                Self { text: String::from_utf8_lossy(bytes), raw: Some(STANDARD.encode(bytes)) }
            }
        }
    }
}

impl Correlator {
    /// Sends out the record of a file, closed like this, and adds it to its session. Answers the reason
    /// that the record gives, which is better than `reason` where the file was closed.
    pub(super) fn emit_access(
        &mut self,
        id: u32,
        close: Option<&Close>,
        reason: Reason,
        out: &mut impl Sink,
    ) -> Reason {
        let (Some(file), Some(session)) = (
            self.files.get(id),
            self.files.get(id).and_then(|file| self.sessions.get(file.session)),
        ) else {
            return reason;
        };
        let Some(server) = self.servers.get(file.server) else { return reason };
        let reason = match close {
            Some(close) if close.forced => Reason::Disconnect,
            Some(_) => Reason::Closed,
            None if session.ended.is_some() && reason != Reason::Evicted => Reason::Disconnect,
            None => reason,
        };
        let path = file.path.as_deref().map(Shown::new);
        let open_since = if file.open_seen() { file.open_serial } else { 0 };
        let mut record = FileAccess {
            server: server.columns(),
            file_id: Some(i64::from(file.fileid)),
            path: path.as_ref().map(|path| &*path.text),
            path_raw: path.as_ref().and_then(|path| path.raw.as_deref()),
            user: session.columns(),
            open_seen: Some(file.open_seen()),
            close_seen: Some(close.is_some()),
            close_reason: Some(reason.name()),
            loss_suspected: Some(server.newest_gap() > open_since),
            ..FileAccess::default()
        };
        fill_open(&mut record, file);
        match (close, &session.ended) {
            (Some(close), _) => {
                fill_window(&mut record, close.at, close.window);
                fill_close(&mut record, close);
            }
            (None, Some(ended)) if reason == Reason::Disconnect => {
                if let Some(at) = ended.at {
                    fill_window(&mut record, at, ended.window);
                }
            }
            _ => {}
        }
        if file.knows(known::TOTALS) && close.is_none_or(|close| is_sum_of(close, file.totals)) {
            fill_totals(&mut record, file.totals);
        }
        if let Some(close) = close.filter(|close| close.from_trace)
            && let Some(requests) = all_requests(server, file, close)
        {
            fill_requests(&mut record, &requests);
        }
        out.access(&record);
        let sums = [record.read_bytes, record.readv_bytes, record.write_bytes];
        let [read, readv, write] = sums.map(|bytes| bytes.unwrap_or(0));
        let owner = file.session;
        if let Some(mut session) = self.sessions.get_mut(owner) {
            let totals = &mut session.totals;
            totals.files += 1;
            totals.read = totals.read.saturating_add(read);
            totals.readv = totals.readv.saturating_add(readv);
            totals.write = totals.write.saturating_add(write);
        }
        reason
    }

    pub(super) fn emit_session(&mut self, id: u32, reason: Reason, out: &mut impl Sink) {
        let Some(session) = self.sessions.get(id).filter(|session| !session.nobody) else { return };
        let Some(server) = self.servers.get(session.server) else { return };
        let ended = session.ended.as_deref();
        let reason = if ended.is_some() { Reason::Disconnect } else { reason };
        let window = ended.map(|ended| ended.window).filter(|window| *window != (0, 0));
        let described = session.user.as_ref().is_some_and(|user| user.described);
        out.session(&Session {
            server: server.columns(),
            user: session.columns(),
            started_at: described.then(|| seconds(self.clock.wall(session.first_seen))).flatten(),
            ended_at: ended.and_then(|ended| ended.at),
            end_window_start: window.map(|(start, _)| i64::from(start)),
            end_window_end: window.map(|(_, end)| i64::from(end)),
            duration_s: ended.and_then(|ended| ended.duration_s).map(i64::from),
            end_reason: Some(reason.name()),
            forced: ended.and_then(|ended| ended.forced),
            files: Some(session.totals.files),
            read_bytes: Some(session.totals.read),
            readv_bytes: Some(session.totals.readv),
            write_bytes: Some(session.totals.write),
            loss_suspected: Some(server.newest_gap() > session.first_serial),
        });
    }

    pub(super) fn emit_server(&self, id: u32, out: &mut impl Sink) {
        let Some(server) = self.servers.get(id) else { return };
        let ident = server.ident.as_deref();
        out.server(&ServerIdent {
            server: server.columns(),
            server_user: ident.and_then(|ident| ident.user.as_deref()),
            server_pid: ident.and_then(|ident| ident.pid),
            identified: Some(ident.is_some()),
            first_seen_at: seconds(self.clock.wall(server.first_seen)),
        });
    }
}

fn fill_open(record: &mut FileAccess<'_>, file: &File) {
    if file.knows(known::SIZE) {
        record.file_size_bytes = Some(file.size);
    }
    if file.knows(known::MODE) {
        record.mode = Some(if file.knows(known::WRITABLE) { "read-write" } else { "read" });
    }
    if file.open_seen() {
        record.opened_at = Some(file.opened_at);
        if file.open_window != (0, 0) {
            record.open_window_start = Some(i64::from(file.open_window.0));
            record.open_window_end = Some(i64::from(file.open_window.1));
        }
    }
}

fn fill_window(record: &mut FileAccess<'_>, at: f64, window: (u32, u32)) {
    record.closed_at = Some(at);
    if window != (0, 0) {
        record.close_window_start = Some(i64::from(window.0));
        record.close_window_end = Some(i64::from(window.1));
    }
}

fn fill_totals(record: &mut FileAccess<'_>, [read, readv, write]: [i64; 3]) {
    record.read_bytes = Some(read);
    record.readv_bytes = Some(readv);
    record.write_bytes = Some(write);
}

/// Whether a close of the t-stream sums up what the last report told apart.
fn is_sum_of(close: &Close, [read, readv, write]: [i64; 3]) -> bool {
    let reported = Requests { read, readv, write, ..Requests::default() };
    let totals = close.read.zip(close.write).filter(|_| close.from_trace);
    totals.is_some_and(|(read, written)| reported.add_up_to(read, written))
}

fn fill_close(record: &mut FileAccess<'_>, close: &Close) {
    record.read_bytes = close.read;
    record.readv_bytes = close.readv;
    record.write_bytes = close.write;
    if let Some(ops) = &close.ops {
        fill_ops(record, ops);
        if let Some(ssq) = close.ssq.as_ref().filter(|ssq| ssq.is_sound()) {
            fill_sigmas(record, close, ops, ssq);
        }
    }
}

fn fill_ops(record: &mut FileAccess<'_>, ops: &StatOps) {
    record.read_ops = Some(i64::from(ops.read));
    record.readv_ops = Some(i64::from(ops.readv));
    record.write_ops = Some(i64::from(ops.write));
    record.readv_segments = Some(ops.rsegs);
    (record.read_min_bytes, record.read_max_bytes) = extremes(ops.read, ops.rdmin, ops.rdmax);
    (record.readv_min_bytes, record.readv_max_bytes) = extremes(ops.readv, ops.rvmin, ops.rvmax);
    (record.write_min_bytes, record.write_max_bytes) = extremes(ops.write, ops.wrmin, ops.wrmax);
    (record.readv_min_segments, record.readv_max_segments) =
        extremes(ops.readv, i32::from(ops.rsmin), i32::from(ops.rsmax));
}

/// Nothing was done, or nobody kept count: a server that saw only pgreads sends a least value above
/// its greatest.
fn extremes(count: i32, least: i32, greatest: i32) -> (Option<i64>, Option<i64>) {
    if count == 0 || least > greatest {
        return (None, None);
    }
    (Some(i64::from(least)), Some(i64::from(greatest)))
}

fn fill_sigmas(record: &mut FileAccess<'_>, close: &Close, ops: &StatOps, ssq: &StatSsq) {
    record.read_sigma_bytes = sigma(ops.read, close.read, ssq.read);
    record.readv_sigma_bytes = sigma(ops.readv, close.readv, ssq.readv);
    record.write_sigma_bytes = sigma(ops.write, close.write, ssq.write);
    record.readv_sigma_segments = sigma(ops.readv, Some(ops.rsegs), ssq.rsegs);
}

/// Standard deviation from a count, a sum and a sum of squares; rounding must not make it imaginary.
fn sigma(count: i32, sum: Option<i64>, squares: f64) -> Option<f64> {
    if count <= 0 {
        return None;
    }
    let mean = sum? as f64 / f64::from(count);
    let variance = squares / f64::from(count) - mean * mean;
    Some(variance.max(0.0).sqrt())
}

/// The single requests of a file that the t-stream closed, if none of them is missing.
pub(super) fn all_requests(server: &Server, file: &File, close: &Close) -> Option<Requests> {
    let extra = file.extra.as_ref()?;
    let requests = extra.requests.or_else(|| server.sends_requests.then(Requests::default))?;
    requests.add_up_to(close.read?, close.write?).then_some(requests)
}

fn fill_requests(record: &mut FileAccess<'_>, requests: &Requests) {
    fill_totals(record, [requests.read, requests.readv, requests.write]);
    record.read_ops = Some(i64::from(requests.reads));
    record.readv_ops = Some(i64::from(requests.readvs));
    record.write_ops = Some(i64::from(requests.writes));
    record.readv_segments = Some(requests.segments);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigma_is_the_standard_deviation() {
        // 100 and 8 bytes: mean 54, 46 away on both sides.
        assert_eq!(sigma(2, Some(108), 10064.0), Some(46.0));
        assert_eq!(sigma(2, Some(200), 19999.999), Some(0.0));
        assert_eq!(sigma(0, Some(0), 0.0), None);
    }

    #[test]
    fn untracked_extremes_are_unknown() {
        assert_eq!(extremes(1, i32::MAX, 0), (None, None));
        assert_eq!(extremes(0, 0, 0), (None, None));
        assert_eq!(extremes(2, 0, 5), (Some(0), Some(5)));
    }
}
