//! What is missing, and which accesses that touches.

use crate::feed::{FILE, PATH, Run, Sent, Server, USER, close, open, report};
use gridtap::access::sequence::{Class, Loss, SECOND};
use serde_json::json;

fn counts(received: u64, lost: u64, late: u64, duplicates: u64) -> Loss {
    Loss { received, lost, late, duplicates }
}

/// A path map with a number of its own.
fn numbered(server: &mut Server, pseq: u8) -> Sent {
    server.main = pseq;
    server.path(10_000 + u32::from(pseq), "alice", PATH)
}

#[test]
fn a_packet_lost_between_open_and_close_is_suspicious() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.files(&[open(FILE, USER, PATH)]));
    server.files(&[report(FILE, [1, 0, 0])]);
    run.feed(&server.files(&[close(FILE, [2, 0, 0])]));
    run.finish();
    assert_eq!(run.access()["loss_suspected"], true);
    assert_eq!(run.loss(Class::File), counts(2, 1, 0, 0));
}

#[test]
fn a_packet_lost_before_the_open_is_not() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.files(&[report(2, [1, 0, 0])]));
    server.files(&[report(2, [1, 0, 0])]);
    run.feed(&server.files(&[open(FILE, USER, PATH)]));
    run.feed(&server.files(&[close(FILE, [2, 0, 0])]));
    run.finish();
    let access = run.seen.accesses.iter().find(|a| a["file_id"] == FILE).expect("there");
    assert_eq!(access["loss_suspected"], false);
    assert_eq!(run.loss(Class::File).lost, 1);
}

#[test]
fn a_loss_of_one_server_touches_no_other() {
    let (mut one, mut two, mut run) = (Server::new(1), Server::new(2), Run::new());
    run.feed(&one.files(&[open(FILE, USER, PATH)]));
    run.feed(&two.files(&[open(FILE, USER, PATH)]));
    two.files(&[report(FILE, [1, 0, 0])]);
    run.feed(&two.files(&[report(FILE, [1, 0, 0])]));
    run.feed(&one.files(&[close(FILE, [2, 0, 0])]));
    run.finish();
    let suspected: Vec<_> = run
        .seen
        .accesses
        .iter()
        .map(|a| (a["server_address"].clone(), a["loss_suspected"].clone()))
        .collect();
    assert!(suspected.contains(&(json!("192.0.2.1"), json!(false))));
    assert!(suspected.contains(&(json!("192.0.2.2"), json!(true))));
}

#[test]
fn a_damaged_packet_is_received_but_its_records_are_missing() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.files(&[open(FILE, USER, PATH)]));
    let mut cut = server.files(&[report(FILE, [1, 0, 0])]);
    cut.bytes.truncate(40);
    run.feed(&cut);
    run.feed(&server.files(&[close(FILE, [2, 0, 0])]));
    run.finish();
    assert_eq!(run.access()["loss_suspected"], true);
    assert_eq!(run.loss(Class::File), counts(3, 0, 0, 0));
}

#[test]
fn wraps_are_no_losses_and_each_class_counts_for_itself() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    server.main = 250;
    server.files = 253;
    for number in 0..20 {
        run.feed(&server.path(number + 1, "alice", PATH));
        if number % 2 == 0 {
            run.feed(&server.files(&[report(FILE, [1, 0, 0])]));
        }
    }
    assert_eq!(run.loss(Class::Main), counts(20, 0, 0, 0));
    assert_eq!(run.loss(Class::File), counts(10, 0, 0, 0));
    run.feed(&numbered(&mut server, 16));
    run.pass(6);
    run.feed(&numbered(&mut server, 17));
    assert_eq!(run.loss(Class::Main), counts(22, 2, 0, 0), "14 and 15");
    assert_eq!(run.loss(Class::File), counts(10, 0, 0, 0));
}

#[test]
fn a_gap_over_the_wrap_has_its_size() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&numbered(&mut server, 254));
    run.feed(&numbered(&mut server, 3));
    run.finish();
    assert_eq!(run.loss(Class::Main), counts(2, 4, 0, 0));
}

#[test]
fn a_late_packet_is_neither_lost_nor_twice() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    for pseq in [0, 1, 4, 3, 2, 5, 3] {
        run.feed(&numbered(&mut server, pseq));
    }
    run.finish();
    assert_eq!(run.loss(Class::Main), counts(6, 0, 2, 1));
}

#[test]
fn a_packet_too_late_to_be_waited_for_was_lost_only_once() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&numbered(&mut server, 0));
    run.feed(&numbered(&mut server, 2));
    run.now += 10 * SECOND;
    run.feed(&numbered(&mut server, 3));
    assert_eq!(run.loss(Class::Main), counts(3, 1, 0, 0));
}

#[test]
fn maps_trace_and_redirects_share_a_counter() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.ident());
    run.feed(&server.login(USER, "alice"));
    let start = server.window.0;
    run.feed(&server.trace(start, start + 60, &[]));
    let mut body = 0xf000_0000_0000_0000_u64.to_be_bytes().to_vec();
    body[2..].copy_from_slice(&server.sid.to_be_bytes()[2..]);
    run.feed(&server.main(b'r', &body));
    run.feed(&server.app("alice", "x"));
    run.finish();
    assert_eq!(run.loss(Class::Main), counts(5, 0, 0, 0));
}

/// Before 5.0.1 every identification had the number 0.
#[test]
fn identifications_of_old_servers_have_no_number() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    for pseq in [7, 8, 9] {
        run.feed(&numbered(&mut server, pseq));
    }
    server.main = 0;
    run.feed(&server.ident());
    run.feed(&numbered(&mut server, 10));
    run.finish();
    assert_eq!(run.loss(Class::Main), counts(4, 0, 0, 0));
}

#[test]
fn identifications_of_frm_daemons_are_outside_their_sequence() {
    let (server, mut run) = (Server::new(1), Run::new());
    let map = |code: u8, pseq: u8, text: String| {
        let body = [&[0; 4], text.as_bytes()].concat();
        server.datagram(code, pseq, &body)
    };
    let ident = format!("frm.55:{}@host\n&site=&port=0&inst=anon&pgm=frm_xfrd", server.sid);
    let moved = format!("u.1:{}@host\n/f\n&tod=1&sz=2&qt=0&tm=1&op=1&rc=0", server.sid);
    run.feed(&map(b'=', 0, ident.clone()));
    run.feed(&map(b'x', 1, moved.clone()));
    run.feed(&map(b'=', 0, ident));
    run.feed(&map(b'p', 2, moved.clone()));
    run.feed(&map(b'x', 5, moved));
    run.finish();
    assert_eq!(run.loss(Class::Frm), counts(3, 2, 0, 0));
    assert_eq!(run.loss(Class::Main), Loss::default());
}

#[test]
fn every_provider_counts_for_itself() {
    let (server, mut run) = (Server::new(1), Run::new());
    let event = |provider: u8, pseq: u8| {
        let mut body = Vec::new();
        body.extend((server.stod + 5).to_be_bytes());
        body.extend((server.stod + 6).to_be_bytes());
        body.extend((u64::from(provider) << 56 | server.sid).to_be_bytes());
        body.extend(b"{\"event\":\"x\"}\0");
        server.datagram(b'g', pseq, &body)
    };
    for (provider, pseq) in [(b'C', 1), (b'T', 1), (b'C', 2), (b'T', 4), (b'C', 3)] {
        run.feed(&event(provider, pseq));
    }
    run.finish();
    assert_eq!(run.loss(Class::Gstream(b'C')), counts(3, 0, 0, 0));
    assert_eq!(run.loss(Class::Gstream(b'T')), counts(2, 2, 0, 0));
}

#[test]
fn text_events_wrap_after_999() {
    let (server, mut run) = (Server::new(1), Run::new());
    for pseq in [998, 999, 0, 3] {
        let text = format!(
            "{{\"code\":\"g\",\"pseq\":{pseq:3},\"stod\":{},\"sid\":{},\"gs\":{{\"type\":\"C\",\
             \"tbeg\":{},\"tend\":{}}}}}\n{{\"event\":\"x\"}}\0",
            server.stod,
            server.sid,
            server.stod + 5,
            server.stod + 6,
        );
        let peer = server.peer.clone();
        run.feed(&Sent { peer, bytes: text.into_bytes() });
    }
    run.finish();
    assert_eq!(run.loss(Class::TextEvents(b'C')), counts(4, 2, 0, 0));
    assert_eq!(run.seen.plugins.len(), 4);
}

#[test]
fn a_restart_is_no_loss() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    server.main = 100;
    server.files = 40;
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.files(&[report(FILE, [1, 0, 0])]));
    let mut again = Server { stod: server.stod + 500, ..Server::new(1) };
    run.feed(&again.login(USER, "alice"));
    run.feed(&again.files(&[report(FILE, [1, 0, 0])]));
    run.finish();
    assert_eq!((run.loss(Class::Main).lost, run.loss(Class::File).lost), (0, 0));
}
