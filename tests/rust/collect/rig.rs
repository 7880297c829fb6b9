//! Sockets, collectors and patience.

use gridtap::capture::udp::Socket;
use gridtap::collect::{Content, Engine, Settings};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, setsockopt, socket, sockopt,
};
use serde_json::{Value, json};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

/// Whatever should happen happens long before this, on the slowest of machines.
const DEADLINE: Duration = Duration::from_secs(120);

/// Waits until something is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} never happened");
        thread::sleep(Duration::from_millis(2));
    }
}

pub fn bound(address: &str) -> UdpSocket {
    UdpSocket::bind(address).expect("the loopback interface")
}

/// `count` sockets that share one address.
pub fn group(address: &str, count: usize) -> Vec<UdpSocket> {
    let mut address: SocketAddr = address.parse().expect("an address");
    let mut sockets = Vec::new();
    for _ in 0..count {
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let fd =
            socket(family, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).expect("a socket");
        setsockopt(&fd, sockopt::ReusePort, &true).expect("SO_REUSEPORT");
        bind(fd.as_raw_fd(), &SockaddrStorage::from(address)).expect("the loopback interface");
        let socket = UdpSocket::from(fd);
        address = socket.local_addr().expect("an address");
        sockets.push(socket);
    }
    sockets
}

/// A second descriptor of a socket, as the collector takes it.
pub fn taken(socket: &UdpSocket) -> Socket {
    let copy = socket.try_clone().expect("a descriptor");
    Socket::new(copy.into(), 1 << 20).expect("a UDP socket")
}

pub fn engine(settings: &Value, sockets: &[UdpSocket]) -> Engine {
    let settings = Settings::read(&settings.to_string()).expect("settings");
    Engine::new(settings, sockets.iter().map(taken).collect()).expect("a collector")
}

/// Settings with one worker and these sinks.
pub fn with_sinks(sinks: &Value) -> Value {
    json!({"workers": 1, "sinks": sinks})
}

/// A sink of all datagrams as they came.
pub fn envelopes() -> Value {
    json!({"name": "all", "records": ["packets"], "profile": "envelope", "batch_wait_s": 0.01})
}

/// Everything that a sink still gets, up to its end.
pub fn rest(engine: &Engine, sink: usize) -> Vec<Value> {
    let mut lines = Vec::new();
    while engine.is_drained(sink) == Some(false) {
        if let Some(batch) = engine.next(sink, DEADLINE) {
            let Content::Lines(bytes) = &batch.content else { panic!("lines") };
            let text = str::from_utf8(bytes).expect("UTF-8");
            assert!(text.ends_with('\n'), "whole lines only");
            let before = lines.len();
            lines.extend(
                text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")),
            );
            assert_eq!((lines.len() - before) as u64, batch.records);
        }
    }
    lines
}

/// A counter of the status, by its path.
pub fn counter(engine: &Engine, path: &str) -> u64 {
    engine.status().pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {path}"))
}

/// Sends so little at once that no buffer overflows, and waits until it was received.
pub struct Pacer<'a> {
    engine: &'a Engine,
    sent: u64,
}

/// Far below what the smallest default buffer holds.
const AT_ONCE: u64 = 50;

impl<'a> Pacer<'a> {
    pub fn new(engine: &'a Engine) -> Self {
        Self { engine, sent: counter(engine, "/packets/received") }
    }

    pub fn send(&mut self, from: &UdpSocket, to: SocketAddr, payload: &[u8]) {
        from.send_to(payload, to).expect("sent");
        self.sent += 1;
        if self.sent.is_multiple_of(AT_ONCE) {
            self.wait();
        }
    }

    pub fn wait(&self) {
        eventually("receiving", || counter(self.engine, "/packets/received") >= self.sent);
    }
}
