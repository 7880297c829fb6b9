//! A bare receive loop, for the bench of the collector: batches of datagrams are received with the
//! collector's own call and thrown away.
//!
//! Binds the address of the first argument and prints `{"address": ...}`; receives until the port has
//! been silent for a second after the first datagram, and prints
//! `{"packets": ..., "bytes": ..., "seconds": ..., "kernel_drops": ...}`.

use gridtap::capture::udp::{Bell, Ring, Socket};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// As the collector has them.
const BATCH: usize = 128;
const RECEIVE_BUFFER_BYTES: usize = 64 << 20;
const SILENCE: Duration = Duration::from_secs(1);

fn main() {
    // Cargo passes `--bench` on.
    let address = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let bound = UdpSocket::bind(address.as_deref().unwrap_or("127.0.0.1:0")).expect("an address");
    let socket = Socket::new(bound.into(), RECEIVE_BUFFER_BYTES).expect("a UDP socket");
    println!("{{\"address\": \"{}\"}}", socket.address());
    let sockets = [socket];
    let [socket] = &sockets;
    let bell = Bell::new().expect("an event descriptor");
    let mut ring = Ring::new(BATCH, gridtap::limits::MAX_DATAGRAM);
    let (mut packets, mut bytes) = (0, 0);
    let mut first: Option<Instant> = None;
    let mut last = Instant::now();
    while first.is_none() || last.elapsed() < SILENCE {
        let count = ring.receive(socket.fd()).expect("receiving");
        if count > 0 {
            last = Instant::now();
            first.get_or_insert(last);
            packets += count;
            bytes += ring.iter().map(|datagram| datagram.payload.len()).sum::<usize>();
        }
        if count < BATCH {
            bell.wait(&sockets, SILENCE).expect("waiting");
        }
    }
    let seconds = first.map_or(0.0, |first| (last - first).as_secs_f64());
    let drops = socket.kernel_drops();
    println!(
        "{{\"packets\": {packets}, \"bytes\": {bytes}, \"seconds\": {seconds}, \"kernel_drops\": {drops}}}"
    );
}
