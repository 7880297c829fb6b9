//! One datagram, whatever it holds.
//!
//! The first byte tells the families apart: `<` a summary report in XML, `{` a text g-stream or a
//! summary report in JSON, `c` (of `code=`) a text g-stream with a CGI header, anything else a
//! binary packet whose code that byte is.

use serde_json::Value;

use super::event;
use super::fstat::Fstat;
use super::gstream::Gstream;
use super::gtext::TextPacket;
use super::header::Header;
use super::map::{MAP_CODES, Map};
use super::payload;
use super::redirect::Redirects;
use super::summary::Summary;
use super::trace::Trace;
use super::userid::UserId;
use crate::error::{DecodeError, FaultKind, Faults};

/// The body of a binary packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    Map(Map<'a>),
    Trace(Trace<'a>),
    Redirects(Redirects<'a>),
    Fstat(Fstat<'a>),
    Gstream(Gstream<'a>),
    /// A code nobody has defined, with its bytes.
    Unknown(&'a [u8]),
}

/// A binary packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub header: Header,
    pub body: Body<'a>,
}

/// What a datagram is.
#[derive(Clone, Debug, PartialEq)]
pub enum Message<'a> {
    Binary(Packet<'a>),
    Text(TextPacket<'a>),
    Summary(Summary),
}

impl<'a> Packet<'a> {
    /// Decodes a binary packet from the start of `datagram`; `plen` says where it ends.
    ///
    /// Record-level remarks are not made here: see [`Packet::check`].
    #[inline]
    pub fn decode(datagram: &'a [u8], faults: &mut impl Faults) -> Option<Self> {
        let mut fault = |kind, context| faults.fault(DecodeError::new(kind, 0, context));
        if datagram.is_empty() {
            fault(FaultKind::EmptyDatagram, "datagram without a byte");
            return None;
        }
        let Some(header) = Header::decode(datagram) else {
            fault(FaultKind::ShortHeader, "packet header");
            return None;
        };
        let length = usize::from(header.plen);
        if length < Header::SIZE {
            fault(FaultKind::BadPacketLength, "packet length below 8");
            return None;
        }
        let Some(body) = datagram.get(Header::SIZE..length) else {
            fault(FaultKind::TruncatedDatagram, "packet longer than its datagram");
            return None;
        };
        if header.stod == 0 {
            fault(FaultKind::BadStartTime, "server start time of 0");
        }
        let body = match header.code {
            code if MAP_CODES.contains(&code) => Body::Map(Map::decode(code, body, faults)?),
            b'f' => Body::Fstat(Fstat::decode(body, faults)?),
            b't' => Body::Trace(Trace::decode(body, faults)),
            b'r' => Body::Redirects(Redirects::decode(body, faults)?),
            b'g' => Body::Gstream(Gstream::decode(body, header.stod, faults)?),
            _ => {
                let context = "packet code nobody has defined";
                faults.fault(DecodeError::new(FaultKind::UnknownCode, 0, context));
                Body::Unknown(body)
            }
        };
        Some(Self { header, body })
    }

    /// Reports everything wrong inside the body that decoding its records does not report.
    pub fn check(&self, faults: &mut impl Faults) {
        match &self.body {
            Body::Fstat(stream) => stream.check(faults),
            Body::Trace(stream) => stream.check(faults),
            Body::Redirects(stream) => {
                for entry in stream.entries() {
                    if let Err(error) = entry {
                        faults.fault(error);
                    }
                }
                stream.check(faults);
            }
            Body::Gstream(stream) => {
                for (at, line) in stream.lines() {
                    if event::parse(line).is_none() {
                        faults.fault(DecodeError::new(
                            FaultKind::BadEventLine,
                            24 + at,
                            "event line is not a JSON object",
                        ));
                    }
                }
            }
            Body::Map(map) => {
                if payload::bad_number(map.code, map.payload.unwrap_or_default()).is_some() {
                    faults.fault(DecodeError::new(
                        FaultKind::BadNumber,
                        12 + map.userid.len() + 1,
                        "value of a map that should be a number",
                    ));
                }
            }
            Body::Unknown(_) => {}
        }
    }

    /// Writes the packet. Padding and stray bytes come out as they were read.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.header.encode(out);
        match &self.body {
            Body::Map(map) => map.encode(out),
            Body::Trace(stream) => stream.encode(out),
            Body::Redirects(stream) => stream.encode(out),
            Body::Fstat(stream) => stream.encode(out),
            Body::Gstream(stream) => stream.encode(out),
            Body::Unknown(body) => out.extend(*body),
        }
    }

    /// The server id, where the packet carries one.
    pub fn sid(&self) -> Option<u64> {
        let sid = match &self.body {
            Body::Map(map) => UserId::sid_in(map.userid),
            Body::Trace(stream) => stream.sid(),
            Body::Redirects(stream) => Some(stream.sid),
            Body::Fstat(stream) => stream.window().and_then(|window| window.sid),
            Body::Gstream(stream) => Some(stream.sid),
            Body::Unknown(_) => None,
        };
        sid.map(|sid| sid & super::SID_MASK)
    }
}

/// Is this a datagram of one of the text families?
pub fn is_text(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(b'<' | b'{')) || datagram.starts_with(b"code=")
}

impl<'a> Message<'a> {
    /// Decodes a whole datagram. `None` means that it was dropped, with a fault that says why.
    pub fn decode(datagram: &'a [u8], faults: &mut impl Faults) -> Option<Self> {
        match datagram.first() {
            Some(b'<') => Summary::decode_xml(datagram, faults).map(Self::Summary),
            Some(b'{') => decode_json(datagram, faults),
            Some(b'c') if datagram.starts_with(b"code=") => {
                TextPacket::decode_cgi(datagram, faults).map(Self::Text)
            }
            _ => {
                let packet = Packet::decode(datagram, faults)?;
                let length = usize::from(packet.header.plen);
                if length < datagram.len() {
                    faults.fault(DecodeError::new(
                        FaultKind::SurplusBytes,
                        length,
                        "bytes behind the packet",
                    ));
                }
                Some(Self::Binary(packet))
            }
        }
    }

    /// Reports everything wrong inside the message that decoding it did not report.
    pub fn check(&self, faults: &mut impl Faults) {
        match self {
            Self::Binary(packet) => packet.check(faults),
            Self::Text(packet) => {
                for (at, line) in packet.lines() {
                    if event::parse(line).is_none() {
                        faults.fault(DecodeError::new(
                            FaultKind::BadEventLine,
                            packet.text_offset + at,
                            "event line is not a JSON object",
                        ));
                    }
                }
            }
            Self::Summary(_) => {}
        }
    }

    /// What to count the message under: its code, or the name of its family.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Binary(packet) => code_label(packet.header.code),
            Self::Text(_) => "text",
            Self::Summary(_) => "summary",
        }
    }
}

/// The code as text; codes nobody has defined share one label so that hostile input cannot make
/// labels.
pub fn code_label(code: u8) -> &'static str {
    match code {
        b'=' => "=",
        b'd' => "d",
        b'f' => "f",
        b'g' => "g",
        b'i' => "i",
        b'p' => "p",
        b'r' => "r",
        b't' => "t",
        b'T' => "T",
        b'u' => "u",
        b'U' => "U",
        b'x' => "x",
        _ => "unknown",
    }
}

fn decode_json<'a>(datagram: &'a [u8], faults: &mut impl Faults) -> Option<Message<'a>> {
    // Only a summary report names its one key first; a cheap look saves parsing events twice.
    if datagram.get(..64).unwrap_or(datagram).windows(12).any(|w| w == b"\"statistics\"") {
        let end = datagram.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if let Some(object) = event::parse(datagram.get(..end)?)
            && let Some(Value::Object(statistics)) = object.get("statistics")
        {
            return Some(Message::Summary(Summary::from_json(statistics)));
        }
    }
    TextPacket::decode_json(datagram, faults).map(Message::Text)
}
