//! Frames of a pcap file: a header of 24 bytes, then 16 bytes before each frame.
//!
//! The byte order and the unit of the clock are in the first four bytes. The format is that of
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-03.html>.

use std::io::Result;
use std::ops::Range;

use pcap_parser::PcapError;
use pcap_parser::nom::{Err, IResult, Needed};
use pcap_parser::pcap::{
    LegacyPcapBlock, PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified,
    parse_pcap_header,
};

use super::SourceFault;
use super::frames::{Frame, Frames};
use super::link::Link;
use super::window::Window;
use crate::error::FaultKind;
use crate::limits::MAX_CAPTURE_BLOCK;

/// What file headers with microseconds and nanoseconds begin with, and those of one old Linux patch.
const MAGICS: [[u8; 4]; 5] = [
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x34, 0xcd, 0xb2, 0xa1],
];

const FILE_HEADER: usize = 24;

pub fn is_pcap(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|magic| MAGICS.contains(magic))
}

type ParseFrame = fn(&[u8]) -> IResult<&[u8], LegacyPcapBlock<'_>, PcapError<&[u8]>>;

struct Record {
    seconds: u32,
    fraction: u32,
    header: usize,
    length: usize,
}

pub struct Pcap {
    window: Window,
    header: Option<PcapHeader>,
    link: Option<Link>,
    number: u64,
    ended: bool,
}

impl Pcap {
    pub fn new(window: Window) -> Self {
        Self { window, header: None, link: None, number: 0, ended: false }
    }

    fn stop(&mut self, faults: &mut dyn FnMut(SourceFault), context: &'static str) {
        self.ended = true;
        faults(SourceFault {
            kind: FaultKind::BadCapture,
            number: self.number + 1,
            offset: self.window.position(),
            context,
        });
    }

    fn read_header(&mut self, faults: &mut dyn FnMut(SourceFault)) -> Result<()> {
        self.window.fill(FILE_HEADER)?;
        let header = parse_pcap_header(self.window.available()).ok().map(|(_, header)| header);
        let Some(header) = header else {
            self.stop(faults, "pcap file header");
            return Ok(());
        };
        // The upper half of the field tells about frame check sequences.
        self.link = Link::new(header.network.0 as u16);
        if self.link.is_none() {
            self.stop(faults, "link type that is not read");
        }
        self.window.take(FILE_HEADER);
        self.header = Some(header);
        Ok(())
    }

    /// What the next record says, once all of it is available. `None` at the end of what can be
    /// followed.
    fn read_record(&mut self, faults: &mut dyn FnMut(SourceFault)) -> Result<Option<Record>> {
        let Some(header) = &self.header else { return Ok(None) };
        let (parse, size): (ParseFrame, usize) = if header.is_modified_format() {
            (parse_pcap_frame_modified, 24)
        } else if header.is_bigendian() {
            (parse_pcap_frame_be, 16)
        } else {
            (parse_pcap_frame, 16)
        };
        if !self.window.fill(1)? {
            self.ended = true;
            return Ok(None);
        }
        loop {
            let available = self.window.available();
            let missing = match parse(available) {
                Ok((_, frame)) => {
                    return Ok(Some(Record {
                        seconds: frame.ts_sec,
                        fraction: frame.ts_usec,
                        header: size,
                        length: frame.data.len(),
                    }));
                }
                Err(Err::Incomplete(Needed::Size(missing))) => missing.get(),
                Err(_) => 0,
            };
            let length = available.len().saturating_add(missing);
            if missing == 0 || length > MAX_CAPTURE_BLOCK {
                self.stop(faults, "frame length that no capture has");
                return Ok(None);
            }
            if !self.window.fill(length)? {
                self.stop(faults, "capture that ends inside a frame");
                return Ok(None);
            }
        }
    }
}

impl Frames for Pcap {
    fn advance(&mut self, faults: &mut dyn FnMut(SourceFault)) -> Result<Option<Frame>> {
        if self.header.is_none() && !self.ended {
            self.read_header(faults)?;
        }
        if self.ended {
            return Ok(None);
        }
        let Some(record) = self.read_record(faults)? else { return Ok(None) };
        let (Some(header), Some(link)) = (&self.header, self.link) else { return Ok(None) };
        let fraction = u64::from(record.fraction);
        let micros = if header.is_nanosecond_precision() { fraction / 1000 } else { fraction };
        self.number += 1;
        let offset = self.window.position();
        self.window.take(record.header);
        Ok(Some(Frame {
            link,
            received_at: Some(u64::from(record.seconds) * 1_000_000 + micros),
            number: self.number,
            offset,
            range: self.window.take(record.length),
        }))
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

    fn file(magic: u32, big_endian: bool, link: u32, frames: &[(u32, u32, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        let word = |out: &mut Vec<u8>, value: u32| {
            out.extend(if big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
        };
        word(&mut out, magic);
        for value in [0x0004_0002, 0, 0, 262_144, link] {
            word(&mut out, value);
        }
        for (seconds, fraction, bytes) in frames {
            let length = u32::try_from(bytes.len()).expect("small");
            for value in [*seconds, *fraction, length, length] {
                word(&mut out, value);
            }
            out.extend(*bytes);
        }
        out
    }

    /// Number, offset, time and bytes.
    type Seen = (u64, u64, u64, Vec<u8>);

    fn read(bytes: &[u8]) -> (Vec<Seen>, Vec<SourceFault>) {
        let mut frames = Pcap::new(Window::new(Box::new(std::io::Cursor::new(bytes.to_vec()))));
        let (mut seen, mut faults) = (Vec::new(), Vec::new());
        while let Some(frame) = frames.advance(&mut |fault| faults.push(fault)).expect("no error") {
            let at = frame.received_at.expect("a clock");
            seen.push((frame.number, frame.offset, at, frames.bytes(&frame.range).to_vec()));
        }
        (seen, faults)
    }

    #[test]
    fn both_byte_orders_and_both_clocks_are_read() {
        for (magic, fraction) in [(0xa1b2_c3d4, 5_000), (0xa1b2_3c4d, 5_000_999)] {
            for big_endian in [false, true] {
                let frames: [(u32, u32, &[u8]); 2] = [(17, fraction, b"first"), (18, 0, b"")];
                let bytes = file(magic, big_endian, 1, &frames);
                assert!(is_pcap(&bytes));
                let (seen, faults) = read(&bytes);
                assert_eq!(
                    seen,
                    [(1, 24, 17_005_000, b"first".to_vec()), (2, 45, 18_000_000, vec![])]
                );
                assert_eq!(faults, []);
            }
        }
    }

    #[test]
    fn a_file_cut_short_keeps_what_came_before() {
        let bytes = file(0xa1b2_c3d4, false, 1, &[(1, 0, b"first"), (2, 0, b"second")]);
        for end in 46..bytes.len() {
            let (seen, faults) = read(&bytes[..end]);
            assert_eq!(seen.len(), 1, "{end}");
            let places: Vec<_> = faults.iter().map(|f| (f.kind, f.number, f.offset)).collect();
            assert_eq!(places, [(FaultKind::BadCapture, 2, 45)], "{end}");
        }
        assert_eq!(read(&bytes[..45]).1, []);
        assert_eq!(read(&bytes[..20]).1.len(), 1);
    }

    #[test]
    fn an_impossible_length_ends_the_capture() {
        let mut bytes = file(0xa1b2_c3d4, false, 1, &[(1, 0, b"first"), (2, 0, b"second")]);
        bytes[45 + 10] = 0xff;
        let (seen, faults) = read(&bytes);
        assert_eq!((seen.len(), faults.len()), (1, 1));
        assert_eq!(faults[0].context, "frame length that no capture has");
    }

    #[test]
    fn a_link_type_that_is_not_read_is_said_once() {
        let (seen, faults) = read(&file(0xa1b2_c3d4, false, 105, &[(1, 0, b"x"), (2, 0, b"y")]));
        assert_eq!((seen.len(), faults.len()), (0, 1));
    }
}
