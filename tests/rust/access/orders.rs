//! The order of packets, and how often they come, changes nothing.

use crate::feed::{
    FILE, PATH, Run, START, Sent, Server, USER, close, correlate, open, report, unordered,
};
use gridtap::access::sequence::SECOND;
use proptest::prelude::*;
use serde_json::Value;

/// Everything about one access: `=`, `u`, `d`, `i`, `T`, `U`, its open and its close.
fn packets_of_one_access() -> Vec<Sent> {
    let mut server = Server::new(1);
    let maps = [
        server.ident(),
        server.login(USER, "alice"),
        server.path(FILE, "alice", PATH),
        server.app("alice", "app"),
        server.token(USER, "alice", "sub-1"),
        server.activity(USER, "alice"),
    ];
    let mut packets = maps.to_vec();
    packets.push(server.files(&[open(FILE, USER, PATH)]));
    server.window = (START + 160, START + 170);
    packets.push(server.files(&[close(FILE, [10, 20, 30])]));
    packets
}

/// Calls `visit` with every order of the indices (Heap's algorithm).
fn permute(items: &mut Vec<usize>, count: usize, visit: &mut impl FnMut(&[usize])) {
    if count <= 1 {
        return visit(items);
    }
    for at in 0..count {
        permute(items, count - 1, visit);
        let other = if count.is_multiple_of(2) { at } else { 0 };
        items.swap(other, count - 1);
    }
}

fn every_order_gives_the_same(packets: &[Sent]) -> Value {
    let expected = unordered(correlate(packets).accesses);
    assert_eq!(expected.len(), 1);
    let mut order: Vec<_> = (0..packets.len()).collect();
    let count = order.len();
    permute(&mut order, count, &mut |order| {
        let mut run = Run::new();
        for at in order {
            run.now += SECOND / 2;
            run.feed(&packets[*at]);
        }
        run.pass(600);
        assert_eq!(unordered(run.seen.accesses), expected, "{order:?}");
        run.correlator.finish(&mut crate::feed::Seen::default());
    });
    expected[0].clone()
}

#[test]
fn every_order_of_the_packets_of_an_access_gives_the_same_record() {
    let access = every_order_gives_the_same(&packets_of_one_access());
    for column in ["server_host", "auth_vo", "path", "app_info", "token_subject", "activity_id"] {
        assert_ne!(access[column], Value::Null, "{column}");
    }
}

#[test]
fn every_order_without_the_login_gives_the_same_record() {
    let mut packets = packets_of_one_access();
    packets.remove(1);
    let access = every_order_gives_the_same(&packets);
    for column in ["user_id", "user_name", "app_info", "token_subject", "activity_id"] {
        assert_ne!(access[column], Value::Null, "{column}");
    }
}

#[test]
fn every_order_makes_one_login() {
    let packets = packets_of_one_access();
    let maps: Vec<_> = packets.into_iter().filter(|sent| sent.bytes[0] != b'f').collect();
    let mut order: Vec<_> = (0..maps.len()).collect();
    let count = order.len();
    permute(&mut order, count, &mut |order| {
        let sessions = correlate(order.iter().map(|at| &maps[*at])).sessions;
        assert_eq!(sessions.len(), 1, "{order:?}: {sessions:#?}");
        for column in ["user_id", "auth_name", "app_info", "token_subject", "activity_id"] {
            assert_ne!(sessions[0][column], Value::Null, "{order:?}: {column}");
        }
    });
}

#[test]
fn a_packet_twice_counts_once() {
    let packets = packets_of_one_access();
    let expected = unordered(correlate(&packets).accesses);
    for twice in 0..packets.len() {
        for again_at in twice + 1..=packets.len() {
            let mut order: Vec<_> = packets.iter().collect();
            order.insert(again_at, &packets[twice]);
            assert_eq!(unordered(correlate(order).accesses), expected, "{twice} at {again_at}");
        }
    }
    let mut run = Run::new();
    run.feed_all(packets.iter().flat_map(|sent| [sent, sent]));
    run.pass(600);
    run.feed_all(&packets);
    run.finish();
    assert_eq!(unordered(run.seen.accesses), expected);
    // The identification counts as nothing or as a repetition; all others are repetitions.
    assert!(run.correlator.stats().duplicate_packets >= 14);
}

/// Accesses of one server: each with its login, path and application text, opens and closes.
fn accesses_of(number: u8, count: u32) -> Vec<Sent> {
    let mut server = Server::new(number);
    let mut packets = vec![server.ident()];
    for file in 0..count {
        let (user, name) = (1000 + file, format!("user{file}"));
        let (path, total) = (format!("/data/{number}/{file}"), i64::from(file));
        packets.push(server.login(user, &name));
        packets.push(server.path(file + 1, &name, &path));
        packets.push(server.token(user, &name, &format!("sub{file}")));
        packets.push(server.app(&name, &format!("app{file}")));
        packets.push(server.files(&[open(file + 1, user, &path), report(file + 1, [0, 1, 0])]));
        server.window = (server.window.1, server.window.1 + 10);
        packets.push(server.files(&[close(file + 1, [total, 1, 2])]));
    }
    packets
}

/// Keys that sort packets into an order, and how often each is sent.
fn chaos() -> impl Strategy<Value = Vec<(u32, u8)>> {
    prop::collection::vec((any::<u32>(), 1u8..4), 64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_interleaving_gives_the_same_accesses(keys in chaos(), more in chaos()) {
        let packets: Vec<_> = (1..=3).flat_map(|number| accesses_of(number, 3)).collect();
        let expected = unordered(correlate(&packets).accesses);
        prop_assert_eq!(expected.len(), 9);
        let mut order: Vec<_> = packets
            .iter()
            .zip(keys.iter().chain(&more))
            .flat_map(|(sent, (key, times))| (0..*times).map(move |n| (key.rotate_left(9 * u32::from(n)), sent)))
            .collect();
        order.sort_by_key(|(key, _)| *key);
        let mut run = Run::new();
        for (_, sent) in &order {
            run.now += 4 * SECOND / order.len() as u64;
            run.feed(sent);
        }
        run.pass(600);
        prop_assert_eq!(unordered(run.seen.accesses), expected);
        let duplicates = order.len() - packets.len();
        prop_assert!(run.correlator.stats().duplicate_packets <= duplicates as u64);
    }
}
