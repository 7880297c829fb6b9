//! The connection descriptor at the head of every map: `[prot/]user.pid:sid@host`.
//!
//! Nothing in it is escaped, clients choose parts of it, and several daemons leave parts out, so
//! splitting never fails: what does not fit the grammar stays in `user`. Every split takes the
//! *last* separator, but for the protocol, which ends at the first slash
//! (`XrdXrootdMonitor.cc`, `XrdLinkXeq.cc`, `XrdFrmMonitor.cc`).

use crate::cursor::{decimal, rsplit_once, split_once, unsigned};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserId<'a> {
    /// `xroot`, `http`, `https`; `=` in the identification of an xrootd.
    pub prot: Option<&'a [u8]>,
    /// Login name as the client gave it; may be empty.
    pub user: &'a [u8],
    /// Client process id, or (XRootD 5.6.5 and later) the server's session number. Can be negative.
    pub pid: Option<i64>,
    /// The sending server's own id, 48 bits.
    pub sid: Option<u64>,
    pub host: Option<&'a [u8]>,
}

impl<'a> UserId<'a> {
    pub fn decode(text: &'a [u8]) -> Self {
        let (Self { prot, sid, host, .. }, rest) = Self::without_user(text);
        let (user, pid) = match rsplit_once(rest, b'.').map(|(user, pid)| (user, decimal(pid))) {
            Some((user, Some(pid))) => (user, Some(pid)),
            _ => (rest, None),
        };
        Self { prot, user, pid, sid, host }
    }

    /// The server's id alone, which each packet with a userid is asked for.
    pub fn sid_in(text: &[u8]) -> Option<u64> {
        UserId::without_user(text).0.sid
    }

    /// All but the user and process id, and what holds these.
    #[inline]
    fn without_user(text: &'a [u8]) -> (Self, &'a [u8]) {
        let (prot, rest) = match split_once(text, b'/') {
            Some((prot, rest)) => (Some(prot), rest),
            None => (None, text),
        };
        let (rest, host) = match rsplit_once(rest, b'@') {
            Some((rest, host)) => (rest, Some(host)),
            None => (rest, None),
        };
        let (rest, sid) = match rsplit_once(rest, b':').map(|(rest, sid)| (rest, unsigned(sid))) {
            Some((rest, Some(sid))) => (rest, Some(sid)),
            _ => (rest, None),
        };
        (Self { prot, user: &[], pid: None, sid, host }, rest)
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        if let Some(prot) = self.prot {
            out.extend(prot);
            out.push(b'/');
        }
        out.extend(self.user);
        if let Some(pid) = self.pid {
            out.extend(format!(".{pid}").into_bytes());
        }
        if let Some(sid) = self.sid {
            out.extend(format!(":{sid}").into_bytes());
        }
        if let Some(host) = self.host {
            out.push(b'@');
            out.extend(host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Expected = (
        &'static str,
        Option<&'static str>,
        &'static str,
        Option<i64>,
        Option<u64>,
        Option<&'static str>,
    );

    const VECTORS: &[Expected] = &[
        (
            "xroot/alice.4242:71913380019031@wn07",
            Some("xroot"),
            "alice",
            Some(4242),
            Some(71913380019031),
            Some("wn07"),
        ),
        (
            "xroot/john.doe.4242:5@[2001:db8::1]",
            Some("xroot"),
            "john.doe",
            Some(4242),
            Some(5),
            Some("[2001:db8::1]"),
        ),
        (
            "https/unknown.7:5@[::198.51.100.7]",
            Some("https"),
            "unknown",
            Some(7),
            Some(5),
            Some("[::198.51.100.7]"),
        ),
        (
            "=/root.1:5@srv.example.org",
            Some("="),
            "root",
            Some(1),
            Some(5),
            Some("srv.example.org"),
        ),
        (
            "john.doe.55:640708181035@host1",
            None,
            "john.doe",
            Some(55),
            Some(640708181035),
            Some("host1"),
        ),
        (
            "frm_purged:254021072695825@localhost",
            None,
            "frm_purged",
            None,
            Some(254021072695825),
            Some("localhost"),
        ),
        ("frm_xfragent", None, "frm_xfragent", None, None, None),
        ("xroot/a@b:c.9:5@h", Some("xroot"), "a@b:c", Some(9), Some(5), Some("h")),
        ("xroot/x.-12:5@h", Some("xroot"), "x", Some(-12), Some(5), Some("h")),
        ("http/.3:5@h", Some("http"), "", Some(3), Some(5), Some("h")),
    ];

    #[test]
    fn every_real_form_splits_and_joins_again() {
        for &(text, prot, user, pid, sid, host) in VECTORS {
            let id = UserId::decode(text.as_bytes());
            let expected = UserId {
                prot: prot.map(str::as_bytes),
                user: user.as_bytes(),
                pid,
                sid,
                host: host.map(str::as_bytes),
            };
            assert_eq!(id, expected, "{text}");
            let mut out = Vec::new();
            id.encode(&mut out);
            assert_eq!(out, text.as_bytes());
        }
    }
}
