//! Frames of a pcapng file: blocks of type, length, content and the length again.
//!
//! A section begins with its own block, which tells the byte order. Interfaces are numbered within
//! it, and each has a link type and a clock of its own. The format is that of
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>. Blocks that hold neither are
//! stepped over without being kept.

use std::io::Result;
use std::ops::Range;

use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    Block as NgBlock, InterfaceDescriptionBlock, OptionCode, parse_block_be, parse_block_le,
};

use super::SourceFault;
use super::frames::{Frame, Frames};
use super::link::Link;
use super::window::Window;
use crate::cursor::Block;
use crate::error::FaultKind;
use crate::limits::{MAX_CAPTURE_BLOCK, MAX_INTERFACES};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// Type, two lengths.
const SMALLEST_BLOCK: usize = 12;

pub fn is_pcapng(bytes: &[u8]) -> bool {
    bytes.starts_with(&SECTION.to_be_bytes())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interface {
    /// `None`: a link type that is not read.
    link: Option<Link>,
    /// 0: unlimited.
    snapshot: u32,
    /// Ticks per second.
    resolution: u128,
    /// Seconds to add.
    offset: i64,
}

impl Interface {
    /// The clock's options are read here: pcap-parser 0.17 knows no binary resolution, and takes
    /// the offset for little-endian always.
    fn new(block: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        let (mut resolution, mut offset) = (1_000_000, 0);
        for option in &block.options {
            let value = option.as_bytes().unwrap_or_default();
            match (option.code, value) {
                (OptionCode::EndOfOpt, _) => break,
                (OptionCode::IfTsresol, [power]) if power & 0x80 != 0 => {
                    resolution = 1 << (power & 0x7f).min(126);
                }
                (OptionCode::IfTsresol, [power]) => {
                    resolution = 10u128.pow(u32::from(*power).min(38));
                }
                (OptionCode::IfTsoffset, value) => {
                    if let Ok(bytes) = <[u8; 8]>::try_from(value) {
                        offset = if big_endian {
                            i64::from_be_bytes(bytes)
                        } else {
                            i64::from_le_bytes(bytes)
                        };
                    }
                }
                _ => {}
            }
        }
        let link = u16::try_from(block.linktype.0).ok().and_then(Link::new);
        Self { link, snapshot: block.snaplen, resolution, offset }
    }

    /// Microseconds since the epoch at `ticks`; `None` if that is before it.
    fn time(&self, ticks: u64) -> Option<u64> {
        // The product of 64 bits and 20 fits.
        let micros = u128::from(ticks) * 1_000_000 / self.resolution;
        let micros = i128::try_from(micros).ok()? + i128::from(self.offset) * 1_000_000;
        u64::try_from(micros).ok()
    }
}

/// What a block means for the reader.
enum Content {
    Section,
    Interface(Interface),
    Packet { interface: u32, ticks: Option<u64>, start: usize, length: usize },
}

pub struct Pcapng {
    window: Window,
    big_endian: bool,
    interfaces: Vec<Interface>,
    number: u64,
    ended: bool,
}

impl Pcapng {
    pub fn new(window: Window) -> Self {
        Self { window, big_endian: false, interfaces: Vec::new(), number: 0, ended: false }
    }

    fn fault(&self, context: &'static str) -> SourceFault {
        SourceFault {
            kind: FaultKind::BadCapture,
            number: self.number + 1,
            offset: self.window.position(),
            context,
        }
    }

    /// Type and length of the next block, once its head is available. `Ok(None)` is the end,
    /// `Err` a block that cannot be followed.
    fn read_head(&mut self) -> Result<std::result::Result<Option<(u32, usize)>, &'static str>> {
        if !self.window.fill(SMALLEST_BLOCK)? {
            let empty = self.window.available().is_empty();
            return Ok(if empty { Ok(None) } else { Err("capture that ends inside a block") });
        }
        let Some(head) = Block::<SMALLEST_BLOCK>::first(self.window.available()) else {
            return Ok(Ok(None));
        };
        if head.u32::<0>() == SECTION {
            self.big_endian = match head.u32::<8>() {
                BYTE_ORDER => true,
                order if order.swap_bytes() == BYTE_ORDER => false,
                _ => return Ok(Err("pcapng section of no known byte order")),
            };
        }
        let order = |word: u32| if self.big_endian { word } else { word.swap_bytes() };
        let (kind, length) = (order(head.u32::<0>()), order(head.u32::<4>()));
        Ok(match usize::try_from(length) {
            Ok(length) if length >= SMALLEST_BLOCK && length.is_multiple_of(4) => {
                Ok(Some((kind, length)))
            }
            _ => Err("pcapng block length"),
        })
    }

    /// The content of a block of `length` bytes, all of them available.
    fn content(&self, length: usize) -> Option<Content> {
        let bytes = self.window.available().get(..length)?;
        let parse = if self.big_endian { parse_block_be } else { parse_block_le };
        match parse(bytes).ok()?.1 {
            NgBlock::SectionHeader(_) => Some(Content::Section),
            NgBlock::InterfaceDescription(block) => {
                Some(Content::Interface(Interface::new(&block, self.big_endian)))
            }
            NgBlock::EnhancedPacket(block) => Some(Content::Packet {
                interface: block.if_id,
                ticks: Some(u64::from(block.ts_high) << 32 | u64::from(block.ts_low)),
                start: 28,
                length: block.packet_data().len(),
            }),
            NgBlock::SimplePacket(block) => {
                let snapshot = match self.interfaces.first()?.snapshot {
                    0 => usize::MAX,
                    snapshot => usize::try_from(snapshot).ok()?,
                };
                let length = block.packet_data().len().min(snapshot);
                Some(Content::Packet { interface: 0, ticks: None, start: 12, length })
            }
            _ => None,
        }
    }

    /// Steps over the next block and says what was in it. `Err` carries the context of a fault;
    /// reading goes on behind it unless `ended` is set.
    fn read_block(&mut self) -> Result<std::result::Result<Option<Taken>, &'static str>> {
        let (kind, length) = match self.read_head()? {
            Ok(Some(head)) => head,
            other => {
                self.ended = true;
                return Ok(other.map(|_| None));
            }
        };
        let wanted = matches!(kind, SECTION | INTERFACE | SIMPLE_PACKET | ENHANCED_PACKET);
        if !wanted || length > MAX_CAPTURE_BLOCK {
            if !self.window.skip(length as u64)? {
                self.ended = true;
                return Ok(Err("capture that ends inside a block"));
            }
            return Ok(if wanted { Err("pcapng block length") } else { Ok(None) });
        }
        if !self.window.fill(length)? {
            self.ended = true;
            return Ok(Err("capture that ends inside a block"));
        }
        let content = self.content(length);
        let range = self.window.take(length);
        Ok(match content {
            Some(content) => Ok(Some(Taken { content, range })),
            None => Err("pcapng block that contradicts itself"),
        })
    }

    /// The frame in a packet block; `None` if its interface is not read.
    fn frame(
        &mut self,
        taken: Taken,
        offset: u64,
    ) -> std::result::Result<Option<Frame>, &'static str> {
        match taken.content {
            Content::Section => self.interfaces.clear(),
            Content::Interface(interface) => {
                if self.interfaces.len() >= MAX_INTERFACES {
                    return Err("more interfaces than any host has");
                }
                self.interfaces.push(interface);
                if interface.link.is_none() {
                    return Err("link type that is not read");
                }
            }
            Content::Packet { interface, ticks, start, length } => {
                self.number += 1;
                let interface = usize::try_from(interface).ok();
                let interface = interface.and_then(|at| self.interfaces.get(at));
                let Some(interface) = interface else {
                    return Err("packet of an interface that was not described");
                };
                let Some(link) = interface.link else { return Ok(None) };
                let start = taken.range.start + start;
                return Ok(Some(Frame {
                    link,
                    received_at: ticks.and_then(|ticks| interface.time(ticks)),
                    number: self.number,
                    offset,
                    range: start..start + length,
                }));
            }
        }
        Ok(None)
    }
}

struct Taken {
    content: Content,
    range: Range<usize>,
}

impl Frames for Pcapng {
    fn advance(&mut self, faults: &mut dyn FnMut(SourceFault)) -> Result<Option<Frame>> {
        while !self.ended {
            let fault = self.fault("");
            let found = match self.read_block()? {
                Ok(None) => Ok(None),
                Ok(Some(taken)) => self.frame(taken, fault.offset),
                Err(context) => Err(context),
            };
            match found {
                Ok(Some(frame)) => return Ok(Some(frame)),
                Ok(None) => {}
                Err(context) => faults(SourceFault { context, ..fault }),
            }
        }
        Ok(None)
    }

    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.window.taken(range)
    }

    fn position(&self) -> u64 {
        self.window.position()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(value: u32, big_endian: bool) -> [u8; 4] {
        if big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn block(kind: u32, big_endian: bool, content: &[u8]) -> Vec<u8> {
        let padded = content.len().next_multiple_of(4);
        let length = word(u32::try_from(padded + SMALLEST_BLOCK).expect("small"), big_endian);
        let mut out = [word(kind, big_endian), length].concat();
        out.extend(content);
        out.resize(8 + padded, 0);
        out.extend(length);
        out
    }

    fn section(big_endian: bool) -> Vec<u8> {
        let mut content = word(BYTE_ORDER, big_endian).to_vec();
        content.extend(word(if big_endian { 0x0001_0000 } else { 1 }, big_endian));
        content.extend([0xff; 8]);
        block(SECTION, big_endian, &content)
    }

    fn interface(big_endian: bool, link: u16, snapshot: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let short = |v: u16| if big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
        let mut content = [short(link), [0, 0]].concat();
        content.extend(word(snapshot, big_endian));
        for (code, value) in options {
            content.extend(short(*code));
            content.extend(short(u16::try_from(value.len()).expect("small")));
            content.extend(*value);
            content.resize(content.len().next_multiple_of(4), 0);
        }
        block(INTERFACE, big_endian, &content)
    }

    fn packet(big_endian: bool, interface: u32, ticks: u64, bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).expect("small");
        let mut content = Vec::new();
        for value in [interface, (ticks >> 32) as u32, ticks as u32, length, length] {
            content.extend(word(value, big_endian));
        }
        content.extend(bytes);
        block(ENHANCED_PACKET, big_endian, &content)
    }

    /// Number, time and bytes.
    type Seen = (u64, Option<u64>, Vec<u8>);

    fn read(bytes: &[u8]) -> (Vec<Seen>, Vec<(u64, u64, &'static str)>) {
        let mut frames = Pcapng::new(Window::new(Box::new(std::io::Cursor::new(bytes.to_vec()))));
        let (mut seen, mut faults) = (Vec::new(), Vec::new());
        let mut keep = |fault: SourceFault| {
            assert_eq!(fault.kind, FaultKind::BadCapture);
            faults.push((fault.number, fault.offset, fault.context));
        };
        while let Some(frame) = frames.advance(&mut keep).expect("no error") {
            let bytes = frames.bytes(&frame.range).to_vec();
            seen.push((frame.number, frame.received_at, bytes));
        }
        (seen, faults)
    }

    #[test]
    fn each_interface_has_its_own_clock() {
        for big in [false, true] {
            let hour = if big { 3600i64.to_be_bytes() } else { 3600i64.to_le_bytes() };
            let bytes = [
                section(big),
                interface(big, 1, 0, &[]),
                interface(big, 101, 0, &[(2, b"eth1"), (9, &[9]), (14, &hour), (0, &[])]),
                interface(big, 101, 0, &[(9, &[0x80 | 10])]),
                packet(big, 0, 5_000_001, b"micro"),
                packet(big, 1, 5_000_000_000, b"nano"),
                packet(big, 2, 5 * 1024 + 512, b"binary"),
            ]
            .concat();
            assert!(is_pcapng(&bytes));
            let (seen, faults) = read(&bytes);
            assert_eq!(
                seen,
                [
                    (1, Some(5_000_001), b"micro".to_vec()),
                    (2, Some(3_605_000_000), b"nano".to_vec()),
                    (3, Some(5_500_000), b"binary".to_vec()),
                ]
            );
            assert_eq!(faults, []);
        }
    }

    #[test]
    fn simple_packets_have_no_clock_and_end_at_the_snapshot_length() {
        let simple = block(SIMPLE_PACKET, false, &[&word(9, false)[..], b"sixbyt\0\0"].concat());
        let bytes = [section(false), interface(false, 101, 6, &[]), simple].concat();
        assert_eq!(read(&bytes), (vec![(1, None, b"sixbyt".to_vec())], vec![]));
    }

    #[test]
    fn a_new_section_forgets_interfaces_and_may_turn_the_byte_order() {
        let bytes = [
            section(false),
            interface(false, 101, 0, &[]),
            packet(false, 0, 1, b"a"),
            section(true),
            packet(true, 0, 2, b"b"),
            interface(true, 101, 0, &[]),
            packet(true, 0, 3, b"c"),
        ]
        .concat();
        let (seen, faults) = read(&bytes);
        assert_eq!(seen, [(1, Some(1), b"a".to_vec()), (3, Some(3), b"c".to_vec())]);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].0, 2);
    }

    #[test]
    fn unknown_blocks_are_stepped_over_and_bad_ones_reported() {
        let long = block(0x0000_0bad, false, &vec![7; MAX_CAPTURE_BLOCK + 4]);
        let mut bad = packet(false, 0, 1, b"lost");
        let last = bad.len() - 4;
        bad[last] ^= 4;
        let start = [section(false), interface(false, 101, 0, &[]), long].concat();
        let bytes = [start.clone(), bad, packet(false, 0, 2, b"kept")].concat();
        let (seen, faults) = read(&bytes);
        assert_eq!(seen, [(1, Some(2), b"kept".to_vec())]);
        let context = "pcapng block that contradicts itself";
        assert_eq!(faults, [(1, start.len() as u64, context)]);
    }

    #[test]
    fn a_file_cut_short_keeps_what_came_before() {
        let start = [section(false), interface(false, 101, 0, &[]), packet(false, 0, 1, b"a")];
        let start = start.concat();
        let bytes = [&start[..], &packet(false, 0, 2, b"b")].concat();
        assert_eq!(read(&start).1, []);
        for end in start.len() + 1..bytes.len() {
            let (seen, faults) = read(&bytes[..end]);
            assert_eq!(seen.len(), 1);
            assert_eq!(faults, [(2, start.len() as u64, "capture that ends inside a block")]);
        }
    }

    #[test]
    fn a_link_type_that_is_not_read_is_said_once() {
        let bytes = [
            section(false),
            interface(false, 105, 0, &[]),
            packet(false, 0, 1, b"a"),
            packet(false, 0, 2, b"b"),
        ]
        .concat();
        let (seen, faults) = read(&bytes);
        assert_eq!((seen.len(), faults.len()), (0, 1));
    }
}
