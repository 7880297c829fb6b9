//! Every datagram that real servers sent.

mod corpus;

use std::collections::BTreeMap;

use corpus::{files, payloads};
use gridtap::error::{DecodeError, FaultKind, Severity};
use gridtap::xrootd::gtext::Framing;
use gridtap::xrootd::{Body, Message};

/// Packets by code, counted by whoever made the captures: `json`, `cgi` and `raw` are g-streams
/// with that header, or none, and `xml` is a summary report. Summary reports in JSON count as
/// `json` too.
const OVERVIEW: &[(&str, &str)] = &[
    ("appinfo", "= 1, U 8, d 21, f 1, i 33, t 13, u 11"),
    ("auth-gsi", "= 2, d 20, f 3, t 2, u 5"),
    ("auth-sss", "= 2, d 28, f 2, t 1, u 6"),
    ("auth-unix-host", "= 1, d 24, f 1, t 1, u 6"),
    ("forced-disconnect", "= 2, d 24, f 2, t 11, u 11"),
    ("frm", "= 22, d 8, f 3, p 8, t 3, u 3, x 9"),
    ("fstat-basic", "= 2, f 2, u 4"),
    ("fstat-full", "= 3, f 9, u 9"),
    ("fstat-lfn", "= 2, f 2, u 8"),
    ("fstat-nolfn-files", "= 2, d 29, f 2, t 2, u 4"),
    ("fstat-smallbuf", "= 2, d 1601, f 314, t 437, u 4"),
    ("gstream-all-mixed", "= 6, cgi 52, f 8, u 19"),
    ("gstream-ccm-bin", "= 2, f 1, g 4, u 2"),
    ("gstream-pfc-bin", "= 2, f 1, g 1, u 5"),
    ("gstream-pfc-cgi-dflthdr", "cgi 4"),
    ("gstream-pfc-json-hosthdr", "json 4"),
    ("gstream-pfc-json-insthdr", "json 4"),
    ("gstream-pfc-json-sitehdr", "json 4"),
    ("gstream-pfc-json", "= 2, json 3, u 5"),
    ("gstream-pfc-nohdr", "raw 1"),
    ("gstream-tcpmon-bin", "= 2, g 1, u 9"),
    ("gstream-tcpmon-json", "= 2, json 12, u 9"),
    ("gstream-tpc-bin", "= 6, f 8, g 2, u 22"),
    ("gstream-tpc-http", "= 5, f 7, json 10, u 23"),
    ("http", "= 2, d 16, f 3, t 19, u 17"),
    ("ipv6-dest", "= 3, d 13, f 2, t 4, u 3"),
    ("large", "= 48, d 27494, f 106, i 176, r 99, t 795, u 949"),
    ("late-capture", "= 1, d 16, f 2, t 2, u 3"),
    ("multistream", "= 1, d 6, f 1, t 6, u 6"),
    ("odd-names", "= 1, d 42, f 1, t 1, u 17"),
    ("redir-cluster", "= 12, d 28, f 10, r 12, t 10, u 24"),
    ("redir-static", "= 4, f 4, r 3, u 8"),
    ("report-all", "xml 24"),
    ("report-same-port", "= 1, d 14, f 2, t 2, u 3, xml 2"),
    ("restart", "= 7, d 39, f 4, t 4, u 12"),
    ("selective", "= 1, d 4, f 1, t 2, u 2"),
    ("snaplen-256", "= 3, d 14, f 2, t 4, u 3"),
    ("trace-big", "= 5, d 3, f 12, t 2, u 2"),
    ("trace-files", "= 2, d 32, t 3, u 4"),
    ("trace-io", "= 2, d 30, t 10, u 6"),
    ("trace-iov-auth", "= 2, d 18, t 5, u 3"),
    ("trace-readv-multi", "= 1, d 11, f 2, t 2, u 2"),
    ("two-dests", "= 4, d 68, f 2, t 10, u 12"),
    ("two-servers", "= 6, d 38, f 3, t 10, u 8"),
    ("user-only", "= 2, u 4"),
    ("v596-mixed", "= 2, U 4, d 34, f 2, i 8, json 19, t 20, u 18, xml 3"),
    ("v610-mixed", "= 2, U 4, d 34, f 2, i 8, json 23, t 20, u 18, xml 3"),
    ("v610-token", "= 1, T 16, d 16, f 1, i 4, t 1, u 8"),
];

fn label(message: &Message<'_>, datagram: &[u8]) -> &'static str {
    match message {
        Message::Binary(_) => message.label(),
        Message::Summary(_) if datagram.starts_with(b"<") => "xml",
        Message::Summary(_) => "json",
        Message::Text(packet) => match packet.framing {
            Framing::Json => "json",
            Framing::Cgi => "cgi",
            Framing::None => "raw",
        },
    }
}

#[test]
fn every_capture_is_in_the_overview() {
    let mut found: Vec<_> = files(&[".pcap"]).iter().map(|path| corpus::stem(path)).collect();
    found.sort();
    found.dedup();
    for name in &found {
        assert!(OVERVIEW.iter().any(|(known, _)| known == name), "{name}");
    }
    assert!(found.len() + 1 >= OVERVIEW.len(), "only the largest capture may be missing");
}

#[test]
fn every_datagram_decodes_and_is_counted() {
    for (name, datagrams) in files(&[".pcap"]).iter().map(|path| payloads(path)) {
        let cut = name == "snaplen-256";
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for datagram in &datagrams {
            let mut faults: Vec<DecodeError> = Vec::new();
            let message = Message::decode(datagram, &mut faults);
            let dropped: Vec<_> =
                faults.iter().filter(|fault| fault.kind.severity() == Severity::Dropped).collect();
            let Some(message) = message else {
                assert!(cut, "{name}: {dropped:?}");
                assert_eq!(dropped.len(), 1);
                assert_eq!(dropped[0].kind, FaultKind::TruncatedDatagram);
                let code = gridtap::xrootd::packet::code_label(datagram[0]);
                *counts.entry(code).or_default() += 1;
                continue;
            };
            assert_eq!(dropped, Vec::<&DecodeError>::new(), "{name}");
            *counts.entry(label(&message, datagram)).or_default() += 1;
        }
        let counts: Vec<_> = counts.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let expected = OVERVIEW.iter().find(|(known, _)| *known == name).expect("known").1;
        assert_eq!(counts.join(", "), expected, "{name}");
    }
}

/// Remarks that real servers earn.
fn is_expected(name: &str, fault: &DecodeError) -> bool {
    match fault.kind {
        // Paths with quotes and backslashes, which the proxy cache does not escape.
        FaultKind::BadEventLine => name.starts_with("gstream-"),
        // Elements named by numbers.
        FaultKind::MalformedSummary => name == "v610-mixed",
        _ => false,
    }
}

#[test]
fn real_packets_earn_hardly_a_remark() {
    for (name, datagrams) in files(&[".pcap"]).iter().map(|path| payloads(path)) {
        if name == "snaplen-256" {
            continue;
        }
        let mut faults: Vec<DecodeError> = Vec::new();
        for datagram in &datagrams {
            let message = Message::decode(datagram, &mut faults).expect("decodes");
            message.check(&mut faults);
        }
        faults.retain(|fault| !is_expected(&name, fault));
        assert_eq!(faults, [], "{name}");
    }
}

#[test]
fn binary_packets_come_out_of_the_encoder_unchanged() {
    let mut kinds = BTreeMap::new();
    for (name, datagrams) in files(&[".pcap"]).iter().map(|path| payloads(path)) {
        for datagram in &datagrams {
            let Some(Message::Binary(packet)) =
                Message::decode(datagram, &mut gridtap::error::Ignore)
            else {
                continue;
            };
            let mut out = Vec::new();
            packet.encode(&mut out);
            assert!(out == *datagram, "{name}: a packet of code {}", packet.header.code);
            // Encoding must not stop early and be saved by another part's raw bytes.
            if let Body::Fstat(stream) = packet.body {
                assert!(stream.records().all(|record| record.is_ok()), "{name}");
            }
            *kinds.entry(packet.header.code).or_insert(0) += 1;
        }
    }
    assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), b"=TUdfgiprtux");
}
