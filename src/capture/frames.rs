//! Datagrams of a capture, whatever its file format.

use std::io::Result;
use std::net::IpAddr;
use std::ops::Range;

use super::fragments::Fragments;
use super::ip::{self, Carried, Udp};
use super::link::Link;
use super::{Datagram, Peer, Source, SourceFault};
use crate::error::FaultKind;

/// One captured frame.
pub struct Frame {
    pub link: Link,
    pub received_at: Option<u64>,
    pub number: u64,
    pub offset: u64,
    /// Where its bytes are, for [`Frames::bytes`].
    pub range: Range<usize>,
}

/// Frames of a capture file, one by one.
pub trait Frames {
    /// Moves to the next frame whose link type is known.
    fn advance(&mut self, faults: &mut dyn FnMut(SourceFault)) -> Result<Option<Frame>>;

    /// Bytes of the frame moved to last.
    fn bytes(&self, range: &Range<usize>) -> &[u8];

    fn position(&self) -> u64;
}

/// Where the payload of a datagram lies.
enum Place {
    Frame(Range<usize>),
    Reassembled(Range<usize>),
}

struct Found {
    peer: Peer,
    destination_port: u16,
    place: Place,
}

/// A capture as a source of datagrams.
pub struct Capture<F> {
    frames: F,
    ports: Vec<u16>,
    fragments: Fragments,
    /// The last datagram that was put together from fragments.
    reassembled: Vec<u8>,
}

impl<F: Frames> Capture<F> {
    pub fn new(frames: F, ports: &[u16]) -> Self {
        let (ports, fragments) = (ports.to_vec(), Fragments::default());
        Self { frames, ports, fragments, reassembled: Vec::new() }
    }

    /// The datagram in `frame`, or the one that it completes.
    fn find(
        &mut self,
        frame: &Frame,
        faults: &mut dyn FnMut(SourceFault),
    ) -> std::result::Result<Option<Found>, &'static str> {
        let bytes = self.frames.bytes(&frame.range);
        let Some(packet) = frame.link.packet(bytes)? else { return Ok(None) };
        let (source, carried) = ip::decode(packet)?;
        match carried {
            Carried::Udp(udp) => {
                Ok(Some(found(source, udp, Place::Frame(range_in(bytes, udp.payload)))))
            }
            Carried::Fragment(fragment) => {
                let (number, offset) = (frame.number, frame.offset);
                let Some(whole) = self.fragments.add(&fragment, number, offset, faults)? else {
                    return Ok(None);
                };
                self.reassembled = whole;
                Ok(match ip::payload(fragment.protocol, &self.reassembled)? {
                    Carried::Udp(udp) => {
                        let range = range_in(&self.reassembled, udp.payload);
                        Some(found(source, udp, Place::Reassembled(range)))
                    }
                    _ => None,
                })
            }
            Carried::Other => Ok(None),
        }
    }
}

fn found(source: IpAddr, udp: Udp<'_>, place: Place) -> Found {
    let peer = Peer { host: source.into(), port: Some(udp.source_port) };
    Found { peer, destination_port: udp.destination_port, place }
}

/// Where in `whole` the slice `part` of it lies.
fn range_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start + part.len()
}

impl<F: Frames> Source for Capture<F> {
    fn next(&mut self, faults: &mut dyn FnMut(SourceFault)) -> Result<Option<Datagram<'_>>> {
        let (frame, found) = loop {
            let Some(frame) = self.frames.advance(faults)? else {
                self.fragments.finish(faults);
                return Ok(None);
            };
            match self.find(&frame, faults) {
                Ok(Some(found)) => {
                    if self.ports.is_empty() || self.ports.contains(&found.destination_port) {
                        break (frame, found);
                    }
                }
                Ok(None) => {}
                Err(context) => faults(SourceFault {
                    kind: FaultKind::BadFrame,
                    number: frame.number,
                    offset: frame.offset,
                    context,
                }),
            }
        };
        let payload = match &found.place {
            Place::Frame(range) => self.frames.bytes(&frame.range).get(range.clone()),
            Place::Reassembled(range) => self.reassembled.get(range.clone()),
        };
        Ok(Some(Datagram {
            payload: payload.unwrap_or_default(),
            peer: Some(found.peer),
            destination_port: Some(found.destination_port),
            received_at: frame.received_at,
            number: frame.number,
            offset: frame.offset,
        }))
    }

    fn position(&self) -> u64 {
        self.frames.position()
    }
}
