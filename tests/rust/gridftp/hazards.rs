//! Every hazard of netlogger lines that is known.

use gridtap::error::FaultKind;
use serde_json::{Value, json};

use crate::log::{Found, read, scan};

fn line(number: usize) -> String {
    let log = String::from_utf8(read("samples-netlogger.log")).expect("UTF-8");
    log.lines().nth(number - 1).expect("a sample").to_owned()
}

fn one(log: &str) -> Value {
    let found = scan(log.as_bytes());
    assert_eq!((found.transfers.len(), &*found.faults), (1, &[][..]), "{log}");
    found.transfers[0].clone()
}

fn sample(number: usize) -> Value {
    one(&(line(number) + "\n"))
}

/// A record of which one value is replaced.
fn with(from: &str, to: &str) -> Found {
    let text = line(1);
    assert!(text.contains(from), "{from}");
    scan((text.replace(from, to) + "\n").as_bytes())
}

fn facts(record: &Value) -> Value {
    let mut record = record.clone();
    if let Some(object) = record.as_object_mut() {
        object.retain(|key, _| !key.starts_with("log_"));
    }
    record
}

#[test]
fn n1_retrieve() {
    let record = sample(1);
    assert_eq!(record["started_at"], 1710231310.25);
    assert_eq!(record["ended_at"], 1710231330.25);
    assert_eq!(record["throughput_bps"], 2e9);
    assert_eq!(record["retransmits"], json!([12, 0, 7, 3]));
    assert_eq!(record["task_id"], "8c1d6c4a-5f02-11ee-8c99-0242ac120002");
}

#[test]
fn n2_store_in_the_old_style() {
    let record = sample(2);
    assert_eq!(record["operation"], "STOR");
    assert_eq!(record["throughput_bps"], 3355443.2);
    assert!(record["retransmits"].is_null() && record["task_id"].is_null());
    assert_eq!(record["tcp_buffer_bytes"], 0);
}

#[test]
fn n3_ipv6_peer() {
    assert_eq!(sample(3)["remote_address"], "2001:db8:25::7");
}

#[test]
fn n4_zero_duration() {
    let record = sample(4);
    assert!(record["throughput_bps"].is_null());
    assert_eq!(record["transferred_bytes"], 0);
}

#[test]
fn n5_to_n7_failures() {
    let codes: Vec<_> = (5..=7).map(|number| sample(number)["code"].clone()).collect();
    assert_eq!(codes, [json!(426), json!(550), json!(599)]);
}

#[test]
fn n8_blanks_in_the_path() {
    let record = sample(8);
    assert_eq!(record["path"], "/proj/run 07/final data.nc");
    assert_eq!(record["throughput_bps"], 1e9);
}

#[test]
fn n9_equals_signs_and_a_false_tail_in_the_path() {
    let record = sample(9);
    assert_eq!(record["path"], "/proj/k=v BUFFER=1 BLOCK=2 x.dat");
    assert_eq!(record["tcp_buffer_bytes"], 4194304);
    assert_eq!(record["retransmits"], json!([1, 0]));
}

#[test]
fn n10_and_n11_listings_and_parts_are_records() {
    assert_eq!(sample(10)["operation"], "MLSD");
    assert_eq!(sample(11)["operation"], "ERET");
}

#[test]
fn n12_unknown_peer() {
    assert!(sample(12)["remote_address"].is_null());
}

#[test]
fn n13_line_of_a_server_log() {
    let record = sample(13);
    assert_eq!(record["path"], "/x");
    // The record itself begins behind what the log puts in front.
    assert_eq!(record["log_offset_bytes"], line(13).find("DATE=").expect("a date"));
}

#[test]
fn n14_microseconds_without_zeros() {
    let text = line(14) + "\n";
    let found = scan(text.repeat(3).as_bytes());
    assert_eq!(found.kinds(), [(FaultKind::UnpaddedFraction, 1)], "said once");
    let record = &found.transfers[2];
    assert_eq!(record["ended_at"], 1710231780.002102);
    assert_eq!(record["remote_address"], "203.0.113.25");
    let rate = record["throughput_bps"].as_f64().expect("a rate");
    assert!((rate - 330_523.880_350).abs() < 0.001, "{rate}");
}

#[test]
fn n15_clock_stepped_back() {
    let found = scan((line(15) + "\n").as_bytes());
    assert_eq!(found.kinds(), [(FaultKind::ClockStep, 1)]);
    assert!(found.transfers[0]["throughput_bps"].is_null());
    assert_eq!(found.transfers[0]["transferred_bytes"], 500);
}

#[test]
fn n16_carriage_returns() {
    assert_eq!(one(&(line(1) + "\r\n")), sample(1));
    assert_eq!(facts(&one(&format!("\r\n\r\n{}\r\n", line(8)))), facts(&sample(8)));
}

#[test]
fn n17_a_last_line_without_its_end_is_left_alone() {
    let log = format!("{}\n{}", line(1), &line(2)[..170]);
    let found = scan(log.as_bytes());
    assert_eq!(found.transfers.len(), 1);
    assert_eq!(found.kinds(), [(FaultKind::UnfinishedLine, 2)]);
    assert_eq!(found.faults[0].offset, line(1).len() as u64 + 1);
}

#[test]
fn records_cut_at_4095_bytes() {
    let long = line(1).replace("/proj/climate/run07.nc", &"/long".repeat(1000));
    for prefix in ["", "[24775] Tue Mar 12 08:22:50 2024 :: Transfer stats: "] {
        let log = format!("{prefix}{}{prefix}{}\n{}\n", &long[..4095], line(2), line(3));
        let found = scan(log.as_bytes());
        assert_eq!(found.kinds(), [(FaultKind::CutRecord, 1)]);
        assert_eq!(facts(&found.transfers[0]), facts(&sample(2)));
        assert_eq!(found.transfers[0]["log_offset_bytes"], 2 * prefix.len() + 4095);
        assert_eq!(facts(&found.transfers[1]), facts(&sample(3)));
    }
}

#[test]
fn a_record_may_be_cut_anywhere() {
    let (first, second) = (line(1), line(9));
    for end in 5..first.find(" CODE").expect("a code") {
        let found = scan(format!("{}{second}\n", &first[..end]).as_bytes());
        assert_eq!(found.transfers.len(), 1, "{end}");
        assert_eq!(facts(&found.transfers[0]), facts(&sample(9)));
        assert_eq!(found.kinds(), [(FaultKind::CutRecord, 1)], "{end}");
    }
}

#[test]
fn several_records_on_a_line() {
    let stats = |text: &str| format!("[7] Tue Mar 12 08:22:50 2024 :: Transfer stats: {text}");
    let syslog = |text: &str| format!("<13>Nov 22 03:10:53 ftp[7]: Transfer stats: {text}");
    for log in [
        format!("{} {}{}\n", line(1), line(2), line(3)),
        format!("{}{}{}\n", stats(&line(1)), stats(&line(2)), stats(&line(3))),
        format!("{}{}{}\n", syslog(&line(1)), syslog(&line(2)), syslog(&line(3))),
    ] {
        let found = scan(log.as_bytes());
        let records: Vec<_> = found.transfers.iter().map(facts).collect();
        assert_eq!(records, [1, 2, 3].map(|number| facts(&sample(number))), "{log}");
        assert_eq!(found.faults, []);
    }
}

#[test]
fn anything_may_stand_in_front() {
    for prefix in ["x", "\u{1}\u{2}", "2024-03-12T08:22:50Z host ftp: ", "DATE= ", "Transfer stats"]
    {
        let log = format!("{prefix}{}\n", line(1));
        let found = scan(log.as_bytes());
        assert_eq!(facts(&found.transfers[0]), facts(&sample(1)), "{prefix}");
    }
}

#[test]
fn paths_that_are_not_utf8() {
    let text = line(1);
    let (head, tail) = text.split_once("/proj/climate/run07.nc").expect("a path");
    let log = [head.as_bytes(), b"/M\xfcller", tail.as_bytes(), b"\n"].concat();
    let found = scan(&log);
    assert_eq!(found.kinds(), [(FaultKind::BadEncoding, 1)]);
    assert_eq!(found.transfers[0]["path"], "/M\u{fffd}ller");
    assert_eq!(found.transfers[0]["path_raw"], "L038bGxlcg==");
}

#[test]
fn what_looks_like_a_number_is_text() {
    let found = with("USER=alice FILE=/proj/climate/run07.nc", "USER=1000 FILE=42");
    assert_eq!(found.transfers[0]["user"], "1000");
    assert_eq!(found.transfers[0]["path"], "42");
}

#[test]
fn impossible_times_cost_only_themselves() {
    for (from, to) in [
        ("START=20240312081510.250000", "START=20241312081510.250000"),
        ("START=20240312081510.250000", "START=20240230081510.250000"),
        ("START=20240312081510.250000", "START=yesterday"),
        ("DATE=20240312081530.250000", "DATE=99999999999999.000000"),
        ("DATE=20240312081530.250000", "DATE=x"),
    ] {
        let found = with(from, to);
        assert_eq!(found.kinds(), [(FaultKind::BadTime, 1)], "{to}");
        let record = &found.transfers[0];
        assert!(record["throughput_bps"].is_null());
        assert_eq!(record["transferred_bytes"], 5_000_000_000u64);
        let (key, text) = to.split_once('=').expect("a pair");
        assert_eq!(record["extra"][key], text);
    }
}

#[test]
fn impossible_sizes_cost_only_themselves() {
    for size in ["-1", "99999999999999999999", "9223372036854775808", "1e9", "12a", "0x10"] {
        let found = with("NBYTES=5000000000", &format!("NBYTES={size}"));
        assert_eq!(found.kinds(), [(FaultKind::BadNumber, 1)], "{size}");
        let record = &found.transfers[0];
        assert!(record["transferred_bytes"].is_null());
        assert_eq!(record["extra"]["NBYTES"], size);
        assert_eq!(record["streams"], 4);
    }
    let found = with("NBYTES=5000000000", "NBYTES=9223372036854775807");
    assert_eq!(found.transfers[0]["transferred_bytes"], i64::MAX);
}

#[test]
fn retransmits_that_nobody_counted() {
    let found = with("retrans=12,0,7,3", "retrans=-1,4,-1");
    assert_eq!(found.transfers[0]["retransmits"], json!([null, 4, null]));
    assert_eq!(found.faults, []);
    let found = with("retrans=12,0,7,3", "retrans=1,x");
    assert_eq!(found.kinds(), [(FaultKind::BadNumber, 1)]);
}

#[test]
fn further_keys() {
    let found = with("retrans=12,0,7,3", "retrans=1 color=blue");
    assert_eq!(found.transfers[0]["extra"], json!({"color": "blue"}));
    assert_eq!(found.transfers[0]["retransmits"], json!([1]));
}

#[test]
fn peers_that_are_no_addresses() {
    let found = with("DEST=[203.0.113.25]", "DEST=[client.example.org]");
    assert_eq!(found.kinds(), [(FaultKind::BadAddress, 1)]);
    assert_eq!(found.transfers[0]["extra"]["DEST"], "[client.example.org]");
    let found = with("DEST=[203.0.113.25]", "DEST=[::FFFF:203.0.113.25]");
    assert_eq!(found.transfers[0]["remote_address"], "203.0.113.25");
}

#[test]
fn damaged_keys_cost_the_record_and_nothing_else() {
    for key in ["DATE", "HOST", "NL.EVNT", "START", "USER", "FILE", "BUFFER", "STREAMS", "CODE"] {
        let damaged = line(1).replace(&format!("{key}="), "XXXX=");
        let found = scan(format!("{}\n{damaged}\n{}\n", line(2), line(3)).as_bytes());
        assert_eq!(found.paths(), ["/incoming/sensor.bin", "/proj/v6/frame.h5"], "{key}");
        assert_eq!(found.kinds(), [(FaultKind::CutRecord, 2)], "{key}");
    }
}

#[test]
fn lines_of_a_server_log_are_no_faults_and_others_are() {
    let log = "[1] Tue Mar 12 08:22:50 2024 :: failed:\nglobus_xio: no\n\n[1] x\n 214 End\n";
    assert_eq!(scan(log.as_bytes()).faults, []);
    let log = format!("{}\nglobus_xio: no\n\u{0}\u{1}\n", line(1));
    let kinds = scan(log.as_bytes()).kinds();
    assert_eq!(kinds, [(FaultKind::NotARecord, 2), (FaultKind::NotARecord, 3)]);
}
