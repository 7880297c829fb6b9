//! Datagrams out of real and made-up sources.

mod corpus;

use std::fs;
use std::io::{ErrorKind, Read, Result};
use std::net::IpAddr;

use corpus::{files, folder, read_bytes, read_file, read_from};
use etherparse::{IpFragOffset, IpNumber, Ipv4Header, Ipv6Header, PacketBuilder, UdpHeader};
use gridtap::capture::{Host, Peer, write_envelope};
use gridtap::error::FaultKind;

fn payloads(datagrams: Vec<corpus::Datagram>) -> Vec<Vec<u8>> {
    datagrams.into_iter().map(|datagram| datagram.payload).collect()
}

/// A pcap file of these frames, one each second.
fn pcap(link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 262_144, link] {
        out.extend(word.to_le_bytes());
    }
    for (second, frame) in (1u32..).zip(frames) {
        let length = u32::try_from(frame.len()).expect("small");
        for word in [second, 0, length, length] {
            out.extend(word.to_le_bytes());
        }
        out.extend(frame);
    }
    out
}

fn ethernet(payload: &[u8], port: u16) -> Vec<u8> {
    let mut out = Vec::new();
    PacketBuilder::ethernet2([1; 6], [2; 6])
        .ipv4([192, 0, 2, 7], [192, 0, 2, 1], 64)
        .udp(1094, port)
        .write(&mut out, payload)
        .expect("memory");
    out
}

fn peer(address: &str, port: u16) -> Option<Peer> {
    Some(Peer { host: Host::Ip(address.parse().expect("an address")), port: Some(port) })
}

/// The UDP datagram with `payload`, cut into IP packets of at most `size` bytes of content.
fn fragments(v6: bool, id: u16, payload: &[u8], size: usize) -> Vec<Vec<u8>> {
    let udp = UdpHeader {
        source_port: 1094,
        destination_port: 9930,
        length: u16::try_from(8 + payload.len()).expect("a datagram"),
        checksum: 0,
    };
    let whole = [&udp.to_bytes()[..], payload].concat();
    let mut out = Vec::new();
    for (at, piece) in whole.chunks(size).enumerate() {
        let offset = u16::try_from(at * size / 8).expect("small");
        let more = at * size + piece.len() < whole.len();
        let length = u16::try_from(piece.len()).expect("small");
        let header = if v6 {
            let mut header = Ipv6Header {
                payload_length: length + 8,
                next_header: IpNumber::IPV6_FRAGMENTATION_HEADER,
                source: [0xfd; 16],
                destination: [0xfe; 16],
                ..Default::default()
            }
            .to_bytes()
            .to_vec();
            header.extend([17, 0]);
            header.extend((offset << 3 | u16::from(more)).to_be_bytes());
            header.extend(u32::from(id).to_be_bytes());
            header
        } else {
            let mut header =
                Ipv4Header::new(length, 64, IpNumber::UDP, [192, 0, 2, 7], [192, 0, 2, 1])
                    .expect("small");
            header.identification = id;
            header.more_fragments = more;
            header.dont_fragment = false;
            header.fragment_offset = IpFragOffset::try_new(offset).expect("small");
            header.to_bytes().to_vec()
        };
        out.push([&header[..], piece].concat());
    }
    out
}

fn big() -> Vec<u8> {
    (0..65_507u32).map(|n| (n % 251) as u8).collect()
}

#[test]
fn captures_hold_what_their_dumps_hold() {
    let mut compared = 0;
    for path in files(&[".pcap"]) {
        for (ports, ending) in
            [(vec![], "bin"), (vec![9930], "port9930.bin"), (vec![9931], "port9931.bin")]
        {
            let Ok(dump) = fs::read(path.with_extension(ending)) else { continue };
            let (datagrams, faults) = read_file(&path, &ports);
            assert_eq!(faults, [], "{}", path.display());
            let from_dump = read_bytes(&dump, &[]);
            assert_eq!(from_dump.1, [], "{}", path.display());
            let expected = payloads(datagrams);
            assert_eq!(expected.concat(), dump, "{}", path.display());
            assert_eq!(payloads(from_dump.0), expected, "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared >= 38, "{compared}");
}

#[test]
fn both_capture_formats_agree() {
    let pcap = read_file(&folder().join("two-servers.pcap"), &[]);
    let pcapng = read_file(&folder().join("two-servers.pcapng"), &[]);
    assert_eq!((pcap.0.len(), pcap.1.len(), pcapng.1.len()), (65, 0, 0));
    for (mut one, other) in pcap.0.into_iter().zip(pcapng.0) {
        assert!(one.offset < other.offset);
        one.offset = other.offset;
        assert_eq!(one, other);
    }
}

#[test]
fn senders_ports_and_times_are_told() {
    let (datagrams, _) = read_file(&folder().join("two-servers.pcap"), &[]);
    for datagram in &datagrams {
        let sender = datagram.peer.as_ref().expect("a sender");
        let Host::Ip(IpAddr::V4(address)) = sender.host else { panic!("{sender:?}") };
        assert!(matches!(address.octets(), [127, 0, 0, 11 | 12]));
        assert_eq!(datagram.destination_port, Some(9930));
        // Captured after the servers started, and not a day later.
        let start = gridtap::xrootd::Header::decode(&datagram.payload).expect("binary").stod;
        let after = datagram.received_at.expect("a clock") / 1_000_000 - u64::from(start);
        assert!(after < 86_400, "{after}");
    }
    let (datagrams, _) = read_file(&folder().join("ipv6-dest.pcap"), &[]);
    for datagram in datagrams {
        let sender = datagram.peer.expect("a sender");
        assert!(matches!(sender.host, Host::Ip(IpAddr::V6(_))), "{sender:?}");
    }
}

#[test]
fn ports_are_kept_apart() {
    let path = folder().join("two-dests.pcap");
    let count = |ports: &[u16]| read_file(&path, ports).0.len();
    assert_eq!((count(&[9930]), count(&[9931]), count(&[9930, 9931])), (50, 46, 96));
    assert_eq!((count(&[]), count(&[1])), (96, 0));
}

#[test]
fn short_snapshots_are_handed_out_as_they_are() {
    let (datagrams, faults) = read_file(&folder().join("snaplen-256.pcap"), &[]);
    assert_eq!((datagrams.len(), faults.len()), (26, 0));
    let cut = datagrams.iter().filter(|datagram| {
        let header = gridtap::xrootd::Header::decode(&datagram.payload).expect("binary");
        usize::from(header.plen) > datagram.payload.len()
    });
    // 256 bytes less the headers of Ethernet, IPv4 and UDP.
    assert_eq!(cut.map(|datagram| datagram.payload.len()).collect::<Vec<_>>(), [214; 6]);
}

#[test]
fn a_cut_capture_gives_what_came_before() {
    for name in ["fstat-full.pcap", "two-servers.pcapng"] {
        let bytes = fs::read(folder().join(name)).expect("a file");
        let (whole, _) = read_bytes(&bytes, &[]);
        for end in (100..bytes.len()).step_by(97) {
            let (part, faults) = read_bytes(&bytes[..end], &[]);
            assert_eq!(part[..], whole[..part.len()]);
            for fault in faults {
                assert_eq!(fault.kind, FaultKind::BadCapture);
                assert!(part.last().is_none_or(|last| last.offset < fault.offset));
                assert!(fault.offset < end as u64);
            }
        }
    }
}

#[test]
fn every_link_type_gives_the_same_datagram() {
    let frame = ethernet(b"hello", 9930);
    let packet = &frame[14..];
    let tagged = |tags: &[u8]| [&frame[..12], tags, packet].concat();
    for (link, frame) in [
        (1, tagged(&[8, 0])),
        (1, tagged(&[0x81, 0, 0, 5, 8, 0])),
        (1, tagged(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x81, 0, 0, 7, 0x81, 0, 0, 8, 8, 0])),
        (0, [&[2, 0, 0, 0], packet].concat()),
        (108, [&[0, 0, 0, 2], packet].concat()),
        (101, packet.to_vec()),
        (12, packet.to_vec()),
        (228, packet.to_vec()),
        (113, [&[0, 0, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0], packet].concat()),
        (276, [&[8, 0, 0, 0, 0, 0, 0, 1, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0], packet].concat()),
        // The upper bits tell about frame check sequences.
        (0x1400_0001, tagged(&[8, 0])),
    ] {
        let (datagrams, faults) = read_bytes(&pcap(link, &[frame]), &[]);
        assert_eq!(faults, [], "{link}");
        assert_eq!(datagrams.len(), 1, "{link}");
        let datagram = &datagrams[0];
        assert_eq!(datagram.payload, b"hello");
        assert_eq!(datagram.peer, peer("192.0.2.7", 1094));
        assert_eq!(
            (datagram.destination_port, datagram.received_at),
            (Some(9930), Some(1_000_000))
        );
    }
}

#[test]
fn frames_that_are_no_udp_are_passed_over_and_damaged_ones_counted() {
    let mut tcp = Vec::new();
    PacketBuilder::ethernet2([1; 6], [2; 6])
        .ipv4([192, 0, 2, 7], [192, 0, 2, 1], 64)
        .tcp(1094, 9930, 1, 1)
        .write(&mut tcp, b"not ours")
        .expect("memory");
    let arp = [&[0u8; 12][..], &[8, 6], &[0; 28]].concat();
    let mut short_udp = ethernet(b"", 9930);
    short_udp[17] = 24;
    let no_version = [&[0u8; 12][..], &[8, 0], &[0; 28]].concat();
    let frames = [arp, tcp, short_udp, no_version, vec![0; 5], ethernet(b"hello", 9930)];
    let (datagrams, faults) = read_bytes(&pcap(1, &frames), &[]);
    assert_eq!(datagrams.iter().map(|datagram| datagram.number).collect::<Vec<_>>(), [6]);
    let faults: Vec<_> = faults.iter().map(|fault| (fault.kind, fault.number)).collect();
    assert_eq!(faults, [3, 4, 5].map(|number| (FaultKind::BadFrame, number)));
}

#[test]
fn fragments_are_put_together_in_any_order() {
    for v6 in [false, true] {
        let mut pieces = fragments(v6, 7, &big(), 1480);
        assert_eq!(pieces.len(), 45);
        pieces.rotate_left(20);
        pieces.swap(3, 40);
        pieces.insert(10, pieces[4].clone());
        // Overlaps with both of its neighbours.
        pieces.push(pieces[8].clone());
        let other = fragments(v6, 8, b"between", 8);
        pieces.splice(20..20, other);
        let (datagrams, faults) = read_bytes(&pcap(101, &pieces), &[9930]);
        assert_eq!(faults, []);
        assert_eq!(datagrams.len(), 2);
        assert_eq!(datagrams[0].payload, b"between");
        assert_eq!(datagrams[1].payload, big());
        let address = if v6 { "fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd" } else { "192.0.2.7" };
        assert_eq!(datagrams[1].peer, peer(address, 1094));
        assert!(read_bytes(&pcap(101, &pieces), &[1]).0.is_empty());
    }
}

#[test]
fn lost_fragments_are_counted_once_for_each_datagram() {
    let mut frames = Vec::new();
    for id in 0..100 {
        let mut pieces = fragments(id % 2 == 0, id, &[7; 4000], 1480);
        pieces.remove(usize::from(id % 3));
        frames.extend(pieces);
    }
    frames.extend(fragments(false, 1000, &[9; 4000], 1480));
    let (datagrams, faults) = read_bytes(&pcap(101, &frames), &[]);
    assert_eq!(payloads(datagrams), [vec![9; 4000]]);
    assert!(faults.iter().all(|fault| fault.kind == FaultKind::MissingFragments));
    let numbers: Vec<_> = faults.iter().map(|fault| fault.number).collect();
    assert_eq!(numbers, (0..100).map(|n| 1 + 2 * n).collect::<Vec<_>>());
}

#[test]
fn bus_envelopes_give_their_datagrams() {
    for name in ["fstat-full.pcap", "ipv6-dest.pcap", "gstream-pfc-json.pcap"] {
        let path = folder().join(name);
        let (expected, _) = read_file(&path, &[]);
        let mut lines = Vec::new();
        for datagram in &expected {
            write_envelope(
                &mut lines,
                datagram.peer.as_ref().expect("a sender"),
                "test",
                &datagram.payload,
            );
            lines.push(b'\n');
        }
        let (datagrams, faults) = read_bytes(&lines, &[1]);
        assert_eq!(faults, [], "{name}");
        assert_eq!(datagrams.len(), expected.len());
        for (number, (datagram, expected)) in (1..).zip(datagrams.iter().zip(&expected)) {
            assert_eq!((&datagram.payload, &datagram.peer), (&expected.payload, &expected.peer));
            assert_eq!((datagram.number, datagram.received_at), (number, None));
        }
    }
}

#[test]
fn an_empty_source_is_no_error() {
    assert_eq!(read_bytes(b"", &[]), (vec![], vec![]));
}

/// Hands out single bytes, as a slow pipe may.
struct Slowly(Vec<u8>, usize);

impl Read for Slowly {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let Some((byte, room)) = self.0.get(self.1).zip(into.first_mut()) else { return Ok(0) };
        *room = *byte;
        self.1 += 1;
        Ok(1)
    }
}

#[test]
fn a_slow_pipe_gives_the_same() {
    for name in ["two-servers.pcap", "two-servers.pcapng", "two-servers.bin", "odd-names.bin"] {
        let bytes = fs::read(folder().join(name)).expect("a file");
        assert_eq!(read_from(Box::new(Slowly(bytes.clone(), 0)), &[]), read_bytes(&bytes, &[]));
    }
}

#[test]
fn errors_of_the_reader_are_errors() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
    }
    assert!(gridtap::capture::open(Box::new(Broken), &[]).is_err());
    let start = fs::read(folder().join("fstat-full.pcap")).expect("a file");
    let reader = std::io::Cursor::new(start[..3000].to_vec()).chain(Broken);
    let mut source = gridtap::capture::open(Box::new(reader), &[]).expect("a start");
    let mut count = 0;
    let error = loop {
        match source.next(&mut |_| {}) {
            Ok(Some(_)) => count += 1,
            Ok(None) => panic!("the error was lost"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    assert!(count > 3);
}

#[test]
fn damage_in_a_real_dump_costs_only_the_damaged_packets() {
    let path = folder().join("two-servers.bin");
    let bytes = fs::read(&path).expect("a file");
    let (whole, _) = read_bytes(&bytes, &[]);
    for at in 1..whole.len() - 1 {
        let offset = usize::try_from(whole[at].offset).expect("small");
        let garbage = [&bytes[..offset], b"some garbage \0\0\0", &bytes[offset..]].concat();
        let (found, faults) = read_bytes(&garbage, &[]);
        assert_eq!(found.len(), whole.len(), "{at}");
        assert!(found.iter().zip(&whole).all(|(found, whole)| found.payload == whole.payload));
        let places: Vec<_> = faults.iter().map(|fault| (fault.kind, fault.offset)).collect();
        assert_eq!(places, [(FaultKind::LostFraming, offset as u64)]);
        // A length that leads nowhere.
        let mut bad = bytes.clone();
        bad[offset + 2..offset + 4].copy_from_slice(&[0, 3]);
        let (found, faults) = read_bytes(&bad, &[]);
        assert_eq!((found.len(), faults.len()), (whole.len() - 1, 1), "{at}");
    }
}
