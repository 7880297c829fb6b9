//! Datagrams as a message bus carries them: one JSON object each, one line each in a file.
//!
//! ```text
//! {"remote":"[2001:db8::1]:1094","version":"2.3.0","data":"PQAAdmVT8QA..."}
//! ```
//!
//! `data` is the whole datagram in base64, `remote` who sent it; other keys are ignored, and their
//! order is free. Shovelers before 2.2 write IPv6 addresses without brackets.

use std::borrow::Cow;
use std::io::Result;
use std::net::{IpAddr, Ipv6Addr};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::window::Window;
use super::{Datagram, Host, Peer, Source, SourceFault};
use crate::cursor::rsplit_once;
use crate::error::FaultKind;
use crate::limits::{MAX_DATAGRAM, MAX_ENVELOPE_LINE};

/// Written with padding, as consumers expect; read without it too.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    remote: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Cow<'a, str>,
}

/// Whether the source begins with an envelope. Blank lines before it do not matter, and neither
/// does damage in it: binary packets never look like this.
pub fn is_envelopes(window: &mut Window) -> Result<bool> {
    let mut wanted = 1;
    loop {
        let more = window.fill(wanted)?;
        let text = window.available().trim_ascii_start();
        if text.first().is_some_and(|first| *first != b'{') {
            return Ok(false);
        }
        let line = memchr::memchr(b'\n', text);
        if line.is_some() || !more || text.len() > MAX_ENVELOPE_LINE {
            let line = text.get(..line.unwrap_or(text.len())).unwrap_or(text);
            return Ok(memchr::memmem::find(line, b"\"data\"").is_some());
        }
        wanted = window.available().len() + 1;
        if wanted > 2 * MAX_ENVELOPE_LINE {
            return Ok(false);
        }
    }
}

pub struct Envelopes {
    window: Window,
    datagram: Vec<u8>,
    number: u64,
    /// The sender of the last line: mostly that of the next one too.
    sender: Option<(String, Peer)>,
}

impl Envelopes {
    pub fn new(window: Window) -> Self {
        Self { window, datagram: Vec::new(), number: 0, sender: None }
    }

    /// Makes the next line available and says how long it is, with its line feed. `Ok(None)` is the
    /// end, `Err` a line that is too long; it is consumed.
    fn next_line(&mut self) -> Result<std::result::Result<Option<usize>, ()>> {
        let mut searched = 0;
        let mut too_long = false;
        loop {
            let more = self.window.fill(searched + 1)?;
            let available = self.window.available();
            let rest = available.get(searched..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map(|at| searched + at + 1);
            let end = if more { end } else { Some(available.len()) };
            let length = end.unwrap_or(available.len());
            if too_long || length > MAX_ENVELOPE_LINE + 1 {
                too_long = true;
                self.window.take(length);
                searched = 0;
                if end.is_some() {
                    return Ok(Err(()));
                }
            } else if let Some(length) = end {
                return Ok(Ok((length > 0).then_some(length)));
            } else {
                searched = length;
            }
        }
    }

    /// Decodes the line that `range` of the window holds.
    fn decode(
        &mut self,
        range: &std::ops::Range<usize>,
    ) -> std::result::Result<Option<Peer>, &'static str> {
        let line = self.window.taken(range);
        let envelope: Envelope<'_> =
            serde_json::from_slice(line).map_err(|_| "line that is no JSON object with data")?;
        self.datagram.clear();
        BASE64
            .decode_vec(envelope.data.as_bytes(), &mut self.datagram)
            .map_err(|_| "data that is no base64")?;
        if self.datagram.len() > MAX_DATAGRAM {
            return Err("data longer than any datagram");
        }
        let Some(remote) = envelope.remote.filter(|remote| !remote.is_empty()) else {
            return Ok(None);
        };
        if let Some((text, peer)) = &self.sender
            && *text == remote
        {
            return Ok(Some(peer.clone()));
        }
        let peer = peer_of(&remote);
        self.sender = Some((remote.into_owned(), peer.clone()));
        Ok(Some(peer))
    }
}

impl Source for Envelopes {
    fn next(&mut self, faults: &mut dyn FnMut(SourceFault)) -> Result<Option<Datagram<'_>>> {
        let (peer, offset) = loop {
            let offset = self.window.position();
            let line = self.next_line()?;
            if line == Ok(None) {
                return Ok(None);
            }
            self.number += 1;
            let decoded = match line {
                Ok(length) => {
                    let range = self.window.take(length.unwrap_or_default());
                    if self.window.taken(&range).trim_ascii().is_empty() {
                        continue;
                    }
                    self.decode(&range)
                }
                Err(()) => Err("line longer than any envelope"),
            };
            match decoded {
                Ok(peer) => break (peer, offset),
                Err(context) => faults(SourceFault {
                    kind: FaultKind::BadEnvelope,
                    number: self.number,
                    offset,
                    context,
                }),
            }
        };
        Ok(Some(Datagram {
            payload: &self.datagram,
            peer,
            destination_port: None,
            received_at: None,
            number: self.number,
            offset,
        }))
    }

    fn position(&self) -> u64 {
        self.window.position()
    }
}

/// Reads `host:port` in every form that relays write; what has no port is all host.
pub fn peer_of(remote: &str) -> Peer {
    if let Some((address, tail)) = remote.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Peer { host: host_of(address), port: tail.strip_prefix(':').and_then(port_of) };
    }
    let split = rsplit_once(remote.as_bytes(), b':').and_then(|(head, tail)| {
        let head = std::str::from_utf8(head).ok()?;
        Some((head, port_of(std::str::from_utf8(tail).ok()?)?))
    });
    match split {
        Some((head, port)) if is_host(head) => Peer { host: host_of(head), port: Some(port) },
        _ => Peer { host: host_of(remote), port: None },
    }
}

fn port_of(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// An IP literal or a name: names have no colons.
fn is_host(text: &str) -> bool {
    !text.is_empty() && (!text.contains(':') || without_zone(text).parse::<Ipv6Addr>().is_ok())
}

fn without_zone(address: &str) -> &str {
    address.split_once('%').map_or(address, |(address, _)| address)
}

fn host_of(text: &str) -> Host {
    match without_zone(text).parse::<IpAddr>() {
        Ok(address) => address.into(),
        Err(_) => Host::Name(text.into()),
    }
}

/// Appends one envelope, without a line feed. `version` is that of the producer, free text.
pub fn write_envelope(out: &mut Vec<u8>, remote: &Peer, version: &str, datagram: &[u8]) {
    let host = match &remote.host {
        Host::Ip(IpAddr::V6(address)) if remote.port.is_some() => format!("[{address}]"),
        Host::Ip(address) => address.to_string(),
        Host::Name(name) => name.to_string(),
    };
    let remote = match remote.port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    };
    out.extend(b"{\"remote\":");
    out.extend(serde_json::Value::from(remote).to_string().into_bytes());
    out.extend(b",\"version\":");
    out.extend(serde_json::Value::from(version).to_string().into_bytes());
    out.extend(b",\"data\":\"");
    out.extend(BASE64.encode(datagram).into_bytes());
    out.extend(b"\"}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Host {
        Host::Ip(text.parse().expect("an address"))
    }

    type Line = (u64, Option<Peer>, Vec<u8>);

    fn read(bytes: &[u8]) -> (Vec<Line>, Vec<(u64, u64)>) {
        let mut lines = Envelopes::new(Window::new(Box::new(std::io::Cursor::new(bytes.to_vec()))));
        let (mut seen, mut faults) = (Vec::new(), Vec::new());
        let mut keep = |fault: SourceFault| {
            assert_eq!(fault.kind, FaultKind::BadEnvelope);
            faults.push((fault.number, fault.offset));
        };
        while let Some(datagram) = lines.next(&mut keep).expect("no error") {
            seen.push((datagram.number, datagram.peer, datagram.payload.to_vec()));
        }
        assert_eq!(lines.position(), bytes.len() as u64);
        (seen, faults)
    }

    #[test]
    fn senders_are_read_in_every_form() {
        for (remote, host, port) in [
            ("192.0.2.7:1094", ip("192.0.2.7"), Some(1094)),
            ("192.0.2.7", ip("192.0.2.7"), None),
            ("[2001:db8::1]:1094", ip("2001:db8::1"), Some(1094)),
            ("[2001:db8::1]", ip("2001:db8::1"), None),
            ("2001:db8::1:1094", ip("2001:db8::1"), Some(1094)),
            ("2001:db8::abcd", ip("2001:db8::abcd"), None),
            ("1:2:3:4:5:6:7:8", ip("1:2:3:4:5:6:7:8"), None),
            ("::1", ip("::1"), None),
            ("fe80::1%eth0:1094", ip("fe80::1"), Some(1094)),
            ("[fe80::1%eth0]:1094", ip("fe80::1"), Some(1094)),
            ("[::ffff:192.0.2.9]:7", ip("192.0.2.9"), Some(7)),
            ("::ffff:192.0.2.9:7", ip("192.0.2.9"), Some(7)),
            ("xrd1.example.org:1094", Host::Name("xrd1.example.org".into()), Some(1094)),
            ("xrd1.example.org", Host::Name("xrd1.example.org".into()), None),
            ("xrd1.example.org:65536", Host::Name("xrd1.example.org:65536".into()), None),
            ("xrd1:+1", Host::Name("xrd1:+1".into()), None),
            (":1094", Host::Name(":1094".into()), None),
        ] {
            assert_eq!(peer_of(remote), Peer { host, port }, "{remote}");
        }
    }

    #[test]
    fn key_order_and_other_keys_do_not_matter() {
        let lines = concat!(
            "{\"data\":\"aGVsbG8=\",\"n\":[1,{}],\"remote\":\"192.0.2.7:1\"}\r\n",
            "\n  \n",
            " {\"remote\":\"192.0.2.7:1\",\"version\":\"2\",\"data\":\"aGVsbG8\"}\n",
            "{\"data\":\"aGVsbG\\u0038=\"}",
        );
        let peer = Some(Peer { host: ip("192.0.2.7"), port: Some(1) });
        let hello = b"hello".to_vec();
        let expected =
            vec![(1, peer.clone(), hello.clone()), (4, peer, hello.clone()), (5, None, hello)];
        assert_eq!(read(lines.as_bytes()), (expected, vec![]));
    }

    #[test]
    fn bad_lines_are_faults_with_their_place() {
        let good = "{\"remote\":\"a:1\",\"data\":\"\"}\n";
        let long = format!("{{\"data\":\"{}\"}}\n", "A".repeat(3 * MAX_ENVELOPE_LINE));
        let big = format!("{{\"data\":\"{}\"}}\n", "A".repeat(87_384));
        for bad in [
            "{\"data\":\"aGVs*\"}\n",
            "{\"remote\":\"a:1\"}\n",
            "{\"data\":7}\n",
            "[]\n",
            "{\"data\":\"aGVsbG8=\"\n",
            "\u{fe}\n",
            &big,
            &long,
        ] {
            let (seen, faults) = read(format!("{good}{bad}{good}").as_bytes());
            assert_eq!(seen.iter().map(|line| line.0).collect::<Vec<_>>(), [1, 3]);
            assert_eq!(faults, [(2, good.len() as u64)]);
            let (seen, faults) = read(format!("{good}{}", bad.trim_end()).as_bytes());
            assert_eq!((seen.len(), faults.len()), (1, 1));
        }
    }

    #[test]
    fn the_largest_datagram_fits() {
        let peer = Peer { host: Host::Name("a\"b".into()), port: Some(1094) };
        for length in [0, 1, 2, 3, 65_507, 65_535] {
            let datagram = vec![0xa5; length];
            let mut line = Vec::new();
            write_envelope(&mut line, &peer, "gridtap \"0\"", &datagram);
            assert!(!line.contains(&b'\n'));
            assert_eq!(read(&line), (vec![(1, Some(peer.clone()), datagram)], vec![]));
        }
    }

    #[test]
    fn what_is_written_is_what_shovelers_write() {
        let peer = Peer { host: ip("2001:db8::1"), port: Some(1094) };
        let mut line = Vec::new();
        write_envelope(&mut line, &peer, "2.3.0", b"hello");
        let expected = r#"{"remote":"[2001:db8::1]:1094","version":"2.3.0","data":"aGVsbG8="}"#;
        assert_eq!(line, expected.as_bytes());
    }

    #[test]
    fn envelopes_are_told_from_everything_else() {
        let told = |bytes: &[u8]| {
            let bytes = bytes.to_vec();
            is_envelopes(&mut Window::new(Box::new(std::io::Cursor::new(bytes)))).expect("no error")
        };
        assert!(told(b"{\"data\":\"\"}"));
        assert!(told(b"\n\n {\"remote\":\"a\", \"data\" : \"\"}\n"));
        assert!(!told(b"{\"event\":\"x\"}\n{\"data\":\"\"}\n"));
        assert!(!told(b""));
        assert!(!told(b"\n\n"));
        assert!(!told(&vec![b' '; 1_000_000]));
        assert!(!told(b"= \"data\""));
    }
}
