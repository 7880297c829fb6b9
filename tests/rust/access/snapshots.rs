//! A restart from a snapshot changes no record.

use crate::chaos::any_packet;
use crate::feed::{
    FILE, PATH, Run, START, Seen, Sent, Server, USER, close, disconnect, open, report,
};
use gridtap::access::record::Sink;
use gridtap::access::sequence::{Class, SECOND};
use gridtap::access::{Config, Correlator, SnapshotError};
use gridtap::capture::{Datagram, Host, Peer};
use gridtap::error::Ignore;
use gridtap::xrootd::Message;
use proptest::prelude::*;
use std::fs::File;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

fn saved(correlator: &Correlator) -> Vec<u8> {
    let mut snapshot = Vec::new();
    correlator.save(&mut snapshot).expect("memory takes all");
    snapshot
}

fn loaded(config: &Config, snapshot: &[u8]) -> Correlator {
    let (mut correlator, mut none) = (Correlator::new(config.clone()), Seen::default());
    let restored = correlator.load(&mut &*snapshot, |_| true, &mut none).expect("sound");
    assert!(none.lines.is_empty(), "nothing leaves by loading");
    correlator.add_stats(&restored.stats);
    assert_eq!(correlator.usage().bytes, correlator.count_bytes());
    assert_eq!(correlator.usage().servers, restored.servers);
    correlator
}

fn restarted(correlator: &Correlator, config: &Config) -> Correlator {
    loaded(config, &saved(correlator))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_restart_anywhere_in_any_stream_changes_no_record(
        packets in prop::collection::vec((any_packet(), 0u64..40), 1..250),
        every in 1usize..60,
        max_rows in 10usize..500,
    ) {
        let config = Config {
            max_open_files: max_rows,
            max_sessions: max_rows,
            max_servers: max_rows / 5,
            trace_wait: 60 * SECOND,
            ..Config::default()
        };
        let (mut whole, mut cut) = (Run::with(config.clone()), Run::with(config.clone()));
        for (at, (sent, seconds)) in packets.iter().enumerate() {
            whole.now += seconds * SECOND;
            cut.now = whole.now;
            whole.feed(sent);
            cut.feed(sent);
            if at % every == 0 {
                cut.correlator = restarted(&cut.correlator, &config);
            }
        }
        whole.finish();
        cut.finish();
        prop_assert_eq!(
            String::from_utf8_lossy(&cut.seen.lines),
            String::from_utf8_lossy(&whole.seen.lines)
        );
        prop_assert_eq!(cut.correlator.stats(), whole.correlator.stats());
    }
}

/// A correlator that writes down a checksum of what comes out: captures are large.
struct Reading {
    correlator: Correlator,
    seen: Seen,
}

impl Reading {
    fn new() -> Self {
        Self { correlator: Correlator::new(Config::default()), seen: Seen::default() }
    }

    fn take(&mut self, datagram: &Owned) {
        let Owned { peer, received_at, payload } = datagram;
        let (peer, out) = (peer.as_ref(), &mut self.seen);
        match Message::decode(payload, &mut Ignore) {
            Some(message) => {
                self.correlator.message(peer, *received_at, payload, &message, out);
            }
            None => self.correlator.damaged(peer, *received_at, payload, out),
        }
    }

    fn restart(&mut self) {
        self.correlator = restarted(&self.correlator, &Config::default());
    }

    /// What came out, and what was counted.
    fn end(mut self) -> (u64, usize, String) {
        self.correlator.finish(&mut self.seen);
        let stats = format!("{:?}", self.correlator.stats());
        (xxh3_64(&self.seen.lines), self.seen.lines.len(), stats)
    }
}

struct Owned {
    peer: Option<Peer>,
    received_at: Option<u64>,
    payload: Vec<u8>,
}

fn datagrams(path: &Path) -> Vec<Owned> {
    let file = File::open(path).expect("there");
    let mut source = gridtap::capture::open(Box::new(file), &[]).expect("a capture");
    let mut all = Vec::new();
    while let Some(datagram) = source.next(&mut |_| {}).expect("readable") {
        let Datagram { payload, peer, received_at, .. } = datagram;
        all.push(Owned { peer, received_at, payload: payload.to_vec() });
    }
    all
}

#[test]
fn a_restart_anywhere_in_any_capture_changes_no_record() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/xrootd");
    let mut captures = 0;
    for entry in std::fs::read_dir(folder).expect("there") {
        let path = entry.expect("there").path();
        let is_capture = path.extension().is_some_and(|end| end == "pcap" || end == "bin");
        if !is_capture {
            continue;
        }
        captures += 1;
        let packets = datagrams(&path);
        let mut whole = Reading::new();
        packets.iter().for_each(|packet| whole.take(packet));
        let expected = whole.end();
        // Behind every packet, but no more than some hundred times.
        let mut often = Reading::new();
        let step = packets.len().div_ceil(200).max(1);
        for (at, packet) in packets.iter().enumerate() {
            often.take(packet);
            if at % step == 0 {
                often.restart();
            }
        }
        assert_eq!(often.end(), expected, "{}", path.display());
        // Once only, at places of different kinds.
        for cut in (0..packets.len()).step_by(packets.len().div_ceil(4).max(1)) {
            let mut once = Reading::new();
            for (at, packet) in packets.iter().enumerate() {
                if at == cut {
                    once.restart();
                }
                once.take(packet);
            }
            assert_eq!(once.end(), expected, "{} at {cut}", path.display());
        }
    }
    assert!(captures > 40, "{captures}");
}

/// Some servers in the middle of everything.
fn busy() -> Run {
    let mut run = Run::new();
    for number in 1..=9 {
        let mut server = Server::new(number);
        run.feed(&server.ident());
        for file in 1..=5 {
            let name = format!("user{file}");
            run.feed(&server.login(USER + file, &name));
            run.feed(&server.app(&name, "app"));
            run.feed(&server.path(file + 10, &name, PATH));
            run.feed(&server.files(&[open(file, USER + file, PATH), report(file, [1; 3])]));
        }
        run.feed(&server.files(&[close(1, [5; 3]), close(99, [5; 3])]));
        run.feed(&server.files(&[disconnect(USER + 2)]));
        server.files += 3;
        run.feed(&server.files(&[report(2, [9; 3])]));
        run.now += SECOND;
    }
    run
}

fn worker_of(host: Option<&Host>) -> usize {
    host.map_or(0, |host| host.to_string().len() + usize::from(host.to_string().as_bytes()[8])) % 3
}

#[test]
fn a_snapshot_can_be_loaded_into_any_number_of_workers() {
    let mut whole = busy();
    let snapshot = saved(&whole.correlator);
    let parts: Vec<_> = (0..3)
        .map(|worker| {
            let mut part = Correlator::new(Config::default());
            let keep = |host: Option<&Host>| worker_of(host) == worker;
            let restored = part.load(&mut &*snapshot, keep, &mut whole.seen).expect("sound");
            assert_eq!(restored.servers, 3);
            saved(&part)
        })
        .collect();
    let mut again = Correlator::new(Config::default());
    let mut out = Seen::default();
    for part in &parts {
        again.load(&mut &**part, |_| true, &mut out).expect("sound");
    }
    assert_eq!(again.usage().servers, 9);
    assert_eq!(again.usage().files, whole.correlator.usage().files);
    // Once more changes nothing: the servers are known.
    let restored = again.load(&mut &*snapshot, |_| true, &mut out).expect("sound");
    assert_eq!((restored.servers, restored.files), (0, 0));
    assert_eq!(again.usage().bytes, again.count_bytes());
    whole.seen = Seen::default();
    whole.finish();
    again.finish(&mut out);
    let sorted = |seen: &Seen| {
        let mut lines: Vec<_> =
            seen.lines.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        lines.sort();
        lines
    };
    assert!(sorted(&out) == sorted(&whole.seen));
}

#[test]
fn what_was_lost_over_a_restart_is_counted() {
    let (mut run, mut server) = (Run::new(), Server::new(1));
    run.feed(&server.files(&[open(FILE, USER, PATH)]));
    run.correlator = restarted(&run.correlator, &Config::default());
    server.files += 4;
    run.now += 10 * SECOND;
    run.feed(&server.files(&[close(FILE, [1, 2, 3])]));
    run.finish();
    assert_eq!(run.loss(Class::File).lost, 4);
    assert_eq!(run.access()["loss_suspected"], true);
    assert_eq!(
        (&run.access()["open_seen"], &run.access()["read_bytes"]),
        (&true.into(), &1.into())
    );
}

#[test]
fn time_goes_on_through_a_restart_however_long() {
    let (mut run, mut server) = (Run::new(), Server::new(1));
    run.correlator.tick(run.now, &mut run.seen);
    // The clock was wrong by a year when the file was opened.
    run.now += 365 * 24 * 3600 * SECOND;
    run.correlator.tick(run.now, &mut run.seen);
    run.feed(&server.login(USER, "alice"));
    run.feed(&server.files(&[open(FILE, USER, PATH)]));
    let began = run.now;
    run.correlator = restarted(&run.correlator, &Config::default());
    run.now += 20 * 3600 * SECOND;
    run.correlator.tick(run.now, &mut run.seen);
    assert_eq!(run.correlator.open_files(), 1);
    run.feed(&server.files(&[report(FILE, [1; 3])]));
    run.correlator = restarted(&run.correlator, &Config::default());
    run.now += 25 * 3600 * SECOND;
    run.correlator.tick(run.now, &mut run.seen);
    assert_eq!(run.access()["close_reason"], "expired");
    assert_eq!(run.seen.sessions[0]["started_at"], (began / SECOND) as f64);
}

#[test]
fn lower_ceilings_hold_after_loading() {
    let run = busy();
    let snapshot = saved(&run.correlator);
    let config = Config { max_open_files: 4, max_sessions: 20, ..Config::default() };
    let (mut few, mut out) = (Correlator::new(config), Seen::default());
    few.load(&mut &*snapshot, |_| true, &mut out).expect("sound");
    assert!(few.open_files() <= 4 && few.usage().bytes == few.count_bytes());
    assert_eq!(out.accesses.len() + few.open_files(), run.correlator.open_files());
}

/// Takes nothing down.
struct Nothing;

impl Sink for Nothing {}

fn refused(snapshot: &[u8]) -> SnapshotError {
    let mut correlator = Correlator::new(Config::default());
    let error = correlator.load(&mut &*snapshot, |_| true, &mut Nothing).expect_err("refused");
    let usage = correlator.usage();
    assert_eq!((usage.servers, usage.sessions, usage.files, usage.names), (0, 0, 0, 0));
    assert_eq!(usage.bytes, correlator.count_bytes());
    assert_eq!(correlator.stats(), Correlator::new(Config::default()).stats());
    error
}

#[test]
fn a_damaged_snapshot_is_refused_and_leaves_nothing() {
    let snapshot = saved(&busy().correlator);
    for length in 0..snapshot.len() {
        let error = refused(&snapshot[..length]);
        assert!(matches!(error, SnapshotError::Truncated), "{length}: {error}");
    }
    for at in 0..snapshot.len() {
        let mut damaged = snapshot.clone();
        damaged[at] ^= 1 << (at % 8);
        refused(&damaged);
    }
    assert!(matches!(refused(b"[listen]\naddresses = []\n"), SnapshotError::NotASnapshot));
    let mut newer = snapshot.clone();
    newer[16] = 9;
    assert_eq!(refused(&newer).to_string(), "is a snapshot of version 9, not of version 1");
}

/// Puts right checksums on frames that are not what they were.
fn checked(mut snapshot: Vec<u8>) -> Vec<u8> {
    let mut at = 20;
    while let Some(length) = snapshot.get(at..at + 4) {
        let length = u32::from_le_bytes(length.try_into().expect("four")) as usize;
        let Some(payload) = snapshot.get(at + 12..at + 12 + length) else { break };
        let sum = xxh3_64(payload).to_le_bytes();
        snapshot[at + 4..at + 12].copy_from_slice(&sum);
        at += 12 + length;
    }
    snapshot
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_hostile_snapshot_breaks_nothing(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut snapshot = saved(&busy().correlator);
        let behind = snapshot.len() - 32;
        for (at, byte) in &changes {
            snapshot[32 + at.index(behind)] = *byte;
        }
        let (mut run, mut out) = (busy(), Seen::default());
        run.correlator = Correlator::new(Config::default());
        if run.correlator.load(&mut &*checked(snapshot), |_| true, &mut out).is_err() {
            prop_assert_eq!(run.correlator.usage().servers, 0);
        }
        for number in 1..=9 {
            let mut server = Server { files: 12, main: 30, ..Server::new(number) };
            run.feed(&server.ident());
            run.feed(&server.login(USER + 3, "user3"));
            run.feed(&server.files(&[close(3, [1; 3]), disconnect(USER + 4)]));
            run.pass(3000);
        }
        prop_assert_eq!(run.correlator.usage().bytes, run.correlator.count_bytes());
        run.finish();
        prop_assert_eq!(run.correlator.open_files(), 0);
    }
}

/// The form of version 1: what one version wrote, the next one must read or refuse by its number.
#[test]
fn the_form_is_the_one_of_its_version() {
    let (mut run, mut server) = (Run::new(), Server::new(1));
    let packets: [Sent; 5] = [
        server.ident(),
        server.login(USER, "alice"),
        server.path(FILE + 1, "alice", PATH),
        server.files(&[open(FILE, USER, PATH), report(FILE, [1, 2, 3])]),
        server.files(&[close(FILE + 2, [4, 5, 6])]),
    ];
    run.feed_all(&packets);
    let snapshot = saved(&run.correlator);
    let hex: String = snapshot.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = include_str!("snapshot-1.hex").replace('\n', "");
    assert_eq!(hex, expected, "another form needs another version");
    assert_eq!(START, 1_700_000_000);
}
