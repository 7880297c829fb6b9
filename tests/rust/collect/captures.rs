//! A capture that is fed gives what reading it gives.

use gridtap::access::Config;
use gridtap::capture;
use gridtap::collect::{Content, Engine};
use gridtap::export::json::Lines;
use gridtap::reading::{Reading, Select, What};
use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::rig::{counter, engine};

fn captures() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/xrootd");
    let entries = std::fs::read_dir(folder).expect("bundled captures").flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension != "json"));
    paths.sort();
    paths
}

fn source(path: &Path) -> Box<dyn capture::Source + Send> {
    let file = File::open(path).expect("a bundled capture");
    capture::open(Box::new(file), &[]).expect("a capture")
}

fn read(path: &Path, what: What) -> (Vec<u8>, u64) {
    let (mut out, mut reading) = (Vec::new(), Reading::new(Config::default()));
    let mut lines = Lines::new(&what.columns(), &mut out);
    let mut select = Select { what, target: &mut lines };
    let mut source = source(path);
    while reading.step(source.as_mut(), &mut select, &mut |_| {}).expect("readable") {}
    reading.finish(&mut select);
    lines.flush().expect("memory");
    drop(lines);
    (out, reading.counts().datagrams)
}

fn all(engine: &Engine, sink: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(batch) = engine.next(sink, Duration::ZERO) {
        let Content::Lines(lines) = &batch.content else { panic!("lines") };
        bytes.extend(lines);
    }
    bytes
}

fn kinds() -> impl Iterator<Item = (&'static str, What)> {
    // A packet's number and place in the file are told only by reading it.
    What::ALL.iter().copied().filter(|(_, what)| *what != What::Packets)
}

fn settings(workers: usize) -> Value {
    let sink = |(name, _): (&str, What)| json!({"name": name, "records": [name]});
    json!({"workers": workers, "sinks": kinds().map(sink).collect::<Vec<_>>()})
}

#[test]
fn feeding_a_capture_equals_reading_it() {
    let mut records = 0;
    for path in captures() {
        let engine = engine(&settings(1), &[]);
        engine.feed(source(&path).as_mut()).expect("not started").expect("readable");
        for (number, (name, what)) in kinds().enumerate() {
            let (expected, datagrams) = read(&path, what);
            let fed = all(&engine, number);
            assert!(fed == expected, "{} of {}", name, path.display());
            records += fed.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(counter(&engine, "/packets/received"), datagrams);
        }
    }
    assert!(records > 1000, "{records}");
}

#[test]
fn several_workers_give_the_same_records() {
    for path in captures() {
        let engine = engine(&settings(3), &[]);
        engine.feed(source(&path).as_mut()).expect("not started").expect("readable");
        for (number, (name, what)) in kinds().enumerate() {
            let sorted = |bytes: Vec<u8>| {
                let text = String::from_utf8(bytes).expect("UTF-8");
                let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
                lines.sort_unstable();
                lines
            };
            let (fed, expected) = (sorted(all(&engine, number)), sorted(read(&path, what).0));
            assert!(fed == expected, "{} of {}", name, path.display());
        }
    }
}

#[test]
fn captures_are_fed_one_after_the_other_or_not_at_all_once_started() {
    let path =
        captures().into_iter().find(|path| path.ends_with("fstat-full.pcap")).expect("there");
    let engine = engine(&settings(1), &[]);
    for _ in 0..2 {
        engine.feed(source(&path).as_mut()).expect("not started").expect("readable");
    }
    let (once, datagrams) = read(&path, What::Accesses);
    assert_eq!(all(&engine, 0).len(), 2 * once.len());
    assert_eq!(counter(&engine, "/packets/received"), 2 * datagrams);
    engine.stop(None).expect("stopped");
    assert!(engine.feed(source(&path).as_mut()).is_err());
}

#[test]
fn an_explanation_names_every_sink_and_changes_nothing() {
    let path =
        captures().into_iter().find(|path| path.ends_with("fstat-full.pcap")).expect("there");
    let sinks = json!([
        {"name": "osg", "records": ["accesses"], "profile": "osg-go"},
        {"name": "wlcg", "records": ["accesses"], "filter": {"wlcg": true}},
        {"name": "envelope", "records": ["accesses"], "profile": "envelope"},
        {"name": "sessions", "records": ["sessions"]},
    ]);
    let engine = engine(&json!({"workers": 1, "sinks": sinks}), &[]);
    let mut explainer = engine.explain(source(&path)).expect("explained");
    let mut accesses = 0;
    while let Some(explained) = explainer.next_record().expect("readable") {
        let verdicts: Vec<_> = explained.verdicts.iter().map(|(_, verdict)| *verdict).collect();
        match explained.kind {
            "accesses" => {
                assert_eq!([verdicts[0], verdicts[2], verdicts[3]], ["take", "unformed", "kind"]);
                let is_store = explained.summary.contains(" /store");
                assert_eq!(verdicts[1], if is_store { "take" } else { "wlcg" });
                accesses += 1;
            }
            "sessions" => assert_eq!(verdicts, ["kind", "kind", "kind", "take"]),
            _ => assert_eq!(verdicts, ["kind"; 4]),
        }
    }
    let lines = read(&path, What::Accesses).0.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(accesses, lines);
    assert_eq!(counter(&engine, "/packets/received"), 0);
}
