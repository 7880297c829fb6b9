//! What known packets become in each form.

use crate::feed::{COLLECTOR, Known, NOW, Outcome, assert_keys, golden, told, told_with};
use serde_json::{Value, json};

const GO: &str = r#"{"profile": "osg-go"}"#;
const GO_STRICT: &str = r#"{"profile": "osg-go", "strict": true}"#;
const PY: &str = r#"{"profile": "osg-py"}"#;
const PY_STRICT: &str = r#"{"profile": "osg-py", "strict": true}"#;
const WLCG: &str = r#"{"profile": "wlcg"}"#;

const PATH: &str = "/ospool/ap20/data/alice/file.root";
const APP: &str = "12_https://pool.example.net/12/240101:101010:alice:crab:TaskOne_3";
const DN: &str = "/DC=org/DC=example/CN=Alice Example/CN=1234";

/// What both collectors agree on for the access that was opened and closed.
fn agreed() -> Value {
    json!({
        "read": 300_000, "readv": 120_000, "write": 5000, "read_single_bytes": 300_000,
        "read_single_operations": 3, "read_vector_operations": 2, "write_operations": 1,
        "read_single_min": 50_000, "read_single_max": 150_000,
        "read_vector_min": 40_000, "read_vector_max": 80_000,
        "write_min": 5000, "write_max": 5000, "write_bytes_at_close": 5000,
        "read_vector_count_min": 4, "read_vector_count_max": 16,
        "read_single_average": 100_000, "read_vector_average": 60_000, "write_average": 5000,
        "filesize": 4_096_000, "filename": PATH, "dirname1": "/ospool", "dirname2": "/ospool/ap20",
        "logical_dirname": "/ospool/ap20/data/alice", "site": "EXAMPLE_SITE", "user": "alice",
        "user_domain": "example.net", "host": "wn001.example.net", "protocol": "root",
        "ipv6": true, "appinfo": APP, "server": "192.0.2.1", "server_ip": "192.0.2.1",
        "server_hostname": "192.0.2.1", "HasFileCloseMsg": 1,
    })
}

fn go_close() -> Value {
    json!({
        "serverID": "1700000000#192.0.2.1:1234", "user_dn": "alice", "vo": "osg",
        "token_subject": "sub-1", "token_username": "alice", "token_org": "exampleissuer",
        "token_groups": "/osg /osg/prod", "token_role": null, "experiment": "9", "activity": "14",
        "read_operations": 3, "read_average": 100_000, "read_min": 50_000, "read_max": 150_000,
        "read_bytes_at_close": 300_000, "read_vector_count_average": 10, "timestamp": null,
    })
}

fn py_close() -> Value {
    json!({
        "start_time": 1_700_000_100_000_i64, "end_time": 1_700_000_160_000_i64,
        "operation_time": 60, "timestamp": 1_700_000_160_000_i64,
        "serverID": "1700000000#192.0.2.1#1234", "user_dn": DN, "vo": "osg osg",
        "token_subject": null, "token_username": null, "token_org": null, "token_groups": null,
        "experiment": null, "activity": null, "@timestamp": null,
        "read_operations": 5, "read_average": 84_000, "read_min": 40_000, "read_max": 150_000,
        "read_bytes_at_close": 420_000,
    })
}

fn closed(outcome: &Outcome) -> Value {
    outcome.only("accesses", "filename", PATH)
}

#[test]
fn a_close_as_shoveler_sends_it() {
    let mended = closed(&told(GO, &golden()));
    for expected in [agreed(), go_close()] {
        assert_keys(&mended, &expected);
    }
    assert_keys(
        &mended,
        &json!({
            "start_time": 1_700_000_100, "end_time": 1_700_000_160, "operation_time": 60,
            "@timestamp": "2023-11-15T00:59:59.000000Z",
        }),
    );
    let strict = closed(&told(GO_STRICT, &golden()));
    for expected in [agreed(), go_close()] {
        assert_keys(&strict, &expected);
    }
    assert_keys(
        &strict,
        &json!({
            "start_time": 1_700_000_000, "end_time": NOW, "operation_time": NOW - 1_700_000_000,
        }),
    );
}

#[test]
fn a_close_as_the_collector_in_python_sends_it() {
    for (profile, segments) in [(PY, 10.0), (PY_STRICT, 20.0 / 120_000.0)] {
        let record = closed(&told(profile, &golden()));
        for expected in [agreed(), py_close()] {
            assert_keys(&record, &expected);
        }
        assert_keys(&record, &json!({"read_vector_count_average": segments}));
    }
}

#[test]
fn no_key_is_there_twice_and_none_is_null() {
    for profile in [GO, GO_STRICT, PY, PY_STRICT, WLCG] {
        for (_, line) in told(profile, &golden()).lines {
            let record: Value = serde_json::from_str(&line).expect("JSON");
            for (key, value) in record.as_object().expect("an object") {
                assert!(!value.is_null(), "{key}");
                assert_eq!(line.matches(&format!("\"{key}\":")).count(), 1, "{profile} {key}");
            }
        }
    }
}

/// Keys of an object and of the objects inside it.
fn keys(value: &Value, out: &mut Vec<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        out.push(key.clone());
        keys(value, out);
    }
}

#[test]
fn every_key_is_documented() {
    let page = include_str!("../../../docs/profiles.md");
    for profile in [GO, PY, WLCG, r#"{"profile": "wlcg", "extended": true}"#] {
        for (kind, line) in told(profile, &golden()).lines {
            let mut found = Vec::new();
            keys(&serde_json::from_str(&line).expect("JSON"), &mut found);
            let missing: Vec<_> =
                found.iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
            assert!(missing.is_empty() && !found.is_empty(), "{profile} {kind}: {missing:?}");
        }
    }
}

#[test]
fn names_of_servers_come_from_reverse_dns() {
    let names = Known(&[("192.0.2.1", "srv01.example.org")]);
    for profile in [GO, PY] {
        let record = closed(&told_with(profile, &golden(), &names));
        assert_keys(
            &record,
            &json!({"server_hostname": "srv01.example.org", "server_ip": "192.0.2.1"}),
        );
    }
    let outcome = told_with(WLCG, &golden(), &names);
    let record = outcome.only("accesses", "file_lfn", PATH);
    assert_keys(
        &record,
        &json!({"server_host": "srv01.example.org", "server_domain": "example.org"}),
    );
}

#[test]
fn a_close_without_an_open() {
    for (profile, times) in [
        (GO, json!({"start_time": 1_700_000_170, "end_time": 1_700_000_170, "operation_time": 0})),
        (GO_STRICT, json!({"start_time": 1_700_000_000, "end_time": NOW})),
    ] {
        let record = told(profile, &golden()).only("accesses", "filename", "unknown");
        assert_keys(&record, &times);
        assert_keys(
            &record,
            &json!({
                "filesize": 0, "dirname1": "unknown directory", "dirname2": "unknown directory",
                "logical_dirname": "unknown directory", "user": "0", "host": "unknown",
                "protocol": "unknown", "user_dn": "", "appinfo": "", "ipv6": false, "vo": null,
                "user_domain": null, "read": 10, "read_bytes_at_close": 10, "read_operations": 0,
                "read_average": 0, "read_vector_count_average": 0, "write_max": 0,
                "HasFileCloseMsg": 1, "site": "EXAMPLE_SITE", "experiment": null,
            }),
        );
    }
    for profile in [PY, PY_STRICT] {
        let record = told(profile, &golden()).only("accesses", "filename", "missing directory");
        assert_keys(
            &record,
            &json!({
                "filesize": "-1", "dirname1": null, "dirname2": null,
                "logical_dirname": "missing directory", "user": null, "host": null,
                "protocol": null, "vo": null, "ipv6": null, "user_dn": null, "appinfo": null,
                "start_time": 1_700_000_170_000_i64, "end_time": 1_700_000_170_000_i64,
                "operation_time": 0, "read": 10, "read_operations": null, "read_average": null,
                "read_single_bytes": null, "HasFileCloseMsg": 0, "site": "EXAMPLE_SITE",
            }),
        );
    }
}

#[test]
fn a_cached_file() {
    let renamed = json!({
        "event": "file_close", "file_path": PATH, "size": 4_096_000, "block_size": 131_072,
        "numbers_blocks": 32, "numbers_blocks_done": 8, "access_count": 2,
        "attach_time": 1_700_000_100, "detach_time": 1_700_000_160, "bytes_hit_cache": 1000,
        "bytes_miss_cache": 2000, "bytes_bypass_cache": 300, "bytes_to_disk": 2500,
        "bytes_by_prefetch": 500, "numbers_checksum_errors": 0, "bytes_read_by_remote": 2800,
        "bytes_explicit_remote_read": 2300, "lfn": null, "server_ip": "192.0.2.1",
        "server_hostname": "192.0.2.1",
    });
    let go = told(GO, &golden()).only("plugins", "file_path", PATH);
    assert_keys(&go, &renamed);
    assert_keys(
        &go,
        &json!({
            "remotes": ["origin.example.org:1094"], "remotes_origin": null, "site": null,
            "vo": null, "sid": "1700000000#192.0.2.1:1234", "from": "192.0.2.1:1234",
        }),
    );
    let py = told(PY, &golden()).only("plugins", "file_path", PATH);
    assert_keys(&py, &renamed);
    assert_keys(
        &py,
        &json!({
            "remotes": null, "remotes_origin": ["origin.example.org:1094"],
            "site": "EXAMPLE_SITE", "vo": "noVO", "sid": "1700000000#192.0.2.1#1234", "from": null,
        }),
    );
}

#[test]
fn a_third_party_copy() {
    let renamed = json!({
        "tpc_protocol": "http", "client": "carol.1:2@wn.example.net",
        "xeq": {
            "begin_transfer": "2023-11-14T22:13:20.000Z", "end_transfer": "2023-11-14T22:14:20.000Z",
            "return_code": 0, "used_streams": 1, "flow_direction": "pull", "ip_version": 6,
        },
        "source": "https://a.example.org/store/data/f", "destination": "https://b.example.org/dir/f",
        "size": 1234, "TPC": null, "Xeq": null,
    });
    let go = told(GO, &golden()).only("plugins", "tpc_protocol", "http");
    assert_keys(&go, &renamed);
    let origin = json!({"sid": "1700000000#192.0.2.1:1234", "from": "192.0.2.1:1234"});
    assert_keys(&go, &origin);
    let py = told(PY, &golden()).only("plugins", "tpc_protocol", "http");
    assert_keys(&py, &renamed);
    assert_keys(&py, &json!({"sid": null, "from": null, "server_ip": null}));
    // Only the copy has a path for WLCG.
    let wlcg = told(WLCG, &golden());
    let [copy] = &wlcg.of_kind("plugins")[..] else { panic!("one event") };
    assert_keys(copy, &renamed);
    assert_keys(
        &copy["metadata"],
        &json!({
            "producer": "cms-xrootd-cache", "type": "tpc", "type_prefix": "raw", "host": COLLECTOR,
            "timestamp": NOW * 1000,
        }),
    );
    assert_uuid(&copy["metadata"]["_id"]);
}

fn assert_uuid(value: &Value) {
    let text = value.as_str().expect("a text");
    let version = text.as_bytes()[14];
    assert!(text.len() == 36 && version == b'4', "{text}");
}

#[test]
fn a_close_as_wlcg_gets_it() {
    let common = json!({
        "site_name": "EXAMPLE_SITE", "server_site": "EXAMPLE_SITE", "fallback": true,
        "client_host": "wn001.example.net", "client_domain": "example.net",
        "server_host": "192.0.2.1", "server_ip": "192.0.2.1", "file_lfn": PATH,
        "file_size": 4_096_000, "read_bytes": 420_000, "read_single_bytes": 300_000,
        "read_vector_bytes": 120_000, "write_bytes": 5000, "ipv6": true, "operation": "read",
        "user_protocol": "root", "CRAB_Id": "12", "CRAB_Retry": "3",
        "CRAB_Workflow": "240101:101010:alice:crab:TaskOne",
    });
    let go = json!({
        "vo": "osg", "experiment": "9", "activity": "14", "read_operations": 3,
        "read_average": 100_000, "read_bytes_at_close": 300_000, "read_vector_count_average": 10,
        "read_sigma": null,
    });
    let seconds = json!({
        "start_time": 1_700_000_100, "end_time": 1_700_000_160, "operation_time": 60,
        "server_domain": "", "user_dn": DN, "user": "1234",
    });
    let mut milliseconds = seconds.clone();
    milliseconds["start_time"] = 1_700_000_100_000_i64.into();
    milliseconds["end_time"] = 1_700_000_160_000_i64.into();
    let shoveler = json!({
        "start_time": 1_700_000_000, "end_time": NOW, "operation_time": NOW - 1_700_000_000,
        "server_domain": "2.1", "user_dn": "alice", "user": null,
    });
    let python = json!({
        "start_time": 1_700_000_100_000_i64, "end_time": 1_700_000_160_000_i64,
        "operation_time": 60, "server_domain": null, "user_dn": DN, "user": "Alice Example/",
        "vo": "osg osg", "experiment": null, "activity": null, "read_operations": 5,
        "read_average": 84_000, "read_bytes_at_close": 420_000, "read_sigma": 0, "write_sigma": 0,
        "read_vector_count_average": 20.0 / 120_000.0,
    });
    for (options, own) in [
        (r#""strict": false"#, vec![&go, &seconds]),
        (r#""time_unit": "ms""#, vec![&go, &milliseconds]),
        (r#""strict": true"#, vec![&go, &shoveler]),
        (r#""strict": true, "time_unit": "ms""#, vec![&python]),
    ] {
        let outcome = told(&format!(r#"{{"profile": "wlcg", {options}}}"#), &golden());
        let record = outcome.only("accesses", "file_lfn", PATH);
        assert_keys(&record, &common);
        own.iter().for_each(|expected| assert_keys(&record, expected));
        let metadata = &record["metadata"];
        assert_keys(
            metadata,
            &json!({
                "producer": "cms", "type": "aaa-ng", "type_prefix": "raw", "host": COLLECTOR,
                "timestamp": NOW * 1000, "_id": record["unique_id"],
            }),
        );
        assert_uuid(&record["unique_id"]);
        assert_eq!(record.get("auth_method"), None);
    }
}

#[test]
fn an_orphan_as_wlcg_gets_it() {
    let record = told(WLCG, &golden()).only("accesses", "file_lfn", "unknown");
    assert_keys(
        &record,
        &json!({
            "file_size": 0, "operation": "read", "read_bytes": 10, "client_host": "unknown",
            "read_operations": null, "user": null, "vo": null, "CRAB_Id": null,
        }),
    );
    let strict = r#"{"profile": "wlcg", "strict": true, "time_unit": "ms"}"#;
    let record = told(strict, &golden()).only("accesses", "file_lfn", "missing directory");
    assert_keys(
        &record,
        &json!({
            "file_size": "-1", "read_bytes": 10, "read_single_bytes": 0, "client_host": "",
            "read_operations": 0, "user_protocol": null, "read_bytes_at_close": 0,
        }),
    );
}

#[test]
fn more_keys_for_wlcg_are_asked_for() {
    let profile = r#"{"profile": "wlcg", "extended": true}"#;
    let record = told(profile, &golden()).only("accesses", "file_lfn", PATH);
    assert_keys(
        &record,
        &json!({
            "status": "closed", "auth_method": "gsi", "client_ip_version": 6, "server_ip_version": 4,
            "is_local": false, "token_subject": "sub-1", "token_vo": "exampleissuer",
            "loss_suspected": false,
        }),
    );
    let copy = told(profile, &golden()).only("plugins", "tpc_protocol", "http");
    assert_eq!(copy["is_tpc"], true);
}

#[test]
fn native_records_have_every_key() {
    let outcome = told("{}", &golden());
    let record = outcome.only("accesses", "path", PATH);
    assert_keys(&record, &json!({"read_bytes": 300_000, "opened_at": 1_700_000_100.0}));
    assert!(record.as_object().expect("object").contains_key("read_sigma_bytes"));
    assert_eq!(outcome.of_kind("plugins").len(), 2);
    assert_eq!(outcome.of_kind("sessions").len(), 1);
    assert_eq!(outcome.of_kind("servers").len(), 1);
}
