//! g-stream events, typed by their provider.
//!
//! Most lines are JSON objects. Providers do not escape what they put between quotes, so a line
//! may not be JSON at all: then its bytes are all there is. Every key but the event name is
//! optional, keys that are not listed are kept in `extra`, and the parsed object is kept whole
//! (`XrdPfcFile.cc`, `XrdXrootdTpcMon.cc`, `XrdThrottleManager.cc`, `XrdOssStatsFileSystem.cc`,
//! `XrdHttpMon.cc`).

use serde_json::{Map as Object, Value};

use crate::cursor::{split_once, unsigned};
use crate::limits::MAX_JSON_DEPTH;

/// The JSON object in a line, or `None` if the line is something else.
pub fn parse(line: &[u8]) -> Option<Object<String, Value>> {
    if depth(line) > MAX_JSON_DEPTH {
        return None;
    }
    match serde_json::from_slice(line) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// How deep brackets nest; those inside strings count too, which only errs on the safe side.
fn depth(line: &[u8]) -> usize {
    let (mut now, mut most) = (0usize, 0usize);
    for byte in line {
        match byte {
            b'{' | b'[' => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

fn text<'a>(object: &'a Object<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

fn int(object: &Object<String, Value>, key: &str) -> Option<i64> {
    let value = object.get(key)?;
    // Some plug-ins print whole numbers in floating-point notation.
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
    })
}

fn float(object: &Object<String, Value>, key: &str) -> Option<f64> {
    object.get(key)?.as_f64()
}

/// `C`: a file of the proxy cache was closed.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheClose<'a> {
    pub lfn: Option<&'a str>,
    /// Bytes: the file, a block of the cache.
    pub size: Option<i64>,
    pub blk_size: Option<i64>,
    /// Blocks: of the file, in the cache.
    pub n_blks: Option<i64>,
    pub n_blks_done: Option<i64>,
    pub access_cnt: Option<i64>,
    /// UNIX seconds of this access.
    pub attach_t: Option<i64>,
    pub detach_t: Option<i64>,
    /// Bytes from the cache, fetched and kept, fetched and not kept, written, prefetched.
    pub b_hit: Option<i64>,
    pub b_miss: Option<i64>,
    pub b_bypass: Option<i64>,
    pub b_todisk: Option<i64>,
    pub b_prefetch: Option<i64>,
    pub n_cks_errs: Option<i64>,
}

/// `P`: a third-party copy ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ThirdPartyCopy<'a> {
    /// `xroot` or `http`.
    pub protocol: Option<&'a str>,
    pub client: Option<&'a str>,
    /// UTC epoch seconds.
    pub began_at: Option<f64>,
    pub ended_at: Option<f64>,
    /// 0 is success.
    pub return_code: Option<i64>,
    pub streams: Option<i64>,
    /// `pull` or `push`.
    pub direction: Option<&'a str>,
    pub ip_version: Option<i64>,
    pub source: Option<&'a str>,
    pub destination: Option<&'a str>,
    /// Bytes.
    pub size: Option<i64>,
}

/// `R`: load of the throttle plug-in.
#[derive(Clone, Debug, PartialEq)]
pub struct ThrottleUpdate {
    /// Seconds since start.
    pub io_wait: Option<f64>,
    pub io_active: Option<i64>,
    pub io_total: Option<i64>,
}

/// `T`: a connection ended, as the public plug-in xrootd-tcp-stats reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct TcpStats<'a> {
    pub remote: Option<&'a str>,
    /// Smoothed round-trip time, microseconds.
    pub rtt: Option<f64>,
    pub lost: Option<i64>,
    pub retrans: Option<i64>,
    pub bytes_in: Option<i64>,
    pub bytes_out: Option<i64>,
}

/// An event by its provider.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
    Cache(CacheClose<'a>),
    Copy(ThirdPartyCopy<'a>),
    Throttle(ThrottleUpdate),
    Tcp(TcpStats<'a>),
    /// Cumulative counters: `oss` and `http`, whose keys are the counters' names.
    Counters,
    /// A provider or an event type without a known shape.
    Other,
}

impl<'a> Event<'a> {
    pub fn typed(provider: Option<u8>, object: &'a Object<String, Value>) -> Self {
        match provider {
            Some(b'C') if object.contains_key("lfn") => Self::Cache(CacheClose {
                lfn: text(object, "lfn"),
                size: int(object, "size"),
                blk_size: int(object, "blk_size"),
                n_blks: int(object, "n_blks"),
                n_blks_done: int(object, "n_blks_done"),
                access_cnt: int(object, "access_cnt"),
                attach_t: int(object, "attach_t"),
                detach_t: int(object, "detach_t"),
                b_hit: int(object, "b_hit"),
                b_miss: int(object, "b_miss"),
                b_bypass: int(object, "b_bypass"),
                b_todisk: int(object, "b_todisk"),
                b_prefetch: int(object, "b_prefetch"),
                n_cks_errs: int(object, "n_cks_errs"),
            }),
            Some(b'P') if object.contains_key("TPC") => Self::Copy(copy(object)),
            Some(b'R') => Self::Throttle(ThrottleUpdate {
                io_wait: float(object, "io_wait"),
                io_active: int(object, "io_active"),
                io_total: int(object, "io_total"),
            }),
            Some(b'T') => Self::Tcp(TcpStats {
                remote: text(object, "remote"),
                rtt: float(object, "rtt"),
                lost: int(object, "lost"),
                retrans: int(object, "retrans"),
                bytes_in: int(object, "bytes_in"),
                bytes_out: int(object, "bytes_out"),
            }),
            Some(b'O' | b'H') => Self::Counters,
            _ => Self::Other,
        }
    }
}

fn copy(object: &Object<String, Value>) -> ThirdPartyCopy<'_> {
    let xeq = object.get("Xeq").and_then(Value::as_object);
    ThirdPartyCopy {
        protocol: text(object, "TPC"),
        client: text(object, "Client"),
        began_at: xeq.and_then(|xeq| copy_time(text(xeq, "Beg")?)),
        ended_at: xeq.and_then(|xeq| copy_time(text(xeq, "End")?)),
        return_code: xeq.and_then(|xeq| int(xeq, "RC")),
        streams: xeq.and_then(|xeq| int(xeq, "Strm")),
        direction: xeq.and_then(|xeq| text(xeq, "Type")),
        ip_version: xeq.and_then(|xeq| int(xeq, "IPv")),
        source: text(object, "Src"),
        destination: text(object, "Dst"),
        size: int(object, "Size"),
    }
}

/// `YYYY-MM-DDThh:mm:ss.<usec>Z` as UTC epoch seconds. The digits behind the dot are a count of
/// microseconds, not a fraction: `.045` is 45 µs.
pub fn copy_time(text: &str) -> Option<f64> {
    let text = text.strip_suffix('Z')?.as_bytes();
    let (seconds, micros) = split_once(text, b'.').unwrap_or((text, b"0"));
    let field = |from: usize, to: usize| unsigned(seconds.get(from..to)?);
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if seconds.len() != 19 || separators.iter().any(|(at, byte)| seconds.get(*at) != Some(byte)) {
        return None;
    }
    let (month, day) = (field(5, 7)?, field(8, 10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_since_epoch(field(0, 4)? as i64, month as i64, day as i64);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    let micros = unsigned(micros).filter(|micros| *micros < 1_000_000)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days * 86_400 + (hour * 3600 + minute * 60 + second) as i64;
    Some(seconds as f64 + micros as f64 / 1e6)
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, with years that begin in March so that
/// the leap day comes last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_are_a_count() {
        assert_eq!(copy_time("2023-11-14T22:13:20.045Z"), Some(1_700_000_000.000_045));
        assert_eq!(copy_time("2023-11-14T22:14:30.4321Z"), Some(1_700_000_070.004_321));
        assert_eq!(copy_time("2024-02-29T00:00:00.000Z"), Some(1_709_164_800.0));
        for bad in [
            "",
            "Z",
            "2023-13-14T22:13:20.0Z",
            "2023-11-14 22:13:20.0Z",
            "2023-11-14T22:13:20.12345678Z",
        ] {
            assert_eq!(copy_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_object_stays_raw() {
        assert!(parse(b"{\"lfn\":\"/a\"b\"}").is_none());
        assert!(parse(b"[1]").is_none());
        assert!(parse(b"{\"n\":1e999}").is_none());
        let deep = format!("{}{}", "{\"a\":".repeat(65), "1".to_owned() + &"}".repeat(65));
        assert!(parse(deep.as_bytes()).is_none());
    }

    #[test]
    fn missing_keys_are_absent_and_unknown_ones_kept() {
        let object =
            parse(br#"{"event":"file_close","lfn":"/f","b_hit":1e3,"new":7}"#).expect("object");
        let Event::Cache(close) = Event::typed(Some(b'C'), &object) else { panic!("not typed") };
        assert_eq!((close.lfn, close.b_hit, close.size), (Some("/f"), Some(1000), None));
        assert_eq!(object.get("new"), Some(&Value::from(7)));
    }
}
