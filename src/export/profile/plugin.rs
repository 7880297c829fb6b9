//! Events of plug-ins as the OSG and WLCG collectors send them: caches, third-party copies and TCP
//! connections with other keys, everything else as it came.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Context;
use super::facts::{self, Origin, Producer};
use crate::access::record::{PluginEvent, Server};
use crate::export::json::one_line;

/// Keys of a cached file's close.
const CACHE: &[(&str, &str)] = &[
    ("lfn", "file_path"),
    ("blk_size", "block_size"),
    ("n_blks", "numbers_blocks"),
    ("n_blks_done", "numbers_blocks_done"),
    ("access_cnt", "access_count"),
    ("attach_t", "attach_time"),
    ("detach_t", "detach_time"),
    ("b_hit", "bytes_hit_cache"),
    ("b_miss", "bytes_miss_cache"),
    ("b_bypass", "bytes_bypass_cache"),
    ("b_todisk", "bytes_to_disk"),
    ("b_prefetch", "bytes_by_prefetch"),
    ("n_cks_errs", "numbers_checksum_errors"),
];

/// Keys of a third-party copy.
const COPY: &[(&str, &str)] = &[
    ("TPC", "tpc_protocol"),
    ("Client", "client"),
    ("Xeq", "xeq"),
    ("Src", "source"),
    ("Dst", "destination"),
    ("Size", "size"),
];

/// Keys of its execution.
const EXECUTION: &[(&str, &str)] = &[
    ("Beg", "begin_transfer"),
    ("End", "end_transfer"),
    ("RC", "return_code"),
    ("Strm", "used_streams"),
    ("Type", "flow_direction"),
    ("IPv", "ip_version"),
];

/// Virtual organisations of paths, where xrootd-monitoring-collector guesses them.
const VOS: &[(&str, &str)] = &[
    ("/user", "osg"),
    ("/osgconnect/public", "osg"),
    ("/pnfs/fnal.gov/usr", "fermilab"),
    ("/hcc", "hcc"),
    ("/gwdata", "gwdata"),
    ("/chtc/", "chtc"),
    ("/icecube/", "icecube"),
];

/// Whether a cached file or a copy goes to WLCG.
pub fn is_wlcg(event: &PluginEvent<'_>) -> bool {
    match event.provider {
        Some("C") => event.path.is_some_and(|path| {
            ["/store", "/user/dteam"].iter().any(|p| path.trim().starts_with(p))
        }),
        Some("P") => [event.copy_source, event.copy_destination].into_iter().flatten().any(|url| {
            let path = url_path(url).trim_start_matches('/');
            path.starts_with("store") || path.starts_with("user/dteam")
        }),
        _ => false,
    }
}

fn url_path(url: &str) -> &str {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| rest.split_at(slash).1),
        None => url,
    };
    path.split(['?', '#']).next().unwrap_or("")
}

/// Appends an event in the OSG form of a producer. What is no JSON object has none.
pub(super) fn write(
    event: &PluginEvent<'_>,
    producer: Producer,
    context: &Context<'_>,
    out: &mut Vec<u8>,
) -> bool {
    let Some(data) = event.data.map(|json| json.0) else { return false };
    if !matches!(event.provider, Some("C" | "P" | "T")) {
        one_line(data, out);
        out.push(b'\n');
        return true;
    }
    let Some(object) = osg(event, producer, context) else { return false };
    line(&object, out)
}

/// Appends an event in the WLCG form, if it is one for WLCG.
pub(super) fn write_wlcg(
    event: &PluginEvent<'_>,
    producer: Producer,
    extended: bool,
    context: &Context<'_>,
    out: &mut Vec<u8>,
) -> bool {
    if !is_wlcg(event) {
        return false;
    }
    let Some(mut object) = osg(event, producer, context) else { return false };
    let is_copy = event.provider == Some("P");
    if extended {
        object.insert("is_tpc".to_owned(), is_copy.into());
    }
    let kind = if is_copy { "tpc" } else { "metric" };
    object.insert("metadata".to_owned(), metadata(kind, context));
    line(&object, out)
}

fn line(object: &Map<String, Value>, out: &mut Vec<u8>) -> bool {
    let before = out.len();
    let is_written = serde_json::to_writer(&mut *out, object).is_ok();
    if is_written {
        out.push(b'\n');
    } else {
        out.truncate(before);
    }
    is_written
}

fn osg(
    event: &PluginEvent<'_>,
    producer: Producer,
    context: &Context<'_>,
) -> Option<Map<String, Value>> {
    let Ok(Value::Object(object)) = serde_json::from_str(event.data?.0) else { return None };
    let origin = Origin::new(&event.server, context);
    Some(match (event.provider, producer) {
        (Some("C"), _) => cache(object, &event.server, &origin, producer),
        (Some("P"), Producer::Go) => with_origin(copy(object), &event.server, &origin),
        (Some("P"), Producer::Py) => copy(object),
        (Some("T"), Producer::Go) => with_origin(object, &event.server, &origin),
        (Some("T"), Producer::Py) => {
            let mut object = object;
            object.insert("from".to_owned(), origin.ip.into());
            object.insert("hostname".to_owned(), origin.host.into());
            object
        }
        _ => object,
    })
}

fn renamed(object: Map<String, Value>, names: &[(&str, &str)]) -> Map<String, Value> {
    let new_name = |key: String| {
        let new = names.iter().find(|(old, _)| *old == key);
        new.map_or(key, |(_, new)| (*new).to_owned())
    };
    object.into_iter().map(|(key, value)| (new_name(key), value)).collect()
}

fn with_origin(
    mut object: Map<String, Value>,
    server: &Server<'_>,
    origin: &Origin<'_>,
) -> Map<String, Value> {
    object.insert("sid".to_owned(), facts::server_id(server, Producer::Go).into());
    object.insert("server_ip".to_owned(), origin.ip.into());
    object.insert("server_hostname".to_owned(), (*origin.host).into());
    object.insert("from".to_owned(), facts::remote(server).into());
    object
}

fn copy(object: Map<String, Value>) -> Map<String, Value> {
    let mut object = renamed(object, COPY);
    if let Some(Value::Object(execution)) = object.get_mut("xeq") {
        *execution = renamed(std::mem::take(execution), EXECUTION);
    }
    object
}

fn cache(
    object: Map<String, Value>,
    server: &Server<'_>,
    origin: &Origin<'_>,
    producer: Producer,
) -> Map<String, Value> {
    let mut object = renamed(object, CACHE);
    // Servers before 5.7.2 do not send the last two of these.
    let bytes = |key| object.get(key).map_or(0, whole);
    let [bypass, to_disk, prefetch] =
        ["bytes_bypass_cache", "bytes_to_disk", "bytes_by_prefetch"].map(bytes);
    let remote = to_disk.saturating_add(bypass);
    object.insert("bytes_read_by_remote".to_owned(), remote.into());
    let explicit = remote.saturating_sub(prefetch);
    object.insert("bytes_explicit_remote_read".to_owned(), explicit.into());
    if producer == Producer::Go {
        return with_origin(object, server, origin);
    }
    let mut object = renamed(object, &[("remotes", "remotes_origin")]);
    if let Some(remotes) = object.get_mut("remotes_origin")
        && remotes.as_array().is_some_and(Vec::is_empty)
    {
        *remotes = "".into();
    }
    let path = object.get("file_path").and_then(Value::as_str).unwrap_or("");
    let vo = VOS.iter().find(|(prefix, _)| path.starts_with(prefix)).map_or("noVO", |(_, vo)| vo);
    object.insert("vo".to_owned(), vo.into());
    object.insert("site".to_owned(), server.server_site.unwrap_or("").into());
    object.insert("sid".to_owned(), facts::server_id(server, Producer::Py).into());
    object.insert("server_ip".to_owned(), origin.ip.into());
    object.insert("server_hostname".to_owned(), (*origin.host).into());
    object
}

/// Some plug-ins print whole numbers in floating-point notation.
fn whole(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_f64().map(|number| number as i64)).unwrap_or(0)
}

/// The `metadata` of a cached file (`metric`) or a copy (`tpc`).
fn metadata(kind: &str, context: &Context<'_>) -> Value {
    json!({
        "producer": "cms-xrootd-cache",
        "type": kind,
        "timestamp": facts::now_ms(context),
        "type_prefix": "raw",
        "host": context.collector_host,
        "_id": Uuid::new_v4().hyphenated().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::record::Json;
    use crate::export::profile::NoNames;

    fn event(provider: &'static str, data: &'static str) -> PluginEvent<'static> {
        PluginEvent { provider: Some(provider), data: Some(Json(data)), ..PluginEvent::default() }
    }

    fn told(event: &PluginEvent<'_>, producer: Producer) -> Option<Value> {
        let context = Context { now: 0, collector_host: "c", names: &NoNames };
        let mut out = Vec::new();
        write(event, producer, &context, &mut out)
            .then(|| serde_json::from_slice(&out).expect("JSON"))
    }

    #[test]
    fn counters_that_old_servers_lack_are_zero() {
        let event = event("C", r#"{"lfn":"/user/f","b_bypass":3e2,"remotes":[],"new":1}"#);
        let go = told(&event, Producer::Go).expect("a form");
        assert_eq!(go["bytes_read_by_remote"], 300);
        assert_eq!((&go["new"], &go["remotes"]), (&1.into(), &serde_json::json!([])));
        let py = told(&event, Producer::Py).expect("a form");
        assert_eq!((&py["remotes_origin"], &py["vo"]), (&"".into(), &"osg".into()));
        assert!(py.get("from").is_none() && py.get("remotes").is_none());
    }

    #[test]
    fn connections_pass_through_with_their_origin() {
        let mut event = event("T", r#"{"type":"tcpstats","rtt":120}"#);
        event.server.server_address = Some("2001:db8::1");
        event.server.server_udp_port = Some(1094);
        event.server.server_started_at = Some(7);
        let expected = serde_json::json!({
            "type": "tcpstats", "rtt": 120, "sid": "7#[2001:db8::1]:1094",
            "server_ip": "2001:db8::1", "server_hostname": "2001:db8::1",
            "from": "[2001:db8::1]:1094",
        });
        assert_eq!(told(&event, Producer::Go), Some(expected));
        let expected = serde_json::json!({
            "type": "tcpstats", "rtt": 120, "from": "2001:db8::1", "hostname": "2001:db8::1",
        });
        assert_eq!(told(&event, Producer::Py), Some(expected));
    }

    #[test]
    fn other_events_are_untouched_and_broken_ones_left_out() {
        let event = event("R", r#"{"event":"throttle_update", "io_wait":0.50}"#);
        let mut out = Vec::new();
        let context = Context { now: 0, collector_host: "c", names: &NoNames };
        assert!(write(&event, Producer::Go, &context, &mut out));
        assert_eq!(out, b"{\"event\":\"throttle_update\", \"io_wait\":0.50}\n");
        let raw = PluginEvent { raw: Some("{bad"), provider: Some("C"), ..PluginEvent::default() };
        assert_eq!(told(&raw, Producer::Go), None);
    }

    #[test]
    fn wlcg_gets_cached_files_and_copies_by_path() {
        let cached = |path| {
            is_wlcg(&PluginEvent {
                provider: Some("C"),
                path: Some(path),
                ..PluginEvent::default()
            })
        };
        assert!(cached("/store/f") && cached(" /user/dteam/f"));
        assert!(!cached("/ospool/f") && !cached("/user/alice/f"));
        let copied = |source, destination| {
            is_wlcg(&PluginEvent {
                provider: Some("P"),
                copy_source: Some(source),
                copy_destination: Some(destination),
                ..PluginEvent::default()
            })
        };
        assert!(copied("root://a.example.org//store/f", "https://b/dir/f"));
        assert!(copied("https://a/dir/f", "https://b:8443/user/dteam/f?x=/"));
        assert!(!copied("https://store/dir/f", "https://b/dir/store"));
        assert!(!copied("https://store", ""));
    }
}
