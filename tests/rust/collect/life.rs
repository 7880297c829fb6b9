//! Start, other settings, full queues, stop.

use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use gridtap::collect::Settings;

use crate::feed::{PATH, Server, open};
use crate::rig::{Pacer, bound, counter, engine, envelopes, eventually, rest, with_sinks};

#[test]
fn records_come_out_while_packets_come_in() {
    let server = bound("127.0.0.1:0");
    let target = server.local_addr().expect("bound");
    let engine = engine(&with_sinks(&json!([envelopes()])), &[server]);
    engine.start().expect("started");
    bound("127.0.0.1:0").send_to(b"hello", target).expect("sent");
    let batch = engine.next(0, Duration::from_secs(60)).expect("in time");
    assert_eq!((batch.records, batch.kind), (1, Some("packets")));
    assert!(batch.oldest_received_at > 0);
    assert!(engine.start().is_err());
    engine.stop(None).expect("stopped");
    engine.stop(None).expect("stopped");
    assert_eq!((engine.is_drained(0), engine.is_drained(1)), (Some(true), None));
    assert!(engine.start().is_err());
}

#[test]
fn a_stop_takes_what_the_kernel_holds_and_ends_what_is_open() {
    let server = bound("127.0.0.1:0");
    let target = server.local_addr().expect("bound");
    let sinks = json!([envelopes(), {"name": "accesses", "records": ["accesses"]}]);
    let engine = engine(&with_sinks(&sinks), &[server]);
    let (client, mut xrootd) = (bound("127.0.0.1:0"), Server::new(1));
    for file in 0..100 {
        client.send_to(&xrootd.files(&[open(file, 1, PATH)]).bytes, target).expect("sent");
    }
    engine.start().expect("started");
    engine.stop(None).expect("stopped");
    assert_eq!(rest(&engine, 0).len(), 100);
    let accesses = rest(&engine, 1);
    assert_eq!(accesses.len(), 100);
    assert!(accesses.iter().all(|access| access["close_reason"] == "open"));
    assert_eq!(counter(&engine, "/accesses/open"), 100);
}

#[test]
fn a_reload_loses_no_packet() {
    const PACKETS: u32 = 5000;
    let server = bound("127.0.0.1:0");
    let target = server.local_addr().expect("bound");
    let engine = engine(&with_sinks(&json!([envelopes()])), &[server]);
    engine.start().expect("started");
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (client, mut pacer) = (bound("127.0.0.1:0"), Pacer::new(&engine));
            for number in 0..PACKETS {
                pacer.send(&client, target, &number.to_be_bytes());
            }
            pacer.wait();
            is_done.store(true, Ordering::SeqCst);
        });
        let mut reloads = 0;
        while !is_done.load(Ordering::SeqCst) || reloads < 20 {
            let mut all = envelopes();
            all["batch_bytes"] = json!(100 + reloads % 7 * 1000);
            let other = json!({"name": format!("other{}", reloads % 3), "records": ["packets"]});
            let sinks = if reloads % 2 == 0 { json!([other, all]) } else { json!([all]) };
            let settings = Settings::read(&with_sinks(&sinks).to_string()).expect("settings");
            engine.reload(settings).expect("reloaded");
            reloads += 1;
            thread::sleep(Duration::from_millis(1));
        }
    });
    engine.stop(None).expect("stopped");
    let mut payloads: Vec<_> =
        rest(&engine, 0).iter().map(|line| line["data"].to_string()).collect();
    payloads.sort_unstable();
    payloads.dedup();
    assert_eq!(payloads.len(), PACKETS as usize);
    let status = engine.status();
    let sink = &status["sinks"][0];
    assert_eq!((&sink["name"], &sink["records"]), (&json!("all"), &json!(PACKETS)));
    // Each keeps the number that it got first.
    for (number, sink) in status["sinks"].as_array().expect("sinks").iter().enumerate() {
        assert_eq!(engine.number(sink["name"].as_str().expect("a name")), Some(number));
    }
}

#[test]
fn settings_that_will_not_do_change_nothing() {
    let server = bound("127.0.0.1:0");
    let target = server.local_addr().expect("bound");
    let engine = engine(&with_sinks(&json!([envelopes()])), &[server]);
    engine.start().expect("started");
    for bad in [
        json!({"workers": 2, "sinks": [envelopes()]}),
        with_sinks(
            &json!([{"name": "x", "records": ["packets"], "profile": "otel", "extended": true}]),
        ),
        with_sinks(&json!([{"name": "x", "records": ["accesses"], "filter": {"servers": ["x"]}}])),
    ] {
        let settings = Settings::read(&bad.to_string()).expect("readable");
        let error = engine.reload(settings).expect_err("refused");
        assert!(!error.contains('\n'), "{error}");
    }
    Pacer::new(&engine).send(&bound("127.0.0.1:0"), target, b"x");
    eventually("receiving", || counter(&engine, "/packets/received") == 1);
    engine.stop(None).expect("stopped");
    assert_eq!(rest(&engine, 0).len(), 1);
    assert_eq!(engine.status()["sinks"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_sink_that_is_gone_gets_what_it_had_and_ends() {
    let server = bound("127.0.0.1:0");
    let target = server.local_addr().expect("bound");
    let engine = engine(&with_sinks(&json!([envelopes()])), &[server]);
    engine.start().expect("started");
    let mut pacer = Pacer::new(&engine);
    pacer.send(&bound("127.0.0.1:0"), target, b"x");
    pacer.wait();
    let other = json!({"name": "other", "records": ["sessions"]});
    let settings = with_sinks(&json!([other]));
    engine.reload(Settings::read(&settings.to_string()).expect("settings")).expect("reloaded");
    assert_eq!(rest(&engine, 0).len(), 1);
    assert_eq!(engine.is_drained(1), Some(false));
    engine.stop(None).expect("stopped");
    assert_eq!(engine.is_drained(1), Some(true));
}

#[test]
fn a_full_queue_drops_the_oldest_and_counts_them() {
    const PACKETS: u64 = 1000;
    let server = bound("127.0.0.1:0");
    let target = server.local_addr().expect("bound");
    let mut sink = envelopes();
    sink["queue_bytes"] = json!(4000);
    sink["batch_bytes"] = json!(1000);
    let engine = engine(&with_sinks(&json!([sink])), &[server]);
    engine.start().expect("started");
    let (client, mut pacer) = (bound("127.0.0.1:0"), Pacer::new(&engine));
    for number in 0..PACKETS {
        pacer.send(&client, target, &number.to_be_bytes());
    }
    pacer.wait();
    engine.stop(None).expect("stopped");
    let dropped = counter(&engine, "/sinks/0/dropped_records");
    let kept = rest(&engine, 0);
    assert_eq!(counter(&engine, "/sinks/0/records"), PACKETS);
    assert_eq!(kept.len() as u64 + dropped, PACKETS);
    assert!(dropped > PACKETS / 2, "{dropped}");
    // The newest are there.
    let last = base64(&(PACKETS - 1).to_be_bytes());
    assert_eq!(kept.last().and_then(|line| line["data"].as_str()), Some(&*last));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn time_passes_without_packets() {
    let server = bound("127.0.0.1:0");
    let target = server.local_addr().expect("bound");
    let sink = json!({"name": "accesses", "records": ["accesses"], "batch_wait_s": 0.01});
    let mut settings = with_sinks(&json!([sink]));
    settings["state"] = json!({"file_ttl_s": 1});
    let engine = engine(&settings, &[server]);
    engine.start().expect("started");
    let (client, mut xrootd) = (bound("127.0.0.1:0"), Server::new(1));
    client.send_to(&xrootd.files(&[open(1, 1, PATH)]).bytes, target).expect("sent");
    let batch = engine.next(0, Duration::from_secs(60)).expect("in time");
    assert_eq!(batch.records, 1);
    assert_eq!(counter(&engine, "/accesses/expired"), 1);
    engine.stop(None).expect("stopped");
}
