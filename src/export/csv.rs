//! CSV: a header line, then one line a record. What is not known is an empty field.

use std::io::Write;

use crate::access::record::{Column, Record, Visitor};
use crate::columns::Target;

/// The sink's own error, so that a broken pipe is still one.
fn cause(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

/// Writes records of one kind.
pub struct Table<W: Write> {
    writer: csv::Writer<W>,
    error: Option<csv::Error>,
}

impl<W: Write> Table<W> {
    pub fn new(columns: &[Column], sink: W) -> Self {
        let mut writer = csv::Writer::from_writer(sink);
        let error = writer.write_record(columns.iter().map(|column| column.name)).err();
        Self { writer, error }
    }

    /// The first error since the last look.
    pub fn check(&mut self) -> std::io::Result<()> {
        self.error.take().map_or(Ok(()), |error| Err(cause(error)))
    }

    /// Hands everything written so far to the sink, and the first error since.
    pub fn flush(&mut self) -> std::io::Result<()> {
        match self.error.take() {
            Some(error) => Err(cause(error)),
            None => self.writer.flush(),
        }
    }

    fn keep(&mut self, write: impl FnOnce(&mut csv::Writer<W>) -> csv::Result<()>) {
        if let Err(error) = write(&mut self.writer) {
            self.error.get_or_insert(error);
        }
    }

    fn field(&mut self, bytes: &[u8]) {
        self.keep(|writer| writer.write_field(bytes));
    }
}

impl<W: Write> Target for Table<W> {
    fn push(&mut self, record: &impl Record) {
        record.visit(self);
        self.keep(|writer| writer.write_record(None::<&[u8]>));
    }
}

impl<W: Write> Visitor for Table<W> {
    fn text(&mut self, value: Option<&str>) {
        self.field(value.unwrap_or_default().as_bytes());
    }

    fn int(&mut self, value: Option<i64>) {
        match value {
            Some(number) => self.field(itoa::Buffer::new().format(number).as_bytes()),
            None => self.field(b""),
        }
    }

    fn float(&mut self, value: Option<f64>) {
        match value.filter(|number| number.is_finite()) {
            Some(number) => self.field(zmij::Buffer::new().format_finite(number).as_bytes()),
            None => self.field(b""),
        }
    }

    fn boolean(&mut self, value: Option<bool>) {
        self.field(match value {
            Some(true) => b"true",
            Some(false) => b"false",
            None => b"",
        });
    }

    fn ints(&mut self, value: Option<&[Option<i64>]>) {
        let mut text = Vec::new();
        if let Some(numbers) = value {
            super::json::list(numbers, &mut text);
        }
        self.field(&text);
    }

    fn json(&mut self, value: Option<&str>) {
        self.text(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::record::Redirect;

    #[test]
    fn fields_that_need_quotes_get_them() {
        let mut out = Vec::new();
        let mut table = Table::new(&Redirect::table(), &mut out);
        table.push(&Redirect {
            path: Some("/a,\"b\"\n"),
            local: Some(true),
            ..Redirect::default()
        });
        table.flush().expect("memory");
        drop(table);
        let mut reader = csv::Reader::from_reader(&out[..]);
        let header = reader.headers().expect("header").clone();
        let row = reader.records().next().expect("a row").expect("CSV");
        let field = |name| &row[header.iter().position(|column| column == name).expect("column")];
        assert_eq!((field("path"), field("local"), field("user_name")), ("/a,\"b\"\n", "true", ""));
    }
}
