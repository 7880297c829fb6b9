//! From a captured frame to the IP packet in it.
//!
//! | link type                | number    | before the packet                                      |
//! |--------------------------|-----------|--------------------------------------------------------|
//! | `NULL`, `LOOP`           | 0, 108    | address family, 4 bytes in the order of some host      |
//! | `ETHERNET`               | 1         | 12 bytes of addresses, EtherType                       |
//! | `RAW`                    | 101 12 14 | nothing                                                |
//! | `LINUX_SLL`              | 113       | 14 bytes, EtherType                                    |
//! | `IPV4`, `IPV6`           | 228 229   | nothing                                                |
//! | `LINUX_SLL2`             | 276       | EtherType, 18 bytes                                    |
//!
//! Numbers and layouts are those of <https://www.tcpdump.org/linktypes.html>. Any number of VLAN
//! tags may stand between an EtherType and its packet.

use crate::cursor::Block;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad, and what switches used before 802.1ad.
const VLAN_TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];

/// `AF_INET`, and the values of `AF_INET6` on Linux, NetBSD, FreeBSD and macOS.
const FAMILIES: [u32; 5] = [2, 10, 24, 28, 30];

/// What stands before the IP packet in every frame of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Ethernet,
    Family,
    Ip,
    LinuxSll,
    LinuxSll2,
}

impl Link {
    /// `None` for a link type whose frames are not read here.
    pub fn new(number: u16) -> Option<Self> {
        Some(match number {
            0 | 108 => Self::Family,
            1 => Self::Ethernet,
            12 | 14 | 101 | 228 | 229 => Self::Ip,
            113 => Self::LinuxSll,
            276 => Self::LinuxSll2,
            _ => return None,
        })
    }

    /// The IP packet in `frame`, with the rest of the frame behind it. `Ok(None)` is a frame of
    /// another protocol, `Err` one too short to say.
    pub fn packet(self, frame: &[u8]) -> Result<Option<&[u8]>, &'static str> {
        const SHORT: &str = "frame shorter than its link header";
        let (ether_type, rest) = match self {
            Self::Ip => return Ok(Some(frame)),
            Self::Family => {
                let family = Block::<4>::first(frame).ok_or(SHORT)?.u32::<0>();
                let known = FAMILIES.iter().any(|f| *f == family || f.swap_bytes() == family);
                return Ok(frame.get(4..).filter(|_| known));
            }
            Self::Ethernet => {
                (Block::<14>::first(frame).ok_or(SHORT)?.u16::<12>(), frame.get(14..))
            }
            Self::LinuxSll => {
                (Block::<16>::first(frame).ok_or(SHORT)?.u16::<14>(), frame.get(16..))
            }
            Self::LinuxSll2 => {
                (Block::<20>::first(frame).ok_or(SHORT)?.u16::<0>(), frame.get(20..))
            }
        };
        let (mut ether_type, mut rest) = (ether_type, rest.unwrap_or_default());
        while VLAN_TAGS.contains(&ether_type) {
            let tag = Block::<4>::first(rest).ok_or("frame shorter than its VLAN tag")?;
            ether_type = tag.u16::<2>();
            rest = rest.get(4..).unwrap_or_default();
        }
        Ok((ether_type == IPV4 || ether_type == IPV6).then_some(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(before: &[u8]) -> Vec<u8> {
        [before, b"packet"].concat()
    }

    #[test]
    fn every_link_type_leads_to_the_packet() {
        let addresses = [0u8; 12];
        for (number, before) in [
            (0, vec![2, 0, 0, 0]),
            (0, vec![0, 0, 0, 30]),
            (108, vec![0, 0, 0, 24]),
            (1, [&addresses[..], &[8, 0]].concat()),
            (1, [&addresses[..], &[0x81, 0, 0, 5, 0x86, 0xdd]].concat()),
            (1, [&addresses[..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]].concat()),
            (12, vec![]),
            (14, vec![]),
            (101, vec![]),
            (228, vec![]),
            (229, vec![]),
            (113, [&[0u8; 14][..], &[8, 0]].concat()),
            (113, [&[0u8; 14][..], &[0x81, 0, 0, 5, 8, 0]].concat()),
            (276, [&[0x86, 0xdd][..], &[0u8; 18]].concat()),
        ] {
            let link = Link::new(number).expect("known");
            assert_eq!(link.packet(&framed(&before)), Ok(Some(&b"packet"[..])), "{number}");
        }
        assert_eq!(Link::new(105), None);
    }

    #[test]
    fn other_protocols_are_no_fault_but_short_frames_are() {
        let arp = [&[0u8; 12][..], &[8, 6], &[0; 28]].concat();
        assert_eq!(Link::Ethernet.packet(&arp), Ok(None));
        assert_eq!(Link::Family.packet(&[0, 0, 0, 99, 1]), Ok(None));
        assert!(Link::Ethernet.packet(&arp[..13]).is_err());
        let cut_tag = [&[0u8; 12][..], &[0x81, 0, 0]].concat();
        assert!(Link::Ethernet.packet(&cut_tag).is_err());
    }
}
