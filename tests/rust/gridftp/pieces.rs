//! What comes out does not depend on how a log is cut into pieces.

use proptest::prelude::*;

use crate::log::{read, scan, scan_pieces};

/// Lines of every kind, whole and damaged.
fn log() -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<Vec<u8>> = ["samples-netlogger.log", "samples-json.log", "two-server.log"]
        .iter()
        .flat_map(|name| {
            read(name).split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()
        })
        .collect();
    let line = proptest::sample::select(lines).prop_flat_map(|line| {
        let length = line.len();
        prop_oneof![
            3 => Just(line.clone()),
            1 => (0..=length).prop_map(move |end| line[..end].to_vec()),
        ]
    });
    let noise = proptest::collection::vec(any::<u8>(), 0..40);
    let end = prop_oneof![6 => Just("\n"), 1 => Just("\r\n"), 1 => Just(""), 1 => Just("\n\n")];
    let part = (prop_oneof![6 => line, 1 => noise], end)
        .prop_map(|(line, end)| [&line[..], end.as_bytes()].concat());
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn pieces_make_no_difference(log in log(), sizes in proptest::collection::vec(1usize..300, 1..20)) {
        let whole = scan(&log);
        let mut pieces = Vec::new();
        let mut rest = &log[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() { break }
            let (piece, behind) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        let found = scan_pieces(pieces);
        prop_assert_eq!(found.transfers, whole.transfers);
        prop_assert_eq!(found.faults, whole.faults);
    }
}

#[test]
fn single_bytes_make_no_difference() {
    for name in ["samples-netlogger.log", "samples-json.log", "syslog.txt"] {
        let log = read(name);
        let found = scan_pieces(log.chunks(1));
        let whole = scan(&log);
        assert_eq!((found.transfers, found.faults), (whole.transfers, whole.faults));
    }
}
