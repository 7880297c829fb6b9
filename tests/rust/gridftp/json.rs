//! The JSON form and its hazards.

use gridtap::error::FaultKind;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::log::{Found, read, scan};

/// Lines 1 to 10 of the samples.
fn line(number: usize) -> String {
    let log = String::from_utf8(read("samples-json.log")).expect("UTF-8");
    log.lines().nth(number - 1).expect("a sample").to_owned()
}

fn sample(number: usize) -> Value {
    let found = scan((line(number) + "\n").as_bytes());
    assert_eq!((found.transfers.len(), &*found.faults), (1, &[][..]));
    found.transfers[0].clone()
}

/// A record of which one value is replaced.
fn with(from: &str, to: &str) -> Found {
    let text = line(2);
    assert!(text.contains(from), "{from}");
    scan((text.replace(from, to) + "\n").as_bytes())
}

#[test]
fn j1_other_events_are_no_transfers() {
    let found = scan((line(1) + "\n").as_bytes());
    assert_eq!((found.transfers.len(), found.faults.len()), (0, 0));
}

#[test]
fn j2_every_field() {
    let expected = json!({
        "started_at": 1710231310.25, "ended_at": 1710231330.25, "operation": "RETR", "code": 226,
        "host": "198.51.100.10", "remote_address": "203.0.113.25",
        "path": "/proj/climate/run07.nc", "path_raw": null, "transferred_bytes": 5000000000u64,
        "streams": 2, "stripes": 1, "tcp_buffer_bytes": 4194304, "block_bytes": 262144,
        "user": "alice", "volume": "/proj", "program": "globus-gridftp-server",
        "event": "Transfer-End", "task_id": "t-1001", "retransmits": [12, 3],
        "iostat": {"dev": "sdb", "tps": 310.5, "blk_read_s": 41200.0, "blk_wrtn_s": 12.0},
        "mpstat": {"usr": 3.1, "nice": 0.0, "sys": 9.4, "iowait": 1.2, "irq": 0.0, "soft": 2.2,
                   "steal": 0.0, "quest": 0.0, "idle": 84.1},
        "rusage": {"ru_utime": 1.9, "ru_stime": 6.2, "ru_maxrss": 18240},
        "tcp_info": [
            {"stripe": 0, "stream": 0,
             "TCPinfo": {"rtt": 45000, "rttvar": 500, "snd_cwnd": 512, "total_retrans": 12}},
            {"stripe": 0, "stream": 1,
             "TCPinfo": {"rtt": 45100, "rttvar": 480, "snd_cwnd": 498, "total_retrans": 3}},
        ],
        "extra": null, "throughput_bps": 2e9, "log_file": null, "log_line": 1,
        "log_offset_bytes": 0,
    });
    assert_eq!(sample(2), expected);
}

#[test]
fn j3_stripes_and_times_as_numbers() {
    let record = sample(3);
    assert_eq!((&record["started_at"], &record["stripes"]), (&json!(1710231400.5), &json!(2)));
    assert_eq!(record["retransmits"], json!([0, 4]));
    assert_eq!(record["throughput_bps"], 1.6e9);
}

#[test]
fn j4_failure_without_statistics() {
    let record = sample(4);
    assert_eq!(record["code"], 426);
    assert!(record["volume"].is_null() && record["iostat"].is_null());
}

#[test]
fn j5_no_streams_and_no_time() {
    let record = sample(5);
    assert_eq!((&record["retransmits"], &record["tcp_info"]), (&json!([]), &json!([])));
    assert!(record["throughput_bps"].is_null() && record["stripes"].is_null());
    assert_eq!(record["remote_address"], "2001:db8:25::7");
}

#[test]
fn j6_what_is_missing_is_null() {
    let record = sample(6);
    for key in ["user", "path", "program", "tcp_buffer_bytes", "retransmits", "tcp_info"] {
        assert!(record[key].is_null(), "{key}");
    }
    assert_eq!(record["host"], "dtn1.example.net");
}

#[test]
fn j7_sizes_as_text() {
    let record = sample(7);
    assert_eq!(
        (&record["transferred_bytes"], &record["throughput_bps"]),
        (&json!(1000), &json!(8e3))
    );
}

#[test]
fn j8_and_j9_listings_and_streams_without_counts() {
    assert_eq!(sample(8)["operation"], "LIST");
    assert_eq!(sample(9)["retransmits"], json!([]));
}

#[test]
fn j10_escapes() {
    assert_eq!(sample(10)["path"], "/proj/Müller data/run 1.nc");
}

#[test]
fn j11_json_that_is_no_object() {
    let found = scan(format!("[\"a\"]\n{}\n", line(2)).as_bytes());
    assert_eq!(found.kinds(), [(FaultKind::NotARecord, 1)]);
    assert_eq!(found.transfers.len(), 1);
}

#[test]
fn j12_carriage_returns() {
    let found = scan((line(2) + "\r\n").as_bytes());
    assert_eq!(found.transfers[0], sample(2));
}

#[test]
fn j13_a_last_line_without_its_end() {
    let found = scan(&line(2).as_bytes()[..100]);
    assert_eq!((found.transfers.len(), found.kinds()), (0, vec![(FaultKind::UnfinishedLine, 1)]));
}

#[test]
fn every_cut_line_is_one_fault_and_the_next_is_read() {
    let (text, next) = (line(2), line(4));
    for end in 2..text.len() {
        for between in ["\n", ""] {
            let found = scan(format!("{}{between}{next}\n", &text[..end]).as_bytes());
            assert_eq!(found.transfers.len(), 1, "{end}");
            assert_eq!(found.transfers[0]["path"], "/incoming/part.tar");
            let kinds: Vec<_> = found.faults.iter().map(|fault| fault.kind).collect();
            assert_eq!(kinds, [FaultKind::BadJson], "{end}");
        }
    }
}

#[test]
fn several_objects_on_a_line() {
    let found = scan(format!("{} {},{}\n", line(2), line(3), line(4)).as_bytes());
    assert_eq!((found.transfers.len(), found.faults.len()), (3, 0));
}

#[test]
fn impossible_values_cost_only_themselves() {
    for (from, to, kind, key) in [
        ("\"1710231310.250000\"", "\"soon\"", FaultKind::BadTime, "start_timestamp"),
        ("\"1710231310.250000\"", "-5", FaultKind::BadTime, "start_timestamp"),
        ("\"1710231310.250000\"", "1e300", FaultKind::BadTime, "start_timestamp"),
        ("5000000000", "-1", FaultKind::BadNumber, "nbytes"),
        ("5000000000", "1.5", FaultKind::BadNumber, "nbytes"),
        ("5000000000", "true", FaultKind::BadNumber, "nbytes"),
        ("203.0.113.25", "client", FaultKind::BadAddress, "dest"),
    ] {
        let found = with(from, to);
        assert_eq!(found.kinds(), [(kind, 1)], "{to}");
        assert_eq!(found.transfers[0]["extra"][key], to.trim_matches('"'));
        assert_eq!(found.transfers[0]["path"], "/proj/climate/run07.nc");
    }
}

#[test]
fn values_of_other_kinds_are_kept() {
    let found = with("\"user\": \"alice\"", "\"user\": [1, {\"a\": null}], \"new\": 7");
    let record = &found.transfers[0];
    assert!(record["user"].is_null());
    assert_eq!(record["extra"], json!({"user": "[1,{\"a\":null}]", "new": "7"}));
    assert_eq!(
        with("5000000000", "5000000000.0").transfers[0]["transferred_bytes"],
        5_000_000_000u64
    );
    assert_eq!(with("5000000000", "NaN").transfers[0]["transferred_bytes"], json!(null));
    assert_eq!(with("\"alice\"", "1000").transfers[0]["user"], "1000");
}

#[test]
fn bytes_that_are_not_utf8() {
    let text = line(2).into_bytes();
    let at = text.windows(7).position(|part| part == b"climate").expect("a path");
    let log = [&text[..at], b"\xff", &text[at..], b"\n"].concat();
    let found = scan(&log);
    assert_eq!(found.kinds(), [(FaultKind::BadEncoding, 1)]);
    assert_eq!(found.transfers[0]["path"], "/proj/\u{fffd}climate/run07.nc");
    assert!(found.transfers[0]["path_raw"].is_string());
}

#[test]
fn both_forms_may_stand_in_one_log() {
    let netlogger = String::from_utf8(read("samples-netlogger.log")).expect("UTF-8");
    let first = netlogger.lines().next().expect("a sample");
    let found = scan(format!("{first}\n{}\n{first}\n", line(2)).as_bytes());
    assert_eq!((found.transfers.len(), found.faults.len()), (3, 0));
}

/// What a scan says, but for where.
fn facts(found: Found) -> (Vec<Value>, Vec<FaultKind>) {
    let mut transfers = found.transfers;
    for record in transfers.iter_mut().filter_map(Value::as_object_mut) {
        record.retain(|key, _| !key.starts_with("log_"));
    }
    (transfers, found.faults.iter().map(|fault| fault.kind).collect())
}

fn damaged_line() -> impl Strategy<Value = Vec<u8>> {
    let byte = proptest::sample::select(&b" \t\"\\{}[],:0eTx%/\xc3"[..]);
    let damage = (any::<usize>(), byte, 0usize..12, any::<bool>());
    let damages = proptest::collection::vec(damage, 0..3);
    (1usize..11, damages).prop_map(|(number, damages)| {
        let mut line = line(number).into_bytes();
        for (at, byte, count, is_more) in damages {
            let at = at % line.len();
            let end = if is_more { at } else { (at + count).min(line.len() - 1).max(at) };
            line.splice(at..end, [byte]);
        }
        line.push(b'\n');
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Keys are remembered from record to record: what they are must not depend on those before.
    #[test]
    fn records_do_not_depend_on_those_before(lines in proptest::collection::vec(damaged_line(), 1..10)) {
        let together = facts(scan(&lines.concat()));
        let mut alone = (Vec::new(), Vec::new());
        for line in &lines {
            let (transfers, faults) = facts(scan(line));
            alone.0.extend(transfers);
            alone.1.extend(faults);
        }
        prop_assert_eq!(together, alone);
    }
}
