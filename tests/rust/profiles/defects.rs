//! What collectors in use get wrong: mended, and reproduced where asked for.

use crate::feed::{ARRIVAL, Known, Sent, assert_keys, golden, packet, told, told_with};
use gridtap::access::record::{FileAccess, Server, Summary, User};
use gridtap::export::profile::{AnyRecord, Context, Encoder, NoNames};
use serde_json::{Value, json};

fn encode(profile: &str, record: &AnyRecord<'_>) -> Option<Value> {
    let mut encoder = Encoder::new(&crate::feed::settings(profile)).expect("good settings");
    let mut out = Vec::new();
    let context = Context { now: 1_700_000_300_000_000, collector_host: "c", names: &NoNames };
    let written = encoder.write(record, &context, &mut out);
    (written == 1).then(|| serde_json::from_slice(&out).expect("JSON"))
}

fn closed() -> FileAccess<'static> {
    FileAccess {
        path: Some("/store/f"),
        open_seen: Some(true),
        close_seen: Some(true),
        close_reason: Some("closed"),
        opened_at: Some(1_700_000_100.5),
        closed_at: Some(1_700_000_160.25),
        open_window_start: Some(1_700_000_098),
        close_window_start: Some(1_700_000_160),
        server: Server {
            server_address: Some("192.0.2.1"),
            server_udp_port: Some(1234),
            server_started_at: Some(1_700_000_000),
            ..Server::default()
        },
        ..FileAccess::default()
    }
}

/// The known packets with an open for reading and writing.
fn golden_read_write() -> Vec<Sent> {
    let mut packets = golden();
    let open = packets.iter_mut().find(|sent| sent.bytes[..2] == [b'f', 0]).expect("there");
    assert_eq!(open.bytes[32..34], [1, 1]);
    open.bytes[33] = 3;
    packets
}

#[test]
fn d1_and_d2_times_are_those_of_the_access() {
    let access = closed();
    let record = AnyRecord::Access(&access);
    let times = |profile| encode(profile, &record).expect("a form");
    assert_keys(
        &times(r#"{"profile": "osg-go"}"#),
        &json!({"start_time": 1_700_000_100, "end_time": 1_700_000_160, "operation_time": 60}),
    );
    assert_keys(
        &times(r#"{"profile": "osg-go", "strict": true}"#),
        &json!({"start_time": 1_700_000_000, "end_time": 1_700_000_300, "operation_time": 300}),
    );
    assert_keys(
        &times(r#"{"profile": "osg-py"}"#),
        &json!({
            "start_time": 1_700_000_098_000_i64, "end_time": 1_700_000_160_000_i64,
            "operation_time": 62,
        }),
    );
    assert_keys(
        &times(r#"{"profile": "wlcg", "time_unit": "ms"}"#),
        &json!({
            "start_time": 1_700_000_100_500_i64, "end_time": 1_700_000_160_250_i64,
            "operation_time": 60,
        }),
    );
}

#[test]
fn d3_the_close_message_means_the_open() {
    for (open_seen, close_seen, reason, expected) in
        [(true, true, "closed", 1), (false, true, "closed", 0), (true, false, "expired", 1)]
    {
        let access = FileAccess {
            open_seen: Some(open_seen),
            close_seen: Some(close_seen),
            close_reason: Some(reason),
            read_bytes: Some(5),
            closed_at: None,
            ..closed()
        };
        let record = encode(r#"{"profile": "osg-py"}"#, &AnyRecord::Access(&access));
        assert_eq!(record.expect("a form")["HasFileCloseMsg"], expected);
        let native = encode("{}", &AnyRecord::Access(&access)).expect("a form");
        assert_eq!(
            (&native["open_seen"], &native["close_seen"]),
            (&open_seen.into(), &close_seen.into())
        );
    }
}

#[test]
fn only_closes_are_reported_and_in_python_what_expired() {
    let report = |profile: &str, close_seen, reason, read| {
        let access = FileAccess {
            close_seen: Some(close_seen),
            close_reason: Some(reason),
            read_bytes: read,
            closed_at: None,
            close_window_start: None,
            ..closed()
        };
        encode(&format!(r#"{{"profile": "{profile}"}}"#), &AnyRecord::Access(&access))
    };
    for profile in ["osg-go", "wlcg", "otel"] {
        assert_eq!(report(profile, false, "expired", Some(5)), None);
    }
    let expired = report("osg-py", false, "expired", Some(5)).expect("a form");
    assert_eq!(expired["timestamp"], 1_700_000_300_000_i64);
    assert_eq!(report("osg-py", false, "expired", None), None);
    assert_eq!(report("osg-py", false, "open", Some(5)), None);
    assert!(report("native", false, "expired", None).is_some());
}

#[test]
fn d4_names_come_from_one_field_or_the_other() {
    let with = |name, info| {
        let user = User { auth_name: name, auth_info: info, ..User::default() };
        FileAccess { user, ..closed() }
    };
    let dn = |options: &str, access: &FileAccess<'_>| {
        let profile = format!(r#"{{"profile": {options}}}"#);
        encode(&profile, &AnyRecord::Access(access)).expect("a form")["user_dn"].clone()
    };
    let access = with(Some("/O=x/CN=n::y"), Some("/O=x/CN=m::y"));
    assert_eq!(dn(r#""osg-go""#, &access), "/O=x/CN=n");
    assert_eq!(dn(r#""osg-py""#, &access), "/O=x/CN=m");
    assert_eq!(dn(r#""osg-go", "user_dn": "best""#, &access), "/O=x/CN=m");
    assert_eq!(dn(r#""wlcg""#, &access), "/O=x/CN=m");
    let access = with(Some("alice"), Some("no name"));
    assert_eq!(dn(r#""wlcg""#, &access), "alice");
    assert_eq!(dn(r#""osg-py""#, &access), "no name");
    let access = with(Some("alice"), None);
    assert_eq!(dn(r#""osg-py""#, &access), Value::Null);
    assert_eq!(dn(r#""osg-py", "user_dn": "name""#, &access), "alice");
    assert_eq!(dn(r#""wlcg", "strict": true, "time_unit": "ms""#, &access), "");
}

#[test]
fn d6_opens_for_writing_keep_their_name() {
    let path = "/ospool/ap20/data/alice/file.root";
    for profile in [
        r#"{"profile": "osg-go"}"#,
        r#"{"profile": "osg-go", "strict": true}"#,
        r#"{"profile": "osg-py"}"#,
    ] {
        let record = told(profile, &golden_read_write()).only("accesses", "filename", path);
        assert_keys(&record, &json!({"user": "alice", "dirname1": "/ospool", "ipv6": true}));
    }
    let strict = r#"{"profile": "osg-py", "strict": true}"#;
    let record = told(strict, &golden_read_write()).only("accesses", "filename", "");
    assert_keys(
        &record,
        &json!({
            "dirname1": "", "dirname2": "", "logical_dirname": "unknown directory", "user": null,
            "host": null, "vo": null, "protocol": null, "user_dn": null, "ipv6": null,
            "appinfo": null, "user_domain": null, "filesize": 4_096_000,
            "start_time": 1_700_000_100_000_i64, "HasFileCloseMsg": 1,
        }),
    );
    let strict = r#"{"profile": "wlcg", "strict": true, "time_unit": "ms"}"#;
    let record = told(strict, &golden_read_write()).only("accesses", "file_lfn", "");
    assert_keys(&record, &json!({"user_dn": "", "client_host": "", "CRAB_Id": null}));
}

#[test]
fn d7_addresses_have_no_domain() {
    let with = |address| {
        let server = Server { server_address: Some(address), ..closed().server };
        FileAccess { server, ..closed() }
    };
    let domain = |options: &str, address| {
        let access = with(address);
        let profile = format!(r#"{{"profile": "wlcg"{options}}}"#);
        let record = encode(&profile, &AnyRecord::Access(&access)).expect("a form");
        record.get("server_domain").cloned()
    };
    assert_eq!(domain("", "192.0.2.1"), Some("".into()));
    assert_eq!(domain(r#", "strict": true"#, "192.0.2.1"), Some("2.1".into()));
    assert_eq!(domain(r#", "strict": true"#, "2001:db8::1"), Some("".into()));
    assert_eq!(domain(r#", "strict": true, "time_unit": "ms""#, "192.0.2.1"), None);
    assert_eq!(domain("", "srv.example.org"), Some("example.org".into()));
}

#[test]
fn d8_names_of_maps_are_names() {
    let mut packets = golden();
    let open = packets.iter_mut().find(|sent| sent.bytes[..2] == [b'f', 0]).expect("there");
    // The open without a name: flags, size 16, the packet's length.
    open.bytes[33] = 0;
    open.bytes[34..36].copy_from_slice(&16_u16.to_be_bytes());
    open.bytes.truncate(32 + 16);
    let length = u16::try_from(open.bytes.len()).expect("short");
    open.bytes[2..4].copy_from_slice(&length.to_be_bytes());
    let mut map = 501_u32.to_be_bytes().to_vec();
    map.extend(b"root/alice.7:42@wn001.example.net\n/ospool/from/map");
    packets.insert(5, packet(b'd', 5, &map));
    for profile in [r#"{"profile": "osg-go"}"#, r#"{"profile": "osg-go", "strict": true}"#] {
        let record = told(profile, &packets).only("accesses", "filename", "/ospool/from/map");
        assert_keys(
            &record,
            &json!({"user": "alice", "filesize": 4_096_000, "dirname1": "/ospool"}),
        );
    }
}

#[test]
fn d9_identities_live_as_long_as_their_session() {
    let mut packets = golden();
    for late in packets.iter_mut().skip(7) {
        late.at = ARRIVAL + 12 * 3600;
    }
    for profile in [r#"{"profile": "osg-go"}"#, r#"{"profile": "osg-py"}"#] {
        assert_eq!(told(profile, &packets).only("accesses", "user", "alice")["ipv6"], true);
    }
}

#[test]
fn clients_that_are_addresses_have_a_domain_if_dns_knows_it() {
    let user = User { user_host: Some("[::ffff:192.0.2.9]"), ..User::default() };
    let access = FileAccess { user, ..closed() };
    let names = Known(&[("192.0.2.9", "wn9.cluster.example.net")]);
    let mut encoder =
        Encoder::new(&crate::feed::settings(r#"{"profile": "osg-go"}"#)).expect("good settings");
    let mut out = Vec::new();
    let context = Context { now: 0, collector_host: "c", names: &names };
    encoder.write(&AnyRecord::Access(&access), &context, &mut out);
    let record: Value = serde_json::from_slice(&out).expect("JSON");
    assert_keys(&record, &json!({"user_domain": "example.net", "host": "[::ffff:192.0.2.9]"}));
    let record = encode(r#"{"profile": "osg-go"}"#, &AnyRecord::Access(&access));
    assert_keys(&record.expect("a form"), &json!({"user_domain": null}));
    // A packet's sender may be a name already.
    let named = told_with(r#"{"profile": "osg-py"}"#, &golden(), &names);
    assert_eq!(named.only("accesses", "user", "alice")["server_hostname"], "192.0.2.1");
}

#[test]
fn users_without_a_name_are_numbers() {
    let user = User { user_id: Some(255), ..User::default() };
    let access = FileAccess { user, ..closed() };
    let record = AnyRecord::Access(&access);
    assert_eq!(encode(r#"{"profile": "osg-go"}"#, &record).expect("a form")["user"], "ff");
    assert_eq!(encode(r#"{"profile": "osg-py"}"#, &record).expect("a form").get("user"), None);
}

#[test]
fn servers_that_did_not_identify_themselves() {
    let access = closed();
    let record = AnyRecord::Access(&access);
    let go = encode(r#"{"profile": "osg-go"}"#, &record).expect("a form");
    assert_keys(&go, &json!({"site": "UNKNOWN", "serverID": "1700000000#192.0.2.1:1234"}));
    let py = encode(r#"{"profile": "osg-py"}"#, &record).expect("a form");
    assert_keys(&py, &json!({"site": null, "serverID": null}));
    let server = Server { server_program: Some("xrootd"), ..access.server };
    let access = FileAccess { server, ..access };
    let py = encode(r#"{"profile": "osg-py"}"#, &AnyRecord::Access(&access)).expect("a form");
    assert_keys(&py, &json!({"site": "", "serverID": "1700000000#192.0.2.1#1234"}));
}

#[test]
fn deviations_reach_wlcg() {
    let access = FileAccess {
        read_bytes: Some(108),
        read_ops: Some(2),
        read_sigma_bytes: Some(46.0),
        readv_sigma_segments: Some(0.5),
        ..closed()
    };
    let record = AnyRecord::Access(&access);
    let wlcg = encode(r#"{"profile": "wlcg"}"#, &record).expect("a form");
    assert_keys(
        &wlcg,
        &json!({
            "read_sigma": 46, "read_single_sigma": 46, "read_vector_count_sigma": 0.5,
            "write_sigma": null,
        }),
    );
    let strict = encode(r#"{"profile": "wlcg", "strict": true}"#, &record).expect("a form");
    assert_keys(&strict, &json!({"read_sigma": null, "read_vector_count_sigma": null}));
}

#[test]
fn directories_follow_the_table_that_is_set() {
    let access = FileAccess { path: Some("//store//data/./f"), ..closed() };
    let record = AnyRecord::Access(&access);
    let directories = |profile: &str| {
        let record = encode(profile, &record).expect("a form");
        ["dirname1", "dirname2", "logical_dirname"].map(|key| record[key].clone())
    };
    assert_eq!(directories(r#"{"profile": "osg-go"}"#), ["/store", "/store/data", "/store/data"]);
    assert_eq!(directories(r#"{"profile": "osg-py"}"#)[0], "/");
    let own = r#"{"profile": "osg-go", "logical_dirnames": [["/store/", "/cms"]]}"#;
    assert_eq!(directories(own), ["/store", "/store/data", "/cms"]);
}

#[test]
fn go_has_no_form_for_summaries() {
    let summary = Summary::default();
    assert_eq!(encode(r#"{"profile": "osg-go"}"#, &AnyRecord::Summary(&summary)), None);
    assert!(encode(r#"{"profile": "osg-py"}"#, &AnyRecord::Summary(&summary)).is_some());
}
