//! JSON lines: every key of the record, in the order of its columns, `null` for what is not known.

use std::io::{self, Write};

use super::fragments::Fragments;
use super::line::{Line, Memory, PIECE};
use crate::access::record::{Column, Record, Visitor};
use crate::columns::{Group, Target};

/// Written out once so much has gathered.
const ENOUGH: usize = 256 * 1024;

/// A record of nulls, prepared so that writing one is a row of copies: between two values that are
/// known everything is copied at once.
pub struct Keys {
    /// And so many bytes more that a piece fits everywhere.
    template: Vec<u8>,
    cells: Vec<Cell>,
    groups: Fragments,
    line: Memory,
}

/// A column's part of the template.
struct Cell {
    /// What stands before its value if the column before has one, with bytes behind it.
    key: [u8; PIECE],
    key_length: usize,
    /// Where the key begins, and where the `null` in the value's place ends.
    key_start: usize,
    end: usize,
}

impl Keys {
    pub fn new(columns: &[Column]) -> Self {
        let (mut template, mut cells) = (Vec::new(), Vec::new());
        for column in columns {
            let opening = if cells.is_empty() { "{" } else { "," };
            let key = format!("{opening}\"{}\":", column.name).into_bytes();
            let key_start = template.len();
            template.extend(&key);
            template.extend(b"null");
            let (key_length, end) = (key.len(), template.len());
            let key = std::array::from_fn(|at| key.get(at).copied().unwrap_or_default());
            cells.push(Cell { key, key_length, key_start, end });
        }
        template.extend(b"}\n");
        template.extend([0; PIECE]);
        Self { template, cells, groups: Fragments::default(), line: Memory::default() }
    }

    /// Appends one record and a line feed.
    #[inline]
    pub fn write(&mut self, record: &impl Record, out: &mut Vec<u8>) {
        let Self { template, cells, groups, line } = self;
        let line = Line::new(line, out);
        let mut writer = Writer { template, cells: cells.iter(), groups, written: 0, line };
        record.visit(&mut writer);
        writer.catch_up(template.len() - PIECE);
        writer.line.finish();
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
    cells: std::slice::Iter<'a, Cell>,
    groups: &'a mut Fragments,
    /// How much of the template is written.
    written: usize,
    line: Line<'a>,
}

impl<'a> Writer<'a> {
    fn catch_up(&mut self, to: usize) {
        let rest = self.template.get(self.written..).unwrap_or_default();
        let length = to.saturating_sub(self.written);
        match rest.first_chunk() {
            Some(piece) if length <= PIECE => self.line.piece(piece, length),
            _ => self.line.text(rest.get(..length).unwrap_or_default()),
        }
        self.written = to;
    }

    /// The line, up to where a value of the next column begins.
    #[inline(always)] // Dozens of times for each record: what it costs is mostly the call.
    fn cell(&mut self, is_known: bool) -> Option<&mut Line<'a>> {
        let cell = self.cells.next()?;
        if !is_known {
            return None;
        }
        if self.written == cell.key_start && cell.key_length <= PIECE {
            self.line.piece(&cell.key, cell.key_length);
        } else {
            self.catch_up(cell.key_start + cell.key_length);
        }
        self.written = cell.end;
        Some(&mut self.line)
    }
}

impl Visitor for Writer<'_> {
    #[inline]
    fn group<G: Group>(&mut self, group: &G) {
        let stamp = group.stamp();
        let (cells, rest) = self.cells.as_slice().split_at_checked(G::CELLS).unwrap_or_default();
        let (Some(first), Some(last)) = (cells.first(), cells.last()) else {
            return group.visit_cells(self);
        };
        if self.written != first.key_start {
            self.catch_up(first.key_start);
        }
        if let Some(text) = self.groups.get(stamp) {
            self.line.text(text);
            self.written = last.end;
        } else {
            let mark = self.line.mark();
            group.visit_cells(self);
            self.catch_up(last.end);
            if let Some(text) = self.line.since(&mark) {
                self.groups.keep(stamp, text);
            }
        }
        self.cells = rest.iter();
    }

    #[inline(always)] // As `cell`.
    fn text(&mut self, value: Option<&str>) {
        if let (Some(line), Some(text)) = (self.cell(value.is_some()), value) {
            line.quoted(text);
        }
    }

    #[inline(always)] // As `cell`.
    fn int(&mut self, value: Option<i64>) {
        if let (Some(line), Some(number)) = (self.cell(value.is_some()), value) {
            line.number(number);
        }
    }

    #[inline(always)] // As `cell`.
    fn float(&mut self, value: Option<f64>) {
        let value = value.filter(|number| number.is_finite());
        if let (Some(line), Some(number)) = (self.cell(value.is_some()), value) {
            line.float(number);
        }
    }

    #[inline(always)] // As `cell`.
    fn boolean(&mut self, value: Option<bool>) {
        if let (Some(line), Some(truth)) = (self.cell(value.is_some()), value) {
            line.boolean(truth);
        }
    }

    fn ints(&mut self, value: Option<&[Option<i64>]>) {
        if let (Some(line), Some(numbers)) = (self.cell(value.is_some()), value) {
            list(numbers, line.finish());
        }
    }

    fn json(&mut self, value: Option<&str>) {
        if let (Some(line), Some(json)) = (self.cell(value.is_some()), value) {
            one_line(json, line.finish());
        }
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
        let mut keys = Keys::new(&FileAccess::table());
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
