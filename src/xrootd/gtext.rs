//! The g-stream in its text framings: JSON header line, CGI header, or no header at all.
//!
//! ```text
//! {"code":"g","pseq":  2,"stod":n,"sid":n,"src":{...},"gs":{"type":"R","tbeg":n,"tend":n}} LF events NUL
//! code=g&pseq=++2&stod=n&sid=n&site=...&gs.type=P&gs.tbeg=n&gs.tend=n LF events NUL
//! ```
//!
//! Besides events (`g`) there are identifications (`=`) and dictionary entries (`d`, `i`). Two slips
//! of the sender are tolerated in the CGI form: a line feed in the place of an empty source, and
//! anything between the ten digits of `gs.tend` and the line feed. Sequence numbers run from 0 to
//! 999, with one counter for each of `g`, `=` and the dictionary (`XrdXrootdGSReal.cc`).

use serde::Deserialize;
use std::borrow::Cow;

use super::gstream::Lines;
use crate::cursor::{decimal, split_once, unsigned};
use crate::error::{DecodeError, FaultKind, Faults};

/// How a text packet is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Json,
    Cgi,
    None,
}

/// Where the events come from, as far as the header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    pub site: Option<Cow<'a, str>>,
    pub host: Option<Cow<'a, str>>,
    pub port: Option<i64>,
    pub inst: Option<Cow<'a, str>>,
    pub pgm: Option<Cow<'a, str>>,
    pub ver: Option<Cow<'a, str>>,
}

/// A text packet. Without a header all but the lines is absent and `code` is `g`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPacket<'a> {
    pub framing: Framing,
    /// `g`, `=`, `d` or `i`.
    pub code: u8,
    pub pseq: Option<u16>,
    pub stod: Option<u32>,
    pub sid: Option<u64>,
    pub src: Origin<'a>,
    pub provider: Option<u8>,
    pub tbeg: Option<u32>,
    pub tend: Option<u32>,
    /// Dictionary id and text of `d` and `i`.
    pub did: Option<u32>,
    pub data: Option<Cow<'a, [u8]>>,
    /// Event lines with their separators.
    pub text: &'a [u8],
    /// Where `text` begins in the datagram.
    pub text_offset: usize,
}

#[derive(Deserialize)]
struct JsonHeader<'a> {
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
    pseq: Option<u16>,
    stod: Option<u32>,
    sid: Option<u64>,
    #[serde(borrow)]
    src: Option<JsonOrigin<'a>>,
    #[serde(borrow)]
    gs: Option<JsonStream<'a>>,
    did: Option<u32>,
}

#[derive(Deserialize)]
struct JsonOrigin<'a> {
    #[serde(borrow)]
    site: Option<Cow<'a, str>>,
    #[serde(borrow)]
    host: Option<Cow<'a, str>>,
    port: Option<i64>,
    #[serde(borrow)]
    inst: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pgm: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ver: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct JsonStream<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    tbeg: Option<u32>,
    tend: Option<u32>,
}

impl<'a> TextPacket<'a> {
    fn bare(framing: Framing, text: &'a [u8], text_offset: usize) -> Self {
        Self {
            framing,
            code: b'g',
            pseq: None,
            stod: None,
            sid: None,
            src: Origin::default(),
            provider: None,
            tbeg: None,
            tend: None,
            did: None,
            data: None,
            text,
            text_offset,
        }
    }

    pub fn lines(&self) -> Lines<'a> {
        Lines::new(self.text)
    }

    /// Decodes a datagram that begins with `{`. The caller has told summary reports apart.
    pub fn decode_json(datagram: &'a [u8], faults: &mut impl Faults) -> Option<Self> {
        let text = trim_nuls(datagram);
        let (first, rest) = split_once(text, b'\n').unwrap_or((text, b""));
        // The text of a dictionary entry is not escaped, so its packet may not be JSON.
        let (head, data) = match dictionary_text(text) {
            Some((head, data)) => (Cow::Owned(head), Some(Cow::Borrowed(data))),
            None => (Cow::Borrowed(first), None),
        };
        let header: JsonHeader<'_> = match serde_json::from_slice(&head) {
            Ok(header) => header,
            Err(_) if serde_json::from_slice::<serde_json::Value>(first).is_ok() => {
                return Some(Self::bare(Framing::None, datagram, 0));
            }
            Err(_) => {
                faults.fault(DecodeError::new(
                    FaultKind::BadTextHeader,
                    0,
                    "first line of a text g-stream is not JSON",
                ));
                return None;
            }
        };
        let Some(code) = header.code.as_deref().and_then(text_code) else {
            return Some(Self::bare(Framing::None, datagram, 0));
        };
        let stream = header.gs.as_ref();
        let src = header.src.as_ref().map(JsonOrigin::owned).unwrap_or_default();
        Some(Self {
            code,
            pseq: header.pseq,
            stod: header.stod,
            sid: header.sid.map(|sid| sid & super::SID_MASK),
            src,
            provider: stream.and_then(|gs| gs.kind.as_ref()?.as_bytes().first().copied()),
            tbeg: stream.and_then(|gs| gs.tbeg),
            tend: stream.and_then(|gs| gs.tend),
            did: header.did,
            data,
            ..Self::bare(
                Framing::Json,
                if code == b'g' { rest } else { b"" },
                text.len() - rest.len(),
            )
        })
    }

    /// Decodes a datagram that begins with `code=`.
    pub fn decode_cgi(datagram: &'a [u8], faults: &mut impl Faults) -> Option<Self> {
        let text = trim_nuls(datagram);
        let mut packet = Self::bare(Framing::Cgi, b"", text.len());
        let head = match find(text, b"gs.tend=") {
            Some(at) => {
                let end = at + b"gs.tend=".len() + 10;
                let tail = text.get(end..).unwrap_or_default();
                let events = memchr::memchr(b'\n', tail).map_or(tail.len(), |lf| lf + 1);
                packet.text = tail.get(events..).unwrap_or_default();
                packet.text_offset = text.len() - packet.text.len();
                text.get(..end).unwrap_or(text)
            }
            None => text,
        };
        let (head, data) = match find(head, b"&data=") {
            Some(at) => (head.get(..at)?, head.get(at + b"&data=".len()..)),
            None => (head, None),
        };
        let mut code = None;
        for pair in head.split(|byte| *byte == b'&') {
            // With `dflthdr` a line feed stands before this `&`.
            let pair = pair.strip_suffix(b"\n").unwrap_or(pair);
            let Some((key, value)) = split_once(pair, b'=') else { continue };
            let number = || unsigned(value.strip_prefix(b"+").map_or(value, trim_plus));
            let text = || Some(String::from_utf8_lossy(value));
            match key {
                b"code" => code = std::str::from_utf8(value).ok().and_then(text_code),
                b"pseq" => packet.pseq = number().and_then(|n| u16::try_from(n).ok()),
                b"stod" => packet.stod = number().and_then(|n| u32::try_from(n).ok()),
                b"sid" => packet.sid = number().map(|sid| sid & super::SID_MASK),
                b"site" => packet.src.site = text(),
                b"host" => packet.src.host = text(),
                b"port" => packet.src.port = decimal(value),
                b"inst" => packet.src.inst = text(),
                b"pgm" => packet.src.pgm = text(),
                b"ver" => packet.src.ver = text(),
                b"gs.type" => packet.provider = value.first().copied(),
                b"gs.tbeg" => packet.tbeg = number().and_then(|n| u32::try_from(n).ok()),
                b"gs.tend" => packet.tend = number().and_then(|n| u32::try_from(n).ok()),
                b"did" => packet.did = number().and_then(|n| u32::try_from(n).ok()),
                _ => {}
            }
        }
        let Some(code) = code else {
            faults.fault(DecodeError::new(FaultKind::BadTextHeader, 0, "code of a CGI header"));
            return None;
        };
        packet.code = code;
        packet.data = data.map(Cow::Borrowed);
        Some(packet)
    }
}

impl JsonOrigin<'_> {
    fn owned<'b>(&self) -> Origin<'b> {
        let text = |value: &Option<Cow<'_, str>>| value.as_ref().map(|v| Cow::Owned(v.to_string()));
        Origin {
            site: text(&self.site),
            host: text(&self.host),
            port: self.port,
            inst: text(&self.inst),
            pgm: text(&self.pgm),
            ver: text(&self.ver),
        }
    }
}

fn text_code(code: &str) -> Option<u8> {
    match code {
        "g" | "=" | "d" | "i" => code.bytes().next(),
        _ => None,
    }
}

fn trim_nuls(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

/// Blanks that pad numbers are sent as `+` in the CGI form.
fn trim_plus(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte != b'+').unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

/// The header of a JSON dictionary packet, closed after its `did`, and the raw text behind it.
fn dictionary_text(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    if !text.starts_with(b"{\"code\":\"d\"") && !text.starts_with(b"{\"code\":\"i\"") {
        return None;
    }
    let key = b",\"data\":\"";
    let at = find(text, key)?;
    let data = text.get(at + key.len()..)?.strip_suffix(b"\"}")?;
    let mut head = text.get(..at)?.to_vec();
    head.push(b'}');
    Some((head, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults() -> Vec<DecodeError> {
        Vec::new()
    }

    #[test]
    fn padded_json_numbers_are_read() {
        let text = b"{\"code\":\"g\",\"pseq\":  2,\"stod\":1700000000,\"sid\":71913380019031,\"src\":{\"site\":\"S\"},\"gs\":{\"type\":\"R\",\"tbeg\":1700000001,\"tend\":1700000002}}\n{\"a\":1}\n{\"b\":2}\0";
        let packet = TextPacket::decode_json(text, &mut faults()).expect("header");
        assert_eq!((packet.pseq, packet.provider), (Some(2), Some(b'R')));
        assert_eq!(packet.src.site.as_deref(), Some("S"));
        assert_eq!(packet.lines().count(), 2);
    }

    #[test]
    fn unescaped_dictionary_text_is_kept_as_bytes() {
        let text = b"{\"code\":\"i\",\"pseq\":1,\"stod\":1,\"sid\":5,\"gs\":{\"type\":\"T\"},\"did\":7,\"data\":\"a\"b\\\xff\"}\0";
        let packet = TextPacket::decode_json(text, &mut faults()).expect("header");
        assert_eq!(packet.did, Some(7));
        assert_eq!(packet.data.as_deref(), Some(&b"a\"b\\\xff"[..]));
    }

    #[test]
    fn both_slips_of_the_cgi_header_are_tolerated() {
        let text = b"code=g&pseq=++2&stod=1700000000&sid=71913380019031\n&gs.type=P&gs.tbeg=1700000001&gs.tend=170000000271913380019031\n{\"event\":\"x\"}\0";
        let packet = TextPacket::decode_cgi(text, &mut faults()).expect("header");
        assert_eq!((packet.pseq, packet.sid), (Some(2), Some(71913380019031)));
        assert_eq!((packet.tbeg, packet.tend), (Some(1700000001), Some(1700000002)));
        assert_eq!(packet.lines().collect::<Vec<_>>(), [(0, &b"{\"event\":\"x\"}"[..])]);
    }

    #[test]
    fn an_identification_has_two_equal_signs() {
        let text = b"code==&pseq=1&stod=5&sid=9&site=&host=h&port=1094&inst=a&pgm=xrootd&ver=v1\0";
        let packet = TextPacket::decode_cgi(text, &mut faults()).expect("header");
        assert_eq!((packet.code, packet.src.port), (b'=', Some(1094)));
    }

    #[test]
    fn no_header_means_that_every_line_is_an_event() {
        let packet = TextPacket::decode_json(b"{\"event\":\"a\"}\n{\"x\":1}\0", &mut faults());
        let packet = packet.expect("events");
        assert_eq!((packet.framing, packet.lines().count()), (Framing::None, 2));
    }
}
