//! Summary reports as differences to the report before, as xrootd-monitoring-collector sends them.

use hashbrown::HashMap;
use serde_json::{Map, Value};

use super::clock;
use super::object::Object;
use crate::access::record::Summary;
use crate::limits::MAX_SUMMARY_SOURCES;

/// Counters: key of the record, and where the report has them.
const COUNTERS: &[(&str, &[&str])] = &[
    ("link_total", &["link", "tot"]),
    ("link_in", &["link", "in"]),
    ("link_out", &["link", "out"]),
    ("link_ctime", &["link", "ctime"]),
    ("link_tmo", &["link", "tmo"]),
    ("proc_usr", &["proc", "usr", "s"]),
    ("proc_sys", &["proc", "sys", "s"]),
    ("ops_open", &["xrootd", "ops", "open"]),
    ("ops_preread", &["xrootd", "ops", "pr"]),
    ("ops_read", &["xrootd", "ops", "rd"]),
    ("ops_readv", &["xrootd", "ops", "rv"]),
    ("ops_sync", &["xrootd", "ops", "sync"]),
    ("ops_write", &["xrootd", "ops", "wr"]),
    ("xrootd_errors", &["xrootd", "err"]),
    ("xrootd_delays", &["xrootd", "dly"]),
    ("xrootd_redirections", &["xrootd", "rdr"]),
    ("login_attempts", &["xrootd", "lgn", "num"]),
    ("authentication_failures", &["xrootd", "lgn", "af"]),
    ("authentication_successes", &["xrootd", "lgn", "au"]),
    ("unauthenticated_successes", &["xrootd", "lgn", "ua"]),
];

const GAUGES: &[(&str, &[&str])] = &[
    ("link_num", &["link", "num"]),
    ("sched_in_queue", &["sched", "inq"]),
    ("sched_threads", &["sched", "threads"]),
    ("sched_idle_threads", &["sched", "idle"]),
    ("sgen_as", &["sgen", "as"]),
];

/// Of a program that does not say where it is.
const UNKNOWN_SITE: &str = "UnknownSite";

/// The last report of a process.
struct Report {
    reported_at: i64,
    counters: [Option<i64>; COUNTERS.len()],
}

/// The last report of each process, by its address and its process id.
#[derive(Default)]
pub(super) struct Summaries {
    last: HashMap<(Box<str>, i64), Report>,
}

impl Summaries {
    /// Appends what changed since the report before. The first report of a process has nothing to be
    /// compared with, and an older one comes too late.
    pub fn write(&mut self, summary: &Summary<'_>, out: &mut Vec<u8>) -> bool {
        // Redirectors' cmsd reports too; this collector has never sent those on.
        if summary.server_program.is_some_and(|program| program != "xrootd") {
            return false;
        }
        let Some(site) = summary.server_site else {
            let mut object = Object::begin(out);
            head(summary, UNKNOWN_SITE, &mut object);
            object.end_line();
            return true;
        };
        let text = summary.stats.map_or("{}", |stats| stats.0);
        let Ok(Value::Object(stats)) = serde_json::from_str(text) else { return false };
        let report = Report {
            reported_at: summary.reported_at.unwrap_or(0),
            counters: std::array::from_fn(|at| {
                COUNTERS.get(at).and_then(|(_, place)| int(&stats, place))
            }),
        };
        let address = summary.server_address.unwrap_or("unknown");
        let key = (Box::from(address), summary.server_pid.unwrap_or(-1));
        let is_written = match self.last.get(&key) {
            Some(last) if report.reported_at < last.reported_at => return false,
            Some(last) => {
                let mut object = Object::begin(out);
                head(summary, site, &mut object);
                body(&stats, &mut object);
                differences(last, &report, &mut object);
                object.end_line();
                true
            }
            None => false,
        };
        if !self.last.contains_key(&key) {
            self.make_room();
        }
        self.last.insert(key, report);
        is_written
    }

    /// The process that has been silent for longest leaves.
    fn make_room(&mut self) {
        if self.last.len() < MAX_SUMMARY_SOURCES {
            return;
        }
        let oldest = self.last.iter().min_by_key(|(_, report)| report.reported_at);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.last.remove(&key);
        }
    }
}

fn head(summary: &Summary<'_>, site: &str, object: &mut Object<'_>) {
    object.text("server_ip", summary.server_address.unwrap_or("unknown"));
    object.text("type", "summary");
    object.int("pid", summary.server_pid.unwrap_or(0));
    let reported = clock::iso(summary.reported_at.unwrap_or(0));
    object.text("timestamp", &reported);
    object.text("tos", &clock::iso(summary.server_started_at.unwrap_or(0)));
    object.text("cstart", &reported);
    object.text("version", summary.server_version.unwrap_or(""));
    object.text("site", site);
}

fn body(stats: &Map<String, Value>, object: &mut Object<'_>) {
    let host = value(stats, &["info", "host"]).and_then(Value::as_str);
    object.known_text("host", host);
    for (key, place) in GAUGES {
        object.known_int(key, int(stats, place));
    }
    if let Some(end) = int(stats, &["sgen", "toe"]) {
        object.text("cend", &clock::iso(end));
    }
}

/// A counter that fell began anew: what it shows is all there was since.
fn differences(last: &Report, now: &Report, object: &mut Object<'_>) {
    let counters = COUNTERS.iter().zip(last.counters.iter().zip(&now.counters));
    for ((key, _), (last, now)) in counters {
        if let Some(now) = *now {
            let difference = now.saturating_sub(last.unwrap_or(0));
            object.int(key, if difference < 0 { now } else { difference });
        }
    }
}

fn value<'a>(stats: &'a Map<String, Value>, place: &[&str]) -> Option<&'a Value> {
    let (first, rest) = place.split_first()?;
    rest.iter().try_fold(stats.get(*first)?, |value, key| value.get(key))
}

fn int(stats: &Map<String, Value>, place: &[&str]) -> Option<i64> {
    let value = value(stats, place)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::record::Json;

    fn report(at: i64, pid: i64, stats: &str) -> (i64, i64, String) {
        (at, pid, stats.to_owned())
    }

    fn feed(summaries: &mut Summaries, (at, pid, stats): &(i64, i64, String)) -> Option<Value> {
        let summary = Summary {
            server_address: Some("192.0.2.1"),
            server_site: Some("HERE"),
            server_version: Some("v5.7.1"),
            server_started_at: Some(1_700_000_000),
            server_pid: Some(*pid),
            reported_at: Some(*at),
            stats: Some(Json(stats)),
            ..Summary::default()
        };
        let mut out = Vec::new();
        summaries.write(&summary, &mut out).then(|| serde_json::from_slice(&out).expect("JSON"))
    }

    #[test]
    fn reports_are_differences_to_the_one_before() {
        let mut summaries = Summaries::default();
        let first = report(100, 7, r#"{"link":{"num":3,"tot":10,"in":5}}"#);
        assert_eq!(feed(&mut summaries, &first), None);
        let other = report(105, 8, r#"{"link":{"num":1,"tot":1,"in":1}}"#);
        assert_eq!(feed(&mut summaries, &other), None);
        let next = report(
            110,
            7,
            r#"{"link":{"num":2,"tot":14,"in":2},"info":{"host":"srv"},"sgen":{"as":1,"toe":111}}"#,
        );
        let expected = serde_json::json!({
            "server_ip": "192.0.2.1", "type": "summary", "pid": 7,
            "timestamp": "1970-01-01T00:01:50", "cstart": "1970-01-01T00:01:50",
            "tos": "2023-11-14T22:13:20", "version": "v5.7.1", "site": "HERE", "host": "srv",
            "link_num": 2, "link_total": 4, "link_in": 2, "sgen_as": 1,
            "cend": "1970-01-01T00:01:51",
        });
        assert_eq!(feed(&mut summaries, &next), Some(expected));
        assert_eq!(feed(&mut summaries, &report(109, 7, "{}")), None);
        let after = feed(&mut summaries, &report(120, 7, r#"{"link":{"tot":15}}"#));
        assert_eq!(after.expect("a record")["link_total"], 1);
    }

    #[test]
    fn programs_without_a_site_say_so_at_once() {
        let mut out = Vec::new();
        assert!(Summaries::default().write(&Summary::default(), &mut out));
        let record: Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(record["site"], UNKNOWN_SITE);
        assert_eq!(record.as_object().expect("object").len(), 8);
    }

    #[test]
    fn only_servers_of_files_are_told_of() {
        let cmsd = Summary { server_program: Some("cmsd"), ..Summary::default() };
        assert!(!Summaries::default().write(&cmsd, &mut Vec::new()));
    }

    #[test]
    fn only_so_many_processes_are_remembered() {
        let mut summaries = Summaries::default();
        for pid in 0..MAX_SUMMARY_SOURCES as i64 + 10 {
            feed(&mut summaries, &report(pid, pid, "{}"));
        }
        assert_eq!(summaries.last.len(), MAX_SUMMARY_SOURCES);
        assert!(feed(&mut summaries, &report(1, 1, "{}")).is_none());
    }
}
