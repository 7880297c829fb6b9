//! The peer of a transfer.
//!
//! | written            | by                                          | read as          |
//! |--------------------|---------------------------------------------|------------------|
//! | `[203.0.113.25]`   | today's servers                             | the address      |
//! | `[2001:db8::7]`    | the same                                    | canonical text   |
//! | `[::FFFF:127.0.0.1]` | the same, to clients that used EPSV       | the IPv4 address |
//! | `1[203.0.113.25]`  | servers of the wuftpd days                  | the address      |
//! | `[0.0.0.0]`        | servers that do not know                    | nothing          |
//! | `203.0.113.25`     | JSON logs                                   | the address      |
//! | `[a],[b]`          | servers with several stripes, it is said    | the first        |

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::digits::Few;

/// Longest text of an address: an IPv6 one that ends like an IPv4 one.
const LONGEST: usize = 45;

/// What a text says of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer<'a> {
    Known(&'a str),
    Unknown,
    /// No address.
    Bad,
}

/// Reads the peer; `buffer` holds a text that had to change. The second value is whether there is
/// more in the text than the address: others, or a zone.
pub fn peer<'a>(text: &'a [u8], buffer: &'a mut String) -> (Peer<'a>, bool) {
    if let Some(bare) = plain_ipv4(text) {
        return (Peer::Known(bare), false);
    }
    let first = memchr::memchr(b',', text).map_or(text, |at| text.get(..at).unwrap_or(text));
    let inside = strip(first);
    let bare = memchr::memchr(b'%', inside).map_or(inside, |at| inside.get(..at).unwrap_or(inside));
    let has_more = first.len() < text.len() || bare.len() < inside.len();
    if bare.is_empty() && !has_more {
        return (Peer::Unknown, false);
    }
    let Some(bare) = str::from_utf8(bare).ok().filter(|bare| bare.len() <= LONGEST) else {
        return (Peer::Bad, true);
    };
    if let Ok(address) = bare.parse::<Ipv4Addr>() {
        // The only text that is read as an IPv4 address is its canonical one.
        return (
            if address.is_unspecified() { Peer::Unknown } else { Peer::Known(bare) },
            has_more,
        );
    }
    let Ok(address) = bare.parse::<Ipv6Addr>() else { return (Peer::Bad, true) };
    buffer.clear();
    let written = match address.to_ipv4_mapped() {
        Some(mapped) if mapped.is_unspecified() => return (Peer::Unknown, has_more),
        Some(mapped) => write!(buffer, "{mapped}"),
        None if address.is_unspecified() => return (Peer::Unknown, has_more),
        None => write!(buffer, "{address}"),
    };
    (if written.is_ok() { Peer::Known(buffer) } else { Peer::Bad }, has_more)
}

/// The usual case: an IPv4 address, in one pair of brackets or in none.
#[inline]
fn plain_ipv4(text: &[u8]) -> Option<&str> {
    let bare = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")).unwrap_or(text);
    let (mut dots, mut digits, mut value, mut any) = (0, 0, 0, 0);
    for byte in bare {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            // No number of an address begins with a 0 but 0 itself.
            if digits == 3 || (digits > 0 && value == 0) {
                return None;
            }
            value = value * 10 + u32::from(digit);
            digits += 1;
        } else if *byte == b'.' && digits > 0 && value < 256 {
            any |= value;
            (dots, digits, value) = (dots + 1, 0, 0);
        } else {
            return None;
        }
    }
    let is_address = dots == 3 && digits > 0 && value < 256 && (any | value) != 0;
    str::from_utf8(bare).ok().filter(|_| is_address)
}

/// Whether a text begins with so many bytes that are an IPv4 address, and not the one that stands for
/// none. What follows them is looked at too.
#[inline(always)]
pub fn begins_with_ipv4(text: &[u8], length: usize) -> bool {
    let (mut at, mut any, mut is_good) = (0, 0, true);
    for dot in 0..4 {
        let Some(part) = text.get(at..).and_then(Few::leading) else { return false };
        // No number of an address begins with a 0 but 0 itself; the digits compare as the numbers.
        is_good &= part.digits <= 0x02_05_05;
        is_good &= part.count == 1 || part.digits >> (8 * (part.count - 1)) != 0;
        any |= part.digits;
        at += part.count;
        if dot < 3 {
            is_good &= text.get(at) == Some(&b'.');
            at += 1;
        }
    }
    is_good && any != 0 && at == length
}

/// Without brackets and what stands before them.
fn strip(text: &[u8]) -> &[u8] {
    let mut text = text.trim_ascii();
    while let Some(inside) = text.strip_suffix(b"]") {
        text = inside;
    }
    let begin = memchr::memrchr(b'[', text).map_or(0, |at| at + 1);
    text.get(begin..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, bool) {
        let mut buffer = String::new();
        match peer(text.as_bytes(), &mut buffer) {
            (Peer::Known(text), more) => (Some(text.to_owned()), more),
            (Peer::Unknown, more) => (None, more),
            (Peer::Bad, more) => (Some("bad".to_owned()), more),
        }
    }

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("[203.0.113.25]", "203.0.113.25"),
            ("[[203.0.113.25]]", "203.0.113.25"),
            ("1[203.0.113.25]", "203.0.113.25"),
            ("203.0.113.25", "203.0.113.25"),
            ("203.0.113.25\n", "203.0.113.25"),
            ("[2001:DB8:25::7]", "2001:db8:25::7"),
            ("[2001:db8:25:0:0:0:0:7]", "2001:db8:25::7"),
            ("[::FFFF:127.0.0.1]", "127.0.0.1"),
            ("[::1]", "::1"),
        ] {
            assert_eq!(read(text), (Some(expected.to_owned()), false), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_at_once_is_an_address(text in r"\[?[0-9.]{7,15}\]?|([0-9]{1,3}\.){3}[0-9]{1,3}") {
            let bare = text.trim_start_matches('[').trim_end_matches(']');
            let known = bare.parse::<Ipv4Addr>().is_ok_and(|address| !address.is_unspecified());
            if let Some(found) = plain_ipv4(text.as_bytes()) {
                proptest::prop_assert!(known && found == bare);
            } else if text == bare {
                proptest::prop_assert!(!known);
            }
            for behind in ["", "]", "] TYPE=", "0"] {
                let found = begins_with_ipv4([bare, behind].concat().as_bytes(), bare.len());
                proptest::prop_assert_eq!(found, known && behind != "0");
            }
        }
    }

    #[test]
    fn unknown_peers() {
        for text in ["[0.0.0.0]", "[::]", "[]", "", "[::ffff:0.0.0.0]"] {
            assert_eq!(read(text), (None, false), "{text}");
        }
    }

    #[test]
    fn more_than_an_address() {
        assert_eq!(read("[203.0.113.25],[203.0.113.26]"), (Some("203.0.113.25".to_owned()), true));
        assert_eq!(read("[203.0.113.25,203.0.113.26]"), (Some("203.0.113.25".to_owned()), true));
        assert_eq!(read("[fe80::1%eth0]"), (Some("fe80::1".to_owned()), true));
    }

    #[test]
    fn no_addresses() {
        for text in ["[dtn1.example.net]", "[300.0.0.1]", "[203.0.113.025]", "[1:2]", "%", ","] {
            assert_eq!(read(text), (Some("bad".to_owned()), true), "{text}");
        }
    }
}
