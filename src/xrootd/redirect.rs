//! The r-stream, code `r`: where clients were sent.
//!
//! A packet is 8 bytes of server id (`f0`, 0, sid), then entries of 8 or more bytes.
//!
//! | entry     | off | size     | name     | meaning                                             |
//! |-----------|----:|---------:|----------|-----------------------------------------------------|
//! | time mark |   0 |        1 | `00`     |                                                     |
//! |           |   1 |        3 | `window` | window size setting, s                              |
//! |           |   4 |        4 | `time`   | UNIX time of the tick                               |
//! | redirect  |   0 |        1 | type     | `8x` decided by the cluster, `9x` by configuration; `x` the operation |
//! |           |   1 |        1 | `dent`   | units of 8 bytes that follow these 8 bytes          |
//! |           |   2 |        2 | `port`   |                                                     |
//! |           |   4 |        4 | `dictid` | login, or 0                                         |
//! |           |   8 | 8 x dent | text     | `server ":" path`, NUL padded                       |
//!
//! The port of an `8x` entry is mostly the redirector's own, not the target's. A path that the
//! sender cut has no NUL (`XrdXrootdMonData.hh`, `XrdXrootdMonitor.cc`).

use crate::cursor::{Block, cut_at_nul, split_once};
use crate::error::{DecodeError, FaultKind, Faults};

pub const TIME_MARK: u8 = 0x00;
/// Decision of the cluster management or of the storage plug-in.
pub const REDIRECT: u8 = 0x80;
/// Decision of the server's own configuration.
pub const REDLOCAL: u8 = 0x90;
pub const SERVER_ID: u8 = 0xf0;

const UNIT: usize = 8;

/// The operation in the lower nibble of a redirect's type.
pub fn operation_name(subtype: u8) -> Option<&'static str> {
    Some(match subtype {
        0x1 => "chmod",
        0x2 => "locate",
        0x3 => "opendir",
        0x4 => "open_create",
        0x5 => "open_read",
        0x6 => "open_write",
        0x7 => "mkdir",
        0x8 => "mv",
        0x9 => "prepare",
        0xa => "query",
        0xb => "rm",
        0xc => "rmdir",
        0xd => "stat",
        0xe => "truncate",
        _ => return None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectEntry<'a> {
    Mark { window: u32, time: u32 },
    Redirect(Redirect<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirect<'a> {
    /// Class in the upper nibble, operation in the lower.
    pub kind: u8,
    pub dent: u8,
    pub port: u16,
    pub dictid: u32,
    /// All `8 x dent` bytes.
    pub text: &'a [u8],
}

impl<'a> Redirect<'a> {
    pub fn class(&self) -> u8 {
        self.kind & 0xf0
    }

    pub fn operation(&self) -> u8 {
        self.kind & 0x0f
    }

    /// Server and path. An empty server is a redirection to a local file, and the path its target;
    /// no server at all is a text without a colon.
    ///
    /// The colon that counts is the first: paths may hold colons. Only bracketed addresses and URLs
    /// hold one before it.
    pub fn target(&self) -> (Option<&'a [u8]>, &'a [u8]) {
        let (text, _) = cut_at_nul(self.text);
        match split_target(text) {
            Some((server, path)) => (Some(server), path),
            None => (None, text),
        }
    }
}

fn split_target(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.starts_with(b"[") {
        let (address, rest) = split_once(text, b']')?;
        let path = rest.strip_prefix(b":")?;
        return Some((text.get(..address.len() + 1)?, path));
    }
    let (server, path) = split_once(text, b':')?;
    if !path.starts_with(b"//") {
        return Some((server, path));
    }
    let at = (0..text.len())
        .rev()
        .find(|&at| {
            let tail = text.get(at..).unwrap_or_default();
            tail.starts_with(b":/") && !tail.starts_with(b"://")
        })
        .unwrap_or(server.len());
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The body of an `r` packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirects<'a> {
    /// 48 bits.
    pub sid: u64,
    reserved: u8,
    body: &'a [u8],
}

impl<'a> Redirects<'a> {
    /// `None` (with a fault) without a server identification.
    pub fn decode(body: &'a [u8], faults: &mut impl Faults) -> Option<Self> {
        match Block::<UNIT>::first(body) {
            Some(head) if head.u8::<0>() == SERVER_ID => Some(Self {
                sid: head.u64::<0>() & super::SID_MASK,
                reserved: head.u8::<1>(),
                body: body.get(UNIT..).unwrap_or_default(),
            }),
            _ => {
                faults.fault(DecodeError::new(
                    FaultKind::RedirectNoServer,
                    8,
                    "server identification of an r packet",
                ));
                None
            }
        }
    }

    pub fn entries(&self) -> RedirectEntries<'a> {
        RedirectEntries { body: self.body, at: 0 }
    }

    /// What [`Redirects::entries`] does not say because the entry itself is fine.
    pub fn check(&self, faults: &mut impl Faults) {
        let mut entries = self.entries();
        loop {
            let at = entries.offset();
            let Some(entry) = entries.next() else { break };
            if let Ok(RedirectEntry::Redirect(redirect)) = entry {
                if redirect.dent == 0 {
                    faults.fault(DecodeError::new(
                        FaultKind::RedirectNoText,
                        at,
                        "redirect of length 0",
                    ));
                } else if redirect.target().0.is_none() {
                    faults.fault(DecodeError::new(
                        FaultKind::RedirectNoColon,
                        at + UNIT,
                        "redirect text without a server",
                    ));
                }
            }
        }
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        let head = u64::from(SERVER_ID) << 56 | u64::from(self.reserved) << 48 | self.sid;
        out.extend(head.to_be_bytes());
        for entry in self.entries().flatten() {
            match entry {
                RedirectEntry::Mark { window, time } => {
                    out.extend(window.to_be_bytes());
                    out.extend(time.to_be_bytes());
                }
                RedirectEntry::Redirect(redirect) => {
                    out.extend([redirect.kind, redirect.dent]);
                    out.extend(redirect.port.to_be_bytes());
                    out.extend(redirect.dictid.to_be_bytes());
                    out.extend(redirect.text);
                }
            }
        }
    }
}

/// Iterator over the entries of a packet; it ends after the first that cannot be followed.
#[derive(Clone, Copy, Debug)]
pub struct RedirectEntries<'a> {
    body: &'a [u8],
    at: usize,
}

impl RedirectEntries<'_> {
    /// Offset in the packet of the next entry.
    pub fn offset(&self) -> usize {
        16 + self.at
    }

    fn stop(&mut self, kind: FaultKind, context: &'static str) -> DecodeError {
        let at = self.offset();
        self.at = self.body.len();
        DecodeError::new(kind, at, context)
    }
}

impl<'a> Iterator for RedirectEntries<'a> {
    type Item = Result<RedirectEntry<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.body.get(self.at..)?;
        if rest.is_empty() {
            return None;
        }
        let Some(head) = Block::<UNIT>::first(rest) else {
            let context = "redirect entry shorter than 8 bytes";
            return Some(Err(self.stop(FaultKind::RedirectPartialEntry, context)));
        };
        let kind = head.u8::<0>();
        if kind == TIME_MARK {
            self.at += UNIT;
            return Some(Ok(RedirectEntry::Mark {
                window: head.u32::<0>(),
                time: head.u32::<4>(),
            }));
        }
        if kind < REDIRECT {
            let context = "redirect type below 80";
            return Some(Err(self.stop(FaultKind::RedirectBadEntry, context)));
        }
        let dent = head.u8::<1>();
        let Some(text) = rest.get(UNIT..UNIT * (1 + usize::from(dent))) else {
            let context = "redirect past the packet";
            return Some(Err(self.stop(FaultKind::RedirectOverrun, context)));
        };
        self.at += UNIT + text.len();
        let (port, dictid) = (head.u16::<2>(), head.u32::<4>());
        Some(Ok(RedirectEntry::Redirect(Redirect { kind, dent, port, dictid, text })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> (Option<String>, String) {
        let dent = 0;
        let redirect = Redirect { kind: 0x85, dent, port: 0, dictid: 0, text: text.as_bytes() };
        let (server, path) = redirect.target();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (server.map(text), text(path))
    }

    #[test]
    fn the_first_colon_splits_but_for_addresses_and_urls() {
        let split = |server: &str, path: &str| (Some(server.to_owned()), path.to_owned());
        assert_eq!(target("ds3:/data/a:b\0\0"), split("ds3", "/data/a:b"));
        assert_eq!(target("[2001:db8::7]:/data/x:y"), split("[2001:db8::7]", "/data/x:y"));
        assert_eq!(target(":/local/f1"), split("", "/local/f1"));
        assert_eq!(target("root://ds3:1094:/data/a"), split("root://ds3:1094", "/data/a"));
        assert_eq!(target("no colon"), (None, "no colon".to_owned()));
        assert_eq!(target("http://x"), split("http", "//x"));
    }

    #[test]
    fn a_redirect_without_text_does_not_loop() {
        let body = [
            0xf0, 0, 0x41, 0x67, 0xa3, 0x78, 0x7b, 0x57, 0, 0, 0, 60, 0x65, 0x53, 0xf1, 0x3c, 0x85,
            0, 4, 0x46, 0, 0, 0, 1, 0, 0, 0, 60, 0x65, 0x53, 0xf1, 0x78,
        ];
        let mut faults = Vec::new();
        let packet = Redirects::decode(&body, &mut faults).expect("server id");
        assert_eq!(packet.entries().filter(Result::is_ok).count(), 3);
        packet.check(&mut faults);
        assert_eq!(
            faults.first().map(|f| (f.kind, f.offset)),
            Some((FaultKind::RedirectNoText, 24))
        );
    }
}
