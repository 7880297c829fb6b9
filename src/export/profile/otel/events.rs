//! What each kind of record says.

use serde_json::Value;

use super::attributes::Attributes;
use super::identity::{self, Ids};
use super::{Event, clock};
use crate::access::record::{FileAccess, IoEvent, PluginEvent, Redirect, ServerIdent, Session};
use crate::export::profile::facts::is_local;
use crate::export::profile::numbers::{count, segments};

/// An access is told when it was closed.
pub(super) fn access<'a>(access: &'a FileAccess<'a>) -> Option<Event<'a>> {
    if access.close_seen != Some(true) {
        return None;
    }
    let is_write = access.write_bytes.is_some_and(|bytes| bytes > 0);
    Some(Event {
        name: if is_write { "xrootd.write" } else { "xrootd.read" },
        at: access.closed_at,
        is_error: false,
        server: &access.server,
        user: Some(&access.user),
        span: Some((access.file_id.unwrap_or(0), access.closed_at.unwrap_or(0.0))),
    })
}

pub(super) fn of_access(access: &FileAccess<'_>, attributes: &mut Attributes<'_>) {
    let Some(event) = self::access(access) else { return };
    identity::file(access.path, attributes);
    attributes.int("file.size", access.file_size_bytes);
    let is_writable = access.mode.map(|mode| mode == "read-write");
    attributes.boolean("xrootd.file.read_write", is_writable);
    identity::user(&access.user, &Ids::new(&event), attributes);
    attributes.text("xrootd.operation.name", event.name.strip_prefix("xrootd."));
    attributes.text("xrootd.operation.state", Some("Successful"));
    let started = access.opened_at.map(clock::millis);
    attributes.text("xrootd.operation.start_time", started.as_deref());
    let duration = access.closed_at.zip(access.opened_at).map(|(end, start)| end - start);
    attributes.float("xrootd.operation.duration", duration.map(tidy));
    attributes.boolean("xrootd.open_seen", access.open_seen);
    let forced = access.close_reason.map(|reason| reason == "disconnect");
    attributes.boolean("xrootd.forced_close", forced);
    attributes.boolean("xrootd.is_local", is_local(&access.user, &access.server));
    amounts(access, attributes);
}

/// Microseconds are all that packets tell.
fn tidy(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

fn amounts(access: &FileAccess<'_>, attributes: &mut Attributes<'_>) {
    attributes.amount("xrootd.read_bytes", access.read_bytes);
    attributes.amount("xrootd.readv_bytes", access.readv_bytes);
    attributes.amount("xrootd.write_bytes", access.write_bytes);
    let (reads, readvs, writes) = (access.read_ops, access.readv_ops, access.write_ops);
    for (key, calls) in
        [("xrootd.read_ops", reads), ("xrootd.readv_ops", readvs), ("xrootd.write_ops", writes)]
    {
        attributes.amount(key, calls.map(|calls| count(Some(calls))));
    }
    attributes.amount("xrootd.readv_segs", access.readv_segments);
    // An operation that never ran has extremes of 0; without any they were not measured.
    for (key, calls, extreme) in [
        ("xrootd.read_min", reads, access.read_min_bytes),
        ("xrootd.read_max", reads, access.read_max_bytes),
        ("xrootd.readv_min", readvs, access.readv_min_bytes),
        ("xrootd.readv_max", readvs, access.readv_max_bytes),
        ("xrootd.write_min", writes, access.write_min_bytes),
        ("xrootd.write_max", writes, access.write_max_bytes),
    ] {
        attributes.amount(key, extreme.map(|size| count(Some(size))).or(calls.filter(|n| *n == 0)));
    }
    for (key, extreme) in [
        ("xrootd.readv_segs_min", access.readv_min_segments),
        ("xrootd.readv_segs_max", access.readv_max_segments),
    ] {
        let extreme = extreme.map(|number| segments(Some(number)));
        attributes.amount(key, extreme.or(readvs.filter(|n| *n == 0)));
    }
    for (key, calls, sum, sigma) in [
        ("xrootd.read_sumsq", reads, access.read_bytes, access.read_sigma_bytes),
        ("xrootd.readv_sumsq", readvs, access.readv_bytes, access.readv_sigma_bytes),
        ("xrootd.rsegs_sumsq", readvs, access.readv_segments, access.readv_sigma_segments),
        ("xrootd.write_sumsq", writes, access.write_bytes, access.write_sigma_bytes),
    ] {
        attributes.float(key, sum_of_squares(calls, sum, sigma));
    }
}

/// The records keep standard deviations; the sum of squares follows from one.
fn sum_of_squares(calls: Option<i64>, sum: Option<i64>, sigma: Option<f64>) -> Option<f64> {
    let (calls, sum, sigma) = (calls.filter(|calls| *calls > 0)? as f64, sum? as f64, sigma?);
    let mean = sum / calls;
    Some((calls * (sigma * sigma + mean * mean)).round())
}

/// A session is told when its client left.
pub(super) fn session<'a>(session: &'a Session<'a>) -> Option<Event<'a>> {
    let ended_at = session.ended_at?;
    Some(Event {
        name: "xrootd.session",
        at: Some(ended_at),
        is_error: false,
        server: &session.server,
        user: Some(&session.user),
        span: None,
    })
}

pub(super) fn of_session(session: &Session<'_>, attributes: &mut Attributes<'_>) {
    let Some(event) = self::session(session) else { return };
    identity::user(&session.user, &Ids::new(&event), attributes);
    let counted = session.duration_s.map(|seconds| seconds as f64);
    let (started, source) = match (session.started_at, session.ended_at.zip(counted)) {
        (Some(started), _) => (Some(started), Some("login")),
        (None, Some((ended, counted))) => (Some(ended - counted), Some("disconnect")),
        (None, None) => (None, None),
    };
    let text = |at: Option<f64>| at.map(clock::millis);
    attributes.text("xrootd.session.start_time", text(started).as_deref());
    attributes.text("xrootd.session.end_time", text(session.ended_at).as_deref());
    let measured = session.ended_at.zip(started).map(|(end, start)| tidy(end - start));
    attributes.float("xrootd.session.duration", counted.or(measured));
    attributes.text("xrootd.session.start_time_source", source);
    attributes.amount("xrootd.session.files", session.files);
    attributes.int("xrootd.session.read_bytes", session.read_bytes);
    attributes.int("xrootd.session.readv_bytes", session.readv_bytes);
    attributes.int("xrootd.session.write_bytes", session.write_bytes);
}

pub(super) fn redirect<'a>(redirect: &'a Redirect<'a>) -> Event<'a> {
    let at = redirect.window_start.map(|start| start as f64);
    Event {
        name: "xrootd.redirect",
        at,
        is_error: false,
        server: &redirect.server,
        user: Some(&redirect.user),
        span: Some((redirect.port.unwrap_or(0), at.unwrap_or(0.0))),
    }
}

pub(super) fn of_redirect(redirect: &Redirect<'_>, attributes: &mut Attributes<'_>) {
    identity::file(redirect.path, attributes);
    identity::user(&redirect.user, &Ids::new(&self::redirect(redirect)), attributes);
    let operation = redirect.operation.map(|name| name.replace('_', "-"));
    attributes.text("xrootd.operation.name", operation.as_deref());
    attributes.text("xrootd.operation.state", Some("Redirected"));
    attributes.text(
        "xrootd.redirect.kind",
        match redirect.kind {
            Some("cluster") => Some("remote"),
            Some("configuration") => Some("local"),
            other => other,
        },
    );
    attributes.text("xrootd.redirect.target.address", redirect.target_host);
    // The port of what the cluster decided is mostly the redirector's own.
    attributes.int("xrootd.redirect.target.port", redirect.target_port);
}

pub(super) fn io_name(operation: &str) -> String {
    format!("xrootd.io.{operation}")
}

pub(super) fn io<'a>(io: &'a IoEvent<'a>, name: &'a str) -> Event<'a> {
    Event {
        name,
        at: io.at,
        is_error: false,
        server: &io.server,
        user: Some(&io.user),
        span: Some((io.file_id.unwrap_or(0), io.at.unwrap_or(0.0))),
    }
}

pub(super) fn of_io(io: &IoEvent<'_>, attributes: &mut Attributes<'_>) {
    identity::file(io.path, attributes);
    attributes.int("file.size", io.file_size_bytes);
    identity::user(&io.user, &Ids::new(&self::io(io, "")), attributes);
    attributes.amount("xrootd.io.offset", io.offset_bytes);
    attributes.amount("xrootd.io.length", io.length_bytes);
}

pub(super) fn plugin<'a>(plugin: &'a PluginEvent<'a>) -> Event<'a> {
    let at = plugin.window_end.or(plugin.window_start).map(|at| at as f64);
    Event {
        name: "xrootd.gstream",
        at,
        is_error: false,
        server: &plugin.server,
        user: None,
        span: Some((0, at.unwrap_or(0.0))),
    }
}

pub(super) fn of_plugin(plugin: &PluginEvent<'_>, attributes: &mut Attributes<'_>) {
    attributes.text("xrootd.gstream.provider", plugin.provider_name.or(plugin.provider));
    let data = plugin.data.and_then(|json| serde_json::from_str::<Value>(json.0).ok());
    match data {
        Some(data) => attributes.json("xrootd.gstream.data", &data),
        None => attributes.text("xrootd.gstream.data", plugin.raw),
    }
}

pub(super) fn server<'a>(server: &'a ServerIdent<'a>) -> Event<'a> {
    Event {
        name: "xrootd.server_ident",
        at: server.first_seen_at,
        is_error: false,
        server: &server.server,
        user: None,
        span: Some((0, server.first_seen_at.unwrap_or(0.0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_squares_come_back() {
        // 100 and 8 bytes.
        assert_eq!(sum_of_squares(Some(2), Some(108), Some(46.0)), Some(10_064.0));
        assert_eq!(sum_of_squares(Some(0), Some(0), Some(0.0)), None);
    }
}
