//! Which server a packet belongs to.

use crate::feed::{FILE, PATH, Run, START, Server, USER, close, correlate, open, peer, report};
use serde_json::{Value, json};

#[test]
fn two_destinations_of_a_server_see_each_access_once() {
    let (mut one, mut run) = (Server::new(1), Run::new());
    let mut two = Server { peer: peer(1, 41_001), main: 90, ..one.clone() };
    run.feed(&one.login(USER, "alice"));
    run.feed(&two.login(USER, "alice"));
    for records in [vec![open(FILE, USER, PATH)], vec![close(FILE, [1, 2, 3])]] {
        run.feed(&one.files(&records));
        run.feed(&two.files(&records));
        run.pass(30);
    }
    run.finish();
    assert_eq!(run.access()["loss_suspected"], false);
    assert_eq!(run.seen.sessions.len(), 1);
    assert_eq!(run.seen.servers.len(), 1);
    assert_eq!(run.correlator.stats().duplicate_packets, 2);
}

#[test]
fn servers_started_in_the_same_second_do_not_mix() {
    // Behind one relay: the same address, port and start time, and the same numbers of files.
    let sender = peer(9, 9930);
    let mut one = Server { peer: sender.clone(), ..Server::new(1) };
    let mut two = Server { peer: sender, ..Server::new(2) };
    let mut run = Run::new();
    run.feed(&one.ident_of(1094, "xrootd"));
    run.feed(&two.ident_of(1095, "xrootd"));
    run.feed(&one.login(USER, "alice"));
    run.feed(&two.login(USER, "bob"));
    run.feed(&one.files(&[open(FILE, USER, "/one")]));
    run.feed(&two.files(&[open(FILE, USER, "/two")]));
    run.feed(&two.files(&[close(FILE, [2, 0, 0])]));
    run.feed(&one.files(&[close(FILE, [1, 0, 0])]));
    run.finish();
    let mut found: Vec<_> = run
        .seen
        .accesses
        .iter()
        .map(|a| json!([a["path"], a["user_name"], a["server_port"], a["read_bytes"]]))
        .collect();
    found.sort_by_key(Value::to_string);
    assert_eq!(found, [json!(["/one", "alice", 1094, 1]), json!(["/two", "bob", 1095, 2])]);
    assert_eq!(run.columns("loss_suspected"), [json!(false), json!(false)]);
}

#[test]
fn the_same_sid_on_two_hosts_is_two_servers() {
    let (mut one, mut run) = (Server::new(1), Run::new());
    let mut two = Server { peer: peer(2, 41_000), stod: START + 50, ..one.clone() };
    run.feed(&one.files(&[open(FILE, USER, "/one")]));
    run.feed(&two.files(&[open(FILE, USER, "/two")]));
    run.pass(120);
    assert_eq!(run.seen.accesses.len(), 0, "no restart");
    run.feed(&one.files(&[close(FILE, [1, 0, 0])]));
    run.feed(&two.files(&[close(FILE, [2, 0, 0])]));
    run.finish();
    assert_eq!(run.columns("path"), [json!("/one"), json!("/two")]);
}

#[test]
fn time_records_without_a_sid_join_the_maps_of_their_sender() {
    for is_map_first in [true, false] {
        let mut run = Run::new();
        let mut server = Server { has_short_times: true, ..Server::new(1) };
        let map = server.login(USER, "alice");
        let opened = server.files(&[open(FILE, USER, PATH)]);
        let packets = if is_map_first { [map, opened] } else { [opened, map] };
        run.feed_all(&packets);
        run.feed(&server.files(&[close(FILE, [1, 2, 3])]));
        run.finish();
        let access = run.access();
        assert_eq!(access["user_name"], "alice", "map first: {is_map_first}");
        assert_eq!(access["server_id"], server.sid);
        assert_eq!(run.seen.servers.len(), 1);
    }
}

#[test]
fn a_sender_without_any_sid_is_a_server_too() {
    let mut server = Server { has_short_times: true, ..Server::new(1) };
    let packets =
        [server.files(&[open(FILE, USER, PATH)]), server.files(&[close(FILE, [1, 2, 3])])];
    let seen = correlate(&packets);
    assert_eq!(seen.accesses.len(), 1);
    assert_eq!(seen.accesses[0]["server_id"], Value::Null);
    assert_eq!(seen.accesses[0]["user_id"], USER);
}

/// Before 5.1.0 the sid changed with every start.
#[test]
fn a_restart_shows_in_the_identification_too() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.ident());
    run.feed(&server.files(&[open(FILE, USER, PATH)]));
    let mut again = Server { stod: START + 500, sid: 0x1234_0446, ..Server::new(1) };
    run.feed(&again.ident());
    run.feed(&again.files(&[report(FILE, [1, 0, 0])]));
    run.pass(61);
    assert_eq!(run.access()["close_reason"], "restart");
    assert_eq!(run.access()["server_started_at"], START);
}

#[test]
fn other_programs_on_the_same_host_are_no_restart() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.ident());
    run.feed(&server.files(&[open(FILE, USER, PATH)]));
    let mut other = Server { stod: START + 500, sid: 0x1234_0446, ..Server::new(1) };
    other.peer.port = Some(42_000);
    run.feed(&other.ident_of(0, "frm_xfrd"));
    run.pass(120);
    assert_eq!(run.seen.accesses.len(), 0);
    assert_eq!(run.seen.servers.len(), 2);
}

/// A packet without a sid makes an incarnation of its own until one with a sid names it; that must
/// not make an old run the newest.
#[test]
fn a_late_packet_without_a_sid_does_not_end_the_new_run() {
    let mut old = Server { has_short_times: true, ..Server::new(1) };
    let mut new = Server { stod: START + 500, ..Server::new(1) };
    let mut run = Run::new();
    run.feed(&new.login(USER, "alice"));
    run.feed(&new.files(&[open(FILE, USER, PATH)]));
    run.feed(&old.files(&[report(3, [1, 0, 0])]));
    run.feed(&old.login(USER, "bob"));
    run.pass(120);
    run.feed(&new.files(&[close(FILE, [1, 2, 3])]));
    run.finish();
    let access = run.seen.accesses.iter().find(|a| a["file_id"] == FILE).expect("there");
    assert_eq!(access["close_reason"], "closed");
    assert_eq!(access["user_name"], "alice");
    assert_eq!(run.correlator.stats().stale_packets, 0);
}

#[test]
fn servers_identify_themselves_once_for_each_news() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    for _ in 0..3 {
        run.feed(&server.ident());
        run.pass(3600);
    }
    assert_eq!(run.seen.servers.len(), 1);
    let found = &run.seen.servers[0];
    assert_eq!((&found["identified"], &found["server_pid"]), (&json!(true), &json!(4321)));
    assert_eq!((&found["server_user"], &found["server_port"]), (&json!("root"), &json!(1094)));
    run.feed(&server.ident_of(1096, "xrootd"));
    assert_eq!(run.seen.servers.len(), 2);
    run.finish();
    assert_eq!(run.seen.servers.len(), 2);
}
