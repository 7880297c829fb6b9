//! From sockets to datagrams.

use gridtap::access::sequence::Micros;
use gridtap::capture::udp::{Bell, Ring};
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::rig::{bound, taken};

fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Micros::try_from(since.as_micros()).expect("before 586524")
}

/// What came: payload, sender and time.
type Came = (Vec<u8>, SocketAddr, Micros);

fn receive(ring: &mut Ring, socket: &UdpSocket, wanted: usize) -> Vec<Came> {
    let (socket, bell) = (taken(socket), Bell::new().expect("an event descriptor"));
    let sockets = [socket];
    let mut came = Vec::new();
    while came.len() < wanted {
        bell.wait(&sockets, Duration::from_secs(60)).expect("waiting");
        assert!(ring.receive(sockets[0].fd()).expect("receiving") > 0, "nothing came");
        came.extend(ring.iter().map(|one| {
            assert!(!one.is_truncated);
            let time = one.received_at.expect("the kernel's time");
            (one.payload.to_vec(), one.sender.expect("a sender"), time)
        }));
    }
    came
}

#[test]
fn every_message_has_its_sender_and_the_kernels_time_however_often_memory_is_used() {
    for (listen, from, to) in [
        ("127.0.0.1:0", "127.0.0.3:0", "127.0.0.1"),
        ("[::1]:0", "[::1]:0", "::1"),
        ("[::]:0", "127.0.0.3:0", "127.0.0.1"),
    ] {
        let (server, client) = (bound(listen), bound(from));
        let port = server.local_addr().expect("bound").port();
        let target = SocketAddr::new(to.parse().expect("address"), port);
        // Fewer places than messages, so that each is used again at once.
        let mut ring = Ring::new(4, 2000);
        // The option that makes the kernel take times is set with the first look at the socket.
        let _server = taken(&server);
        for round in 0..100_u32 {
            let sent: Vec<_> = (0..round % 11 + 1)
                .map(|n| format!("{round} {n} {}", "x".repeat((round * n) as usize)))
                .collect();
            let before = now();
            for text in &sent {
                client.send_to(text.as_bytes(), target).expect("sent");
            }
            let came = receive(&mut ring, &server, sent.len());
            let after = now();
            let client = client.local_addr().expect("bound");
            for ((payload, sender, time), text) in came.iter().zip(&sent) {
                assert_eq!(payload, text.as_bytes());
                assert_eq!(*sender, client);
                assert!(before <= *time && *time <= after, "{before} {time} {after}");
            }
        }
    }
}

#[test]
fn the_time_is_that_of_arrival_not_of_reading() {
    let (server, client) = (bound("127.0.0.1:0"), bound("127.0.0.1:0"));
    let _server = taken(&server);
    // The kernel turns its time stamps on in the background.
    let mut ring = Ring::new(4, 100);
    let target = server.local_addr().expect("bound");
    let mut waited = false;
    for _ in 0..100 {
        client.send_to(b"x", target).expect("sent");
        let sent = now();
        thread::sleep(Duration::from_millis(20));
        waited = receive(&mut ring, &server, 1)[0].2 <= sent;
        if waited {
            break;
        }
    }
    assert!(waited);
}

#[test]
fn datagrams_too_long_for_their_place_are_told_of() {
    let (server, client) = (bound("127.0.0.1:0"), bound("127.0.0.1:0"));
    let mut ring = Ring::new(4, 100);
    for length in [100, 101, 0] {
        let target = server.local_addr().expect("bound");
        client.send_to(&vec![7; length], target).expect("sent");
        let sockets = [taken(&server)];
        let bell = Bell::new().expect("an event descriptor");
        bell.wait(&sockets, Duration::from_secs(60)).expect("waiting");
        assert_eq!(ring.receive(sockets[0].fd()).expect("receiving"), 1);
        let one = ring.iter().next().expect("one");
        assert_eq!((one.payload.len(), one.is_truncated), (length.min(100), length > 100));
    }
}

#[test]
fn the_longest_datagram_fits() {
    let (server, client) = (bound("127.0.0.1:0"), bound("127.0.0.1:0"));
    let mut ring = Ring::new(2, gridtap::limits::MAX_DATAGRAM);
    let payload: Vec<u8> = (0..65_507_u32).map(|n| n as u8).collect();
    client.send_to(&payload, server.local_addr().expect("bound")).expect("sent");
    assert_eq!(receive(&mut ring, &server, 1)[0].0, payload);
}

#[test]
fn an_empty_socket_and_the_bell_keep_nobody() {
    let server = bound("127.0.0.1:0");
    let sockets = [taken(&server)];
    assert_eq!(Ring::new(4, 100).receive(sockets[0].fd()).expect("receiving"), 0);
    let bell = Bell::new().expect("an event descriptor");
    thread::scope(|scope| {
        scope.spawn(|| bell.ring());
        // Much longer than a test may take.
        bell.wait(&sockets, Duration::from_secs(60)).expect("waiting");
    });
}

#[test]
fn what_the_kernel_dropped_is_counted() {
    let (server, client) = (bound("127.0.0.1:0"), bound("127.0.0.1:0"));
    let socket = taken(&server);
    assert_eq!(socket.kernel_drops(), 0);
    // More than any buffer that was asked for holds.
    for _ in 0..1000 {
        client.send_to(&[0; 60_000], server.local_addr().expect("bound")).expect("sent");
    }
    let (mut ring, mut held) = (Ring::new(4, 65_535), 0);
    loop {
        match ring.receive(socket.fd()).expect("receiving") {
            0 => break,
            count => held += count,
        }
    }
    assert!(held > 0 && held < 1000, "{held}");
    assert_eq!(socket.kernel_drops() as usize, 1000 - held);
}

#[test]
fn the_buffer_that_was_granted_is_told() {
    let server = bound("127.0.0.1:0");
    let socket = taken(&server);
    assert_eq!(socket.asked_buffer_bytes(), 1 << 20);
    assert!(socket.buffer_bytes() > 0);
    assert!(socket.buffer_bytes() <= socket.asked_buffer_bytes());
}
