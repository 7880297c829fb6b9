//! Raw dumps: binary packets one after the other, framed by the length in their headers.
//!
//! Nothing else marks where a packet begins, so damage must be told from packets by what headers
//! have in common: a code that is defined, a length of 8 or more, and the start time of a server.
//! A header that lacks one of these is believed if the dump goes on soundly behind its packet. When
//! the framing is lost, the dump is searched for the next header that is beyond doubt.

use std::io::Result;
use std::time::{SystemTime, UNIX_EPOCH};

use hashbrown::HashSet;

use super::window::Window;
use super::{Datagram, Source, SourceFault};
use crate::error::FaultKind;
use crate::limits::{MAX_DATAGRAM, MAX_SERVERS};
use crate::xrootd::Header;

/// 2000-01-01: no server with this monitoring started earlier.
const EARLIEST_START: u32 = 946_684_800;
/// A server's clock may be ahead of ours by this much, s.
const DAY: u64 = 86_400;

/// What a header has to say for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    None,
    /// One of code and start time is odd.
    Odd,
    /// Sound, from a server not seen so far.
    Sound,
    /// Sound, from a server seen before.
    Known,
}

/// The first header beyond doubt in the stretch up to a position of the dump.
struct Ahead {
    until: u64,
    found: Option<u64>,
}

pub struct Dump {
    window: Window,
    ahead: Ahead,
    /// Start times of the servers seen so far, and of the last one.
    starts: HashSet<u32>,
    last_start: Option<u32>,
    /// No server can have started later.
    latest_start: u32,
    number: u64,
}

/// How the dump goes on behind a packet.
enum Next {
    End,
    Header(Header),
    /// The source ends before the packet does, or inside the next header.
    Short,
}

impl Dump {
    pub fn new(window: Window) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let latest_start = u32::try_from(now + DAY).unwrap_or(u32::MAX);
        let ahead = Ahead { until: 0, found: None };
        Self { window, ahead, starts: HashSet::new(), last_start: None, latest_start, number: 0 }
    }

    #[inline]
    fn trust(&self, header: Header) -> Trust {
        if usize::from(header.plen) < Header::SIZE {
            return Trust::None;
        }
        let known = self.last_start == Some(header.stod) || self.starts.contains(&header.stod);
        let possible = (EARLIEST_START..=self.latest_start).contains(&header.stod);
        match (is_defined(header.code), known, possible) {
            (true, true, _) => Trust::Known,
            (true, false, true) => Trust::Sound,
            (true, false, false) | (false, true, _) | (false, _, true) => Trust::Odd,
            (false, false, false) => Trust::None,
        }
    }

    /// Keeps a start time. 0 is no start time, and must not make others of it credible.
    #[inline]
    fn remember(&mut self, start: u32) {
        if start == 0 || self.last_start == Some(start) {
            return;
        }
        if self.starts.len() >= MAX_SERVERS {
            self.starts.clear();
        }
        self.starts.insert(start);
        self.last_start = Some(start);
    }

    /// What lies `length` bytes behind the header at `at` in the window.
    fn next_after(&mut self, at: usize, length: usize) -> Result<Next> {
        let behind = at + length;
        self.window.fill(behind + Header::SIZE)?;
        let available = self.window.available();
        if available.len() == behind {
            return Ok(Next::End);
        }
        let header = available.get(behind..).and_then(Header::decode);
        Ok(header.map_or(Next::Short, Next::Header))
    }

    /// Whether the packet at the front of the window is one. That the one before ends here speaks
    /// for it, but damage may follow any packet, and letters make plausible start times.
    fn is_framed(&mut self, header: Header) -> Result<bool> {
        let length = usize::from(header.plen);
        let trust = self.trust(header);
        match trust {
            Trust::None => return Ok(false),
            Trust::Known if self.window.fill(length)? => return Ok(true),
            _ => {}
        }
        let end = self.window.position() + u64::from(header.plen);
        let ahead = self.find_ahead()?;
        if ahead.is_some_and(|found| found < end) {
            return Ok(false);
        }
        Ok(match self.next_after(0, length)? {
            Next::End => true,
            Next::Short => trust >= Trust::Sound,
            Next::Header(next) => match (trust, self.trust(next)) {
                (_, Trust::Known) => true,
                (_, Trust::Sound | Trust::Odd) if next.stod == header.stod => true,
                (Trust::Sound, Trust::Sound) if self.goes_on(length, next)? => true,
                (Trust::Sound | Trust::Known, _) => {
                    ahead.is_none() || self.recurs(0, header.stod)?
                }
                (_, Trust::Sound) => self.recurs(length, next.stod)?,
                _ => false,
            },
        })
    }

    /// Whether the packet at `at` in the window, with this header, is followed by another.
    fn goes_on(&mut self, at: usize, header: Header) -> Result<bool> {
        Ok(match self.next_after(at, usize::from(header.plen))? {
            Next::End => true,
            Next::Short => false,
            Next::Header(next) => self.trust(next) >= Trust::Sound,
        })
    }

    /// Whether a header close behind the one at `at` in the window has the same start time.
    fn recurs(&mut self, at: usize, start: u32) -> Result<bool> {
        self.window.fill(at + MAX_DATAGRAM)?;
        let bytes = self.window.available().get(at + Header::SIZE..).unwrap_or_default();
        let bytes = bytes.get(..MAX_DATAGRAM).unwrap_or(bytes);
        let start = start.to_be_bytes();
        let mut places = memchr::memmem::find_iter(bytes, &start);
        Ok(places.any(|at| {
            let header = at.checked_sub(4).and_then(|at| bytes.get(at..)).and_then(Header::decode);
            header.is_some_and(|h| is_defined(h.code) && usize::from(h.plen) >= Header::SIZE)
        }))
    }

    /// Where the next header beyond doubt is, if it is close behind. Each stretch is searched once,
    /// so that reading stays linear in the size of the dump.
    fn find_ahead(&mut self) -> Result<Option<u64>> {
        let position = self.window.position();
        if self.ahead.until > position {
            return Ok(self.ahead.found);
        }
        self.window.fill(MAX_DATAGRAM + 2 * Header::SIZE)?;
        self.ahead = Ahead { until: position + MAX_DATAGRAM as u64, found: None };
        for at in 1..=MAX_DATAGRAM {
            let bytes = self.window.available().get(at..).unwrap_or_default();
            let Some(header) = Header::decode(bytes) else { break };
            if self.is_found(at, header)? {
                let found = position + at as u64;
                self.ahead = Ahead { until: found, found: Some(found) };
                break;
            }
        }
        Ok(self.ahead.found)
    }

    /// Whether a packet begins at `at` in the window, where any bytes may be.
    fn is_found(&mut self, at: usize, header: Header) -> Result<bool> {
        if !is_defined(header.code) {
            return Ok(false);
        }
        let trust = self.trust(header);
        if trust < Trust::Sound {
            return Ok(false);
        }
        Ok(match self.next_after(at, usize::from(header.plen))? {
            Next::End => true,
            // The start time of a server that was seen is four bytes that do not come by chance.
            Next::Short => trust == Trust::Known,
            Next::Header(next) => match (trust, self.trust(next)) {
                (Trust::Known, behind) => behind > Trust::None,
                (_, Trust::Sound) => next.stod == header.stod,
                (_, Trust::Known) => self.recurs(at, header.stod)?,
                _ => false,
            },
        })
    }

    /// Consumes everything up to the next header beyond doubt.
    fn resynchronise(&mut self) -> Result<()> {
        // The first byte is where the framing was lost.
        self.window.take(1);
        loop {
            // Enough for the longest packet and the header behind it, so that judging the first
            // candidates reads nothing.
            self.window.fill(MAX_DATAGRAM + 2 * Header::SIZE)?;
            let stretch = self.window.available().len().saturating_sub(MAX_DATAGRAM).max(1);
            let mut at = 0;
            while at < stretch {
                let bytes = self.window.available().get(at..).unwrap_or_default();
                let Some(header) = Header::decode(bytes) else {
                    let left = self.window.available().len();
                    self.window.take(left);
                    return Ok(());
                };
                if self.is_found(at, header)? {
                    self.window.take(at);
                    return Ok(());
                }
                at += 1;
            }
            self.window.take(at);
        }
    }
}

/// The codes of every release; `s` is staging in releases 3.0 and 3.1.
#[inline]
fn is_defined(code: u8) -> bool {
    matches!(
        code,
        b'=' | b'd' | b'f' | b'g' | b'i' | b'p' | b'r' | b's' | b't' | b'T' | b'u' | b'U' | b'x'
    )
}

impl Source for Dump {
    fn next(&mut self, faults: &mut dyn FnMut(SourceFault)) -> Result<Option<Datagram<'_>>> {
        let mut lost = None;
        let header = loop {
            if !self.window.fill(1)? {
                break None;
            }
            self.window.fill(Header::SIZE)?;
            let header = Header::decode(self.window.available());
            if let Some(header) = header
                && self.is_framed(header)?
            {
                break Some(header);
            }
            lost.get_or_insert(self.window.position());
            self.resynchronise()?;
        };
        if let Some(offset) = lost {
            let (kind, number) = (FaultKind::LostFraming, self.number + 1);
            faults(SourceFault { kind, number, offset, context: "bytes that are no packet" });
        }
        let Some(header) = header else { return Ok(None) };
        self.remember(header.stod);
        let length = usize::from(header.plen);
        self.window.fill(length)?;
        self.number += 1;
        let (number, offset) = (self.number, self.window.position());
        let range = self.window.take(length);
        Ok(Some(Datagram {
            payload: self.window.taken(&range),
            peer: None,
            destination_port: None,
            received_at: None,
            number,
            offset,
        }))
    }

    fn position(&self) -> u64 {
        self.window.position()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u32 = 1_700_000_000;

    fn packet(code: u8, start: u32, body: &[u8]) -> Vec<u8> {
        let plen = u16::try_from(Header::SIZE + body.len()).expect("small");
        let mut out = Vec::new();
        Header { code, pseq: 0, plen, stod: start }.encode(&mut out);
        out.extend(body);
        out
    }

    fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<(u64, u64)>) {
        let mut dump = Dump::new(Window::new(Box::new(std::io::Cursor::new(bytes.to_vec()))));
        let (mut seen, mut faults) = (Vec::new(), Vec::new());
        let mut keep = |fault: SourceFault| {
            assert_eq!(fault.kind, FaultKind::LostFraming);
            faults.push((fault.number, fault.offset));
        };
        while let Some(datagram) = dump.next(&mut keep).expect("no error") {
            assert_eq!(datagram.number, seen.len() as u64 + 1);
            seen.push(datagram.payload.to_vec());
        }
        assert_eq!(dump.position(), bytes.len() as u64);
        (seen, faults)
    }

    #[test]
    fn packets_of_several_servers_come_one_by_one() {
        let packets: Vec<_> =
            (0..40).map(|n| packet(b'd', START + n * 1000, &vec![7; n as usize])).collect();
        assert_eq!(read(&packets.concat()), (packets, vec![]));
        assert_eq!(read(b""), (vec![], vec![]));
    }

    #[test]
    fn codes_of_later_releases_are_delivered() {
        let packets = [
            packet(b'Z', START, b"first of all"),
            packet(b'Z', START, b"and again"),
            packet(b'u', START, b"user"),
            packet(b'q', START, b"at the end"),
        ];
        assert_eq!(read(&packets.concat()), (packets.to_vec(), vec![]));
    }

    #[test]
    fn an_odd_start_time_between_sound_packets_is_delivered() {
        let packets = [packet(b'u', START, b"a"), packet(b'd', 0, b"b"), packet(b'd', START, b"c")];
        assert_eq!(read(&packets.concat()), (packets.to_vec(), vec![]));
    }

    #[test]
    fn lost_framing_is_one_fault_and_the_rest_is_found() {
        let (before, after) = (packet(b'u', START, b"before"), packet(b'd', START, b"after"));
        for garbage in [&[0u8; 3][..], b"garbage without end", &[b'd'; 300], &[0xff; 70_000]] {
            let last = packet(b'i', START, b"last");
            let bytes = [&before[..], garbage, &after, &last].concat();
            let expected = vec![before.clone(), after.clone(), last];
            assert_eq!(read(&bytes), (expected, vec![(2, before.len() as u64)]));
        }
        let bytes = [&before[..], b"no packet at the end"].concat();
        assert_eq!(read(&bytes), (vec![before.clone()], vec![(2, before.len() as u64)]));
        let bytes = [b"garbage at the start", &before[..], &after].concat();
        assert_eq!(read(&bytes), (vec![before.clone(), after], vec![(1, 0)]));
    }

    #[test]
    fn a_wrong_length_at_the_end_swallows_nothing() {
        let mut bad = packet(b'd', START, b"bad");
        bad[2] = 0xff;
        let (before, after) = (packet(b'u', START, b"before"), packet(b'd', START, b"after"));
        let bytes = [&before[..], &bad, &after].concat();
        assert_eq!(read(&bytes), (vec![before.clone(), after], vec![(2, before.len() as u64)]));
    }

    #[test]
    fn a_length_below_the_header_loses_one_packet() {
        let mut bad = packet(b'd', START, b"bad");
        bad[3] = 7;
        let (before, after) = (packet(b'u', START, b"before"), packet(b'd', START, b"after"));
        let bytes = [&before[..], &bad, &after].concat();
        assert_eq!(read(&bytes), (vec![before.clone(), after], vec![(2, before.len() as u64)]));
    }

    #[test]
    fn a_last_packet_cut_short_is_handed_out() {
        let (first, last) = (packet(b'u', START, b"first"), packet(b'd', START, b"cut off"));
        for end in 8..last.len() {
            let bytes = [&first[..], &last[..end]].concat();
            assert_eq!(read(&bytes), (vec![first.clone(), last[..end].to_vec()], vec![]));
        }
        let other = packet(b'd', START + 1, b"cut off");
        let bytes = [&first[..], &other[..10]].concat();
        assert_eq!(read(&bytes), (vec![first.clone(), other[..10].to_vec()], vec![]));
        assert_eq!(read(&other[..10]), (vec![other[..10].to_vec()], vec![]));
        for end in 1..8 {
            let (seen, faults) = read(&[&first[..], &last[..end]].concat());
            assert_eq!((seen, faults.len()), (vec![first.clone()], 1));
        }
    }
}
