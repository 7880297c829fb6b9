//! From an IP packet to the UDP datagram, or to the piece of one, in it.
//!
//! Checksums are not verified: what a host captures of its own sending has none yet. The extension
//! headers of IPv6 are walked here rather than in etherparse, which reads the data of a later
//! fragment as headers when the datagram begins with destination options.

use std::net::IpAddr;

use etherparse::{IpFragOffset, Ipv4HeaderSlice, Ipv6HeaderSlice};

use crate::cursor::Block;

const HOP_BY_HOP: u8 = 0;
const UDP: u8 = 17;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;

const UDP_HEADER: usize = 8;

/// What tells the fragments of one datagram from those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentKey {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub identification: u32,
}

/// A piece of an IP payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    pub key: FragmentKey,
    /// Protocol number of the whole payload.
    pub protocol: u8,
    pub offset: IpFragOffset,
    /// Others follow this one.
    pub more: bool,
    pub data: &'a [u8],
}

/// A UDP datagram as far as it was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp<'a> {
    pub source_port: u16,
    pub destination_port: u16,
    pub payload: &'a [u8],
}

/// What an IP packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried<'a> {
    Udp(Udp<'a>),
    Fragment(Fragment<'a>),
    /// Anything but UDP.
    Other,
}

/// Source address and content of the packet that begins with `bytes`. `Err` says what is damaged.
pub fn decode(bytes: &[u8]) -> Result<(IpAddr, Carried<'_>), &'static str> {
    match bytes.first().map(|first| first >> 4) {
        Some(4) => decode_v4(bytes),
        Some(6) => decode_v6(bytes),
        _ => Err("IP packet of no known version"),
    }
}

/// Everything behind the header as far as the packet's own length goes. What lies behind that is
/// padding of the link. A length of 0 is left to the network card to fill in; a snapshot length
/// leaves less than the packet says.
fn bounded(rest: &[u8], length: usize) -> &[u8] {
    rest.get(..length).unwrap_or(rest)
}

fn decode_v4(bytes: &[u8]) -> Result<(IpAddr, Carried<'_>), &'static str> {
    let header = Ipv4HeaderSlice::from_slice(bytes).map_err(|_| "IPv4 header")?;
    let rest = bytes.get(header.slice().len()..).unwrap_or_default();
    let rest = match usize::from(header.total_len()) {
        0 => rest,
        total => match total.checked_sub(header.slice().len()) {
            Some(length) => bounded(rest, length),
            None => return Err("IPv4 packet shorter than its header"),
        },
    };
    let source = IpAddr::V4(header.source_addr());
    let protocol = header.protocol().0;
    if !header.is_fragmenting_payload() {
        return Ok((source, payload(protocol, rest)?));
    }
    let key = FragmentKey {
        source,
        destination: IpAddr::V4(header.destination_addr()),
        identification: u32::from(header.identification()),
    };
    let (offset, more) = (header.fragments_offset(), header.more_fragments());
    Ok((source, fragment(Fragment { key, protocol, offset, more, data: rest })))
}

fn decode_v6(bytes: &[u8]) -> Result<(IpAddr, Carried<'_>), &'static str> {
    let header = Ipv6HeaderSlice::from_slice(bytes).map_err(|_| "IPv6 header")?;
    let rest = bytes.get(header.slice().len()..).unwrap_or_default();
    let rest = match usize::from(header.payload_length()) {
        0 => rest,
        length => bounded(rest, length),
    };
    let source = IpAddr::V6(header.source_addr());
    let (next, rest) = skip_extensions(header.next_header().0, rest)?;
    if next != FRAGMENT {
        return Ok((source, payload(next, rest)?));
    }
    let header_of_fragment = Block::<8>::first(rest).ok_or("IPv6 fragment header")?;
    let data = rest.get(8..).unwrap_or_default();
    let (place, protocol) = (header_of_fragment.u16::<2>(), header_of_fragment.u8::<0>());
    let offset = IpFragOffset::try_new(place >> 3).unwrap_or_default();
    let more = place & 1 != 0;
    if !more && offset.value() == 0 {
        // A whole datagram may still carry a fragment header (RFC 6946).
        return Ok((source, payload(protocol, data)?));
    }
    let key = FragmentKey {
        source,
        destination: IpAddr::V6(header.destination_addr()),
        identification: header_of_fragment.u32::<4>(),
    };
    Ok((source, fragment(Fragment { key, protocol, offset, more, data })))
}

/// Only what may turn out to be UDP has to wait for its rest.
fn fragment(fragment: Fragment<'_>) -> Carried<'_> {
    match fragment.protocol {
        UDP | HOP_BY_HOP | ROUTING | AUTHENTICATION | DESTINATION_OPTIONS => {
            Carried::Fragment(fragment)
        }
        _ => Carried::Other,
    }
}

/// Walks over the headers that may stand before the payload or before a fragment header.
fn skip_extensions(mut next: u8, mut rest: &[u8]) -> Result<(u8, &[u8]), &'static str> {
    loop {
        let unit = match next {
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS => 8,
            AUTHENTICATION => 4,
            _ => return Ok((next, rest)),
        };
        let head = Block::<2>::first(rest).ok_or("IP extension header")?;
        // The first 8 bytes of any extension header are not counted (RFC 8200, RFC 4302).
        let length = 8 + unit * usize::from(head.u8::<1>());
        rest = rest.get(length..).ok_or("IP extension header")?;
        next = head.u8::<0>();
    }
}

/// The UDP datagram in a whole IP payload.
pub fn payload(protocol: u8, bytes: &[u8]) -> Result<Carried<'_>, &'static str> {
    let (protocol, bytes) = skip_extensions(protocol, bytes)?;
    if protocol != UDP {
        return Ok(Carried::Other);
    }
    let header = Block::<UDP_HEADER>::first(bytes).ok_or("UDP header")?;
    let rest = bytes.get(UDP_HEADER..).unwrap_or_default();
    let payload = match usize::from(header.u16::<4>()) {
        // Too large for the 16 bits, or not filled in yet.
        0 => rest,
        length => match length.checked_sub(UDP_HEADER) {
            Some(length) => bounded(rest, length),
            None => return Err("UDP datagram shorter than its header"),
        },
    };
    Ok(Carried::Udp(Udp {
        source_port: header.u16::<0>(),
        destination_port: header.u16::<2>(),
        payload,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;

    fn v4(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        PacketBuilder::ipv4([192, 0, 2, 7], [192, 0, 2, 1], 64)
            .udp(1094, 9930)
            .write(&mut out, payload)
            .expect("memory");
        out
    }

    fn v6(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        PacketBuilder::ipv6([0xfd; 16], [0xfe; 16], 64)
            .udp(1094, 9930)
            .write(&mut out, payload)
            .expect("memory");
        out
    }

    fn udp<'a>(packet: &'a [u8]) -> Udp<'a> {
        match decode(packet).expect("sound").1 {
            Carried::Udp(udp) => udp,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn padding_of_the_link_is_not_payload() {
        for packet in [v4(b"hello"), v6(b"hello")] {
            let padded = [&packet[..], &[0xaa; 9]].concat();
            assert_eq!(udp(&padded).payload, b"hello");
            assert_eq!((udp(&packet).source_port, udp(&packet).destination_port), (1094, 9930));
        }
    }

    #[test]
    fn what_a_snapshot_length_left_is_handed_out() {
        let packet = v4(b"hello world");
        assert_eq!(udp(&packet[..33]).payload, b"hello");
        assert_eq!(udp(&v6(b"hello world")[..53]).payload, b"hello");
        assert_eq!(decode(&packet[..27]), Err("UDP header"));
        assert_eq!(decode(&packet[..19]), Err("IPv4 header"));
    }

    #[test]
    fn extension_headers_are_walked() {
        let plain = v6(b"hello");
        for (first, extension) in [
            (HOP_BY_HOP, vec![UDP, 0, 1, 4, 0, 0, 0, 0]),
            (ROUTING, [vec![UDP, 1], vec![0; 14]].concat()),
            (AUTHENTICATION, [vec![UDP, 4], vec![0; 22]].concat()),
            (FRAGMENT, vec![UDP, 0, 0, 0, 0, 0, 0, 9]),
            (DESTINATION_OPTIONS, vec![HOP_BY_HOP, 0, 0, 0, 0, 0, 0, 0, UDP, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            let mut packet = plain[..40].to_vec();
            packet[6] = first;
            packet[5] += u8::try_from(extension.len()).expect("small");
            packet.extend(&extension);
            packet.extend(&plain[40..]);
            assert_eq!(udp(&packet).payload, b"hello", "{first}");
            assert!(decode(&packet[..41]).is_err());
        }
    }

    #[test]
    fn lengths_left_to_the_card_do_not_matter() {
        let mut packet = v4(b"hello");
        packet[2..4].fill(0);
        packet[24..26].fill(0);
        assert_eq!(udp(&packet).payload, b"hello");
        packet[25] = 7;
        assert_eq!(decode(&packet), Err("UDP datagram shorter than its header"));
    }

    #[test]
    fn other_protocols_are_told_apart_from_damage() {
        let mut packet = v4(b"hello");
        packet[9] = 6;
        assert_eq!(decode(&packet).map(|(_, carried)| carried), Ok(Carried::Other));
        assert_eq!(decode(&[0x50, 0]), Err("IP packet of no known version"));
        assert!(decode(b"").is_err());
    }
}
