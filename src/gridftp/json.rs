//! JSON, read from bytes in one pass: no tree, nothing copied that need not be.
//!
//! Python writes these logs, so `NaN` and `Infinity` are taken for null. Texts may hold bytes that are
//! not UTF-8; who wants a text decides what to do about them.

use super::text::{Rename, Wrong, copy_text, equals};
use crate::limits::MAX_RECORD_DEPTH;

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
    fn what_python_writes_for_no_number() {
        assert_eq!(copied("[NaN, Infinity, -Infinity]").as_deref(), Ok("[null,null,null]"));
    }

    #[test]
    fn nesting_ends_somewhere() {
        assert!(copied(&"[".repeat(100_000)).is_err());
    }
}
