//! The state outlives the process, and so do the packets that came meanwhile.

use gridtap::collect::RestoreError;
use serde_json::{Value, json};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use crate::feed::{PATH, Server, close, open};
use crate::rig::{Pacer, bound, counter, engine, group, rest};

const SERVERS: u8 = 9;

/// A path that no other test has, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("gridtap-{}-{name}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Some tests never make it.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn settings(workers: usize) -> Value {
    json!({"workers": workers, "sinks": [{"name": "accesses", "records": ["accesses"]}]})
}

/// Servers with a client socket each.
fn servers() -> Vec<(Server, UdpSocket)> {
    (1..=SERVERS).map(|n| (Server::new(n), bound(&format!("127.0.0.{n}:0")))).collect()
}

/// Opens a file on each server and stops with a snapshot.
fn run_until_open(sockets: &[UdpSocket], servers: &mut [(Server, UdpSocket)], path: &Path) {
    let engine = engine(&settings(sockets.len()), sockets);
    engine.start().expect("started");
    let mut pacer = Pacer::new(&engine);
    for (server, client) in servers {
        pacer.send(client, target(sockets), &server.files(&[open(501, 1, PATH)]).bytes);
    }
    pacer.wait();
    engine.stop(Some(path)).expect("saved");
    assert_eq!(rest(&engine, 0), Vec::<Value>::new());
}

fn target(sockets: &[UdpSocket]) -> SocketAddr {
    sockets[0].local_addr().expect("bound")
}

#[test]
fn a_restart_loses_neither_state_nor_packets() {
    let path = Scratch::new("restart");
    let (sockets, mut servers) = (group("127.0.0.1:0", 3), servers());
    run_until_open(&sockets, &mut servers, &path.0);
    // Nobody receives: the sockets live on, as they do with a service manager that keeps them.
    for (server, client) in &mut servers {
        let closes = server.files(&[close(501, [10, 20, 30])]);
        client.send_to(&closes.bytes, target(&sockets)).expect("sent");
    }
    let engine = engine(&settings(3), &sockets);
    let rows = engine.restore(&path.0).expect("not started").expect("restored");
    assert!(rows >= usize::from(SERVERS) * 2, "{rows}");
    engine.start().expect("started");
    assert!(engine.restore(&path.0).is_err());
    engine.stop(None).expect("stopped");
    let accesses = rest(&engine, 0);
    assert_eq!(accesses.len(), usize::from(SERVERS));
    for access in &accesses {
        assert_eq!((&access["path"], &access["read_bytes"]), (&json!(PATH), &json!(10)));
        assert_eq!(access["close_reason"], "closed");
    }
}

#[test]
fn another_number_of_workers_takes_the_state_over() {
    let path = Scratch::new("workers");
    let (sockets, mut servers) = (group("127.0.0.1:0", 3), servers());
    run_until_open(&sockets, &mut servers, &path.0);
    for workers in [1, 2, 5] {
        let engine = engine(&settings(workers), &[]);
        engine.restore(&path.0).expect("not started").expect("restored");
        assert_eq!(counter(&engine, "/state/files"), u64::from(SERVERS));
        engine.stop(None).expect("stopped");
        assert_eq!(rest(&engine, 0).len(), usize::from(SERVERS));
        assert_eq!(counter(&engine, "/accesses/open"), u64::from(SERVERS));
    }
}

#[test]
fn a_state_is_saved_while_all_goes_on() {
    let path = Scratch::new("running");
    let (sockets, mut servers) = (group("127.0.0.1:0", 2), servers());
    let engine = engine(&settings(2), &sockets);
    engine.start().expect("started");
    let mut pacer = Pacer::new(&engine);
    for (server, client) in &mut servers {
        pacer.send(client, target(&sockets), &server.files(&[open(501, 1, PATH)]).bytes);
        engine.save(&path.0).expect("saved");
    }
    pacer.wait();
    engine.save(&path.0).expect("saved");
    engine.stop(None).expect("stopped");
    assert_eq!(rest(&engine, 0).len(), usize::from(SERVERS));
    let other = crate::rig::engine(&settings(1), &[]);
    other.restore(&path.0).expect("not started").expect("restored");
    assert_eq!(counter(&other, "/state/files"), u64::from(SERVERS));
}

#[test]
fn of_a_damaged_state_nothing_stays() {
    let path = Scratch::new("damaged");
    let (sockets, mut servers) = (group("127.0.0.1:0", 3), servers());
    run_until_open(&sockets, &mut servers, &path.0);
    let whole = std::fs::read(&path.0).expect("saved");
    for length in (0..whole.len()).step_by(7) {
        let engine = engine(&settings(2), &[]);
        std::fs::write(&path.0, &whole[..length]).expect("written");
        let restored = engine.restore(&path.0).expect("not started");
        let error = restored.expect_err("damaged");
        assert!(matches!(error, RestoreError::Snapshot(_)), "{error:?}");
        assert_eq!(counter(&engine, "/state/servers"), 0);
    }
    std::fs::write(&path.0, [&whole[..], b"x"].concat()).expect("written");
    let engine = engine(&settings(1), &[]);
    assert!(engine.restore(&path.0).expect("not started").is_err());
    let missing = Scratch::new("missing");
    let error = engine.restore(&missing.0).expect("not started").expect_err("refused");
    assert!(matches!(error, RestoreError::Io(_)), "{error:?}");
}

#[test]
fn a_state_that_cannot_be_saved_ends_in_records() {
    let (sockets, mut servers) = (group("127.0.0.1:0", 1), servers());
    let engine = engine(&settings(1), &sockets);
    engine.start().expect("started");
    let mut pacer = Pacer::new(&engine);
    for (server, client) in &mut servers {
        pacer.send(client, target(&sockets), &server.files(&[open(501, 1, PATH)]).bytes);
    }
    pacer.wait();
    let nowhere = Scratch::new("no-such-folder").0.join("state");
    assert!(engine.stop(Some(&nowhere)).is_err());
    assert_eq!(rest(&engine, 0).len(), usize::from(SERVERS));
}
