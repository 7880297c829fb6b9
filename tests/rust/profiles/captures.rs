//! Captures of real servers in every form.

use crate::feed::{ARRIVAL, Sent, told};
use crate::generated::PROFILES;
use gridtap::capture;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/xrootd");
    let entries = folder.read_dir().expect("readable").map(|entry| entry.expect("readable").path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|kind| kind == "pcap")).collect();
    paths.sort();
    assert!(paths.len() > 20);
    paths
}

fn packets(path: &Path) -> Vec<Sent> {
    let file = File::open(path).expect("readable");
    let mut source = capture::open(Box::new(file), &[]).expect("readable");
    let mut packets = Vec::new();
    while let Some(datagram) = source.next(&mut |_| {}).expect("readable") {
        let (peer, bytes) = (datagram.peer.clone(), datagram.payload.to_vec());
        let at = datagram.received_at.map_or(ARRIVAL, |micros| micros / 1_000_000);
        packets.push(Sent { peer, bytes, at });
    }
    packets
}

#[test]
fn every_line_is_an_object_and_no_access_is_missed() {
    for path in captures() {
        let packets = packets(&path);
        let native = told("{}", &packets).of_kind("accesses");
        let closed = native.iter().filter(|access| access["close_seen"] == true).count();
        let expired = native.iter().filter(|access| {
            access["close_reason"] == "expired" && !access["read_bytes"].is_null()
        });
        let expired = expired.count();
        for profile in PROFILES {
            let outcome = told(profile, &packets);
            for (kind, line) in &outcome.lines {
                let value: Value = serde_json::from_str(line).expect("JSON");
                assert!(value.is_object(), "{profile} {kind} {line}");
            }
            let expected = match profile {
                profile if profile.contains("envelope") => 0,
                profile if profile.contains("bulk") => 2 * closed,
                profile if *profile == "{}" => native.len(),
                profile if profile.contains("osg-py") || profile.contains(r#""ms""#) => {
                    closed + expired
                }
                _ => closed,
            };
            let written = outcome.of_kind("accesses").len();
            assert_eq!(written, expected, "{profile} {}", path.display());
        }
    }
}

#[test]
fn sums_of_bytes_are_the_same_in_every_form() {
    let sum = |records: &[Value], keys: &[&str]| -> i64 {
        let values = records.iter().flat_map(|record| keys.iter().map(|key| record[*key].as_i64()));
        values.map(Option::unwrap_or_default).sum()
    };
    let mut total = 0;
    for path in captures() {
        let packets = packets(&path);
        let mut native = told("{}", &packets).of_kind("accesses");
        native.retain(|access| access["close_seen"] == true);
        let expected = sum(&native, &["read_bytes", "readv_bytes", "write_bytes"]);
        total += expected;
        for (profile, keys) in [
            (r#"{"profile": "osg-go"}"#, &["read", "readv", "write"][..]),
            (r#"{"profile": "wlcg"}"#, &["read_bytes", "write_bytes"]),
        ] {
            let records = told(profile, &packets).of_kind("accesses");
            assert_eq!(sum(&records, keys), expected, "{profile} {}", path.display());
        }
    }
    assert!(total > 0);
}

#[test]
fn summaries_are_differences_of_real_reports() {
    let mut reports = 0;
    for path in captures() {
        let packets = packets(&path);
        let whole = told("{}", &packets).of_kind("summaries");
        let differences = told(r#"{"profile": "osg-py"}"#, &packets).of_kind("summaries");
        reports += whole.len();
        assert!(differences.len() <= whole.len());
        for record in &differences {
            assert_eq!(record["type"], "summary");
            let is_headed = record["timestamp"].as_str().is_some_and(|text| text.len() == 19);
            assert!(is_headed, "{record}");
        }
    }
    assert!(reports > 0, "a capture has summary reports");
}
