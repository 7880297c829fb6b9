//! Logs of a real globus-gridftp-server 13.24 beside what its clients did.

use gridtap::gridftp::Scanner;
use gridtap::gridftp::unpack::unpack;
use serde_json::Value;
use std::io::Read;

use crate::log::{Found, path, read, scan};

#[test]
fn every_log_of_a_real_server_is_read_without_a_fault() {
    for (name, count) in [
        ("one-transfer.log", 35),
        ("one-server.log.gz", 35),
        ("two-transfer.log", 2),
        ("two-server.log", 2),
        ("per-process-gridftp.30091.log", 1),
        ("per-process-gridftp.30093.log", 1),
        ("syslog.txt", 2),
    ] {
        let found = scan(&read(name));
        assert_eq!(found.faults, [], "{name}");
        assert_eq!(found.transfers.len(), count, "{name}");
    }
}

/// The records without where they stand.
fn facts(found: &Found) -> Vec<Value> {
    let mut all = found.transfers.clone();
    for record in all.iter_mut().filter_map(Value::as_object_mut) {
        record.retain(|key, _| !key.starts_with("log_"));
    }
    all.sort_by_key(Value::to_string);
    all
}

#[test]
fn the_server_log_has_the_same_records() {
    for (transfers, server) in
        [("one-transfer.log", "one-server.log.gz"), ("two-transfer.log", "two-server.log")]
    {
        assert_eq!(facts(&scan(&read(transfers))), facts(&scan(&read(server))));
    }
}

/// Whether a command of the ground truth is what a record says.
fn is_of(command: &Value, root: &str, record: &Value) -> bool {
    // As the URL had it.
    let plain = |file: &str| file.replace("%20", " ").replace("%25", "%");
    let path = command["file"].as_str().map(|file| format!("{root}{}", plain(file)));
    let same = |key: &str, column: &str| command[key].is_null() || command[key] == record[column];
    // The client's clock is the server's, and is read a little earlier and later.
    let during = record["started_at"].as_f64() >= command["started"].as_f64()
        && record["ended_at"].as_f64() <= command["ended"].as_f64().map(|end| end + 0.5);
    // Servers tell parts of files (`ERET`) and additions to them (`ESTO`) from whole ones.
    let is_type = match command["type"].as_str() {
        Some("RETR") => record["operation"] == "RETR" || record["operation"] == "ERET",
        Some("STOR") => record["operation"] == "STOR" || record["operation"] == "ESTO",
        other => record["operation"].as_str() == other,
    };
    is_type
        && path.is_none_or(|path| record["path"] == *path)
        && same("address", "remote_address")
        && same("streams", "streams")
        && (same("size", "transferred_bytes") || command["killed"] == true)
        && during
}

#[test]
fn records_are_what_the_clients_did() {
    let truth: Value = serde_json::from_slice(&read("truth.json")).expect("JSON");
    let root = truth["data_root"].as_str().expect("a folder");
    let logs = ["one-transfer.log", "two-transfer.log", "syslog.txt"];
    let more = ["per-process-gridftp.30091.log", "per-process-gridftp.30093.log"];
    let records: Vec<Value> =
        logs.iter().chain(&more).flat_map(|name| scan(&read(name)).transfers).collect();
    let commands = truth["commands"].as_array().expect("commands");
    let mut checked = 0;
    for command in commands.iter().filter(|command| command["file"].is_string()) {
        let count = records.iter().filter(|record| is_of(command, root, record)).count();
        // What fails is not logged; what the client cuts off is.
        let is_logged = command["exit_status"] == 0 || command["killed"] == true;
        let expected = usize::from(is_logged);
        assert!(count >= expected && (expected > 0 || count == 0), "{count} of {command}");
        checked += 1;
    }
    assert!(checked >= 25, "{checked}");
}

#[test]
fn a_line_becomes_a_record() {
    let found = scan(&read("one-transfer.log"));
    let expected = serde_json::json!({
        "started_at": 1795317042.194199, "ended_at": 1795317042.216039, "operation": "STOR",
        "code": 226, "host": "dtn1.example.net", "remote_address": "127.0.0.1",
        "path": "/srv/gridftp-lab/data/in/p8.up", "path_raw": null, "transferred_bytes": 26214400,
        "streams": 8, "stripes": 1, "tcp_buffer_bytes": 3939840, "block_bytes": 262144,
        "user": "anonymous", "volume": "/", "program": "globus-gridftp-server",
        "event": "FTP_INFO", "task_id": null, "retransmits": [0, 0, 0, 0, 0, 0, 0, 0],
        "iostat": null, "mpstat": null, "rusage": null, "tcp_info": null, "extra": null,
        "throughput_bps": 8.0 * 26214400.0 / 0.02184, "log_file": null, "log_line": 4,
        "log_offset_bytes": 898,
    });
    assert_eq!(found.transfers[3], expected);
}

#[test]
fn packed_logs_are_the_same_logs() {
    let plain = read("two-transfer.log");
    for name in ["two-transfer.log.xz", "two-transfer.log.zst"] {
        assert_eq!(read(name), plain, "{name}");
    }
}

#[test]
fn a_packed_log_that_is_cut_gives_what_was_read() {
    for name in ["one-server.log.gz", "two-transfer.log.xz", "two-transfer.log.zst"] {
        let whole = read(name);
        let packed = std::fs::read(path(name)).expect("a bundled log");
        for end in 6..packed.len() {
            let source = std::io::Cursor::new(packed[..end].to_vec());
            let mut bytes = Vec::new();
            let result = unpack(Box::new(source)).expect("memory").read_to_end(&mut bytes);
            assert!(whole.starts_with(&bytes), "{name} cut at {end}");
            // zstd frames can be cut between two of them, and nobody can tell.
            assert!(result.is_err() || bytes.len() < whole.len() || bytes == whole);
        }
    }
}

#[test]
fn damage_to_a_packed_log_is_an_error_or_nothing() {
    for name in ["one-server.log.gz", "two-transfer.log.xz", "two-transfer.log.zst"] {
        let packed = std::fs::read(path(name)).expect("a bundled log");
        for at in (0..packed.len()).step_by(packed.len().div_ceil(300)) {
            let mut bytes = packed.clone();
            bytes[at] ^= 0x55;
            let mut source = unpack(Box::new(std::io::Cursor::new(bytes))).expect("memory");
            let (mut total, mut buffer) = (0, vec![0; 65536]);
            while let Ok(read) = source.read(&mut buffer)
                && read > 0
            {
                total += read;
                assert!(total < 1 << 24);
            }
        }
    }
}

#[test]
fn a_scan_goes_on_where_another_ended() {
    let log = read("one-transfer.log");
    let whole = scan(&log);
    for end in [0, 1, 300, 5000, log.len() - 1, log.len()] {
        let mut first = Scanner::new(None);
        let mut found = Found::default();
        first.push(&log[..end], &mut found);
        let from = first.consumed() as usize;
        assert!(from <= end && (from == 0 || log[from - 1] == b'\n'));
        let mut second = Scanner::resume(None, first.consumed(), first.line());
        second.push(&log[from..], &mut found);
        assert_eq!(found.transfers, whole.transfers, "{end}");
        assert_eq!(second.consumed(), log.len() as u64);
    }
}
