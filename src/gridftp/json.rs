//! JSON, read from bytes in one pass: no tree, nothing copied that need not be.
//!
//! Python writes these logs, so `NaN` and `Infinity` are taken for null. Texts may hold bytes that are
//! not UTF-8; who wants a text decides what to do about them.

use std::borrow::Cow;

use crate::limits::MAX_RECORD_DEPTH;
use crate::quote::quote;

/// What is wrong, for people.
pub type Wrong = &'static str;

const ENDS_EARLY: Wrong = "it ends early";

/// A value as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Number(&'a [u8]),
    /// What is between the quotes.
    Text(&'a [u8]),
    /// An object or a list; it has still to be read.
    Nested,
}

pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub fn position(&self) -> usize {
        self.at
    }

    /// The next byte that is not white space; it is not taken.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[inline]
    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn demand(&mut self, byte: u8, wrong: Wrong) -> Result<(), Wrong> {
        if self.take(byte) {
            return Ok(());
        }
        Err(if self.at >= self.bytes.len() { ENDS_EARLY } else { wrong })
    }

    /// What has been read from there on.
    pub fn since(&self, begin: usize) -> &'a [u8] {
        self.bytes.get(begin..self.at).unwrap_or_default()
    }

    /// Skips a text, if this is it.
    #[inline]
    pub fn skip(&mut self, text: &[u8]) -> bool {
        let is_here = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text));
        self.at += if is_here { text.len() } else { 0 };
        is_here
    }

    /// The next key of an object, up to its value. `None` at the object's end.
    #[inline]
    pub fn key(&mut self, is_first: bool) -> Result<Option<&'a [u8]>, Wrong> {
        if is_first {
            self.demand(b'{', "an object should begin here")?;
            if self.take(b'}') {
                return Ok(None);
            }
        } else if !self.take(b',') {
            self.demand(b'}', "a comma should be between two keys")?;
            return Ok(None);
        }
        self.demand(b'"', "a key should begin here")?;
        let key = self.string()?;
        self.demand(b':', "a colon should follow a key")?;
        Ok(Some(key))
    }

    /// Reads an object's keys; `each` has to read the value of each.
    #[inline]
    pub fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, &'a [u8]) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let mut is_first = true;
        while let Some(key) = self.key(is_first)? {
            is_first = false;
            each(self, key)?;
        }
        Ok(())
    }

    /// Reads a list; `each` has to read every element.
    #[inline]
    pub fn list(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        self.demand(b'[', "a list should begin here")?;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            each(self)?;
            if !self.take(b',') {
                return self.demand(b']', "a comma should be between two elements");
            }
        }
    }

    /// Reads a value, or stays before one that is nested.
    #[inline]
    pub fn value(&mut self) -> Result<Value<'a>, Wrong> {
        match self.peek().ok_or(ENDS_EARLY)? {
            b'"' => {
                self.at += 1;
                self.string().map(Value::Text)
            }
            b'{' | b'[' => Ok(Value::Nested),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    /// The rest of a text, behind its first quote.
    #[inline]
    fn string(&mut self) -> Result<&'a [u8], Wrong> {
        let begin = self.at;
        loop {
            while let Some((word, _)) =
                self.bytes.get(self.at..).and_then(|rest| rest.split_first_chunk::<8>())
            {
                let ends = equals(word, b'"') | equals(word, b'\\');
                self.at += ends.trailing_zeros() as usize / 8;
                if ends != 0 {
                    break;
                }
            }
            match self.bytes.get(self.at).ok_or(ENDS_EARLY)? {
                b'"' => {
                    let text = self.bytes.get(begin..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    #[inline]
    fn number(&mut self) -> Result<Value<'a>, Wrong> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
        match number_length(rest) {
            Some(length) if !rest.get(length).is_some_and(is_part) => {
                self.at += length;
                Ok(Value::Number(rest.get(..length).unwrap_or_default()))
            }
            _ if rest.starts_with(b"-Infinity") => {
                self.at += 9;
                Ok(Value::Null)
            }
            _ => Err("a number is none"),
        }
    }

    fn word(&mut self) -> Result<Value<'a>, Wrong> {
        const WORDS: [(&[u8], Value<'static>); 5] = [
            (b"null", Value::Null),
            (b"true", Value::Bool(true)),
            (b"false", Value::Bool(false)),
            (b"NaN", Value::Null),
            (b"Infinity", Value::Null),
        ];
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        for (word, value) in WORDS {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err("a value should begin here")
    }

    /// Copies a value of any kind; `rename` makes keys.
    pub fn copy(&mut self, out: &mut Vec<u8>, rename: Rename, depth: usize) -> Result<(), Wrong> {
        if depth > MAX_RECORD_DEPTH {
            return Err("it is nested too deep");
        }
        match self.value()? {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
            Value::Number(text) => out.extend_from_slice(text),
            Value::Text(text) => copy_text(text, out)?,
            Value::Nested if self.peek() == Some(b'{') => {
                let mut separator = b'{';
                self.object(|reader, key| {
                    out.push(separator);
                    separator = b',';
                    rename(key, out)?;
                    out.push(b':');
                    reader.copy(out, rename, depth + 1)
                })?;
                close(out, separator, b'{', b'}');
            }
            Value::Nested => {
                let mut separator = b'[';
                self.list(|reader| {
                    out.push(separator);
                    separator = b',';
                    reader.copy(out, rename, depth + 1)
                })?;
                close(out, separator, b'[', b']');
            }
        }
        Ok(())
    }
}

/// Ends an object or a list; one without elements has not been begun.
pub fn close(out: &mut Vec<u8>, separator: u8, first: u8, last: u8) {
    if separator == first {
        out.push(first);
    }
    out.push(last);
}

/// How long the number is that a text begins with, if it is one to JSON.
#[inline]
fn number_length(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let begin = usize::from(text.starts_with(b"-"));
    let mut end = digits(begin)?;
    if end > begin + 1 && text.get(begin) == Some(&b'0') {
        return None;
    }
    if text.get(end) == Some(&b'.') {
        end = digits(end + 1)?;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let is_signed = matches!(text.get(end + 1), Some(b'+' | b'-'));
        end = digits(end + 1 + usize::from(is_signed))?;
    }
    Some(end)
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// A bit for each byte of the word that is this one. The lowest is right; those above may not be.
#[inline(always)]
fn equals(word: &[u8; 8], byte: u8) -> u64 {
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

    fn copied(text: &str) -> Result<String, Wrong> {
        let mut out = Vec::new();
        Reader::new(text.as_bytes(), 0).copy(&mut out, copy_text, 0)?;
        Ok(String::from_utf8(out).expect("UTF-8"))
    }

    proptest::proptest! {
        #[test]
        fn copies_mean_the_same(text in r#"\PC{0,20}"#, eighths in -1_000_000i32..1_000_000) {
            let value = serde_json::json!({"a": [text, f64::from(eighths) / 8.0, null, true, {}, []], "b c": {"d": -1}});
            let back: serde_json::Value =
                serde_json::from_str(&copied(&value.to_string()).expect("valid")).expect("JSON");
            proptest::prop_assert_eq!(back, value);
        }

        #[test]
        fn what_is_copied_is_json(text in r#"([\[\]{}:,"\\ae0-9.+-]|u00|null|\PC){0,30}"#) {
            if let Ok(copy) = copied(&text) {
                proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&copy).is_ok());
            }
        }
    }

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
    fn what_python_writes_for_no_number() {
        assert_eq!(copied("[NaN, Infinity, -Infinity]").as_deref(), Ok("[null,null,null]"));
    }

    #[test]
    fn nesting_ends_somewhere() {
        assert!(copied(&"[".repeat(100_000)).is_err());
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
