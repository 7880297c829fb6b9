//! OpenTelemetry log records.

use crate::feed::{NOW, Outcome, Sent, assert_keys, golden, packet, told};
use serde_json::{Value, json};

const OTEL: &str = r#"{"profile": "otel"}"#;

fn close(outcome: &Outcome) -> Value {
    outcome.only("accesses", "eventName", "xrootd.write")
}

#[test]
fn a_close_is_a_document() {
    let document = close(&told(OTEL, &golden()));
    assert_keys(
        &document,
        &json!({
            "@timestamp": "2023-11-14T22:16:00.000Z", "timeUnixNano": "1700000160000000000",
            "observedTimeUnixNano": format!("{NOW}000000000"), "severityNumber": 9,
            "severityText": "INFO",
        }),
    );
    assert_eq!(document["scope"]["name"], "gridtap");
    let expected = json!({
        "service.name": "xrootd", "service.instance.id": "anon", "service.version": "5.7.1",
        "server.address": "srv01.example.org", "server.port": 1094,
        "xrootd.server.site": "EXAMPLE_SITE", "xrootd.server.program": "xrootd",
        "xrootd.server.id": 123_456_789_012_u64, "xrootd.server.incarnation": 1_700_000_000,
    });
    assert_eq!(document["resource"], expected);
    let attributes = &document["attributes"];
    let expected = json!({
        "event.name": "xrootd.write", "file.path": "/ospool/ap20/data/alice/file.root",
        "file.name": "file.root", "file.directory": "/ospool/ap20/data/alice",
        "file.extension": "root", "file.size": 4_096_000, "xrootd.file.read_write": false,
        "client.address": "wn001.example.net", "network.type": "ipv6", "network.transport": "tcp",
        "network.protocol.name": "root", "session.id": document["traceId"], "user.name": "alice",
        "user.id": "sub-1", "user.roles": ["analysis"], "wlcg.vo": "exampleissuer",
        "wlcg.groups": "/osg /osg/prod", "xrootd.auth.method": "gsi",
        "user_agent.name": "root.exe",
        "xrootd.app": "12_https://pool.example.net/12/240101:101010:alice:crab:TaskOne_3",
        "scitags.experiment_id": 9, "scitags.activity_id": 14, "xrootd.operation.name": "write",
        "xrootd.operation.state": "Successful",
        "xrootd.operation.start_time": "2023-11-14T22:15:00.000Z",
        "xrootd.operation.duration": 60, "xrootd.open_seen": true, "xrootd.forced_close": false,
        "xrootd.is_local": false, "xrootd.read_bytes": 300_000, "xrootd.readv_bytes": 120_000,
        "xrootd.write_bytes": 5000, "xrootd.read_ops": 3, "xrootd.readv_ops": 2,
        "xrootd.write_ops": 1, "xrootd.readv_segs": 20, "xrootd.read_min": 50_000,
        "xrootd.read_max": 150_000, "xrootd.readv_min": 40_000, "xrootd.readv_max": 80_000,
        "xrootd.write_min": 5000, "xrootd.write_max": 5000, "xrootd.readv_segs_min": 4,
        "xrootd.readv_segs_max": 16,
    });
    assert_eq!(*attributes, expected);
}

#[test]
fn ids_join_what_belongs_together() {
    let outcome = told(OTEL, &golden());
    let (access, session) = (close(&outcome), &outcome.of_kind("sessions"));
    // The client has not left: there is nothing to tell of its session yet.
    assert!(session.is_empty());
    let mut packets = golden();
    let disconnect = [&packets[7].bytes[8..32], &[4, 0, 0, 8, 0, 0, 0, 77]].concat();
    packets.push(packet(b'f', 4, &disconnect));
    let outcome = told(OTEL, &packets);
    let session = outcome.only("sessions", "eventName", "xrootd.session");
    assert_eq!(session["traceId"], access["traceId"]);
    assert_ne!(session["spanId"], access["spanId"]);
    assert_keys(
        &session["attributes"],
        &json!({
            "xrootd.session.files": 1, "xrootd.session.read_bytes": 300_000,
            "xrootd.session.start_time_source": "login", "user.name": "alice",
        }),
    );
    let orphan = outcome.only("accesses", "eventName", "xrootd.read");
    assert_ne!(orphan["traceId"], access["traceId"]);
    assert_eq!(orphan["attributes"].get("session.id"), None);
    assert_keys(&orphan["attributes"], &json!({"xrootd.open_seen": false, "file.path": null}));
}

#[test]
fn plugins_and_servers_are_events() {
    let outcome = told(OTEL, &golden());
    let events = outcome.of_kind("plugins");
    let providers: Vec<_> =
        events.iter().map(|event| &event["attributes"]["xrootd.gstream.provider"]).collect();
    assert_eq!(providers, ["pfc", "tpc"]);
    assert_eq!(events[0]["attributes"]["xrootd.gstream.data"]["b_hit"], 1000);
    assert_eq!(events[0]["timeUnixNano"], "1700000210000000000");
    assert_eq!(outcome.only("servers", "eventName", "xrootd.server_ident")["severityNumber"], 9);
}

#[test]
fn redirects_and_requests_are_events() {
    let mut body = vec![0xf0, 0];
    body.extend(&123_456_789_012_u64.to_be_bytes()[2..]);
    body.extend([0x00, 0, 0, 10]);
    body.extend(1_700_000_110_u32.to_be_bytes());
    for kind in [0x85, 0x92] {
        body.extend([kind, 2, 0x04, 0x46, 0, 0, 0, 77]);
        body.extend(b"data1:/store/f\0\0");
    }
    let mut packets = golden();
    packets.insert(5, packet(b'r', 5, &body));
    let outcome = told(OTEL, &packets);
    let [cluster, configured] = &outcome.of_kind("redirects")[..] else { panic!("two") };
    for (redirect, kind, operation, port) in [
        (cluster, "remote", "open-read", Value::Null),
        (configured, "local", "locate", 1094.into()),
    ] {
        assert_eq!(redirect["eventName"], "xrootd.redirect");
        assert_eq!(redirect["timeUnixNano"], "1700000110000000000");
        assert_keys(
            &redirect["attributes"],
            &json!({
                "xrootd.operation.state": "Redirected", "xrootd.redirect.kind": kind,
                "xrootd.operation.name": operation, "xrootd.redirect.target.address": "data1",
                "xrootd.redirect.target.port": port, "file.path": "/store/f", "user.name": "alice",
            }),
        );
    }
    let mut read = 4096_i64.to_be_bytes().to_vec();
    read.extend(512_u32.to_be_bytes());
    read.extend(501_u32.to_be_bytes());
    let window = |time: u32| {
        let mut record = vec![0xe0, 0, 0, 28, 190, 153, 26, 20];
        record.extend(time.to_be_bytes());
        record.extend(time.to_be_bytes());
        record
    };
    let body = [window(1_700_000_110), read, window(1_700_000_110)].concat();
    let mut packets = golden();
    packets.insert(6, packet(b't', 5, &body));
    let outcome = told(OTEL, &packets);
    let request = outcome.only("io", "eventName", "xrootd.io.read");
    assert_keys(
        &request["attributes"],
        &json!({"xrootd.io.offset": 4096, "xrootd.io.length": 512, "file.name": "file.root"}),
    );
}

#[test]
fn bulk_has_an_action_before_each_document() {
    let profile = r#"{"profile": "otel", "otel_form": "bulk", "index": "xrootd-write"}"#;
    let outcome = told(profile, &golden());
    let lines: Vec<_> = outcome.lines.iter().map(|(_, line)| line.as_str()).collect();
    let documents = told(OTEL, &golden()).lines.len();
    assert_eq!(lines.len(), 2 * documents);
    for pair in lines.chunks(2) {
        assert_eq!(pair[0], r#"{"create":{"_index":"xrootd-write"}}"#);
        assert!(pair[1].starts_with(r#"{"resource":"#));
    }
    let anywhere = told(r#"{"profile": "otel", "otel_form": "bulk"}"#, &golden());
    assert_eq!(anywhere.lines[0].1, r#"{"create":{}}"#);
}

#[test]
fn otlp_says_the_same() {
    let outcome = told(r#"{"profile": "otel", "otel_form": "otlp"}"#, &golden());
    let logs: Vec<Value> =
        outcome.of_kind("accesses").iter().map(|line| line["resourceLogs"][0].clone()).collect();
    let plain = close(&told(OTEL, &golden()));
    let record = |logs: &Value| logs["scopeLogs"][0]["logRecords"][0].clone();
    let logs = logs.iter().find(|logs| record(logs)["eventName"] == "xrootd.write").expect("there");
    for key in ["timeUnixNano", "traceId", "spanId", "severityNumber", "severityText"] {
        assert_eq!(record(logs)[key], plain[key], "{key}");
    }
    for (list, object) in [
        (&record(logs)["attributes"], &plain["attributes"]),
        (&logs["resource"]["attributes"], &plain["resource"]),
    ] {
        let (list, object) = (list.as_array().expect("list"), object.as_object().expect("object"));
        assert_eq!(list.len(), object.len());
        for entry in list {
            let value = &object[entry["key"].as_str().expect("a key")];
            let (_, typed) = entry["value"].as_object().expect("typed").iter().next().expect("one");
            let same = match value {
                Value::Number(number) => typed == value || *typed == number.to_string(),
                Value::Array(_) => typed["values"][0]["stringValue"] == value[0],
                _ => typed == value,
            };
            assert!(same, "{entry} {value}");
        }
    }
}

#[test]
fn equal_packets_have_equal_ids() {
    let ids = |packets: &[Sent]| {
        let document = close(&told(OTEL, packets));
        [document["traceId"].clone(), document["spanId"].clone()]
    };
    assert_eq!(ids(&golden()), ids(&golden()));
    let other: Vec<_> = golden()
        .into_iter()
        .map(|sent| Sent { peer: Some(gridtap::capture::peer_of("192.0.2.2:1234")), ..sent })
        .collect();
    assert_ne!(ids(&golden())[0], ids(&other)[0]);
}
