//! The texts in JSON: what they stand for, and copies of them.

use std::borrow::Cow;

use crate::quote::quote;

/// What is wrong with a value, for people.
pub type Wrong = &'static str;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// A bit for each byte of the word that is this one. The lowest is right; those above may not be.
#[inline(always)]
pub fn equals(word: &[u8; 8], byte: u8) -> u64 {
    let differing = u64::from_le_bytes(*word) ^ (LOW * u64::from(byte));
    differing.wrapping_sub(LOW) & !differing & HIGH
}

/// Whether a text can stand in JSON as it is.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let (words, tail) = text.as_chunks::<8>();
    let is_unruly = |word: &[u8; 8]| {
        let value = u64::from_le_bytes(*word);
        let below = value.wrapping_sub(LOW * 0x20) & !value;
        (equals(word, b'\\') | ((below | value) & HIGH)) != 0
    };
    !words.iter().any(is_unruly)
        && tail.iter().all(|byte| (0x20..0x80).contains(byte) && *byte != b'\\')
}

/// How keys are copied.
pub type Rename = fn(&[u8], &mut Vec<u8>) -> Result<(), Wrong>;

/// Copies a text and its quotes.
#[inline]
pub fn copy_text(text: &[u8], out: &mut Vec<u8>) -> Result<(), Wrong> {
    if is_plain(text) {
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    } else {
        quote(&String::from_utf8_lossy(&unescape(text)?), out);
    }
    Ok(())
}

/// Copies a key as statistics have it: small letters, `/` as `_`, no `%`.
pub fn tidy_key(key: &[u8], out: &mut Vec<u8>) -> Result<(), Wrong> {
    if is_plain(key) {
        out.push(b'"');
        let is_tidy = |byte: &u8| !byte.is_ascii_uppercase() && !matches!(byte, b'%' | b'/');
        if key.iter().all(is_tidy) {
            out.extend_from_slice(key);
        } else {
            out.extend(key.iter().filter(|byte| **byte != b'%').map(tidy_byte));
        }
        out.push(b'"');
        return Ok(());
    }
    let tidied: Vec<u8> =
        unescape(key)?.iter().filter(|byte| **byte != b'%').map(tidy_byte).collect();
    quote(&String::from_utf8_lossy(&tidied), out);
    Ok(())
}

fn tidy_byte(byte: &u8) -> u8 {
    if *byte == b'/' { b'_' } else { byte.to_ascii_lowercase() }
}

/// The text that a text with backslashes stands for.
#[inline]
pub fn unescape(text: &[u8]) -> Result<Cow<'_, [u8]>, Wrong> {
    if is_plain(text) { Ok(Cow::Borrowed(text)) } else { unescape_unruly(text) }
}

#[cold]
fn unescape_unruly(text: &[u8]) -> Result<Cow<'_, [u8]>, Wrong> {
    let Some(first) = memchr::memchr(b'\\', text) else { return Ok(Cow::Borrowed(text)) };
    let (plain, mut rest) = text.split_at_checked(first).unwrap_or_default();
    let mut out = plain.to_vec();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let (escape, behind) = rest.split_first().ok_or("a backslash stands alone")?;
        rest = behind;
        match escape {
            b'"' | b'\\' | b'/' => out.push(*escape),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let character = code_point(&mut rest)?;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return Err("a backslash before what it cannot escape"),
        }
    }
    Ok(Cow::Owned(out))
}

/// What follows `\u`. Half a surrogate pair is U+FFFD.
fn code_point(rest: &mut &[u8]) -> Result<char, Wrong> {
    let first = four_digits(rest)?;
    let mut code = first;
    if (0xd800..0xdc00).contains(&first) && rest.starts_with(b"\\u") {
        let mut behind = rest.get(2..).unwrap_or_default();
        let second = four_digits(&mut behind)?;
        if (0xdc00..0xe000).contains(&second) {
            *rest = behind;
            code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        }
    }
    Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn four_digits(rest: &mut &[u8]) -> Result<u32, Wrong> {
    let (digits, behind) = rest.split_first_chunk::<4>().ok_or("an escape ends early")?;
    let mut code = 0;
    for digit in digits {
        let digit = char::from(*digit).to_digit(16).ok_or("an escape is not hexadecimal")?;
        code = code * 16 + digit;
    }
    *rest = behind;
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(unescape(br"M\u00fcller").as_deref(), Ok("Müller".as_bytes()));
        assert_eq!(unescape(br"\ud83d\ude00\n\/").as_deref(), Ok("😀\n/".as_bytes()));
        assert_eq!(unescape(br"\ud83dx").as_deref(), Ok("\u{fffd}x".as_bytes()));
        for wrong in [r"\", r"\x", r"\u12", r"\u12g4"] {
            assert!(unescape(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_tidied() {
        let mut out = Vec::new();
        for key in [&b"Blk_read/s"[..], b"%usr", b"Dev", "\u{dc}%".as_bytes()] {
            tidy_key(key, &mut out).expect("a key");
        }
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "\"blk_read_s\"\"usr\"\"dev\"\"Ü\"");
    }
}
