//! Where datagrams come from: captures, raw dumps and files of bus envelopes.
//!
//! | file        | holds                                                             |
//! |-------------|-------------------------------------------------------------------|
//! | `window`    | buffered reading without copies                                   |
//! | `pcap`      | frames of a pcap file                                             |
//! | `pcapng`    | frames of a pcapng file                                           |
//! | `link`      | from a frame to its IP packet                                     |
//! | `ip`        | from an IP packet to its UDP datagram                             |
//! | `fragments` | IP fragments that wait for the rest of their datagram             |
//! | `frames`    | frames, links and IP together: datagrams of a capture             |
//! | `raw`       | binary packets one after the other                                |
//! | `envelope`  | JSON lines as a message bus carries them                          |
//! | `udp`       | live sockets                                                      |
//!
//! Every source is read forward once, so standard input will do. What a datagram means is not known
//! here, but for the 8-byte packet header that frames raw dumps.

use std::io::{Read, Result};
use std::net::IpAddr;
use std::sync::Arc;

use crate::error::FaultKind;

mod envelope;
mod fragments;
mod frames;
mod ip;
mod link;
mod pcap;
mod pcapng;
mod raw;
pub mod udp;
mod window;

pub use envelope::{peer_of, write_envelope};

use window::Window;

/// Who sent a datagram: an address, or the name that a relay put in its place.
///
/// IPv4-mapped IPv6 addresses are IPv4 here, and zones are gone, so that one server is one host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    Ip(IpAddr),
    Name(Arc<str>),
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address.to_canonical())
    }
}

/// The sender of a datagram.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    pub host: Host,
    pub port: Option<u16>,
}

/// One datagram, borrowed from its source until the next one is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    pub payload: &'a [u8],
    /// `None` in raw dumps.
    pub peer: Option<Peer>,
    /// `None` in raw dumps and envelopes.
    pub destination_port: Option<u16>,
    /// Microseconds since the UTC epoch; `None` where the source has no clock.
    pub received_at: Option<u64>,
    /// 1, 2, ...: frame, packet or line in the source.
    pub number: u64,
    /// Where in the source that frame, packet or line begins, bytes.
    pub offset: u64,
}

/// Something wrong with the source itself, not with the packet inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceFault {
    pub kind: FaultKind,
    /// As in [`Datagram::number`].
    pub number: u64,
    /// As in [`Datagram::offset`].
    pub offset: u64,
    /// What was being read, for people.
    pub context: &'static str,
}

/// Datagrams, one by one.
pub trait Source {
    /// The next datagram; `None` at the end. Faults are handed over, and reading goes on behind
    /// them as far as the source can be followed.
    ///
    /// # Errors
    ///
    /// Those of the underlying reader, and no others.
    fn next(&mut self, faults: &mut dyn FnMut(SourceFault)) -> Result<Option<Datagram<'_>>>;

    /// Bytes of the source consumed so far.
    fn position(&self) -> u64;
}

/// Looks at the first bytes and opens the right reader.
///
/// `ports` keeps only the datagrams to these destination ports, where the source knows them; empty
/// keeps all.
///
/// # Errors
///
/// Those of `reader`.
pub fn open(reader: Box<dyn Read + Send>, ports: &[u16]) -> Result<Box<dyn Source + Send>> {
    let mut window = Window::new(reader);
    window.fill(4)?;
    if pcap::is_pcap(window.available()) {
        return Ok(Box::new(frames::Capture::new(pcap::Pcap::new(window), ports)));
    }
    if pcapng::is_pcapng(window.available()) {
        return Ok(Box::new(frames::Capture::new(pcapng::Pcapng::new(window), ports)));
    }
    if envelope::is_envelopes(&mut window)? {
        return Ok(Box::new(envelope::Envelopes::new(window)));
    }
    Ok(Box::new(raw::Dump::new(window)))
}
