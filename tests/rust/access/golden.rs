//! Known packets and what must come of them.

use crate::feed::{Run, Sent, peer};
use serde_json::{Value, json};

fn packets() -> Vec<Sent> {
    let lines = include_str!("golden.hex").lines().filter(|line| !line.starts_with('#'));
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(pair, 16).expect("hex")
    };
    lines
        .map(|line| line.as_bytes().chunks(2).map(byte).collect())
        .map(|bytes| Sent { peer: peer(1, 1234), bytes })
        .collect()
}

fn run() -> Run {
    let mut run = Run::new();
    run.feed_all(&packets());
    run.finish();
    run
}

fn assert_columns(record: &Value, expected: &Value) {
    for (column, value) in expected.as_object().expect("object") {
        assert_eq!(&record[column], value, "{column}");
    }
}

#[test]
fn the_access_is_whole() {
    let run = run();
    assert_eq!(run.seen.accesses.len(), 2);
    let access = run.seen.accesses.iter().find(|a| a["file_id"] == 501).expect("there");
    assert_columns(
        access,
        &json!({
            "server_address": "192.0.2.1", "server_udp_port": 1234,
            "server_started_at": 1_700_000_000, "server_id": 123_456_789_012_u64,
            "server_host": "srv01.example.org", "server_port": 1094, "server_instance": "anon",
            "server_program": "xrootd", "server_version": "5.7.1", "server_site": "EXAMPLE_SITE",
            "path": "/ospool/ap20/data/alice/file.root", "file_size_bytes": 4_096_000, "mode": "read",
            "user_id": 77, "user_name": "alice", "user_host": "wn001.example.net",
            "user_protocol": "root", "user_pid": 7, "auth_protocol": "gsi", "auth_name": "alice",
            "auth_host": "wn001.example.net", "auth_vo": "osg osg", "auth_role": "analysis",
            "auth_groups": "/osg", "auth_info": "/DC=org/DC=example/CN=Alice Example/CN=1234::extra",
            "auth_app": "root.exe", "auth_moninfo": null, "ip_version": 6,
            "app_info": "12_https://pool.example.net/12/240101:101010:alice:crab:TaskOne_3",
            "token_subject": "sub-1", "token_name": "alice", "token_vo": "exampleissuer",
            "token_role": null, "token_groups": "/osg /osg/prod",
            "experiment_id": 9, "activity_id": 14,
            "opened_at": 1_700_000_100.0, "open_window_start": 1_700_000_100,
            "open_window_end": 1_700_000_105, "closed_at": 1_700_000_160.0,
            "close_window_start": 1_700_000_160, "close_window_end": 1_700_000_165,
            "read_bytes": 300_000, "readv_bytes": 120_000, "write_bytes": 5000, "read_ops": 3,
            "readv_ops": 2, "write_ops": 1, "readv_segments": 20, "read_min_bytes": 50_000,
            "read_max_bytes": 150_000, "readv_min_bytes": 40_000, "readv_max_bytes": 80_000,
            "write_min_bytes": 5000, "write_max_bytes": 5000, "readv_min_segments": 4,
            "readv_max_segments": 16, "read_sigma_bytes": null, "open_seen": true,
            "close_seen": true, "close_reason": "closed", "loss_suspected": false,
        }),
    );
}

#[test]
fn the_orphan_is_a_record_with_holes() {
    let run = run();
    let orphan = run.seen.accesses.iter().find(|a| a["file_id"] == 777).expect("there");
    assert_columns(
        orphan,
        &json!({
            "path": null, "file_size_bytes": null, "user_id": null, "user_name": null, "mode": null,
            "opened_at": null, "closed_at": 1_700_000_170.0, "read_bytes": 10, "read_ops": null,
            "open_seen": false, "close_seen": true, "server_site": "EXAMPLE_SITE",
        }),
    );
}

#[test]
fn the_plugin_events_are_typed() {
    let run = run();
    let [cache, copy] = &run.seen.plugins[..] else { panic!("two events") };
    assert_columns(
        cache,
        &json!({
            "provider": "C", "event": "file_close", "path": "/ospool/ap20/data/alice/file.root",
            "cache_hit_bytes": 1000, "cache_miss_bytes": 2000, "cache_bypass_bytes": 300,
            "cache_blocks_done": 8, "began_at": 1_700_000_100.0, "ended_at": 1_700_000_160.0,
            "server_site": "EXAMPLE_SITE", "window_start": 1_700_000_200,
        }),
    );
    assert_columns(
        copy,
        &json!({
            "provider": "P", "copy_direction": "pull", "copy_ip_version": 6, "copy_return_code": 0,
            "copy_streams": 1, "file_size_bytes": 1234, "began_at": 1_700_000_000.0,
            "ended_at": 1_700_000_060.0, "copy_source": "https://a.example.org/store/data/f",
        }),
    );
}

#[test]
fn a_read_write_open_keeps_name_and_user() {
    let mut packets = packets();
    let open = packets.iter_mut().find(|sent| sent.bytes[..2] == [b'f', 0]).expect("there");
    assert_eq!(open.bytes[32..34], [1, 1]);
    open.bytes[33] = 3;
    let mut run = Run::new();
    run.feed_all(&packets);
    run.finish();
    let access = run.seen.accesses.iter().find(|a| a["file_id"] == 501).expect("there");
    assert_columns(access, &json!({"mode": "read-write", "auth_name": "alice", "user_id": 77}));
}

#[test]
fn without_a_clock_the_packets_tell_the_time() {
    let mut clocked = run().seen.accesses;
    let mut run = Run::new();
    for Sent { peer, bytes } in &packets() {
        let message = gridtap::xrootd::Message::decode(bytes, &mut gridtap::error::Ignore);
        let message = message.expect("decodes");
        run.correlator.message(Some(peer), None, bytes, &message, &mut run.seen);
    }
    run.finish();
    clocked.sort_by_key(Value::to_string);
    run.seen.accesses.sort_by_key(Value::to_string);
    assert_eq!(run.seen.accesses, clocked);
}
