//! Who may send, and how much.

use serde_json::json;
use std::time::Instant;

use crate::feed::{PATH, Server, open};
use crate::rig::{Pacer, bound, counter, engine, envelopes, rest, with_sinks};

#[test]
fn only_networks_that_are_allowed_come_in() {
    let server = bound("[::]:0");
    let port = server.local_addr().expect("bound").port();
    let mut settings = with_sinks(&json!([envelopes()]));
    settings["gate"] = json!({"allow": ["127.0.1.0/24", "::1/128"]});
    let engine = engine(&settings, &[server]);
    engine.start().expect("started");
    let mut pacer = Pacer::new(&engine);
    let v4 = format!("127.0.0.1:{port}").parse().expect("address");
    let v6 = format!("[::1]:{port}").parse().expect("address");
    for (from, to) in
        [("127.0.1.7:0", v4), ("127.0.2.7:0", v4), ("127.0.2.8:0", v4), ("[::1]:0", v6)]
    {
        pacer.send(&bound(from), to, b"a packet of no kind");
    }
    pacer.wait();
    engine.stop(None).expect("stopped");
    let senders: Vec<_> = rest(&engine, 0).iter().map(|line| line["remote"].clone()).collect();
    assert_eq!(senders.len(), 2);
    assert!(senders[0].as_str().is_some_and(|remote| remote.starts_with("127.0.1.7:")));
    assert!(senders[1].as_str().is_some_and(|remote| remote.starts_with("[::1]:")));
    let rejected = engine.status()["rejected"].clone();
    let rows = rejected.as_array().expect("rows");
    assert!(rows.contains(&json!(["not_allowed", "127.0.2.0/24", 2])), "{rejected}");
    // What came in is no packet: that is counted, too.
    assert_eq!(rows.iter().map(|row| row[2].as_u64().expect("a count")).sum::<u64>(), 4);
}

#[test]
fn a_mad_sender_takes_nothing_from_a_good_one() {
    const CEILING: u64 = 600;
    const FILES: u32 = 500;
    const MAD: u64 = 20_000;
    let server = bound("127.0.0.1:0");
    let target = server.local_addr().expect("bound");
    let sink = json!({"name": "accesses", "records": ["accesses"]});
    let mut settings = with_sinks(&json!([sink]));
    settings["gate"] = json!({"max_packets_per_second": CEILING});
    let engine = engine(&settings, &[server]);
    engine.start().expect("started");
    let (mad, good) = (bound("127.0.0.2:0"), bound("127.0.0.1:0"));
    let (mut pacer, mut xrootd) = (Pacer::new(&engine), Server::new(1));
    let began = Instant::now();
    for file in 0..FILES {
        for _ in 0..MAD / u64::from(FILES) {
            pacer.send(&mad, target, &xrootd.datagram(b'f', 0, &[0xff; 40]).bytes);
        }
        let opens = xrootd.files(&[open(file, 1, PATH)]);
        pacer.send(&good, target, &opens.bytes);
    }
    pacer.wait();
    let longest = began.elapsed().as_secs() + 1;
    engine.stop(None).expect("stopped");
    let mut files: Vec<_> = rest(&engine, 0)
        .iter()
        .filter(|access| access["server_address"] == "127.0.0.1")
        .map(|access| access["file_id"].as_u64().expect("a file"))
        .collect();
    files.sort_unstable();
    assert_eq!(files, (0..u64::from(FILES)).collect::<Vec<_>>());
    let status = engine.status();
    let rejected = status["rejected"].as_array().expect("rows").iter();
    let over = rejected.filter(|row| row[0] == "over_ceiling").map(|row| row[2].as_u64());
    let over = over.map(|count| count.expect("a count")).sum::<u64>();
    assert!(over + CEILING * (longest + 1) >= MAD, "{over} turned away in {longest} s");
    assert_eq!(counter(&engine, "/packets/received"), MAD + u64::from(FILES));
}
