//! JSON lines: every key of the record, in the order of its columns, `null` for what is not known.

use std::io::{self, Write};

use crate::access::record::{Column, Record, Visitor};
use crate::columns::Target;
use crate::quote::quote;

/// Written out once so much has gathered.
const ENOUGH: usize = 256 * 1024;

/// A record of nulls, prepared so that writing one is a row of copies: between two values that are
/// known everything is copied at once.
pub struct Keys {
    template: Vec<u8>,
    /// For each column where its value begins and where the `null` in its place ends.
    values: Vec<(usize, usize)>,
}

impl Keys {
    pub fn new(columns: &[Column]) -> Self {
        let (mut template, mut values) = (Vec::new(), Vec::new());
        for column in columns {
            let opening = if values.is_empty() { "{" } else { "," };
            template.extend(format!("{opening}\"{}\":", column.name).into_bytes());
            let start = template.len();
            template.extend(b"null");
            values.push((start, template.len()));
        }
        template.extend(b"}\n");
        Self { template, values }
    }

    /// Appends one record and a line feed.
    #[inline]
    pub fn write(&self, record: &impl Record, out: &mut Vec<u8>) {
        let mut writer =
            Writer { template: &self.template, values: self.values.iter(), written: 0, out };
        record.visit(&mut writer);
        writer.catch_up(self.template.len());
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
    template: &'a [u8],
    values: std::slice::Iter<'a, (usize, usize)>,
    /// How much of the template is written.
    written: usize,
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    #[inline]
    fn catch_up(&mut self, to: usize) {
        self.out.extend_from_slice(self.template.get(self.written..to).unwrap_or_default());
        self.written = to;
    }

    #[inline]
    fn cell<T>(&mut self, value: Option<T>, write: impl FnOnce(T, &mut Vec<u8>)) {
        let Some((start, end)) = self.values.next() else { return };
        if let Some(value) = value {
            self.catch_up(*start);
            write(value, self.out);
            self.written = *end;
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

    fn ints(&mut self, value: Option<&[Option<i64>]>) {
        self.cell(value, list);
    }

    #[inline]
    fn json(&mut self, value: Option<&str>) {
        self.cell(value, one_line);
    }
}

/// JSON as it was sent, on one line: in JSON only the space between values can hold line ends.
pub(super) fn one_line(json: &str, out: &mut Vec<u8>) {
    let mut rest = json.as_bytes();
    while let Some(at) = memchr::memchr2(b'\n', b'\r', rest) {
        let (line, tail) = rest.split_at(at);
        out.extend_from_slice(line);
        out.push(b' ');
        rest = tail.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Numbers in brackets.
pub(super) fn list(numbers: &[Option<i64>], out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, number) in numbers.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match number {
            Some(number) => out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::record::FileAccess;

    #[test]
    fn json_keeps_to_its_line() {
        let mut out = Vec::new();
        one_line("{\"a\":\r\n[1,\n2]}", &mut out);
        assert_eq!(out, b"{\"a\":  [1, 2]}");
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
