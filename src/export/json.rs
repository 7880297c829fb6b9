//! JSON lines: every key of the record, in the order of its columns, `null` for what is not known.

use std::io::{self, Write};

use crate::access::record::{Column, Record, Visitor};
use crate::reading::Target;

/// Written out once so much has gathered.
const ENOUGH: usize = 256 * 1024;

/// The keys of one kind of record, prepared so that a record is a row of copies.
pub struct Keys {
    keys: Vec<Key>,
}

struct Key {
    /// `,"name":null`
    bytes: Vec<u8>,
    /// How much of it stands before the value.
    until_value: usize,
}

impl Keys {
    pub fn new(columns: &[Column]) -> Self {
        let keys = columns.iter().enumerate().map(|(at, column)| {
            let opening = if at == 0 { "{" } else { "," };
            let key = format!("{opening}\"{}\":", column.name);
            Key { until_value: key.len(), bytes: (key + "null").into_bytes() }
        });
        Self { keys: keys.collect() }
    }

    /// Appends one record and a line feed.
    #[inline]
    pub fn write(&self, record: &impl Record, out: &mut Vec<u8>) {
        let mut writer = Writer { keys: self.keys.iter(), out };
        record.visit(&mut writer);
        out.extend_from_slice(b"}\n");
    }
}

/// Writes records of one kind, whole lines at a time.
pub struct Lines<W> {
    keys: Keys,
    buffer: Vec<u8>,
    out: W,
    error: Option<io::Error>,
}

impl<W: Write> Lines<W> {
    pub fn new(columns: &[Column], out: W) -> Self {
        Self { keys: Keys::new(columns), buffer: Vec::new(), out, error: None }
    }

    /// The first error since the last look, so that a reader can stop early.
    pub fn check(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// Hands everything so far to the sink, and the first error since.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let written = self.out.write_all(&self.buffer);
        self.buffer.clear();
        written.and_then(|()| self.out.flush())
    }
}

impl<W: Write> Target for Lines<W> {
    #[inline]
    fn push(&mut self, record: &impl Record) {
        self.keys.write(record, &mut self.buffer);
        if self.buffer.len() >= ENOUGH
            && let Err(error) = self.flush()
        {
            self.error.get_or_insert(error);
        }
    }
}

struct Writer<'a> {
    keys: std::slice::Iter<'a, Key>,
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    /// Writes the next key with its value, or with `null` in one go.
    #[inline]
    fn cell<T>(&mut self, value: Option<T>, write: impl FnOnce(T, &mut Vec<u8>)) {
        let Some(key) = self.keys.next() else { return };
        match value {
            Some(value) => {
                let (name, _) = key.bytes.split_at(key.until_value);
                self.out.extend_from_slice(name);
                write(value, self.out);
            }
            None => self.out.extend_from_slice(&key.bytes),
        }
    }
}

impl Visitor for Writer<'_> {
    #[inline]
    fn text(&mut self, value: Option<&str>) {
        self.cell(value, quote);
    }

    #[inline]
    fn int(&mut self, value: Option<i64>) {
        self.cell(value, |number, out| {
            out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        });
    }

    #[inline]
    fn float(&mut self, value: Option<f64>) {
        self.cell(value.filter(|number| number.is_finite()), |number, out| {
            out.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
        });
    }

    #[inline]
    fn boolean(&mut self, value: Option<bool>) {
        self.cell(value, |truth, out| {
            out.extend_from_slice(if truth { b"true" } else { b"false" });
        });
    }

    #[inline]
    fn json(&mut self, value: Option<&str>) {
        self.cell(value, |json, out| out.extend_from_slice(json.as_bytes()));
    }
}

/// Bytes that may not stand in a JSON string as they are.
const fn escaped() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
}

static ESCAPED: [bool; 256] = escaped();

fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| ESCAPED[usize::from(*byte)]) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, tail)) = tail.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::record::FileAccess;

    proptest::proptest! {
        #[test]
        fn any_text_reads_back(text: String) {
            let mut out = Vec::new();
            quote(&text, &mut out);
            let back: String = serde_json::from_slice(&out).expect("JSON");
            proptest::prop_assert_eq!(back, text);
        }
    }

    #[test]
    fn every_column_is_a_key() {
        let keys = Keys::new(&FileAccess::table());
        let mut out = Vec::new();
        let record =
            FileAccess { path: Some("/a\"b"), read_bytes: Some(-1), ..FileAccess::default() };
        keys.write(&record, &mut out);
        let object: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        let object = object.as_object().expect("object");
        let names: Vec<_> = FileAccess::table().iter().map(|column| column.name).collect();
        assert!(names.iter().all(|name| object.contains_key(*name)));
        assert_eq!(object.len(), names.len());
        assert_eq!((&object["path"], &object["read_bytes"]), (&"/a\"b".into(), &(-1).into()));
        assert!(object["user_name"].is_null());
    }
}
