//! Tables for people: the columns that say most, sizes and times in words.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use std::io::{self, Write};

use super::date::civil;
use crate::access::record::{Column, Record, Visitor};
use crate::columns::Target;
use crate::reading::What;

/// Rows laid out together: widths are chosen once for so many.
const ROWS: usize = 2000;

/// How a cell is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Number,
    Bytes,
    /// Bits per second.
    BitRate,
    Time,
}

/// Heading, column and style of what is shown.
pub type Shown = (&'static str, &'static str, Style);

pub fn layout(what: What) -> &'static [Shown] {
    use Style::{Bytes, Number, Plain, Time};
    match what {
        What::Packets => &[
            ("#", "number", Number),
            ("time", "received_at", Time),
            ("from", "server_address", Plain),
            ("code", "code", Plain),
            ("seq", "sequence", Number),
            ("bytes", "length_bytes", Number),
            ("records", "records", Number),
            ("dictid", "dictid", Number),
            ("text", "text", Plain),
            ("faults", "faults", Plain),
        ],
        What::Accesses => &[
            ("opened", "opened_at", Time),
            ("server", "server_host", Plain),
            ("user", "user_name", Plain),
            ("client", "user_host", Plain),
            ("path", "path", Plain),
            ("mode", "mode", Plain),
            ("read", "read_bytes", Bytes),
            ("readv", "readv_bytes", Bytes),
            ("written", "write_bytes", Bytes),
            ("end", "close_reason", Plain),
        ],
        What::Sessions => &[
            ("began", "started_at", Time),
            ("ended", "ended_at", Time),
            ("server", "server_host", Plain),
            ("user", "user_name", Plain),
            ("client", "user_host", Plain),
            ("protocol", "user_protocol", Plain),
            ("files", "files", Number),
            ("read", "read_bytes", Bytes),
            ("readv", "readv_bytes", Bytes),
            ("written", "write_bytes", Bytes),
            ("end", "end_reason", Plain),
        ],
        What::Redirects => &[
            ("time", "window_start", Time),
            ("server", "server_host", Plain),
            ("user", "user_name", Plain),
            ("operation", "operation", Plain),
            ("by", "kind", Plain),
            ("target", "target_host", Plain),
            ("path", "path", Plain),
        ],
        What::Io => &[
            ("time", "at", Time),
            ("server", "server_host", Plain),
            ("user", "user_name", Plain),
            ("operation", "operation", Plain),
            ("offset", "offset_bytes", Number),
            ("length", "length_bytes", Bytes),
            ("path", "path", Plain),
        ],
        What::Plugins => &[
            ("time", "window_end", Time),
            ("server", "server_host", Plain),
            ("provider", "provider_name", Plain),
            ("event", "event", Plain),
            ("path", "path", Plain),
            ("data", "data", Plain),
            ("raw", "raw", Plain),
        ],
        What::Servers => &[
            ("started", "server_started_at", Time),
            ("address", "server_address", Plain),
            ("host", "server_host", Plain),
            ("port", "server_port", Number),
            ("instance", "server_instance", Plain),
            ("program", "server_program", Plain),
            ("version", "server_version", Plain),
            ("site", "server_site", Plain),
            ("id", "server_id", Number),
        ],
        What::Summaries => &[
            ("time", "reported_at", Time),
            ("host", "server_host", Plain),
            ("port", "server_port", Number),
            ("program", "server_program", Plain),
            ("version", "server_version", Plain),
            ("site", "server_site", Plain),
            ("counters", "stats", Plain),
        ],
    }
}

/// What is shown of a transfer.
pub const TRANSFERS: &[Shown] = &[
    ("began", "started_at", Style::Time),
    ("host", "host", Style::Plain),
    ("user", "user", Style::Plain),
    ("peer", "remote_address", Style::Plain),
    ("operation", "operation", Style::Plain),
    ("code", "code", Style::Number),
    ("path", "path", Style::Plain),
    ("size", "transferred_bytes", Style::Bytes),
    ("streams", "streams", Style::Number),
    ("rate", "throughput_bps", Style::BitRate),
];

/// Writes records of one kind.
pub struct Rows<W> {
    out: W,
    width: Option<u16>,
    /// For each column of the record, where it is shown and how.
    places: Vec<Option<(usize, Style)>>,
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    row: Vec<String>,
    at: usize,
    error: Option<io::Error>,
}

impl<W: Write> Rows<W> {
    /// `width` is the terminal's, in characters.
    pub fn new(shown: &[Shown], columns: &[Column], width: Option<u16>, out: W) -> Self {
        let place = |column: &Column| {
            let at = shown.iter().position(|(_, name, _)| *name == column.name)?;
            shown.get(at).map(|(_, _, style)| (at, *style))
        };
        Self {
            out,
            width,
            places: columns.iter().map(place).collect(),
            headings: shown.iter().map(|(heading, _, _)| *heading).collect(),
            rows: Vec::new(),
            row: Vec::new(),
            at: 0,
            error: None,
        }
    }

    /// The first error since the last look.
    pub fn check(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// Prints the rows so far.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.rows.is_empty() {
            return self.out.flush();
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(&self.headings);
        match self.width {
            Some(width) => {
                table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            }
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        let mut aligned = vec![CellAlignment::Left; self.headings.len()];
        for (at, style) in self.places.iter().flatten() {
            if let Some(slot) = aligned.get_mut(*at)
                && matches!(style, Style::Number | Style::Bytes | Style::BitRate)
            {
                *slot = CellAlignment::Right;
            }
        }
        for row in self.rows.drain(..) {
            let cells = row.into_iter().zip(&aligned);
            table.add_row(cells.map(|(text, side)| Cell::new(text).set_alignment(*side)));
        }
        writeln!(self.out, "{}", table.trim_fmt())?;
        self.out.flush()
    }

    fn show(&mut self, text: impl FnOnce(Style) -> String) {
        let place = self.places.get(self.at).copied().flatten();
        self.at += 1;
        if let Some((at, style)) = place
            && let Some(cell) = self.row.get_mut(at)
        {
            *cell = text(style);
        }
    }
}

impl<W: Write> Target for Rows<W> {
    fn push(&mut self, record: &impl Record) {
        self.at = 0;
        self.row = vec!["-".to_owned(); self.headings.len()];
        record.visit(self);
        self.rows.push(std::mem::take(&mut self.row));
        if self.rows.len() >= ROWS
            && let Err(error) = self.flush()
        {
            self.error.get_or_insert(error);
        }
    }
}

/// What moves the cursor, breaks the line, or turns the direction of the text behind it.
fn is_unruly(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}')
}

/// A path must not play tricks on the terminal of whoever looks at it.
fn tame(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut out: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if is_unruly(c) { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

impl<W: Write> Visitor for Rows<W> {
    fn text(&mut self, value: Option<&str>) {
        match value {
            Some(text) => self.show(|_| tame(text)),
            None => self.at += 1,
        }
    }

    fn int(&mut self, value: Option<i64>) {
        match value {
            Some(number) => self.show(|style| match style {
                Style::Bytes => bytes(number),
                Style::Time => time(number as f64),
                _ => number.to_string(),
            }),
            None => self.at += 1,
        }
    }

    fn float(&mut self, value: Option<f64>) {
        match value {
            Some(number) => self.show(|style| match style {
                Style::Time => time(number),
                Style::BitRate => scaled(number, &BIT_RATES),
                _ => format!("{number:.3}"),
            }),
            None => self.at += 1,
        }
    }

    fn boolean(&mut self, value: Option<bool>) {
        match value {
            Some(truth) => self.show(|_| if truth { "yes" } else { "no" }.to_owned()),
            None => self.at += 1,
        }
    }

    fn ints(&mut self, value: Option<&[Option<i64>]>) {
        let mut text = Vec::new();
        if let Some(numbers) = value {
            super::json::list(numbers, &mut text);
        }
        self.text(value.and(str::from_utf8(&text).ok()));
    }

    fn json(&mut self, value: Option<&str>) {
        self.text(value);
    }
}

const BIT_RATES: [&str; 5] = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];

/// Bytes in decimal units, three digits.
fn bytes(count: i64) -> String {
    if count.unsigned_abs() < 1000 {
        return format!("{count} B");
    }
    scaled(count as f64, &["B", "kB", "MB", "GB", "TB", "PB", "EB"])
}

/// A number in the first unit that makes it less than a thousand, three digits.
fn scaled(mut value: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while value.abs() >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = if value.abs() < 9.995 { 2 } else { usize::from(value.abs() < 99.95) };
    format!("{value:.digits$} {}", units.get(unit).unwrap_or(&""))
}

/// UTC, to the second.
fn time(seconds: f64) -> String {
    let whole = seconds.floor() as i64;
    let (days, second) = (whole.div_euclid(86_400), whole.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_read_well() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_000), "1.00 kB");
        assert_eq!(bytes(999_499), "999 kB");
        assert_eq!(bytes(999_500), "1.00 MB");
        assert_eq!(bytes(1_234_567_890_123), "1.23 TB");
        assert_eq!(scaled(2e9, &BIT_RATES), "2.00 Gbit/s");
        assert_eq!(time(1_700_000_000.9), "2023-11-14 22:13:20");
        assert_eq!(time(951_782_400.0), "2000-02-29 00:00:00");
    }

    #[test]
    fn every_column_shown_exists() {
        for (_, what) in What::ALL {
            let columns = what.columns();
            for (_, name, _) in layout(*what) {
                assert!(columns.iter().any(|column| column.name == *name), "{name}");
            }
        }
    }

    #[test]
    fn hostile_names_do_not_reach_the_terminal() {
        assert_eq!(tame("/a\x1b[2J"), "/a\u{fffd}[2J");
        assert_eq!(tame("/\u{9b}2J\u{202e}gpj.exe"), "/\u{fffd}2J\u{fffd}gpj.exe");
        assert_eq!(tame("/ünïcödé 😀"), "/ünïcödé 😀");
    }
}
