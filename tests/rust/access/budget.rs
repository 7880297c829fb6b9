//! Memory stays within its budget, the account of it is right, and floods push no good server out.

use crate::chaos::any_packet;
use crate::feed::{PATH, Run, START, Sent, Server, USER, close, open, peer, report};
use gridtap::access::record::{FileAccess, Record, Sink};
use gridtap::access::sequence::SECOND;
use gridtap::access::{Config, Correlator};
use gridtap::capture::{Host, Peer};
use gridtap::error::Ignore;
use gridtap::export::json::Keys;
use gridtap::xrootd::Message;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_account_is_right_and_the_budget_held_after_every_packet(
        packets in prop::collection::vec((any_packet(), 0u64..3), 1..600),
        max_bytes in prop_oneof![Just(usize::MAX), 1_000_000usize..2_000_000],
        max_rows in 20usize..2000,
    ) {
        let config = Config {
            max_bytes,
            max_open_files: max_rows,
            max_sessions: max_rows,
            max_servers: max_rows / 10,
            ..Config::default()
        };
        let mut run = Run::with(config.clone());
        for (sent, seconds) in &packets {
            run.now += seconds * SECOND;
            run.feed(sent);
            let usage = run.correlator.usage();
            prop_assert_eq!(usage.bytes, run.correlator.count_bytes());
            prop_assert!(usage.bytes <= max_bytes, "{} of {max_bytes}", usage.bytes);
            prop_assert!(usage.files <= max_rows);
        }
        let left = run.seen.accesses.iter().filter(|a| a["close_reason"] == "evicted").count();
        prop_assert_eq!(run.correlator.usage().evicted.files, left as u64);
        // Less than that from now on.
        let half = Config { max_bytes: 1_000_000, max_open_files: max_rows / 2, ..config };
        run.correlator.set_config(half, &mut run.seen);
        let usage = run.correlator.usage();
        prop_assert!(usage.bytes <= 1_000_000 && usage.files <= max_rows / 2);
        prop_assert_eq!(usage.bytes, run.correlator.count_bytes());
        run.finish();
        prop_assert_eq!(run.correlator.usage().bytes, run.correlator.count_bytes());
    }
}

#[test]
fn new_ceilings_send_out_the_files_used_longest_ago() {
    let (mut run, mut server) = (Run::new(), Server::new(1));
    for file in 1..=10 {
        run.feed(&server.files(&[open(file, USER, PATH)]));
    }
    run.feed(&server.files(&[report(1, [1; 3])]));
    let config = Config { max_open_files: 3, ..Config::default() };
    run.correlator.set_config(config, &mut run.seen);
    let gone: Vec<_> = run.columns("file_id");
    assert_eq!(gone, [2, 3, 4, 5, 6, 7, 8].map(Value::from));
    assert!(run.columns("close_reason").iter().all(|reason| reason == "evicted"));
    assert_eq!(run.correlator.usage().evicted.files, 7);
    // A shorter life counts at once.
    let config = Config { file_ttl: 5 * SECOND, ..Config::default() };
    run.now += 6 * SECOND;
    run.correlator.tick(run.now, &mut run.seen);
    run.correlator.set_config(config, &mut run.seen);
    assert_eq!(run.correlator.open_files(), 0);
    assert_eq!(run.seen.accesses.last().expect("there")["close_reason"], "expired");
}

#[test]
fn ticks_end_waits_and_lives() {
    let (mut run, mut server) = (Run::new(), Server::new(1));
    run.feed_all(&[server.files(&[open(1, USER, PATH), open(2, USER, PATH)])]);
    run.feed(&server.files(&[close(1, [1; 3])]));
    assert_eq!(run.seen.accesses.len(), 0, "maps may still come");
    for _ in 0..6 {
        run.now += SECOND;
        run.correlator.tick(run.now, &mut run.seen);
    }
    assert_eq!(run.columns("close_reason"), ["closed"]);
    for _ in 0..25 {
        run.now += 3600 * SECOND;
        run.correlator.tick(run.now, &mut run.seen);
    }
    assert_eq!(run.columns("close_reason"), ["closed", "expired"]);
    assert_eq!(run.correlator.usage().servers, 0);
}

#[test]
fn a_clock_that_is_set_neither_expires_files_nor_stops_waits() {
    for set_to in [10 * 365 * 24 * 3600 * SECOND, u64::from(START) * SECOND / 2, 1] {
        let (mut run, mut server) = (Run::new(), Server::new(1));
        run.correlator.tick(run.now, &mut run.seen);
        run.feed(&server.files(&[open(1, USER, PATH), open(2, USER, PATH)]));
        run.now = if set_to > run.now { run.now + set_to } else { set_to };
        run.correlator.tick(run.now, &mut run.seen);
        run.feed(&server.files(&[close(1, [1; 3])]));
        assert_eq!(run.seen.accesses.len(), 0, "{set_to}");
        for _ in 0..7 {
            run.now += SECOND;
            run.correlator.tick(run.now, &mut run.seen);
        }
        assert_eq!(run.columns("close_reason"), ["closed"], "{set_to}");
        assert_eq!(run.correlator.open_files(), 1);
    }
}

/// A packet of a server that nobody has.
fn spoofed(round: u32) -> Sent {
    let random = round.wrapping_mul(2_654_435_761) ^ (round >> 7);
    let address = Ipv4Addr::from(random);
    let mut server = Server::new(1);
    server.peer = Peer { host: Host::from(IpAddr::V4(address)), port: Some(random as u16) };
    server.sid = u64::from(random.rotate_left(9));
    server.stod = random.rotate_left(17);
    (server.main, server.files) = (random as u8, random as u8);
    let text = "/spoofed".repeat(20);
    match round % 32 {
        31 => server.ident(),
        0..8 => server.files(&[open(random, USER, &text), open(random / 2, USER, &text)]),
        8..16 => server.login(USER, "nobody"),
        16..24 => server.path(random, "nobody", &text),
        _ => server.files(&[close(random, [1; 3])]),
    }
}

/// Everything of one server: logins, opens, reports, closes, and the totals of each file.
fn good(number: u8, files: u32) -> Vec<Sent> {
    let mut server = Server { peer: peer(number, 40_000), ..Server::new(number) };
    let mut packets = vec![server.ident()];
    for file in 1..=files {
        let (user, name) = (1000 + file, format!("user{file}"));
        packets.push(server.login(user, &name));
        packets.push(server.app(&name, "app"));
        packets.push(server.files(&[open(file, user, &format!("/good/{number}/{file}"))]));
        packets.push(server.files(&[report(file, [i64::from(file), 0, 0])]));
        if file > 3 {
            packets.push(server.files(&[close(file - 3, [i64::from(file), 1, 2])]));
        }
    }
    packets.extend((files - 2..=files).map(|file| server.files(&[close(file, [1, 1, 2])])));
    packets
}

/// Keeps the good accesses.
#[derive(Default)]
struct Good(BTreeMap<String, Value>);

impl Sink for Good {
    fn access(&mut self, access: &FileAccess<'_>) {
        let Some(path) = access.path.filter(|path| path.starts_with("/good")) else { return };
        let mut line = Vec::new();
        Keys::new(&FileAccess::table()).write(access, &mut line);
        let access = serde_json::from_slice(&line).expect("a line is JSON");
        assert!(self.0.insert(path.to_owned(), access).is_none(), "{path} twice");
    }
}

fn flood(config: Config, spoofs: u32) {
    const GOOD: u8 = 50;
    const FILES: u32 = 20;
    let max_bytes = config.max_bytes;
    let (mut correlator, mut out) = (Correlator::new(config), Good::default());
    let mut now = u64::from(START + 200) * SECOND;
    let mut feed = |sent: &Sent, out: &mut Good| {
        now += 1000;
        let message = Message::decode(&sent.bytes, &mut Ignore).expect("decodes");
        correlator.message(Some(&sent.peer), Some(now), &sent.bytes, &message, out);
        assert!(correlator.usage().bytes <= max_bytes);
    };
    let streams: Vec<_> = (1..=GOOD).map(|number| good(number, FILES)).collect();
    let steps = streams[0].len();
    let between = spoofs / (steps as u32 * u32::from(GOOD));
    let mut spoof = 0;
    for step in 0..steps {
        for stream in &streams {
            feed(&stream[step], &mut out);
            for _ in 0..between {
                spoof += 1;
                feed(&spoofed(spoof), &mut out);
            }
        }
    }
    correlator.finish(&mut out);
    assert!(spoof > spoofs * 9 / 10);
    assert_eq!(out.0.len(), usize::from(GOOD) * FILES as usize);
    for (path, access) in &out.0 {
        assert_eq!(access["close_reason"], "closed", "{path}");
        assert_eq!((&access["open_seen"], &access["close_seen"]), (&true.into(), &true.into()));
        assert_eq!(access["readv_bytes"], 1, "{path}");
        assert_eq!(access["loss_suspected"], false, "{path}");
        for column in ["server_host", "auth_vo", "app_info"] {
            assert_ne!(access[column], Value::Null, "{path}: {column}");
        }
    }
}

#[test]
fn good_servers_survive_a_million_spoofed_packets() {
    let config = Config { max_bytes: 16 << 20, ..Config::default() };
    flood(config, 1_000_000);
}

#[test]
fn good_servers_survive_a_flood_at_every_ceiling() {
    let full = Config::default();
    flood(Config { max_servers: 500, ..full.clone() }, 100_000);
    flood(Config { max_open_files: 500, max_named_files: 100, ..full.clone() }, 100_000);
    flood(Config { max_sessions: 1500, ..full.clone() }, 100_000);
    flood(Config { max_bytes: 6 << 20, ..full }, 100_000);
}

#[test]
fn one_server_full_of_files_gives_its_memory_back() {
    let config = Config { max_bytes: 8 << 20, ..Config::default() };
    let mut correlator = Correlator::new(config);
    let mut run = Run::new();
    let mut server = Server::new(1);
    let mut feed = |sent: &Sent| {
        run.now += 1000;
        let message = Message::decode(&sent.bytes, &mut Ignore).expect("decodes");
        correlator.message(Some(&sent.peer), Some(run.now), &sent.bytes, &message, &mut run.seen);
        run.seen = Default::default();
        let usage = correlator.usage();
        assert!(usage.bytes <= 8 << 20);
        usage
    };
    // First files with short names, then logins, then names as long as a datagram.
    for file in 0..60_000 {
        feed(&server.files(&[open(file, USER, "/x")]));
    }
    for login in 0..60_000 {
        feed(&server.login(login, &format!("user{login}")));
    }
    let text = "/y".repeat(20_000);
    let mut usage = Default::default();
    for file in 0..1000 {
        usage = feed(&server.path(file, "alice", &text));
    }
    // What was used longest ago made room for them: most of the memory is theirs.
    assert!(usage.names >= 100 && usage.names <= 210, "{usage:?}");
}
