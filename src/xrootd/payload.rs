//! What follows the userid in a map, one struct for each kind.
//!
//! Numbers that do not parse are `None`; the raw text stays reachable through the map. Keys that
//! later releases add are skipped here (`XrdXrootdMonitor.cc`, `XrdXrootdXeq.cc`,
//! `XrdSciTokensMon.cc`, `XrdNetPMark.cc`, `XrdFrmTransfer.cc`, `XrdFrmPurge.cc`).

use super::cgi::{KeySet, Pairs};
use crate::cursor::{decimal, split_once};

/// A map's payload by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    Server(SrvInfo<'a>),
    Path(Path<'a>),
    App(AppInfo<'a>),
    User(AuthInfo<'a>),
    Token(TokenInfo<'a>),
    Activity(EacInfo),
    Transfer(XfrInfo<'a>),
    Purge(PrgInfo<'a>),
}

/// `d`: the logical file name of one open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<'a> {
    pub path: &'a [u8],
}

/// `i`: text that the client's application sent, or an HTTP `User-Agent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppInfo<'a> {
    pub appinfo: &'a [u8],
}

/// Writes `&key=value` pairs, leaving absent ones out.
fn join(out: &mut Vec<u8>, pairs: &[(&[u8], Option<&[u8]>)]) {
    for (key, value) in pairs {
        if let Some(value) = value {
            out.push(b'&');
            out.extend(*key);
            out.push(b'=');
            out.extend(*value);
        }
    }
}

/// `=`: what server this is. frm daemons never send `ver`, servers before 3.3.0 no `site`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SrvInfo<'a> {
    pub site: Option<&'a [u8]>,
    pub port: Option<i64>,
    pub inst: Option<&'a [u8]>,
    pub pgm: Option<&'a [u8]>,
    pub ver: Option<&'a [u8]>,
}

static SERVER_KEYS: KeySet = KeySet {
    keys: &[b"site", b"port", b"inst", b"pgm", b"ver"],
    ordered: false,
    last: None,
    open: true,
};

impl<'a> SrvInfo<'a> {
    pub fn decode(text: &'a [u8]) -> Self {
        let mut info = Self::default();
        for (key, value) in Pairs::new(text, &SERVER_KEYS) {
            match key {
                b"site" => info.site = Some(value),
                b"port" => info.port = decimal(value),
                b"inst" => info.inst = Some(value),
                b"pgm" => info.pgm = Some(value),
                b"ver" => info.ver = Some(value),
                _ => {}
            }
        }
        info
    }

    /// Writes the key order of XRootD 5.1.0 and later.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let port = self.port.map(|port| port.to_string());
        let port = port.as_ref().map(|port| port.as_bytes());
        join(
            out,
            &[
                (b"site", self.site),
                (b"port", port),
                (b"inst", self.inst),
                (b"pgm", self.pgm),
                (b"ver", self.ver),
            ],
        );
    }
}

/// `u`: how the client logged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuthInfo<'a> {
    /// Authentication protocol: `gsi`, `krb5`, `sss`, `ztn`, `http`, ...
    pub p: Option<&'a [u8]>,
    /// Name that the security protocol assigned.
    pub n: Option<&'a [u8]>,
    /// Host as the security layer sees it.
    pub h: Option<&'a [u8]>,
    /// Virtual organisations, roles and groups: blank separated columns that belong together.
    pub o: Option<&'a [u8]>,
    pub r: Option<&'a [u8]>,
    pub g: Option<&'a [u8]>,
    /// Protocol specific: for gsi and HTTP the subject's distinguished name.
    pub m: Option<&'a [u8]>,
    /// Client release.
    pub release: Option<&'a [u8]>,
    /// Client application.
    pub x: Option<&'a [u8]>,
    /// Client monitoring information.
    pub y: Option<&'a [u8]>,
    /// Address family of the connection, 4 or 6.
    pub ip_version: Option<i64>,
}

static USER_KEYS: KeySet = KeySet {
    keys: &[b"p", b"n", b"h", b"o", b"r", b"g", b"m", b"R", b"x", b"y", b"I"],
    ordered: true,
    last: None,
    open: true,
};

impl<'a> AuthInfo<'a> {
    pub fn decode(text: &'a [u8]) -> Self {
        let mut info = Self::default();
        for (key, value) in Pairs::new(text, &USER_KEYS) {
            match key {
                b"p" => info.p = Some(value),
                b"n" => info.n = Some(value),
                b"h" => info.h = Some(value),
                b"o" => info.o = Some(value),
                b"r" => info.r = Some(value),
                b"g" => info.g = Some(value),
                b"m" => info.m = Some(value),
                b"R" => info.release = Some(value),
                b"x" => info.x = Some(value),
                b"y" => info.y = Some(value),
                b"I" => info.ip_version = decimal(value),
                _ => {}
            }
        }
        info
    }

    /// Writes each key once; servers repeat `I` behind the login block.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let ip = self.ip_version.map(|version| version.to_string());
        let ip = ip.as_ref().map(|version| version.as_bytes());
        join(
            out,
            &[
                (b"p", self.p),
                (b"n", self.n),
                (b"h", self.h),
                (b"o", self.o),
                (b"r", self.r),
                (b"g", self.g),
                (b"m", self.m),
                (b"R", self.release),
                (b"x", self.x),
                (b"y", self.y),
                (b"I", ip),
            ],
        );
    }
}

/// The dictid in `Uc=`, which releases before 6.0.0 print as a signed number.
fn user_dictid(value: &[u8]) -> Option<u32> {
    let number = decimal(value)?;
    u32::try_from(number).or_else(|_| i32::try_from(number).map(|n| n as u32)).ok()
}

/// `T`: the token that granted an access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenInfo<'a> {
    /// dictid of the login this belongs to.
    pub uc: Option<u32>,
    /// Subject.
    pub s: Option<&'a [u8]>,
    /// Mapped user name.
    pub n: Option<&'a [u8]>,
    /// Issuer.
    pub o: Option<&'a [u8]>,
    pub r: Option<&'a [u8]>,
    /// Groups, blank separated; servers send a trailing blank.
    pub g: Option<&'a [u8]>,
}

static TOKEN_KEYS: KeySet =
    KeySet { keys: &[b"Uc", b"s", b"n", b"o", b"r", b"g"], ordered: false, last: None, open: true };

impl<'a> TokenInfo<'a> {
    pub fn decode(text: &'a [u8]) -> Self {
        let mut info = Self::default();
        for (key, value) in Pairs::new(text, &TOKEN_KEYS) {
            match key {
                b"Uc" => info.uc = user_dictid(value),
                b"s" => info.s = Some(value),
                b"n" => info.n = Some(value),
                b"o" => info.o = Some(value),
                b"r" => info.r = Some(value),
                b"g" => info.g = Some(value),
                _ => {}
            }
        }
        info
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        let uc = self.uc.map(|uc| uc.to_string());
        let uc = uc.as_ref().map(|uc| uc.as_bytes());
        join(
            out,
            &[
                (b"Uc", uc),
                (b"s", self.s),
                (b"n", self.n),
                (b"o", self.o),
                (b"r", self.r),
                (b"g", self.g),
            ],
        );
    }
}

/// `U`: SciTags experiment and activity of a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EacInfo {
    pub uc: Option<u32>,
    /// Experiment code, 0 to 1023.
    pub ec: Option<i64>,
    /// Activity code, 0 to 63.
    pub ac: Option<i64>,
}

static ACTIVITY_KEYS: KeySet =
    KeySet { keys: &[b"Uc", b"Ec", b"Ac"], ordered: false, last: None, open: true };

impl EacInfo {
    pub fn decode(text: &[u8]) -> Self {
        let mut info = Self::default();
        for (key, value) in Pairs::new(text, &ACTIVITY_KEYS) {
            match key {
                b"Uc" => info.uc = user_dictid(value),
                b"Ec" => info.ec = decimal(value),
                b"Ac" => info.ac = decimal(value),
                _ => {}
            }
        }
        info
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        for (key, number) in [("Uc", self.uc.map(i64::from)), ("Ec", self.ec), ("Ac", self.ac)] {
            if let Some(number) = number {
                out.extend(format!("&{key}={number}").into_bytes());
            }
        }
    }
}

/// `x`: one file moved by frm_xfrd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XfrInfo<'a> {
    pub lfn: &'a [u8],
    /// UNIX time of completion.
    pub tod: Option<i64>,
    /// File size, bytes.
    pub sz: Option<i64>,
    /// Seconds queued.
    pub qt: Option<i64>,
    /// Seconds of transfer.
    pub tm: Option<i64>,
    /// One character: `1` copy in, `2` migrate, `3` migrate and remove, `4` copy out, `5` copy out
    /// and remove, `6` stage in.
    pub op: Option<&'a [u8]>,
    /// 0 or an error code.
    pub rc: Option<i64>,
    /// Output of the transfer command: free text to the end of the packet.
    pub pd: Option<&'a [u8]>,
}

static TRANSFER_KEYS: KeySet = KeySet {
    keys: &[b"tod", b"sz", b"qt", b"tm", b"op", b"rc", b"pd"],
    ordered: false,
    last: Some(b"pd"),
    open: true,
};

/// Keys in the text of a map that are not among those of its kind.
pub fn unknown_keys(code: u8, text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (set, text) = match code {
        b'=' => (&SERVER_KEYS, text),
        b'u' => (&USER_KEYS, text),
        b'T' => (&TOKEN_KEYS, text),
        b'U' => (&ACTIVITY_KEYS, text),
        b'x' => (&TRANSFER_KEYS, name_and_pairs(text).1),
        b'p' => (&PURGE_KEYS, name_and_pairs(text).1),
        // All of it is a path, or what a client says.
        _ => (&ACTIVITY_KEYS, &[][..]),
    };
    Pairs::new(text, set).map(|(key, _)| key).filter(|key| !set.keys.contains(key))
}

/// The file name and the pairs that follow it on a line of their own.
fn name_and_pairs(text: &[u8]) -> (&[u8], &[u8]) {
    split_once(text, b'\n').unwrap_or((text, b""))
}

impl<'a> XfrInfo<'a> {
    pub fn decode(text: &'a [u8]) -> Self {
        let (lfn, pairs) = name_and_pairs(text);
        let mut info = Self { lfn, ..Self::default() };
        for (key, value) in Pairs::new(pairs, &TRANSFER_KEYS) {
            match key {
                b"tod" => info.tod = decimal(value),
                b"sz" => info.sz = decimal(value),
                b"qt" => info.qt = decimal(value),
                b"tm" => info.tm = decimal(value),
                b"op" => info.op = Some(value),
                b"rc" => info.rc = decimal(value),
                b"pd" => info.pd = Some(value),
                _ => {}
            }
        }
        info
    }
}

/// `p`: one file removed by frm_purged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrgInfo<'a> {
    pub xfn: &'a [u8],
    /// UNIX time of the purge.
    pub tod: Option<i64>,
    /// Bytes.
    pub sz: Option<i64>,
    /// Access, change and modification time of the file, UNIX seconds.
    pub at: Option<i64>,
    pub ct: Option<i64>,
    pub mt: Option<i64>,
    /// `l`: `xfn` is a logical name; `p`: a physical one.
    pub fn_: Option<&'a [u8]>,
}

static PURGE_KEYS: KeySet = KeySet {
    keys: &[b"tod", b"sz", b"at", b"ct", b"mt", b"fn"],
    ordered: false,
    last: None,
    open: true,
};

impl<'a> PrgInfo<'a> {
    pub fn decode(text: &'a [u8]) -> Self {
        let (xfn, pairs) = name_and_pairs(text);
        let mut info = Self { xfn, ..Self::default() };
        for (key, value) in Pairs::new(pairs, &PURGE_KEYS) {
            match key {
                b"tod" => info.tod = decimal(value),
                b"sz" => info.sz = decimal(value),
                b"at" => info.at = decimal(value),
                b"ct" => info.ct = decimal(value),
                b"mt" => info.mt = decimal(value),
                b"fn" => info.fn_ = Some(value),
                _ => {}
            }
        }
        info
    }
}

/// The first key of a map whose value should be a number and is none.
pub fn bad_number(code: u8, text: &[u8]) -> Option<&'static [u8]> {
    let (set, numbers): (&'static KeySet, &'static [&'static [u8]]) = match code {
        b'=' => (&SERVER_KEYS, &[b"port"]),
        b'u' => (&USER_KEYS, &[b"I"]),
        b'T' => (&TOKEN_KEYS, &[b"Uc"]),
        b'U' => (&ACTIVITY_KEYS, &[b"Uc", b"Ec", b"Ac"]),
        b'x' => (&TRANSFER_KEYS, &[b"tod", b"sz", b"qt", b"tm", b"rc"]),
        b'p' => (&PURGE_KEYS, &[b"tod", b"sz", b"at", b"ct", b"mt"]),
        _ => return None,
    };
    let pairs = if matches!(code, b'x' | b'p') { name_and_pairs(text).1 } else { text };
    Pairs::new(pairs, set).find_map(|(key, value)| {
        let known = numbers.iter().find(|number| **number == key)?;
        decimal(value).is_none().then_some(*known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_are_absent_and_found() {
        assert_eq!(SrvInfo::decode(b"&site=S&port=x&pgm=p").port, None);
        assert_eq!(bad_number(b'=', b"&site=S&port=x&pgm=p"), Some(&b"port"[..]));
        assert_eq!(bad_number(b'x', b"/lfn&sz=y\n&tod=1&sz=2"), None);
        assert_eq!(bad_number(b'd', b"/a&port=x"), None);
    }

    #[test]
    fn signed_references_of_old_releases_are_turned() {
        assert_eq!(EacInfo::decode(b"&Uc=-2&Ec=1&Ac=2").uc, Some(u32::MAX - 1));
        assert_eq!(EacInfo::decode(b"&Uc=4294967296").uc, None);
    }
}
