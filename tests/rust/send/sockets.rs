//! Whole replays over the loopback device.

use gridtap::capture::{self, Source};
use gridtap::send::{Counts, Failure, Replay, Settings};
use std::collections::HashMap;
use std::fs::File;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

type Packets = Vec<(SocketAddr, Vec<u8>)>;

fn data(name: &str) -> Box<dyn Source + Send> {
    let path = format!("{}/tests/data/xrootd/{name}", env!("CARGO_MANIFEST_DIR"));
    capture::open(Box::new(File::open(path).expect("a capture")), &[]).expect("a source")
}

/// Senders and payloads of a capture.
fn originals(name: &str) -> Vec<(Option<capture::Peer>, Vec<u8>)> {
    let (mut source, mut all) = (data(name), Vec::new());
    while let Some(datagram) = source.next(&mut |_| {}).expect("readable") {
        all.push((datagram.peer.clone(), datagram.payload.to_vec()));
    }
    all
}

/// A socket with room for all that a test sends.
fn receiver(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind((address, 0)).expect("a socket");
    nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::RcvBuf, &(4 << 20))
        .expect("a buffer");
    socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
    socket
}

fn received(socket: &UdpSocket) -> Packets {
    let (mut packets, mut buffer) = (Vec::new(), vec![0; 65_536]);
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        packets.push((from, buffer[..length].to_vec()));
    }
    packets
}

fn replay(
    source: Box<dyn Source + Send>,
    to: SocketAddr,
    more: &str,
) -> (Counts, Result<(), Failure>) {
    let settings = Settings::parse(&format!("{{\"to\":\"{to}\"{more}}}")).expect("settings");
    let mut replay = Replay::new(source, &settings);
    loop {
        match replay.step() {
            Ok(true) => {}
            Ok(false) => return (replay.counts(), Ok(())),
            Err(failure) => return (replay.counts(), Err(failure)),
        }
    }
}

fn sent(name: &str, more: &str) -> (Counts, Packets) {
    let socket = receiver("127.0.0.1");
    let (counts, outcome) = replay(data(name), socket.local_addr().expect("bound"), more);
    outcome.expect("all goes well");
    (counts, received(&socket))
}

/// Payloads by sender, in order.
fn by_sender<K: std::hash::Hash + Eq>(packets: Vec<(K, Vec<u8>)>) -> HashMap<K, Vec<Vec<u8>>> {
    let mut map: HashMap<K, Vec<Vec<u8>>> = HashMap::new();
    for (sender, payload) in packets {
        map.entry(sender).or_default().push(payload);
    }
    map
}

#[test]
fn every_packet_arrives_byte_by_byte_from_a_socket_for_its_sender() {
    for name in ["two-servers.pcap", "two-servers.pcapng", "fstat-smallbuf.pcap", "frm.bin"] {
        let originals = originals(name);
        let (counts, packets) = sent(name, "");
        assert_eq!((counts.read, counts.sent), (originals.len() as u64, originals.len() as u64));
        let bytes = originals.iter().map(|(_, payload)| payload.len() as u64).sum::<u64>();
        assert_eq!(counts.bytes, bytes);
        let (before, after) = (by_sender(originals), by_sender(packets));
        assert_eq!(counts.senders.len(), before.len());
        assert_eq!(after.len(), before.len(), "{name}: one socket a sender");
        for (peer, from) in &counts.senders {
            let from = SocketAddr::from(([127, 0, 0, 1], from.port()));
            assert_eq!(after[&from], before[peer], "{name}");
        }
    }
}

#[test]
fn spread_senders_keep_their_loopback_addresses_and_ports() {
    let (counts, packets) = sent("two-servers.pcap", ",\"local\":\"spread\"");
    let after = by_sender(packets);
    for (peer, payloads) in by_sender(originals("two-servers.pcap")) {
        let peer = peer.expect("captures tell");
        let from: SocketAddr =
            format!("{}:{}", peer.host, peer.port.expect("a port")).parse().expect("an address");
        assert_eq!(after[&from], payloads);
    }
    assert!(counts.senders.iter().any(|(_, from)| from.ip().to_string() == "127.0.0.12"));
}

#[test]
fn spread_senders_from_elsewhere_get_addresses_of_their_own() {
    let lines = concat!(
        "{\"remote\":\"192.0.2.1:5000\",\"data\":\"YQ==\"}\n",
        "{\"remote\":\"192.0.2.2:5000\",\"data\":\"Yg==\"}\n",
        "{\"remote\":\"192.0.2.1:5001\",\"data\":\"Yw==\"}\n",
        "{\"remote\":\"[2001:db8::1]:5000\",\"data\":\"ZA==\"}\n",
        "{\"remote\":\"name.example\",\"data\":\"ZQ==\"}\n",
        "{\"data\":\"Zg==\"}\n",
    );
    let source = capture::open(Box::new(lines.as_bytes()), &[]).expect("a source");
    let socket = receiver("127.0.0.1");
    let to = socket.local_addr().expect("bound");
    let (_, outcome) = replay(source, to, ",\"local\":\"spread\"");
    outcome.expect("all goes well");
    let mut packets = received(&socket);
    packets.sort_by(|a, b| a.1.cmp(&b.1));
    let addresses: Vec<_> = packets.iter().map(|(from, _)| from.ip().to_string()).collect();
    let expected = ["127.1.0.1", "127.1.0.2", "127.1.0.1", "127.1.0.3", "127.1.0.4", "127.1.0.5"];
    assert_eq!(addresses, expected);
}

#[test]
fn a_capture_goes_as_often_as_asked_and_stops_at_a_count() {
    let once = originals("fstat-full.pcap").into_iter().map(|(_, payload)| payload);
    let once: Vec<_> = once.collect();
    for (more, count) in [
        (",\"repeat\":5", 5 * once.len()),
        (",\"repeat\":0,\"count\":1000", 1000),
        (",\"count\":7", 7),
        (",\"count\":0", 0),
        (",\"speed\":1e9,\"repeat\":3", 3 * once.len()),
        (",\"rate\":100000,\"repeat\":3", 3 * once.len()),
    ] {
        let (counts, packets) = sent("fstat-full.pcap", more);
        let expected: Vec<_> = once.iter().cycle().take(count).collect();
        assert_eq!(packets.iter().map(|(_, payload)| payload).collect::<Vec<_>>(), expected);
        assert_eq!(counts.read, count as u64, "{more}");
    }
}

#[test]
fn what_is_disturbed_is_counted() {
    let more = ",\"repeat\":20,\"loss\":0.1,\"duplicate\":0.1,\"reorder\":10,\"seed\":11";
    let (counts, packets) = sent("two-servers.pcap", more);
    assert!(counts.lost > 0 && counts.duplicated > 0 && counts.reordered > 0);
    assert_eq!(counts.sent, counts.read - counts.lost + counts.duplicated);
    assert_eq!(counts.sent, packets.len() as u64);
    let (again, repeated) = sent("two-servers.pcap", more);
    let counted = |c: &Counts| (c.read, c.sent, c.lost, c.duplicated, c.reordered, c.bytes);
    assert_eq!(counted(&again), counted(&counts));
    let payloads = |packets: Packets| -> Vec<_> { packets.into_iter().map(|(_, p)| p).collect() };
    let (mut first, mut second) = (payloads(packets), payloads(repeated));
    first.sort();
    second.sort();
    assert_eq!(first, second);
}

#[test]
fn nobody_listening_is_counted_and_nothing_is_skipped() {
    let port = receiver("127.0.0.1").local_addr().expect("bound");
    let (counts, outcome) = replay(data("fstat-smallbuf.pcap"), port, "");
    outcome.expect("no error");
    assert_eq!(counts.sent, originals("fstat-smallbuf.pcap").len() as u64);
    assert!(counts.refused > 0);
}

#[test]
fn what_cannot_be_sent_ends_the_replay_with_a_reason() {
    let to: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let (counts, outcome) = replay(data("fstat-full.bin"), to, ",\"speed\":1");
    assert!(matches!(outcome, Err(Failure::Unfit(text)) if text.contains("--rate")));
    assert_eq!(counts.sent, 0);

    let mut line = b"{\"data\":\"".to_vec();
    line.extend(b"AAAA".repeat(65_508 / 3));
    line.extend(b"\"}\n");
    let long = || capture::open(Box::new(std::io::Cursor::new(line.clone())), &[]).expect("one");
    let (_, outcome) = replay(long(), to, "");
    let said = "packet 1 has 65508 bytes, UDP carries 65507";
    assert!(matches!(outcome, Err(Failure::Unfit(text)) if text == said));

    let (_, outcome) = replay(long(), "[::1]:9".parse().expect("an address"), "");
    outcome.expect("IPv6 carries it");

    let elsewhere = ",\"local\":{\"address\":\"192.0.2.1\"}";
    let (_, outcome) = replay(data("fstat-full.bin"), to, elsewhere);
    assert!(matches!(outcome, Err(Failure::Network(_))));
}
