//! Accesses that do not end with their close.

use crate::feed::{FILE, PATH, Run, START, Server, USER, close, disconnect, open, report};
use gridtap::access::{Config, Reason};
use serde_json::{Value, json};

#[test]
fn a_disconnect_ends_files_after_a_grace() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.files(&[open(FILE, USER, PATH), report(FILE, [5, 6, 7])]));
    server.window = (START + 160, START + 170);
    run.feed(&server.files(&[disconnect(USER)]));
    // Twice the window.
    run.pass(19);
    assert_eq!(run.seen.accesses.len(), 0);
    run.pass(2);
    let access = run.access();
    assert_eq!(access["close_reason"], "disconnect");
    assert_eq!((&access["close_seen"], &access["readv_bytes"]), (&json!(false), &json!(6)));
    assert_eq!(access["close_window_end"], START + 170);
    assert_eq!(run.seen.sessions[0]["end_reason"], "disconnect");
}

#[test]
fn a_close_within_the_grace_of_its_disconnect_counts() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.files(&[open(FILE, USER, PATH)]));
    let closing = server.files(&[close(FILE, [1, 2, 3])]);
    run.feed(&server.files(&[disconnect(USER)]));
    run.pass(3);
    run.feed(&closing);
    run.pass(60);
    assert_eq!(run.access()["close_reason"], "closed");
    assert_eq!(run.access()["write_bytes"], 3);
}

#[test]
fn a_disconnect_of_nobody_ends_nothing() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.files(&[open(FILE, 0, PATH), disconnect(0)]));
    run.pass(600);
    assert_eq!(run.seen.accesses.len(), 0);
    run.feed(&server.files(&[close(FILE, [1, 0, 0])]));
    run.finish();
    assert_eq!(run.access()["close_reason"], "closed");
    assert_eq!(run.access()["user_id"], Value::Null);
}

#[test]
fn a_restart_ends_what_was_open_a_minute_later() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.files(&[open(FILE, USER, PATH), open(502, USER, PATH)]));
    let mut again = Server { stod: START + 500, ..Server::new(1) };
    run.feed(&again.login(USER, "bob"));
    run.pass(30);
    // A late packet of the old run.
    run.feed(&server.files(&[close(502, [9, 0, 0])]));
    run.pass(29);
    run.pass(10);
    let mut ends: Vec<_> = run.columns("close_reason");
    ends.sort_by_key(Value::to_string);
    assert_eq!(ends, [json!("closed"), json!("restart")]);
    assert_eq!(run.columns("user_name"), [json!("alice"), json!("alice")]);
    // One that is too late.
    run.feed(&server.files(&[close(FILE, [9, 0, 0])]));
    assert_eq!(run.correlator.stats().stale_packets, 1);
    run.finish();
    assert_eq!(run.seen.accesses.len(), 2);
    assert_eq!(run.seen.sessions.len(), 2);
}

#[test]
fn a_file_unheard_of_for_too_long_expires() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.files(&[open(FILE, USER, PATH), open(502, USER, PATH)]));
    run.pass(23 * 3600);
    run.feed(&server.files(&[report(FILE, [1, 0, 0])]));
    run.pass(2 * 3600);
    assert_eq!(run.access()["close_reason"], "expired");
    assert_eq!(run.access()["file_id"], 502);
    run.finish();
    assert_eq!(run.columns("close_reason"), [json!("expired"), json!("open")]);
}

#[test]
fn a_full_table_lets_its_oldest_go() {
    let config = Config { max_open_files: 3, ..Config::default() };
    let (mut server, mut run) = (Server::new(1), Run::with(config));
    for file in 1..=3 {
        run.feed(&server.files(&[open(file, USER, PATH)]));
    }
    run.feed(&server.files(&[report(1, [4, 0, 0])]));
    run.feed(&server.files(&[open(4, USER, PATH)]));
    run.feed(&server.files(&[open(5, USER, PATH)]));
    assert_eq!(run.columns("file_id"), [json!(2), json!(3)]);
    assert_eq!(run.columns("close_reason"), [json!("evicted"), json!("evicted")]);
    assert_eq!(run.correlator.open_files(), 3);
    assert_eq!(run.correlator.stats().accesses.get(&Reason::Evicted), Some(&2));
}

#[test]
fn a_full_table_of_logins_does_not_end_files_without_one() {
    let config = Config { max_sessions: 3, ..Config::default() };
    let (mut server, mut run) = (Server::new(1), Run::with(config));
    run.feed(&server.files(&[open(1, 0, PATH)]));
    for user in 1..=10 {
        run.feed(&server.login(user, &format!("user{user}")));
        run.feed(&server.files(&[report(1, [4, 0, 0])]));
    }
    assert_eq!(run.seen.accesses.len(), 0);
    assert_eq!(run.seen.sessions.len(), 7);
    assert!(run.seen.sessions.iter().all(|session| session["end_reason"] == "evicted"));
}

#[test]
fn a_full_table_of_servers_lets_the_quietest_go() {
    let config = Config { max_servers: 2, ..Config::default() };
    let mut run = Run::with(config);
    for number in 1..=3 {
        run.feed(&Server::new(number).files(&[open(FILE, USER, PATH)]));
    }
    assert_eq!(run.access()["server_address"], "192.0.2.1");
    assert_eq!(run.access()["close_reason"], "evicted");
}

#[test]
fn the_end_of_the_input_leaves_files_open() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.files(&[open(FILE, USER, PATH), report(FILE, [5, 0, 0])]));
    run.finish();
    let access = run.access();
    assert_eq!(access["close_reason"], "open");
    assert_eq!((&access["close_seen"], &access["read_bytes"]), (&json!(false), &json!(5)));
    assert_eq!(access["closed_at"], Value::Null);
    assert_eq!(run.seen.servers[0]["identified"], false);
}

#[test]
fn a_close_without_an_open_is_a_record_too() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.path(FILE, "alice", PATH));
    run.feed(&server.files(&[close(FILE, [5, 0, 0]), close(777, [10, 0, 0])]));
    run.pass(6);
    assert_eq!(run.seen.accesses.len(), 2);
    let named = &run.seen.accesses[0];
    assert_eq!((&named["path"], &named["user_name"]), (&json!(PATH), &json!("alice")));
    for access in &run.seen.accesses {
        assert_eq!((&access["open_seen"], &access["close_seen"]), (&json!(false), &json!(true)));
        assert_eq!((&access["opened_at"], &access["mode"]), (&Value::Null, &Value::Null));
        assert_eq!(access["file_size_bytes"], Value::Null);
    }
}

#[test]
fn an_open_that_comes_after_its_record_went_out_is_no_second_access() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    let opened = server.files(&[open(FILE, USER, PATH)]);
    run.feed(&server.files(&[close(FILE, [5, 0, 0])]));
    run.pass(60);
    run.feed(&opened);
    run.finish();
    assert_eq!(run.access()["open_seen"], false);
}

#[test]
fn a_report_alone_is_a_record() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.files(&[report(FILE, [1, 2, 3])]));
    run.feed(&server.files(&[report(FILE, [4, 5, 6])]));
    run.finish();
    let access = run.access();
    assert_eq!((&access["open_seen"], &access["close_seen"]), (&json!(false), &json!(false)));
    assert_eq!((&access["read_bytes"], &access["write_bytes"]), (&json!(4), &json!(6)));
}

#[test]
fn a_path_that_nothing_opens_is_no_record() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.path(FILE, "alice", PATH));
    run.finish();
    assert_eq!(run.seen.accesses.len(), 0);
    assert_eq!(run.correlator.stats().unused_names, 1);
}
