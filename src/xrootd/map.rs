//! Map packets, codes `= d i u T U x p`: what a dictionary id stands for.
//!
//! | off | size    | name     | meaning                        |
//! |----:|--------:|----------|--------------------------------|
//! |   0 |       8 | header   |                                |
//! |   8 |       4 | `dictid` | 0 in `=`, `x` and `p`          |
//! |  12 | plen-12 | info     | userid, then LF and a payload  |
//!
//! The sender copies the text into 1,280 bytes but counts its full length, so a long map ends with
//! a NUL and whatever the server had in memory: the text stops at the first NUL
//! (`XrdXrootdMonitor.cc`).

use super::payload::{
    AppInfo, AuthInfo, EacInfo, Path, Payload, PrgInfo, SrvInfo, TokenInfo, XfrInfo, unknown_keys,
};
use super::userid::UserId;
use crate::cursor::{Cursor, cut_at_nul};
use crate::error::{DecodeError, FaultKind, Faults};

/// The codes of map packets.
pub const MAP_CODES: &[u8] = b"=diuTUxp";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map<'a> {
    pub code: u8,
    pub dictid: u32,
    /// The userid as sent: within one server incarnation the second-best join key.
    pub userid: &'a [u8],
    /// `None` without an LF; `Some` of an empty slice when the LF ends the text.
    pub payload: Option<&'a [u8]>,
    /// What the packet carries behind the text, from the NUL on: empty unless the map was truncated.
    pub stray: &'a [u8],
}

impl<'a> Map<'a> {
    /// Decodes the body behind the header. `None` (with a fault) if the dictid is not all there.
    pub fn decode(code: u8, body: &'a [u8], faults: &mut impl Faults) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let Some(dictid) = cursor.block::<4>() else {
            faults.fault(DecodeError::new(FaultKind::ShortMap, 8, "dictid of a map packet"));
            return None;
        };
        let info = cursor.rest();
        let (text, truncated) = cut_at_nul(info);
        if truncated {
            faults.fault(DecodeError::new(
                FaultKind::TruncatedMap,
                12 + text.len(),
                "NUL inside the text of a map",
            ));
        }
        let (userid, payload) = match crate::cursor::split_once(text, b'\n') {
            Some((userid, payload)) => (userid, Some(payload)),
            None => (text, None),
        };
        let stray = info.get(text.len()..).unwrap_or_default();
        Some(Self { code, dictid: dictid.u32::<0>(), userid, payload, stray })
    }

    pub fn truncated(&self) -> bool {
        !self.stray.is_empty()
    }

    pub fn user_id(&self) -> UserId<'a> {
        UserId::decode(self.userid)
    }

    /// The payload by its kind. An absent one reads as empty; [`Map::payload`] tells the two apart.
    pub fn typed(&self) -> Payload<'a> {
        let text = self.payload.unwrap_or_default();
        match self.code {
            b'=' => Payload::Server(SrvInfo::decode(text)),
            b'd' => Payload::Path(Path { path: text }),
            b'i' => Payload::App(AppInfo { appinfo: text }),
            b'u' => Payload::User(AuthInfo::decode(text)),
            b'T' => Payload::Token(TokenInfo::decode(text)),
            b'U' => Payload::Activity(EacInfo::decode(text)),
            b'x' => Payload::Transfer(XfrInfo::decode(text)),
            _ => Payload::Purge(PrgInfo::decode(text)),
        }
    }

    /// Keys of the payload that nobody has defined: of a newer server, as a rule.
    pub fn unknown_keys(&self) -> impl Iterator<Item = &'a [u8]> {
        unknown_keys(self.code, self.payload.unwrap_or_default())
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.dictid.to_be_bytes());
        out.extend(self.userid);
        if let Some(payload) = self.payload {
            out.push(b'\n');
            out.extend(payload);
        }
        out.extend(self.stray);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(body: &[u8]) -> (Option<Map<'_>>, Vec<DecodeError>) {
        let mut faults = Vec::new();
        (Map::decode(b'u', body, &mut faults), faults)
    }

    #[test]
    fn absent_and_empty_payloads_differ() {
        assert_eq!(decode(b"\0\0\0\x07http/.3:5@h").0.expect("map").payload, None);
        assert_eq!(decode(b"\0\0\0\x07http/.3:5@h\n").0.expect("map").payload, Some(&b""[..]));
    }

    #[test]
    fn stray_memory_is_no_text() {
        let body = b"\0\0\0\x06u.1:2@h\n/data/a\0\x7f\x8f";
        let (map, faults) = decode(body);
        let map = map.expect("map");
        assert_eq!(map.payload, Some(&b"/data/a"[..]));
        assert!(map.truncated());
        assert_eq!(faults.first().map(|f| (f.kind, f.offset)), Some((FaultKind::TruncatedMap, 27)));
        let mut out = Vec::new();
        map.encode(&mut out);
        assert_eq!(out, body);
    }

    #[test]
    fn keys_that_nobody_has_defined_are_told() {
        let keys = |code, text: &'static [u8]| {
            let map = Map { code, dictid: 1, userid: b"", payload: Some(text), stray: b"" };
            map.unknown_keys()
                .map(|key| String::from_utf8_lossy(key).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(b'=', b"&site=A&port=1094&inst=b&pgm=xrootd&ver=v5"), [""; 0]);
        assert_eq!(keys(b'=', b"&site=A&new=1&port=1094&odd-one=2&Xy=3"), ["new", "Xy"]);
        assert_eq!(keys(b'u', b"&p=gsi&n=/CN=Lab&n=7&h=&z=1&R=v5"), ["z"]);
        assert_eq!(keys(b'x', b"/a&z=1\n&tod=1&zz=2&pd=x&y=3"), ["zz"]);
        assert_eq!(keys(b'p', b"/a\n&tod=1&zz=2"), ["zz"]);
        assert_eq!(keys(b'd', b"/a?x=1&y=2"), [""; 0]);
        assert_eq!(keys(b'i', b"&x=1"), [""; 0]);
    }

    #[test]
    fn three_bytes_are_no_dictid() {
        let (map, faults) = decode(b"\0\0\0");
        assert!(map.is_none());
        assert_eq!(faults.first().map(|f| f.kind), Some(FaultKind::ShortMap));
    }
}
