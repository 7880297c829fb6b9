//! One access and everything known of it.

use crate::feed::{
    FILE, PATH, Run, START, Server, USER, close, close_with, disconnect, open, open_bare, report,
};
use gridtap::xrootd::fstat::{StatOps, StatSsq, close_flag};
use serde_json::{Value, json};

fn ops() -> StatOps {
    StatOps {
        read: 3,
        readv: 2,
        write: 1,
        rsmin: 4,
        rsmax: 16,
        rsegs: 20,
        rdmin: 50_000,
        rdmax: 150_000,
        rvmin: 40_000,
        rvmax: 80_000,
        wrmin: 5000,
        wrmax: 5000,
    }
}

/// Squares of reads of 50, 100 and 150 kB, vectors of 40 and 80 kB in 4 and 16 segments, one write.
const SQUARES: StatSsq = StatSsq { read: 3.5e10, readv: 8e9, rsegs: 272.0, write: 2.5e7 };

#[test]
fn everything_about_an_access_is_in_one_record() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.ident());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.app("alice", "app info"));
    run.feed(&server.token(USER, "alice", "sub-1"));
    run.feed(&server.activity(USER, "alice"));
    run.feed(&server.path(FILE, "alice", PATH));
    run.feed(&server.files(&[disconnect(0), open(FILE, USER, PATH)]));
    server.window = (START + 160, START + 170);
    let last = close_with(FILE, 0, [300_000, 120_000, 5000], Some(&ops()), Some(&SQUARES));
    run.feed(&server.files(&[report(FILE, [1, 2, 3]), report(2, [0; 3]), last, disconnect(0)]));
    run.finish();

    let expected = json!({
        "server_address": "192.0.2.1", "server_udp_port": 41000, "server_started_at": START,
        "server_id": 0x4167_a378_0001_u64, "server_host": "srv.example.org", "server_port": 1094,
        "server_instance": "anon", "server_program": "xrootd", "server_version": "v5.7.1",
        "server_site": "HERE", "file_id": FILE, "path": PATH, "path_raw": null,
        "file_size_bytes": 4_096_000, "mode": "read", "user_id": USER, "user_name": "alice",
        "user_host": "wn001.example.net", "user_protocol": "xroot", "user_pid": 7,
        "auth_protocol": "gsi", "auth_name": "alice", "auth_host": "wn001.example.net",
        "auth_vo": "osg", "auth_role": "analysis", "auth_groups": "/osg",
        "auth_info": "/DC=org/CN=alice", "auth_app": "root.exe", "auth_moninfo": "job",
        "ip_version": 6, "app_info": "app info", "token_subject": "sub-1",
        "token_name": "mapped", "token_vo": "https://issuer", "token_role": null,
        "token_groups": "/a /b", "experiment_id": 9, "activity_id": 14,
        "opened_at": f64::from(START) + 105.0, "closed_at": f64::from(START) + 165.0,
        "open_window_start": START + 100, "open_window_end": START + 110,
        "close_window_start": START + 160, "close_window_end": START + 170,
        "read_bytes": 300_000, "readv_bytes": 120_000, "write_bytes": 5000, "read_ops": 3,
        "readv_ops": 2, "write_ops": 1, "readv_segments": 20, "read_min_bytes": 50_000,
        "read_max_bytes": 150_000, "readv_min_bytes": 40_000, "readv_max_bytes": 80_000,
        "write_min_bytes": 5000, "write_max_bytes": 5000, "readv_min_segments": 4,
        "readv_max_segments": 16, "read_sigma_bytes": (5e9_f64 / 3.0).sqrt(),
        "readv_sigma_bytes": 20_000.0, "write_sigma_bytes": 0.0, "readv_sigma_segments": 6.0,
        "open_seen": true, "close_seen": true, "close_reason": "closed", "loss_suspected": false,
    });
    let mut found = run.seen.accesses.iter().find(|a| a["file_id"] == FILE).expect("found").clone();
    let sigma = found["read_sigma_bytes"].as_f64().expect("known");
    assert!((sigma - expected["read_sigma_bytes"].as_f64().expect("set")).abs() < 1e-6);
    found["read_sigma_bytes"] = expected["read_sigma_bytes"].clone();
    assert_eq!(found, expected);
    let names = |value: &Value| value.as_object().expect("object").keys().cloned().collect();
    let [found, expected]: [Vec<String>; 2] = [names(&found), names(&expected)];
    assert_eq!(found, expected, "columns keep their order");
}

#[test]
fn what_was_not_counted_is_null() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    // Only pgreads: the least value stands above the greatest. Nothing was read by vector.
    let ops = StatOps { read: 2, rdmin: i32::MAX, ..StatOps::default() };
    run.feed(&server.files(&[
        open(FILE, USER, PATH),
        close_with(FILE, 0, [8, 0, 0], Some(&ops), Some(&SQUARES)),
    ]));
    run.finish();
    let access = run.access();
    assert_eq!(access["read_ops"], 2);
    assert_eq!((&access["readv_ops"], &access["write_bytes"]), (&json!(0), &json!(0)));
    for column in ["read_min_bytes", "read_max_bytes", "readv_min_bytes", "write_max_bytes"] {
        assert_eq!(access[column], Value::Null, "{column}");
    }
    for column in ["readv_sigma_bytes", "readv_sigma_segments", "write_sigma_bytes"] {
        assert_eq!(access[column], Value::Null, "{column}");
    }
}

#[test]
fn a_close_without_counts_leaves_them_null() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.files(&[open(FILE, USER, PATH), close(FILE, [1, 2, 3])]));
    run.finish();
    let access = run.access();
    assert_eq!(access["readv_bytes"], 2);
    for column in ["read_ops", "write_ops", "readv_segments", "read_sigma_bytes"] {
        assert_eq!(access[column], Value::Null, "{column}");
    }
}

#[test]
fn an_open_without_a_name_takes_path_and_user_from_its_map() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.path(FILE, "alice", PATH));
    run.feed(&server.files(&[open_bare(FILE), close(FILE, [0, 0, 9])]));
    run.finish();
    let access = run.access();
    assert_eq!((&access["path"], &access["mode"]), (&json!(PATH), &json!("read-write")));
    assert_eq!((&access["user_id"], &access["auth_name"]), (&json!(USER), &json!("alice")));
}

/// The users of another destination's `u` packets are known by number only, but `d` maps name them.
#[test]
fn a_login_without_its_map_is_known_by_the_userid_of_its_files() {
    for is_path_first in [true, false] {
        let (mut server, mut run) = (Server::new(1), Run::new());
        let path = server.path(FILE, "alice", PATH);
        let opened = server.files(&[open(FILE, USER, PATH)]);
        let packets = if is_path_first { [path, opened] } else { [opened, path] };
        run.feed_all(&packets);
        run.feed(&server.files(&[close(FILE, [1, 0, 0]), disconnect(USER)]));
        run.finish();
        let access = run.access();
        assert_eq!(access["user_id"], USER, "path first: {is_path_first}");
        assert_eq!(access["user_name"], "alice", "path first: {is_path_first}");
        assert_eq!(access["auth_name"], Value::Null);
        assert_eq!(run.seen.sessions.len(), 1, "one login: {:#?}", run.seen.sessions);
        assert_eq!(run.seen.sessions[0]["files"], 1);
    }
}

/// Before 5.6.5 connections of one client process have the same userid.
#[test]
fn connections_with_the_same_userid_stay_apart() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(70, "alice"));
    run.feed(&server.token(71, "alice", "of-71"));
    run.feed(&server.login(71, "alice"));
    run.feed(&server.files(&[open(1, 70, "/one"), open(2, 71, "/two")]));
    run.feed(&server.files(&[close(1, [1, 0, 0]), close(2, [2, 0, 0])]));
    run.finish();
    let of = |file: u32| run.seen.accesses.iter().find(|a| a["file_id"] == file).expect("there");
    assert_eq!((&of(1)["user_id"], &of(1)["token_subject"]), (&json!(70), &Value::Null));
    assert_eq!((&of(2)["user_id"], &of(2)["token_subject"]), (&json!(71), &json!("of-71")));
    assert_eq!(run.seen.sessions.len(), 2);
}

#[test]
fn the_last_token_and_application_text_count() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.token(USER, "alice", "one"));
    run.feed(&server.token(0, "alice", "two"));
    run.feed(&server.app("alice", "first"));
    run.feed(&server.app("alice", "second"));
    run.feed(&server.files(&[open(FILE, USER, PATH), close(FILE, [0; 3])]));
    run.finish();
    let access = run.access();
    assert_eq!((&access["token_subject"], &access["app_info"]), (&json!("two"), &json!("second")));
}

#[test]
fn nothing_is_never_an_empty_text() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.map(b'u', USER, &format!("http/.3:{}@h", server.sid), "&p=http&n=&h="));
    run.feed(&server.files(&[open(FILE, USER, ""), close(FILE, [0; 3])]));
    let userid = format!("http/.3:{}@h", server.sid);
    run.feed(&server.map(b'd', 2, &userid, ""));
    run.feed(&server.files(&[open_bare(2), close(2, [0; 3])]));
    run.finish();
    assert_eq!(run.seen.accesses.len(), 2);
    for access in &run.seen.accesses {
        for (column, value) in access.as_object().expect("object") {
            assert_ne!(value, "", "{column}");
        }
    }
}

#[test]
fn a_path_that_is_not_utf_8_keeps_its_bytes() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    let mut opened = open(FILE, USER, "/x?");
    let at = opened.iter().position(|byte| *byte == b'?').expect("there");
    opened[at] = 0xff;
    run.feed(&server.files(&[opened, close(FILE, [0; 3])]));
    run.finish();
    let access = run.access();
    assert_eq!((&access["path"], &access["path_raw"]), (&json!("/x\u{fffd}"), &json!("L3j/")));
}

#[test]
fn a_forced_close_is_a_disconnect_and_keeps_its_totals() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.files(&[
        open(FILE, USER, PATH),
        close_with(FILE, close_flag::FORCED, [7, 0, 0], None, None),
    ]));
    run.finish();
    let access = run.access();
    assert_eq!(access["close_reason"], "disconnect");
    assert_eq!((&access["close_seen"], &access["read_bytes"]), (&json!(true), &json!(7)));
}

#[test]
fn the_fourth_record_of_a_reordered_window_keeps_its_share() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    let records: Vec<_> = (1..=5).map(|file| open(file, USER, PATH)).collect();
    run.feed(&server.files(&records));
    run.finish();
    let times: Vec<_> = run.columns("opened_at");
    let at = |share: f64| json!(f64::from(START) + 100.0 + share);
    assert_eq!(times, [at(0.0), at(2.0), at(4.0), at(6.0), at(8.0)]);
}
