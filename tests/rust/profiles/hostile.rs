//! Input that collectors in use stumble over.

use crate::feed::{Outcome, Sent, golden, packet, told};
use gridtap::error::FaultKind;
use serde_json::Value;

const GO: &str = r#"{"profile": "osg-go"}"#;

/// The known packets with the close of the file changed.
fn with_close(change: impl FnOnce(&mut Vec<u8>)) -> Vec<Sent> {
    let mut packets = golden();
    let close = &mut packets[7].bytes;
    assert_eq!((close[0], close[1], close[32]), (b'f', 2, 0));
    change(close);
    let length = u16::try_from(close.len()).expect("short");
    close[2..4].copy_from_slice(&length.to_be_bytes());
    packets
}

fn reads(outcome: &Outcome) -> Vec<Value> {
    let mut reads: Vec<_> =
        outcome.of_kind("accesses").iter().map(|access| access["read"].clone()).collect();
    reads.sort_by_key(Value::as_i64);
    reads
}

/// A close without more than the bytes.
fn close(file: u32, size: u16, read: i64) -> Vec<u8> {
    let mut record = vec![0, 0];
    record.extend(size.to_be_bytes());
    record.extend(file.to_be_bytes());
    [read, 0, 0].iter().for_each(|bytes| record.extend(bytes.to_be_bytes()));
    record
}

#[test]
fn a_text_header_is_as_good_as_a_binary_one() {
    let text = concat!(
        r#"{"code":"g","pseq":  1,"stod":1700000000,"sid":123456789012,"src":{"site":"S"},"#,
        r#""gs":{"type":"C","tbeg":1700000200,"tend":1700000210}}"#,
        "\n",
        r#"{"event":"file_close","lfn":"/store/text","b_todisk":1}"#,
        "\0"
    );
    let sent = Sent { bytes: text.as_bytes().to_vec(), ..golden().remove(0) };
    let outcome = told(GO, &[sent]);
    assert_eq!(outcome.faults, []);
    assert_eq!(outcome.only("plugins", "file_path", "/store/text")["bytes_read_by_remote"], 1);
}

#[test]
fn a_line_that_is_no_json_costs_only_itself() {
    let mut body = golden()[9].bytes[8..24].to_vec();
    body.extend(b"{\"lfn\":\"/a\"}\n{\"lfn\":\"/quote\"d\"}\n{\"lfn\":\"/b\"}\0");
    let packets = [packet(b'g', 1, &body)];
    for profile in [GO, r#"{"profile": "osg-py"}"#] {
        let outcome = told(profile, &packets);
        assert_eq!(outcome.faults, [FaultKind::BadEventLine]);
        let paths: Vec<_> =
            outcome.of_kind("plugins").iter().map(|event| event["file_path"].clone()).collect();
        assert_eq!(paths, ["/a", "/b"]);
    }
    // Our own records keep the bytes.
    let native = told("{}", &packets);
    assert_eq!(native.only("plugins", "raw", "{\"lfn\":\"/quote\"d\"}")["provider"], "C");
}

#[test]
fn codes_nobody_knows_are_counted() {
    let outcome = told(GO, &[packet(b'Z', 0, b"whatever")]);
    assert_eq!(outcome.faults, [FaultKind::UnknownCode]);
    assert!(outcome.lines.is_empty());
    let envelope = r#"{"profile": "envelope"}"#;
    assert!(told(envelope, &golden()).lines.is_empty(), "no datagram among the records");
}

#[test]
fn failed_operations_do_not_hide_what_follows() {
    let error = [&[5, 0, 0, 16][..], &[0, 0, 1, 245, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    let unknown = [&[9, 0, 0, 16][..], &[0; 12]].concat();
    for (record, fault) in [(error, None), (unknown, Some(FaultKind::FstatUnknownRecord))] {
        let packets = with_close(|bytes| {
            let from = 32;
            bytes.splice(from..from, record);
        });
        let outcome = told(GO, &packets);
        assert_eq!(reads(&outcome), [10, 300_000]);
        assert!(fault.is_none_or(|fault| outcome.faults.contains(&fault)), "{:?}", outcome.faults);
    }
}

#[test]
fn a_record_without_a_size_costs_what_follows_it() {
    let packets = with_close(|bytes| {
        bytes.truncate(32);
        bytes.extend([close(11, 32, 1), close(12, 0, 2), close(13, 32, 3)].concat());
    });
    let outcome = told(GO, &packets);
    assert_eq!(reads(&outcome), [1, 10]);
    assert!(outcome.faults.contains(&FaultKind::FstatRecordOverrun), "{:?}", outcome.faults);
}

#[test]
fn a_record_past_the_packet_costs_only_itself() {
    let packets = with_close(|bytes| {
        bytes.truncate(32);
        bytes.extend([close(11, 32, 1), close(12, 400, 2)].concat());
    });
    let outcome = told(GO, &packets);
    assert_eq!(reads(&outcome), [1, 10]);
    assert!(outcome.faults.contains(&FaultKind::FstatRecordOverrun), "{:?}", outcome.faults);
}

#[test]
fn without_a_window_the_arrival_is_the_time() {
    let packets = with_close(|bytes| {
        bytes.drain(8..32);
    });
    let outcome = told(GO, &packets);
    assert!(outcome.faults.contains(&FaultKind::FstatNoTime), "{:?}", outcome.faults);
    let access = outcome.only("accesses", "read", 300_000);
    assert_eq!(access["end_time"], crate::feed::ARRIVAL);
}

#[test]
fn io_traces_are_records_of_their_own() {
    let window = |time: u32| {
        let mut record = vec![0xe0, 0, 0, 28, 190, 153, 26, 20];
        record.extend(time.to_be_bytes());
        record.extend(time.to_be_bytes());
        record
    };
    let mut read = 4096_i64.to_be_bytes().to_vec();
    read.extend(512_u32.to_be_bytes());
    read.extend(501_u32.to_be_bytes());
    let body = [window(1_700_000_110), read, window(1_700_000_120)].concat();
    let mut packets = golden();
    packets.insert(6, packet(b't', 5, &body));
    let outcome = told("{}", &packets);
    let event = outcome.only("io", "operation", "read");
    assert_eq!((&event["offset_bytes"], &event["length_bytes"]), (&4096.into(), &512.into()));
    assert_eq!(event["path"], "/ospool/ap20/data/alice/file.root");
    assert!(told(GO, &packets).of_kind("io").is_empty());
}
