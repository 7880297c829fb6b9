//! The one-pass reading of usual lines and the careful reading of all lines say the same.
//!
//! What comes in single bytes is gathered, and what is gathered is read with care: that reading is
//! what the other is held to.

use gridtap::gridftp::Scanner;
use proptest::prelude::*;

use crate::log::{Found, read, scan_pieces};

/// Everything that a scan says.
#[derive(Debug, PartialEq)]
struct Said {
    transfers: Vec<serde_json::Value>,
    faults: Vec<gridtap::gridftp::LogFault>,
    consumed: u64,
    line: u64,
    other_lines: u64,
}

fn said(log: &[u8], piece: usize) -> Said {
    let mut scanner = Scanner::new(Some("a.log"));
    let mut found = Found::default();
    for piece in log.chunks(piece) {
        scanner.push(piece, &mut found);
    }
    scanner.finish(&mut found);
    let Found { transfers, faults, .. } = found;
    let (consumed, line, other_lines) = (scanner.consumed(), scanner.line(), scanner.other_lines());
    Said { transfers, faults, consumed, line, other_lines }
}

fn careful(log: &[u8]) -> Said {
    said(log, 1)
}

/// A value of each field: what is usual, and what only looks like it.
fn time() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "2024031[0-9]0[0-9][0-5][0-9][0-5][0-9]\\.[0-9]{6}",
        1 => "[0-9]{14}\\.[0-9]{6}",
        1 => "2024031208[0-7][0-9][0-7][0-9]\\.?[0-9]{0,8}",
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[0-9]{1,4}",
        4 => "[1-9][0-9]{4,11}",
        1 => "[0-9]{12,20}",
        1 => "-1|1\\.0|0x1|| |1e3|٣|1 2",
    ]
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-zA-Z0-9/._-]{0,20}",
        1 => "/[a-z/]{60,140}",
        1 => "[a-z =]{0,12}",
        1 => "\\PC{0,12}",
        1 => "[\\x00-\\x7f]{0,6}",
    ]
}

fn peer() -> impl Strategy<Value = String> {
    let part = prop_oneof![4 => (0u16..256).prop_map(|part| part.to_string()), 1 => "[0-9]{0,4}"];
    prop_oneof![
        4 => proptest::collection::vec(part, 4).prop_map(|parts| format!("[{}]", parts.join("."))),
        2 => any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
        1 => "\\[?(0\\.0\\.0\\.0|::|2001:DB8::7|::ffff:1\\.2\\.3\\.4|dtn1|fe80::1%eth0)\\]?",
        1 => "\\[1\\.2\\.3\\.4\\](,\\[1\\.2\\.3\\.5\\])?\\]?",
        1 => "[\\[\\]0-9.,:]{0,18}",
    ]
}

fn counts() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[0-9]{1,3}(,[0-9]{1,3}){0,20}",
        1 => "-?[0-9]{1,5}(,-?[0-9]{1,5}){0,8},?",
        2 => "(-1|[0-9]{1,6})(,(-1|[0-9]{1,6})){0,8}",
        1 => "[0-9,x]{0,8}",
    ]
}

/// A line with all keys in their order.
fn line() -> impl Strategy<Value = String> {
    let server = prop_oneof![
        3 => Just(" HOST=dtn1.example.net PROG=globus-gridftp-server NL.EVNT=FTP_INFO".to_owned()),
        1 => (word(), word(), word()).prop_map(|(h, p, e)| format!(" HOST={h} PROG={p} NL.EVNT={e}")),
    ];
    let sizes = prop_oneof![
        3 => Just(" BUFFER=4194304 BLOCK=262144".to_owned()),
        1 => (number(), number()).prop_map(|(a, b)| format!(" BUFFER={a} BLOCK={b}")),
    ];
    let head = (time(), server, time(), word(), word());
    let tail = (number(), word(), number(), number(), peer(), word(), number());
    let task = prop_oneof![2 => Just(" TASKID=none".to_owned()), 1 => Just(String::new()),
        1 => word().prop_map(|task| format!(" TASKID={task}"))];
    let retrans = prop_oneof![1 => Just(String::new()),
        2 => counts().prop_map(|counts| format!(" retrans={counts}"))];
    let end = prop_oneof![8 => Just("\n"), 1 => Just("\r\n"), 1 => Just(" \n"), 1 => Just("")];
    (head, sizes, tail, task, retrans, end).prop_map(|(head, sizes, tail, task, retrans, end)| {
        let (date, server, start, user, file) = head;
        let (size, volume, streams, stripes, dest, kind, code) = tail;
        format!(
            "DATE={date}{server} START={start} USER={user} FILE={file}{sizes} NBYTES={size} \
             VOLUME={volume} STREAMS={streams} STRIPES={stripes} DEST={dest} TYPE={kind} \
             CODE={code}{task}{retrans}{end}"
        )
    })
}

/// What happens to lines.
#[derive(Clone, Debug)]
enum Damage {
    Replace(u8),
    Insert(u8),
    Remove(usize),
    /// The field there once more.
    Double,
    /// The field there behind the one after it.
    Swap,
}

fn damage() -> impl Strategy<Value = Damage> {
    let byte =
        || prop_oneof![any::<u8>(), proptest::sample::select(&b" =\t\r\n.,[]0919aD\x7f\xc3"[..])];
    prop_oneof![
        byte().prop_map(Damage::Replace),
        byte().prop_map(Damage::Insert),
        (1usize..40).prop_map(Damage::Remove),
        Just(Damage::Double),
        Just(Damage::Swap),
    ]
}

fn damaged(log: &mut Vec<u8>, at: usize, damage: &Damage) {
    if log.is_empty() {
        return;
    }
    let at = at % log.len();
    let blank =
        |from: usize| log[from..].iter().position(|byte| *byte == b' ').map(|gap| from + gap);
    match damage {
        Damage::Replace(byte) => log[at] = *byte,
        Damage::Insert(byte) => log.insert(at, *byte),
        Damage::Remove(count) => drop(log.drain(at..(at + count).min(log.len()))),
        Damage::Double => {
            if let Some(begin) = blank(at)
                && let Some(end) = blank(begin + 1)
            {
                let field = log[begin..end].to_vec();
                log.splice(end..end, field);
            }
        }
        Damage::Swap => {
            if let Some(begin) = blank(at)
                && let Some(middle) = blank(begin + 1)
                && let Some(end) = blank(middle + 1)
            {
                log[begin..end].rotate_left(middle - begin);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn lines_of_all_values(lines in proptest::collection::vec(line(), 1..8)) {
        let log = lines.concat();
        prop_assert_eq!(said(log.as_bytes(), usize::MAX), careful(log.as_bytes()));
    }

    #[test]
    fn damaged_lines(
        lines in proptest::collection::vec(line(), 1..5),
        damages in proptest::collection::vec((any::<usize>(), damage()), 1..6),
        piece in 1usize..2000,
    ) {
        let mut log = lines.concat().into_bytes();
        for (at, damage) in &damages {
            damaged(&mut log, *at, damage);
        }
        let expected = careful(&log);
        prop_assert_eq!(&said(&log, usize::MAX), &expected);
        prop_assert_eq!(&said(&log, piece), &expected);
    }

    #[test]
    fn damaged_lines_of_real_servers(
        from in 0usize..30,
        damages in proptest::collection::vec((any::<usize>(), damage()), 1..4),
    ) {
        let log = read("one-transfer.log");
        let mut log = log.split_inclusive(|byte| *byte == b'\n').skip(from).take(5).collect::<Vec<_>>().concat();
        for (at, damage) in &damages {
            damaged(&mut log, *at, damage);
        }
        prop_assert_eq!(said(&log, usize::MAX), careful(&log));
    }
}

#[test]
fn real_logs() {
    for name in ["one-transfer.log", "two-transfer.log", "samples-netlogger.log"] {
        let log = read(name);
        assert_eq!(said(&log, usize::MAX), careful(&log), "{name}");
    }
}

#[test]
fn every_byte_of_a_usual_line_counts() {
    let log = read("one-transfer.log");
    let log = log.split_inclusive(|byte| *byte == b'\n').nth(3).expect("a line").repeat(3);
    for at in 0..log.len() {
        for byte in
            [b'\0', b'\t', b'\n', b'\r', b' ', b',', b'.', b'0', b'9', b':', b'=', b'A', b']', 0xff]
        {
            let mut log = log.clone();
            log[at] = byte;
            assert_eq!(said(&log, usize::MAX), careful(&log), "{at} {byte}");
        }
    }
}

#[test]
fn lines_longer_than_what_is_looked_at_at_once() {
    let log = String::from_utf8(read("samples-netlogger.log")).expect("UTF-8");
    let first = log.lines().next().expect("a sample");
    for length in [50, 63, 64, 65, 200, 4_000, 33_000, 70_000] {
        let long = first.replace("/proj/climate/run07.nc", &"/long".repeat(length / 5));
        let log = format!("{first}\n{long}\n{first}\n").repeat(3);
        let found = scan_pieces([log.as_bytes()]);
        assert_eq!((found.transfers.len(), found.faults.len()), (9, 0), "{length}");
        assert_eq!(said(log.as_bytes(), usize::MAX), careful(log.as_bytes()), "{length}");
    }
}
