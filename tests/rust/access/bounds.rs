//! Equal input gives equal output, and no input takes the square of its length.

use crate::feed::{FILE, PATH, Run, START, Sent, Server, USER, close, open, peer, report};
use gridtap::access::sequence::SECOND;
use gridtap::access::{Config, Correlator};
use gridtap::xrootd::trace::TraceRecord;

/// A few hundred packets of five servers, with losses, a restart and things left open.
fn mixture() -> Vec<Sent> {
    let mut packets = Vec::new();
    let mut servers: Vec<_> = (1..=5).map(Server::new).collect();
    for round in 0..30_u32 {
        for server in &mut servers {
            let (user, file) = (1000 + round, 1 + 2 * round);
            let name = format!("user{}", round % 7);
            packets.push(server.ident());
            packets.push(server.login(user, &name));
            packets.push(server.path(file, &name, PATH));
            packets.push(server.token(user, &name, "sub"));
            packets.push(server.files(&[open(file, user, PATH), open(file + 1, user, PATH)]));
            let traced = TraceRecord::Open { filesize: 5, reserved: 0, dictid: file + 5000 };
            packets.push(server.trace(START + round, START + round + 60, &[traced]));
            packets.push(server.files(&[close(file, [1, 2, 3])]));
            if round == 20 {
                server.stod += 100;
            }
        }
    }
    packets.into_iter().enumerate().filter(|(at, _)| at % 17 != 0).map(|(_, sent)| sent).collect()
}

#[test]
fn equal_input_gives_equal_output() {
    let lines = |_| {
        let config = Config { max_sessions: 40, max_open_files: 70, ..Config::default() };
        let mut run = Run::with(config);
        for sent in &mixture() {
            run.now += SECOND / 3;
            run.feed(sent);
        }
        run.finish();
        (run.seen.lines, format!("{:?}", run.correlator.stats()))
    };
    // Each run hashes with seeds of its own.
    let [first, second, third] = [0, 1, 2].map(lines);
    assert!(first.0.len() > 100_000);
    assert!(first == second && second == third);
}

/// Takes no notes.
struct Nothing;

impl gridtap::access::record::Sink for Nothing {}

fn feed(correlator: &mut Correlator, now: u64, sent: &Sent) {
    let message = gridtap::xrootd::Message::decode(&sent.bytes, &mut gridtap::error::Ignore);
    let message = message.expect("decodes");
    correlator.message(Some(&sent.peer), Some(now), &sent.bytes, &message, &mut Nothing);
}

const NOW: u64 = 1_700_000_200 * SECOND;

#[test]
fn many_maps_for_a_login_with_many_files_take_no_square_of_time() {
    let (mut server, mut correlator) = (Server::new(1), Correlator::new(Config::default()));
    // Closed files that wait for their opens, and open ones.
    for file in 0..20_000 {
        let user = if file % 2 == 0 { USER } else { 0 };
        let record = if file % 3 == 0 { report(file, [1; 3]) } else { open(file, user, PATH) };
        feed(&mut correlator, NOW, &server.files(&[record]));
        feed(&mut correlator, NOW, &server.path(file, "alice", PATH));
        feed(&mut correlator, NOW, &server.files(&[close(100_000 + file, [1; 3])]));
    }
    for _ in 0..20_000 {
        feed(&mut correlator, NOW, &server.login(USER, "alice"));
        feed(&mut correlator, NOW, &server.app("alice", "x"));
        feed(&mut correlator, NOW, &server.token(USER, "alice", "x"));
    }
}

#[test]
fn many_userids_for_one_login_take_no_square_of_time() {
    let (mut server, mut correlator) = (Server::new(1), Correlator::new(Config::default()));
    for file in 0..20_000 {
        feed(&mut correlator, NOW, &server.path(file, "alice", PATH));
    }
    for round in 0..20_000_u32 {
        let name = format!("user{}", round % 3);
        feed(&mut correlator, NOW, &server.path(100_000 + round, &name, PATH));
        feed(&mut correlator, NOW, &server.login(USER + round % 2, &name));
        feed(&mut correlator, NOW, &server.login(USER + round % 2, "alice"));
    }
}

#[test]
fn many_restarts_take_no_square_of_time() {
    let mut correlator = Correlator::new(Config::default());
    let mut server = Server::new(1);
    for file in 0..10_000 {
        feed(&mut correlator, NOW, &server.files(&[open(file, USER, PATH)]));
    }
    for restart in 0..30_000 {
        let mut again = Server { stod: START + 1 + restart, ..Server::new(1) };
        feed(&mut correlator, NOW, &again.ident());
        feed(&mut correlator, NOW, &again.files(&[open(FILE, USER, PATH)]));
    }
    for late in 0..10_000 {
        feed(&mut correlator, NOW + SECOND * 90, &server.files(&[close(late, [1; 3])]));
    }
}

#[test]
fn many_ports_and_numbers_take_no_square_of_time() {
    let mut correlator = Correlator::new(Config::default());
    let mut server = Server::new(1);
    for round in 0..60_000_u32 {
        server.peer = peer(1, (round % 60_000) as u16);
        server.main = (round.wrapping_mul(101) % 256) as u8;
        feed(&mut correlator, NOW, &server.path(round, "alice", PATH));
    }
    server.peer = peer(1, 41_000);
    for round in 0..100_000_u32 {
        server.main = (round.wrapping_mul(101) % 256) as u8;
        feed(&mut correlator, NOW, &server.path(round, "alice", PATH));
    }
}

#[test]
fn many_vector_reads_and_closes_take_no_square_of_time() {
    let mut correlator = Correlator::new(Config::default());
    let mut server = Server::new(1);
    for round in 0..2000_u32 {
        let records: Vec<_> = (0..1000)
            .map(|n| {
                let dictid = round * 1000 + n;
                if n % 2 == 0 {
                    let (unpacked, readid, reserved) = (true, 0, 0);
                    let (count, buflen) = (9, 5);
                    TraceRecord::Readv { unpacked, readid, count, reserved, buflen, dictid }
                } else {
                    let (rshift, wshift, reserved) = (0, 0, 0);
                    TraceRecord::Close { rshift, wshift, reserved, rval: 1, wval: 0, dictid }
                }
            })
            .collect();
        feed(&mut correlator, NOW, &server.trace(START, START + 60, &records));
    }
}
