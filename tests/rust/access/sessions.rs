//! One record for each login.

use crate::feed::{FILE, PATH, Run, START, Server, USER, close, disconnect, open, report};
use gridtap::access::Config;
use gridtap::xrootd::trace::TraceRecord;
use serde_json::{Value, json};

fn disc(user: u32, flags: u8) -> TraceRecord<'static> {
    TraceRecord::Disc { flags, reserved: 0, stale: 0xdead_beef, seconds: 42, user }
}

#[test]
fn a_login_sums_up_its_files() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.login(78, "bob"));
    run.feed(&server.files(&[open(1, USER, "/a"), open(2, USER, "/b"), open(3, 78, "/c")]));
    run.feed(&server.files(&[close(1, [1, 10, 100]), report(2, [2, 20, 200]), disconnect(USER)]));
    run.pass(60);
    assert_eq!(run.seen.sessions.len(), 1);
    let session = &run.seen.sessions[0];
    let sums = ["files", "read_bytes", "readv_bytes", "write_bytes"].map(|name| &session[name]);
    assert_eq!(sums, [&json!(2), &json!(3), &json!(30), &json!(300)]);
    assert_eq!((&session["user_id"], &session["end_reason"]), (&json!(USER), &json!("disconnect")));
    assert_eq!(session["end_window_end"], START + 110);
    assert_eq!(session["started_at"], f64::from(START) + 200.0);
    run.finish();
    let ended: Vec<_> = run.seen.sessions.iter().map(|s| s["end_reason"].clone()).collect();
    assert_eq!(ended, [json!("disconnect"), json!("open")]);
    assert_eq!(run.seen.sessions[1]["ended_at"], Value::Null);
}

#[test]
fn a_disconnect_of_the_trace_adds_what_it_knows() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.files(&[open(FILE, USER, PATH)]));
    run.feed(&server.trace(START + 120, START + 180, &[disc(USER, 1)]));
    run.feed(&server.files(&[close(FILE, [1, 2, 3]), disconnect(USER)]));
    run.pass(60);
    assert_eq!(run.access()["close_reason"], "closed");
    assert_eq!(run.seen.sessions.len(), 1);
    let session = &run.seen.sessions[0];
    assert_eq!((&session["forced"], &session["duration_s"]), (&json!(true), &json!(42)));
    assert_eq!(session["end_window_end"], START + 110, "the f-stream's window");
}

#[test]
fn the_end_of_a_parallel_path_is_not_the_end_of_the_login() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.trace(START + 120, START + 180, &[disc(USER, 2)]));
    run.pass(3600);
    assert_eq!(run.seen.sessions.len(), 0);
    run.finish();
    assert_eq!(run.seen.sessions[0]["end_reason"], "open");
}

#[test]
fn logins_end_by_restart_age_and_ceiling() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    let mut again = Server { stod: START + 500, ..Server::new(1) };
    run.feed(&again.login(USER, "alice"));
    run.pass(61);
    assert_eq!(run.seen.sessions[0]["end_reason"], "restart");
    run.pass(20 * 3600);
    run.feed(&again.ident());
    run.pass(5 * 3600);
    assert_eq!(run.seen.sessions[1]["end_reason"], "expired");

    let config = Config { max_sessions: 2, ..Config::default() };
    let (mut server, mut run) = (Server::new(1), Run::with(config));
    run.feed(&server.login(1, "one"));
    run.feed(&server.files(&[open(FILE, 1, PATH)]));
    run.feed(&server.login(2, "two"));
    run.feed(&server.login(3, "three"));
    assert_eq!(run.seen.sessions[0]["user_name"], "one");
    assert_eq!(run.seen.sessions[0]["end_reason"], "evicted");
    assert_eq!(run.access()["close_reason"], "evicted");
}

#[test]
fn a_login_repeated_is_one_login() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.map(b'u', USER, &server.userid("alice"), "&p=ztn&n=other"));
    run.feed(&server.files(&[open(FILE, USER, PATH), close(FILE, [1, 0, 0]), disconnect(USER)]));
    run.pass(60);
    assert_eq!(run.seen.sessions.len(), 1);
    assert_eq!(run.access()["auth_protocol"], "ztn");
    assert_eq!(run.access()["auth_vo"], Value::Null);
}

#[test]
fn a_loss_during_the_login_is_noted() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    server.path(1, "alice", PATH);
    run.feed(&server.login(78, "bob"));
    run.finish();
    let lost: Vec<_> = run.seen.sessions.iter().map(|s| s["loss_suspected"].clone()).collect();
    assert_eq!(lost, [json!(true), json!(false)]);
}
