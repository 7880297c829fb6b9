//! Accesses that the t-stream tells of, alone or beside the f-stream.

use crate::feed::{FILE, PATH, Run, START, Sent, Server, USER, close, disconnect, open, peer};
use gridtap::xrootd::trace::TraceRecord;
use serde_json::{Value, json};

fn opened(dictid: u32) -> TraceRecord<'static> {
    TraceRecord::Open { filesize: 777, reserved: 0, dictid }
}

fn read(dictid: u32, offset: i64, buflen: i32) -> TraceRecord<'static> {
    TraceRecord::ReadWrite { offset, buflen, dictid }
}

fn vector(dictid: u32, unpacked: bool, count: u16, buflen: i32) -> TraceRecord<'static> {
    TraceRecord::Readv { unpacked, readid: 1, count, reserved: 0, buflen, dictid }
}

fn closed(dictid: u32, rval: u32, wval: u32) -> TraceRecord<'static> {
    TraceRecord::Close { rshift: 0, wshift: 0, reserved: 0, rval, wval, dictid }
}

fn traced(server: &mut Server, records: &[TraceRecord<'_>]) -> Sent {
    server.trace(START + 120, START + 180, records)
}

/// Records of one access: 100 bytes read, 60 by vector in 4 segments, 7 written.
fn requests() -> [TraceRecord<'static>; 8] {
    [
        read(FILE, 0, 60),
        read(FILE, 60, 40),
        vector(FILE, false, 2, 30),
        vector(FILE, true, 2, 30),
        read(FILE, 500, 10),
        read(FILE, 600, 20),
        read(FILE, 0, -7),
        closed(FILE, 160, 7),
    ]
}

#[test]
fn requests_add_up() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.path(FILE, "alice", PATH));
    run.feed(&traced(&mut server, &[&[opened(FILE)], &requests()[..]].concat()));
    run.pass(600);
    let access = run.access();
    let bytes = ["read_bytes", "readv_bytes", "write_bytes"].map(|name| &access[name]);
    assert_eq!(bytes, [&json!(100), &json!(60), &json!(7)]);
    let ops = ["read_ops", "readv_ops", "write_ops", "readv_segments"].map(|name| &access[name]);
    assert_eq!(ops, [&json!(2), &json!(2), &json!(1), &json!(4)]);
    assert_eq!((&access["path"], &access["user_id"]), (&json!(PATH), &json!(USER)));
    assert_eq!((&access["file_size_bytes"], &access["mode"]), (&json!(777), &Value::Null));
    assert_eq!((&access["open_seen"], &access["close_seen"]), (&json!(true), &json!(true)));
    assert_eq!(access["open_window_start"], START + 120);
    assert_eq!(access["opened_at"], f64::from(START) + 120.0);
}

#[test]
fn requests_that_do_not_add_up_are_left_out() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.path(FILE, "alice", PATH));
    run.feed(&traced(&mut server, &[opened(FILE), read(FILE, 0, 60), closed(FILE, 160, 7)]));
    run.pass(600);
    let access = run.access();
    assert_eq!((&access["read_bytes"], &access["write_bytes"]), (&json!(160), &json!(7)));
    assert_eq!((&access["readv_bytes"], &access["read_ops"]), (&Value::Null, &Value::Null));
}

#[test]
fn an_open_and_a_close_twice_are_one_access() {
    for wait in [0, 200, 700] {
        let (mut server, mut run) = (Server::new(1), Run::new());
        run.feed(&server.path(FILE, "alice", PATH));
        run.feed(&traced(&mut server, &[opened(FILE), closed(FILE, 5, 0)]));
        run.pass(wait);
        run.feed(&traced(&mut server, &[opened(FILE), closed(FILE, 5, 0)]));
        run.pass(1000);
        run.finish();
        assert_eq!(run.access()["read_bytes"], 5, "after {wait} s");
    }
}

#[test]
fn large_totals_are_shifted() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    let (rval, wval) = (0x8000_0001, 0xffff_ffff);
    let end = TraceRecord::Close { rshift: 3, wshift: 31, reserved: 0, rval, wval, dictid: FILE };
    let bad = TraceRecord::Close { rshift: 32, wshift: 0, reserved: 0, rval, wval, dictid: 502 };
    run.feed(&traced(&mut server, &[opened(FILE), end, opened(502), bad]));
    run.finish();
    let of = |file: u32| run.seen.accesses.iter().find(|a| a["file_id"] == file).expect("there");
    assert_eq!(of(FILE)["read_bytes"], 0x4_0000_0008_u64);
    assert_eq!(of(FILE)["write_bytes"], 0x7fff_ffff_8000_0000_u64);
    assert_eq!((&of(502)["close_seen"], &of(502)["close_reason"]), (&json!(false), &json!("open")));
}

#[test]
fn a_disconnect_ends_what_only_the_trace_knows() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.path(FILE, "alice", PATH));
    let disc = TraceRecord::Disc { flags: 1, reserved: 0, stale: 0, seconds: 60, user: USER };
    run.feed(&traced(&mut server, &[opened(FILE), disc]));
    run.pass(200);
    assert_eq!(run.seen.accesses.len(), 0, "closes of an f-stream may still come");
    run.pass(200);
    assert_eq!(run.access()["close_reason"], "disconnect");
    assert_eq!(run.seen.sessions[0]["duration_s"], 60);
}

/// f and t packets of one access, with and without the close of the f-stream.
#[test]
fn the_f_stream_wins_whatever_comes_first() {
    let mut server = Server::new(1);
    let map = server.path(FILE, "alice", PATH);
    let packets = [
        traced(&mut server, &[opened(FILE), read(FILE, 0, 100)]),
        traced(&mut server, &[closed(FILE, 100, 0)]),
        server.files(&[open(FILE, USER, PATH)]),
        server.files(&[close(FILE, [90, 10, 1])]),
    ];
    for order in
        [[0, 1, 2, 3], [2, 3, 0, 1], [0, 2, 1, 3], [2, 0, 3, 1], [3, 1, 0, 2], [1, 0, 3, 2]]
    {
        let mut run = Run::new();
        run.feed(&map);
        for at in order {
            run.pass(1);
            run.feed(&packets[at]);
        }
        run.pass(1000);
        run.finish();
        let access = run.access();
        assert_eq!(access["readv_bytes"], 10, "{order:?}");
        assert_eq!(access["file_size_bytes"], 4_096_000, "{order:?}");
        assert_eq!(access["mode"], "read", "{order:?}");
        assert_eq!(access["open_window_end"], START + 110, "{order:?}");
    }
}

/// Servers without `xfr` send no closes in the f-stream: the disconnect ends the files, and the
/// t-stream may tell of them later.
#[test]
fn a_trace_that_comes_after_the_disconnect_is_no_second_access() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.files(&[open(FILE, USER, PATH), disconnect(USER)]));
    run.pass(60);
    run.feed(&traced(&mut server, &[opened(FILE), closed(FILE, 100, 0)]));
    run.pass(1000);
    run.finish();
    assert_eq!(run.access()["close_reason"], "disconnect");
}

#[test]
fn a_close_of_the_trace_is_newer_than_a_report() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.files(&[open(FILE, USER, PATH), crate::feed::report(FILE, [10, 5, 0])]));
    run.feed(&traced(&mut server, &[closed(FILE, 100, 3)]));
    run.pass(1000);
    let access = run.access();
    assert_eq!((&access["read_bytes"], &access["write_bytes"]), (&json!(100), &json!(3)));
    assert_eq!(access["readv_bytes"], Value::Null);
}

#[test]
fn reports_that_add_up_to_the_close_of_the_trace_tell_vectors_apart() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.files(&[open(FILE, USER, PATH), crate::feed::report(FILE, [60, 40, 3])]));
    run.feed(&traced(&mut server, &[closed(FILE, 100, 3)]));
    run.pass(1000);
    let access = run.access();
    assert_eq!((&access["read_bytes"], &access["readv_bytes"]), (&json!(60), &json!(40)));
}

#[test]
fn both_destinations_with_requests_count_them_once() {
    let (mut one, mut run) = (Server::new(1), Run::new());
    let mut two = Server { peer: peer(1, 41_001), main: 90, ..one.clone() };
    let records = [&[opened(FILE)], &requests()[..]].concat();
    for server in [&mut one, &mut two] {
        run.feed(&server.path(FILE, "alice", PATH));
    }
    for server in [&mut one, &mut two] {
        run.feed(&traced(server, &records));
    }
    run.pass(1000);
    assert_eq!((&run.access()["read_ops"], &run.access()["read_bytes"]), (&json!(2), &json!(100)));
    assert_eq!(run.seen.io.len(), records.len());
}

#[test]
fn a_file_that_is_read_does_not_expire() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.path(FILE, "alice", PATH));
    run.feed(&traced(&mut server, &[opened(FILE)]));
    for _ in 0..3 {
        run.pass(20 * 3600);
        run.feed(&traced(&mut server, &[read(FILE, 0, 10)]));
    }
    assert_eq!(run.seen.accesses.len(), 0);
    run.feed(&traced(&mut server, &[closed(FILE, 30, 0)]));
    run.pass(1000);
    assert_eq!(run.access()["read_ops"], 3);
}

#[test]
fn events_say_whether_they_are_segments() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.path(FILE, "alice", PATH));
    let disc = TraceRecord::Disc { flags: 3, reserved: 0, stale: 1, seconds: 60, user: USER };
    // The packet ends between a READU and its segments.
    let (before, after) = (&requests()[..4], &requests()[4..]);
    run.feed(&traced(&mut server, &[&[opened(FILE)], before].concat()));
    run.feed(&traced(&mut server, &[after, &[disc]].concat()));
    let io = &run.seen.io;
    let names: Vec<_> = io.iter().map(|event| event["operation"].as_str().expect("set")).collect();
    let expected = "open read read readv readv read read write close disconnect";
    assert_eq!(names.join(" "), expected);
    let segments: Vec<_> = io.iter().map(|event| event["is_segment"].clone()).collect();
    let [no, yes, none] = [json!(false), json!(true), Value::Null];
    let pattern = [&none, &no, &no, &none, &none, &yes, &yes, &none, &none, &none];
    assert_eq!(segments.iter().collect::<Vec<_>>(), pattern);
    assert!(io[..9].iter().all(|event| event["path"] == PATH));
    assert!(io.iter().all(|event| event["user_name"] == "alice"));
    assert_eq!((&io[2]["offset_bytes"], &io[2]["length_bytes"]), (&json!(60), &json!(40)));
    assert_eq!((&io[4]["segments"], &io[4]["readv_id"]), (&json!(2), &json!(1)));
    assert_eq!((&io[7]["length_bytes"], &io[8]["read_bytes"]), (&json!(7), &json!(160)));
    assert_eq!((&io[9]["forced"], &io[9]["bound"]), (&json!(true), &json!(true)));
    assert_eq!(io[0]["window_end"], START + 180);
    assert_eq!(io[1]["at"], f64::from(START) + 120.0 + 60.0 / 5.0);
}
