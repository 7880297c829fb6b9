//! The netlogger form: one record a line, `KEY=value` in this order, blanks between.
//!
//! | #  | key       | value                                      |
//! |----|-----------|--------------------------------------------|
//! | 1  | `DATE`    | end, `YYYYMMDDhhmmss.ffffff`, UTC          |
//! | 2  | `HOST`    | the server's name                          |
//! | 3  | `PROG`    | `globus-gridftp-server`, once `wuftpd`     |
//! | 4  | `NL.EVNT` | `FTP_INFO`                                 |
//! | 5  | `START`   | begin, as `DATE`                           |
//! | 6  | `USER`    | local account                              |
//! | 7  | `FILE`    | the path, **neither quoted nor escaped**   |
//! | 8  | `BUFFER`  | TCP buffer, bytes                          |
//! | 9  | `BLOCK`   | bytes                                      |
//! | 10 | `NBYTES`  | bytes transferred                          |
//! | 11 | `VOLUME`  | text, mostly `/`                           |
//! | 12 | `STREAMS` | parallel TCP streams                       |
//! | 13 | `STRIPES` |                                            |
//! | 14 | `DEST`    | the peer, see `address`                    |
//! | 15 | `TYPE`    | `RETR`, `STOR`, `ERET`, ...                |
//! | 16 | `CODE`    | FTP reply                                  |
//! | 17 | `TASKID`  | newer servers only; `none`                 |
//! | 18 | `retrans` | only with parallel streams: numbers, `,`   |
//!
//! What users name (`USER`, `FILE`, `VOLUME`) may hold blanks and `=`. So the keys before `FILE` are
//! read from the left, and those behind it from the right: of several tails that fit, the last is the
//! real one. Records that are as usual, nearly all, do not come here: `canonical` reads them.

use memchr::{memchr, memmem};

/// Keys and values of one record, as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// All of them.
    pub record: &'a [u8],
    pub date: &'a [u8],
    pub host: &'a [u8],
    pub prog: &'a [u8],
    pub event: &'a [u8],
    pub start: &'a [u8],
    pub user: &'a [u8],
    pub file: &'a [u8],
    pub buffer: &'a [u8],
    pub block: &'a [u8],
    pub nbytes: &'a [u8],
    pub volume: &'a [u8],
    pub streams: &'a [u8],
    pub stripes: &'a [u8],
    pub dest: &'a [u8],
    pub operation: &'a [u8],
    pub code: &'a [u8],
    pub task: Option<&'a [u8]>,
    pub retrans: Option<&'a [u8]>,
    /// Further ` KEY=value` pairs.
    pub further: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Reads any record, from its `DATE=` to its end. `None` if it is not complete.
    pub fn tolerant(record: &'a [u8]) -> Option<Self> {
        let mut head = Rest(record.strip_prefix(b"DATE=")?);
        let mut fields = Self {
            record,
            date: head.up_to(b" HOST=")?,
            host: head.up_to(b" PROG=")?,
            prog: head.up_to(b" NL.EVNT=")?,
            event: head.up_to(b" START=")?,
            start: head.up_to(b" USER=")?,
            user: head.up_to(b" FILE=")?,
            ..Self::default()
        };
        let (middle, mut tail) = split_tail(head.0)?;
        fields.streams = tail.field(b" STREAMS=")?;
        fields.stripes = tail.field(b" STRIPES=")?;
        fields.dest = tail.field(b" DEST=")?;
        fields.operation = tail.field(b" TYPE=")?;
        fields.code = tail.field(b" CODE=")?;
        fields.task = tail.field(b" TASKID=");
        fields.retrans = tail.field(b" retrans=");
        fields.further = tail.0;
        let (file, mut sizes) = split_sizes(middle)?;
        fields.file = file;
        fields.buffer = sizes.field(b" BUFFER=")?;
        fields.block = sizes.field(b" BLOCK=")?;
        fields.nbytes = sizes.field(b" NBYTES=")?;
        fields.volume = sizes.0.strip_prefix(b" VOLUME=")?;
        Some(fields)
    }
}

/// What is still to be read.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// A value without a blank.
    #[inline(always)]
    fn field(&mut self, key: &[u8]) -> Option<&'a [u8]> {
        let value = self.0.strip_prefix(key)?;
        let (value, rest) = value.split_at_checked(blank(value))?;
        self.0 = rest;
        Some(value)
    }

    /// A value that goes on up to the next key.
    fn up_to(&mut self, key: &[u8]) -> Option<&'a [u8]> {
        let (value, rest) = self.0.split_at_checked(memmem::find(self.0, key)?)?;
        self.0 = rest.get(key.len()..)?;
        Some(value)
    }
}

/// Where the first blank is, or the end. Most values are short: 16 bytes are looked at without a call.
#[inline(always)]
fn blank(text: &[u8]) -> usize {
    let Some((first, rest)) = text.split_first_chunk::<8>() else { return short_blank(text) };
    let found = blanks(first);
    if found != 0 {
        return found.trailing_zeros() as usize / 8;
    }
    let Some((second, rest)) = rest.split_first_chunk::<8>() else { return 8 + short_blank(rest) };
    let found = blanks(second);
    if found != 0 {
        return 8 + found.trailing_zeros() as usize / 8;
    }
    16 + memchr(b' ', rest).unwrap_or(rest.len())
}

/// A bit for each blank; the lowest is right, those above it may not be.
#[inline(always)]
fn blanks(word: &[u8; 8]) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let differing = u64::from_le_bytes(*word) ^ (LOW * b' ' as u64);
    differing.wrapping_sub(LOW) & !differing & HIGH
}

#[inline(always)]
fn short_blank(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte == b' ').unwrap_or(text.len())
}

/// Splits before the last ` STREAMS=` from which keys go on to the end.
fn split_tail(text: &[u8]) -> Option<(&[u8], Rest<'_>)> {
    let pairs = pairs_begin(text);
    let mut before = text;
    while let Some(at) = memmem::rfind(before, b" STREAMS=") {
        let (head, tail) = text.split_at_checked(at)?;
        let mut rest = Rest(tail);
        let mut has = |key| rest.field(key).is_some();
        let all = has(b" STREAMS=")
            && has(b" STRIPES=")
            && has(b" DEST=")
            && has(b" TYPE=")
            && has(b" CODE=");
        if all && text.len() - rest.0.len() >= pairs {
            return Some((head, Rest(tail)));
        }
        before = head;
    }
    None
}

/// Where the ` KEY=value` pairs begin that go on to the end. Found once, so that many tails that do
/// not fit cost no more than one.
fn pairs_begin(text: &[u8]) -> usize {
    let mut begin = text.len();
    while let Some(at) = memchr::memrchr(b' ', text.get(..begin).unwrap_or_default()) {
        let pair = text.get(at + 1..begin).unwrap_or_default();
        let key = memchr(b'=', pair).and_then(|end| pair.get(..end)).unwrap_or_default();
        let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if key.is_empty() || !key.iter().all(is_key) {
            break;
        }
        begin = at;
    }
    begin
}

/// Splits before the last ` BUFFER=` that sizes follow: numbers if there is such a place, else
/// anything without blanks.
fn split_sizes(text: &[u8]) -> Option<(&[u8], Rest<'_>)> {
    let mut second_best = None;
    let mut before = text;
    while let Some(at) = memmem::rfind(before, b" BUFFER=") {
        let (head, tail) = text.split_at_checked(at)?;
        let mut rest = Rest(tail);
        let sizes = [b" BUFFER=".as_slice(), b" BLOCK=", b" NBYTES="].map(|key| rest.field(key));
        if sizes.iter().all(Option::is_some) && rest.0.starts_with(b" VOLUME=") {
            if sizes.iter().flatten().all(|size| super::time::number(size).is_some()) {
                return Some((head, Rest(tail)));
            }
            second_best.get_or_insert((head, Rest(tail)));
        }
        before = head;
    }
    second_best
}

/// Each further pair: key and value.
pub fn pairs(further: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    further.split(|byte| *byte == b' ').filter_map(|pair| {
        let (key, value) = pair.split_at_checked(memchr(b'=', pair)?)?;
        Some((key, value.get(1..)?))
    })
}

/// Where the next record begins, at or behind `from`: `DATE=`, 14 digits, perhaps a fraction, and
/// the next key. Less would make a record of a file that is called so.
pub fn next_record(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memmem::find(text.get(at..)?, b"DATE=")?;
        if begins_record(text.get(at..)?) {
            return Some(at);
        }
        at += 1;
    }
}

/// Longest text that [`next_record`] has to see.
pub const LONGEST_MARK: usize = 64;

fn begins_record(text: &[u8]) -> bool {
    let Some(time) = text.get(5..LONGEST_MARK.min(text.len())) else { return false };
    let length = blank(time);
    let (stamp, rest) = time.split_at_checked(length).unwrap_or_default();
    let Some((whole, fraction)) = stamp.split_first_chunk::<14>() else { return false };
    let fraction = fraction.strip_prefix(b".").unwrap_or(fraction);
    whole.iter().chain(fraction).all(u8::is_ascii_digit) && rest.starts_with(b" HOST=")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "DATE=20240312082208.000000 HOST=dtn1.example.net PROG=globus-gridftp-server \
                        NL.EVNT=FTP_INFO START=20240312082200.000000 USER=alice FILE=";
    const TAIL: &str = " BUFFER=4194304 BLOCK=262144 NBYTES=1000000000 VOLUME=/ STREAMS=2 STRIPES=1 \
                        DEST=[203.0.113.25] TYPE=RETR CODE=226";

    fn record(file: &str, further: &str) -> String {
        format!("{HEAD}{file}{TAIL}{further}")
    }

    fn file(record: &str) -> Option<&str> {
        Fields::tolerant(record.as_bytes()).and_then(|fields| str::from_utf8(fields.file).ok())
    }

    #[test]
    fn anything_may_be_in_a_path() {
        let fake_tail = format!("/a{TAIL} TASKID=none");
        for path in
            ["/run 07/final data.nc", "/k=v BUFFER=1 BLOCK=2 x.dat", &fake_tail, "", " ", "\t"]
        {
            let text = record(path, " TASKID=none retrans=1,0");
            assert_eq!(file(&text), Some(path));
        }
    }

    #[test]
    fn users_and_volumes_may_hold_blanks() {
        let text = record("/a b", "").replace("VOLUME=/", "VOLUME=/a BUFFER=1 STREAMS=9 b");
        let text = text.replace("USER=alice", "USER=al ice");
        let fields = Fields::tolerant(text.as_bytes()).expect("a record");
        assert_eq!(fields.volume, b"/a BUFFER=1 STREAMS=9 b");
        assert_eq!((fields.user, fields.file), (b"al ice".as_slice(), b"/a b".as_slice()));
    }

    #[test]
    fn further_keys_are_kept() {
        let text = record("/a", " TASKID=t retrans=1 color=blue x.y=1=2");
        let fields = Fields::tolerant(text.as_bytes()).expect("a record");
        let further: Vec<_> = pairs(fields.further).collect();
        assert_eq!(further, [(b"color".as_slice(), b"blue".as_slice()), (b"x.y", b"1=2")]);
    }

    #[test]
    fn sizes_that_are_no_numbers() {
        let text = record("/a b", "").replace("NBYTES=1000000000", "NBYTES=-1");
        assert_eq!(Fields::tolerant(text.as_bytes()).expect("a record").nbytes, b"-1");
    }

    #[test]
    fn no_prefix_is_a_record() {
        let text = record("/proj/run 07", "");
        for end in 0..text.len() - 3 {
            let cut = &text.as_bytes()[..end];
            // Up to here nothing tells that the code has more digits.
            assert!(end >= text.len() - 3 || Fields::tolerant(cut).is_none(), "{end}");
        }
    }

    #[test]
    fn where_records_begin() {
        let text = record("/a", "");
        assert_eq!(next_record(text.as_bytes(), 0), Some(0));
        assert_eq!(next_record(format!("x{text}").as_bytes(), 0), Some(1));
        assert_eq!(next_record(text.as_bytes(), 1), None);
        for no in
            ["DATE=", "DATE=2024031208220x.0 HOST=", "DATE=20240312082208.000000", "/DATE=1.nc"]
        {
            assert_eq!(next_record(no.as_bytes(), 0), None, "{no}");
        }
    }

    #[test]
    fn many_false_tails_cost_little() {
        let tails = " STREAMS=1 STRIPES=1 DEST=x TYPE=y CODE=1 BUFFER=1 BLOCK=2 NBYTES=3 VOLUME=z";
        let text = format!("{HEAD}{}", tails.repeat(13_000));
        assert!(Fields::tolerant(text.as_bytes()).is_some());
        let broken = text + " .";
        assert!(Fields::tolerant(broken.as_bytes()).is_none());
    }
}
