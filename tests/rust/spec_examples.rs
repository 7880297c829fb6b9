//! Worked examples of every packet kind: invented packets whose every field is known.
//!
//! They come from one server: sid 71913380019031, started at 1700000000 (UTC).

mod worked_hex;

use gridtap::error::{DecodeError, FaultKind, Ignore, Severity};
use gridtap::xrootd::event::{self, Event};
use gridtap::xrootd::fstat::{FileRecord, StatOps, StatSsq, close_flag, open_flag};
use gridtap::xrootd::gtext::Framing;
use gridtap::xrootd::payload::{AuthInfo, EacInfo, PrgInfo, SrvInfo, TokenInfo, XfrInfo};
use gridtap::xrootd::redirect::{RedirectEntry, operation_name};
use gridtap::xrootd::trace::{TraceRecord, disc_flag};
use gridtap::xrootd::userid::UserId;
use gridtap::xrootd::{Body, Header, Message, Packet};
use worked_hex::*;

const SID: u64 = 71_913_380_019_031;
const START: u32 = 1_700_000_000;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// Decodes a sound binary packet, which must also come out of the encoder unchanged.
fn binary(datagram: &[u8]) -> Packet<'_> {
    let mut faults = Vec::new();
    let message = Message::decode(datagram, &mut faults).expect("a message");
    message.check(&mut faults);
    assert_eq!(faults, []);
    let Message::Binary(packet) = message else { panic!("not binary") };
    assert_eq!(packet.header.stod, START);
    assert_eq!(usize::from(packet.header.plen), datagram.len());
    let mut out = Vec::new();
    packet.encode(&mut out);
    assert_eq!(out, datagram);
    packet
}

fn header(packet: &Packet<'_>) -> (char, u8, u16) {
    let Header { code, pseq, plen, .. } = packet.header;
    (char::from(code), pseq, plen)
}

macro_rules! map {
    ($hex:ident, $packet:ident, $map:ident) => {
        let datagram = bytes($hex);
        let $packet = binary(&datagram);
        let Body::Map($map) = $packet.body else { panic!("no map") };
    };
}

fn user_id<'a>(
    prot: Option<&'a str>,
    user: &'a str,
    pid: Option<i64>,
    host: &'a str,
) -> UserId<'a> {
    UserId {
        prot: prot.map(str::as_bytes),
        user: user.as_bytes(),
        pid,
        sid: Some(SID),
        host: Some(host.as_bytes()),
    }
}

#[test]
fn server_identification() {
    map!(SERVER, packet, map);
    assert_eq!((header(&packet), map.dictid), (('=', 0, 118), 0));
    assert_eq!(map.user_id(), user_id(Some("="), "xrootd", Some(1234), "xrd1.example.org"));
    let expected = SrvInfo {
        site: Some(b"EXAMPLE-SITE"),
        port: Some(1094),
        inst: Some(b"anon"),
        pgm: Some(b"xrootd"),
        ver: Some(b"v5.5.3"),
    };
    let text = map.payload.expect("a payload");
    assert_eq!(SrvInfo::decode(text), expected);
    let mut out = Vec::new();
    expected.encode(&mut out);
    assert_eq!(out, text);
}

#[test]
fn user_with_authentication() {
    map!(USER, packet, map);
    assert_eq!((header(&packet), map.dictid), (('u', 1, 172), 1));
    assert_eq!(map.user_id(), user_id(Some("xroot"), "alice", Some(4242), "wn07.example.org"));
    assert_eq!(
        AuthInfo::decode(map.payload.expect("a payload")),
        AuthInfo {
            p: Some(b"gsi"),
            n: Some(b"alice"),
            h: Some(b"wn07.example.org"),
            o: Some(b"atlas"),
            r: Some(b"NULL"),
            g: Some(b"/atlas"),
            m: Some(b"/DC=ch/DC=cern/CN=Alice"),
            release: Some(b"v5.5.3"),
            x: Some(b"xrdcp"),
            y: Some(b""),
            ip_version: Some(4),
        }
    );
}

#[test]
fn path_and_application_info() {
    map!(PATH, packet, map);
    assert_eq!((header(&packet).0, map.dictid), ('d', 2));
    assert_eq!(map.payload, Some(&b"/data/f1.root"[..]));
    map!(APPINFO, packet, map);
    assert_eq!((header(&packet).0, map.dictid), ('i', 3));
    assert_eq!(map.payload, Some(&b"job 17"[..]));
}

#[test]
fn activity_and_token() {
    map!(ACTIVITY, packet, map);
    assert_eq!((header(&packet).0, map.dictid), ('U', 4));
    let text = map.payload.expect("a payload");
    assert_eq!(EacInfo::decode(text), EacInfo { uc: Some(1), ec: Some(2), ac: Some(14) });
    map!(TOKEN, packet, map);
    assert_eq!((header(&packet).0, map.dictid), ('T', 5));
    assert_eq!(
        TokenInfo::decode(map.payload.expect("a payload")),
        TokenInfo {
            uc: Some(1),
            s: Some(b"alice-sub"),
            n: Some(b"alice"),
            o: Some(b"https://iss.example.org"),
            r: Some(b""),
            g: Some(b"/atlas /atlas/prod "),
        }
    );
}

#[test]
fn transfer_and_purge() {
    map!(TRANSFER, packet, map);
    assert_eq!((header(&packet), map.dictid), (('x', 1, 112), 0));
    assert_eq!(map.user_id(), user_id(None, "alice", Some(4242), "wn07"));
    assert_eq!(
        XfrInfo::decode(map.payload.expect("a payload")),
        XfrInfo {
            lfn: b"/data/st.dat",
            tod: Some(1_700_000_100),
            sz: Some(5000),
            qt: Some(2),
            tm: Some(3),
            op: Some(b"6"),
            rc: Some(0),
            pd: Some(b"src=tape7"),
        }
    );
    map!(PURGE, packet, map);
    assert_eq!((header(&packet).0, map.dictid), ('p', 0));
    assert_eq!(map.user_id(), user_id(None, "frm_purged", None, "localhost"));
    assert_eq!(
        PrgInfo::decode(map.payload.expect("a payload")),
        PrgInfo {
            xfn: b"/data/old.dat",
            tod: Some(1_700_000_200),
            sz: Some(100_000),
            at: Some(1_690_000_000),
            ct: Some(1_690_000_001),
            mt: Some(1_690_000_002),
            fn_: Some(b"l"),
        }
    );
}

#[test]
fn trace_of_every_record() {
    let datagram = bytes(TRACE);
    let packet = binary(&datagram);
    assert_eq!((header(&packet), packet.sid()), (('t', 6, 216), Some(SID)));
    let Body::Trace(trace) = packet.body else { panic!("no trace") };
    let window = |end, start| TraceRecord::Window { reserved: 0, sid: SID, end, start };
    let request = |offset, buflen| TraceRecord::ReadWrite { offset, buflen, dictid: 2 };
    let vector = |unpacked, readid, count, buflen| TraceRecord::Readv {
        unpacked,
        readid,
        count,
        reserved: 0,
        buflen,
        dictid: 2,
    };
    let close = TraceRecord::Close {
        rshift: 1,
        wshift: 0,
        reserved: 0,
        rval: 0x8000_0000,
        wval: 512,
        dictid: 2,
    };
    let disconnect = TraceRecord::Disc {
        flags: disc_flag::FORCED,
        reserved: 0,
        stale: 0x2fe7_19c0,
        seconds: 95,
        user: 1,
    };
    let expected = [
        window(1_700_000_060, 1_700_000_060),
        TraceRecord::Open { filesize: 1_024_000, reserved: 0, dictid: 2 },
        request(0, 65_536),
        request(4096, -512),
        vector(true, 1, 3, 112),
        request(0, 16),
        request(1000, 32),
        request(2000, 64),
        window(1_700_000_120, 1_700_000_180),
        vector(false, 2, 2, 96),
        close,
        disconnect,
        window(1_700_000_240, 1_700_000_240),
    ];
    assert_eq!(trace.records().collect::<Vec<_>>(), expected);
    assert_eq!(close.close_totals(), Some((4_294_967_296, 512)));
}

#[test]
fn redirects() {
    let datagram = bytes(REDIRECT);
    let packet = binary(&datagram);
    assert_eq!((header(&packet), packet.sid()), (('r', 7, 128), Some(SID)));
    let Body::Redirects(stream) = packet.body else { panic!("no redirects") };
    let entries: Vec<_> = stream.entries().map(|entry| entry.expect("sound")).collect();
    assert_eq!(entries.len(), 5);
    let mark = |time| RedirectEntry::Mark { window: 60, time };
    assert_eq!((entries[0], entries[4]), (mark(1_700_000_060), mark(1_700_000_120)));
    let expected = [
        (0x80, "open_read", 4, 1094, &b"ds3.example.org"[..], &b"/data/f1.root"[..]),
        (0x90, "stat", 3, 51_095, b"[2001:db8::7]", b"/data/x:y"),
        (0x80, "locate", 2, 1094, b"", b"/local/f1"),
    ];
    for (entry, expected) in entries[1..4].iter().zip(expected) {
        let RedirectEntry::Redirect(entry) = entry else { panic!("a mark") };
        let (class, operation, dent, port, server, path) = expected;
        assert_eq!((entry.class(), operation_name(entry.operation())), (class, Some(operation)));
        assert_eq!((entry.dent, entry.port, entry.dictid), (dent, port, 1));
        assert_eq!(entry.target(), (Some(server), path));
    }
}

fn records<'a>(packet: &Packet<'a>) -> Vec<FileRecord<'a>> {
    let Body::Fstat(stream) = packet.body else { panic!("no f-stream") };
    stream.records().map(|record| record.expect("sound")).collect()
}

#[test]
fn file_stream_with_everything() {
    let datagram = bytes(FSTAT_FULL);
    let packet = binary(&datagram);
    assert_eq!((header(&packet), packet.sid()), (('f', 0, 224), Some(SID)));
    let [
        FileRecord::Time(time),
        FileRecord::Open(open),
        FileRecord::Transfer(transfer),
        FileRecord::Close(close),
        FileRecord::Disconnect(end),
    ] = records(&packet)[..]
    else {
        panic!("other records")
    };
    assert_eq!((time.records_xfr, time.records_total), (1, 4));
    assert_eq!((time.start, time.end), (1_700_000_060, 1_700_000_120));
    assert_eq!(time.sid.map(|sid| sid & gridtap::xrootd::SID_MASK), Some(SID));
    assert_eq!((open.flags, open.size, open.fileid), (open_flag::HAS_LFN, 40, 2));
    assert_eq!((open.filesize, open.user), (1_024_000, Some(1)));
    assert_eq!((open.lfn, open.padding), (Some(&b"/data/f1.root"[..]), &[0; 7][..]));
    assert_eq!((transfer.fileid, close.fileid, close.size), (2, 2, 112));
    for totals in [transfer.xfr, close.xfr] {
        assert_eq!((totals.read(), totals.readv(), totals.write()), (108, 128, 0));
    }
    assert_eq!(close.flags, close_flag::HAS_OPS | close_flag::HAS_SSQ);
    let ops = StatOps {
        read: 2,
        readv: 2,
        write: 0,
        rsmin: 1,
        rsmax: 3,
        rsegs: 4,
        rdmin: 8,
        rdmax: 100,
        rvmin: 16,
        rvmax: 112,
        wrmin: 0,
        wrmax: 0,
    };
    let ssq = StatSsq { read: 10_064.0, readv: 12_800.0, rsegs: 10.0, write: 0.0 };
    assert_eq!((close.ops(), close.ssq()), (Some(ops), Some(ssq)));
    assert_eq!(end.user, 1);
}

#[test]
fn file_stream_with_less() {
    let datagram = bytes(FSTAT_SHORT);
    let packet = binary(&datagram);
    let [
        FileRecord::Time(time),
        FileRecord::Open(open),
        FileRecord::Close(forced),
        FileRecord::Close(counted),
    ] = records(&packet)[..]
    else {
        panic!("other records")
    };
    assert_eq!((time.records_xfr, time.records_total), (0, 3));
    assert_eq!((time.start, time.end), (1_700_000_120, 1_700_000_180));
    assert_eq!((open.flags, open.size, open.fileid), (open_flag::READ_WRITE, 16, 9));
    assert_eq!((open.filesize, open.user, open.lfn), (0, None, None));
    assert_eq!((forced.forced(), forced.size, forced.fileid), (true, 32, 9));
    assert_eq!((forced.xfr.write(), forced.ops(), forced.ssq()), (1_025_000, None, None));
    assert_eq!((counted.forced(), counted.size, counted.fileid), (false, 80, 10));
    assert_eq!(counted.xfr.read(), 1_024_000);
    let ops = counted.ops().expect("counts");
    assert_eq!((ops.read, ops.rdmin, ops.rdmax), (1, i32::MAX, 0));
}

#[test]
fn time_record_before_4_4() {
    let datagram = bytes(FSTAT_OLD_TIME);
    let packet = binary(&datagram);
    let [FileRecord::Time(time), FileRecord::Disconnect(end)] = records(&packet)[..] else {
        panic!("other records")
    };
    assert_eq!((time.flags, time.size, time.records_total, time.sid), (0, 16, 1, None));
    assert_eq!((end.user, packet.sid()), (1, None));
}

#[test]
fn cache_events() {
    for (hex, later) in [(CACHE, true), (CACHE_OF_5_1, false)] {
        let datagram = bytes(hex);
        let packet = binary(&datagram);
        let Body::Gstream(stream) = packet.body else { panic!("no g-stream") };
        assert_eq!((stream.start, stream.end), (1_700_000_060, 1_700_000_061));
        assert_eq!((stream.provider, stream.sid, stream.swapped), (b'C', SID, false));
        let lines: Vec<_> = stream.lines().collect();
        assert_eq!(lines.len(), 1);
        let object = event::parse(lines[0].1).expect("an object");
        let Event::Cache(close) = Event::typed(Some(b'C'), &object) else { panic!("not typed") };
        assert_eq!(object["event"], "file_close");
        assert_eq!(object["remotes"], serde_json::json!(["origin.example.org:1094"]));
        assert_eq!((close.lfn, close.size), (Some("/data/f1.root"), Some(1_024_000)));
        assert_eq!(
            (close.blk_size, close.n_blks, close.n_blks_done),
            (Some(131_072), Some(8), Some(8))
        );
        assert_eq!(close.access_cnt, Some(1));
        assert_eq!((close.attach_t, close.detach_t), (Some(1_700_000_050), Some(1_700_000_060)));
        assert_eq!(
            (close.b_hit, close.b_miss, close.b_bypass),
            (Some(0), Some(1_024_000), Some(0))
        );
        let added = [close.b_todisk, close.b_prefetch, close.n_cks_errs];
        let expected = if later { [Some(1_024_000), Some(0), Some(0)] } else { [None; 3] };
        assert_eq!(added, expected);
    }
}

#[test]
fn third_party_copy() {
    let datagram = bytes(COPY);
    let packet = binary(&datagram);
    let Body::Gstream(stream) = packet.body else { panic!("no g-stream") };
    let (_, line) = stream.lines().next().expect("an event");
    let object = event::parse(line).expect("an object");
    let Event::Copy(copy) = Event::typed(Some(stream.provider), &object) else {
        panic!("not typed")
    };
    assert_eq!((copy.protocol, copy.client), (Some("http"), Some("bob.5:23@[::1]")));
    // 45 and 4321 microseconds: the digits are a count, not a fraction.
    assert_eq!(copy.began_at, Some(1_700_000_000.000_045));
    assert_eq!(copy.ended_at, Some(1_700_000_070.004_321));
    assert_eq!((copy.return_code, copy.streams), (Some(0), Some(4)));
    assert_eq!(
        (copy.direction, copy.ip_version, copy.size),
        (Some("push"), Some(6), Some(1_024_000))
    );
}

#[test]
fn text_headers() {
    let datagram = bytes(JSON);
    let mut faults = Vec::new();
    let message = Message::decode(&datagram, &mut faults).expect("a message");
    message.check(&mut faults);
    assert_eq!(faults, []);
    let Message::Text(packet) = message else { panic!("no text") };
    assert_eq!((packet.framing, packet.code, packet.pseq), (Framing::Json, b'g', Some(2)));
    assert_eq!((packet.stod, packet.sid), (Some(START), Some(SID)));
    assert_eq!(packet.src.site.as_deref(), Some("EXAMPLE-SITE"));
    assert_eq!(packet.provider, Some(b'R'));
    assert_eq!((packet.tbeg, packet.tend), (Some(1_700_000_001), Some(1_700_000_002)));
    let active: Vec<_> = packet
        .lines()
        .map(|(_, line)| match Event::typed(packet.provider, &event::parse(line).expect("JSON")) {
            Event::Throttle(update) => (update.io_wait, update.io_active, update.io_total),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(active, [(Some(0.012), Some(2), Some(99)), (Some(0.0125), Some(0), Some(101))]);

    let datagram = bytes(CGI);
    let message = Message::decode(&datagram, &mut faults).expect("a message");
    message.check(&mut faults);
    assert_eq!(faults, []);
    let Message::Text(packet) = message else { panic!("no text") };
    assert_eq!((packet.framing, packet.code, packet.pseq), (Framing::Cgi, b'g', Some(2)));
    assert_eq!((packet.stod, packet.sid, packet.provider), (Some(START), Some(SID), Some(b'P')));
    assert_eq!((packet.tbeg, packet.tend), (Some(1_700_000_001), Some(1_700_000_002)));
    assert_eq!(packet.lines().map(|(_, line)| line).collect::<Vec<_>>(), [b"{\"event\":\"x\"}"]);
}

#[test]
fn map_longer_than_its_buffer() {
    let (start, end) = (bytes(TRUNCATED), bytes(TRUNCATED_END));
    let datagram = [&start[..], &vec![b'a'; 1367 - start.len() - end.len()], &end].concat();
    let mut faults = Vec::new();
    let message = Message::decode(&datagram, &mut faults).expect("a message");
    let kinds: Vec<_> = faults.iter().map(|fault| (fault.kind, fault.offset)).collect();
    assert_eq!(kinds, [(FaultKind::TruncatedMap, 12 + 1279)]);
    let Message::Binary(Packet { header, body: Body::Map(map) }) = message else {
        panic!("no map")
    };
    assert_eq!((header.code, header.pseq, map.dictid), (b'd', 8, 6));
    let path = [&b"/data/"[..], &[b'a'; 1224]].concat();
    assert_eq!((map.payload, map.truncated(), map.stray.len()), (Some(&path[..]), true, 76));
}

#[test]
fn user_without_and_with_an_empty_payload() {
    map!(BARE_USER, packet, map);
    assert_eq!((header(&packet).0, map.dictid, map.payload), ('u', 7, None));
    assert_eq!(map.user_id(), user_id(Some("xroot"), "eve", Some(7), "[::ffff:192.0.2.9]"));
    let mut with_payload = bytes(BARE_USER);
    with_payload[3] = 0x3a;
    with_payload.push(b'\n');
    let Body::Map(map) = binary(&with_payload).body else { panic!("no map") };
    assert_eq!(map.payload, Some(&b""[..]));
    assert_eq!(AuthInfo::decode(b""), AuthInfo::default());
}

fn faults_of(datagram: &[u8]) -> (bool, Vec<(FaultKind, u32)>) {
    let mut faults: Vec<DecodeError> = Vec::new();
    let message = Message::decode(datagram, &mut faults);
    if let Some(message) = &message {
        message.check(&mut faults);
    }
    (message.is_some(), faults.iter().map(|fault| (fault.kind, fault.offset)).collect())
}

#[test]
fn malformed_packets() {
    use FaultKind::*;
    for (hex, decoded, expected) in [
        ("", false, vec![(EmptyDatagram, 0)]),
        ("64000007", false, vec![(ShortHeader, 0)]),
        ("640000146553f100000000017872", false, vec![(TruncatedDatagram, 0)]),
        ("640000076553f100", false, vec![(BadPacketLength, 0)]),
        ("7a0000086553f100", true, vec![(UnknownCode, 0)]),
        ("7400000c6553f100e0000000", true, vec![(TracePartialRecord, 8), (TraceNoRecords, 8)]),
        (
            "660000186553f10001000000000000010000000000000001",
            true,
            vec![(FstatRecordOverrun, 8), (FstatNoTime, 8)],
        ),
        (
            "720000286553f100f0004167a3787b570000003c6553f13c85000446000000010000003c6553f178",
            true,
            vec![(RedirectNoText, 24)],
        ),
        ("670000106553f1006553f13c6553f13d", false, vec![(ShortGstream, 8)]),
    ] {
        assert_eq!(faults_of(&bytes(hex)), (decoded, expected), "{hex}");
    }
}

#[test]
fn a_dropped_datagram_always_says_why() {
    for length in 0..64 {
        for code in 0..=255 {
            let mut datagram = vec![code; length];
            if length >= 4 {
                datagram[2..4].copy_from_slice(&[0, length as u8]);
            }
            let mut faults = Vec::new();
            let message = Message::decode(&datagram, &mut faults);
            let dropped = faults.iter().any(|fault| fault.kind.severity() == Severity::Dropped);
            assert_eq!(message.is_none(), dropped, "{code} {length} {faults:?}");
        }
    }
}

#[test]
fn application_id() {
    let datagram = bytes("7400 0018 6553f100 a00000006d7961707000000000000000");
    let Body::Trace(trace) = Packet::decode(&datagram, &mut Ignore).expect("a packet").body else {
        panic!("no trace")
    };
    let Some(TraceRecord::AppId { text, .. }) = trace.records().next() else { panic!("no appid") };
    assert_eq!(text, b"myapp\0\0\0\0\0\0\0");
}
