//! Bytes and records that no server sent.

mod corpus;

use corpus::exercise::exercise;
use gridtap::error::{DecodeError, Ignore};
use gridtap::xrootd::fstat::{
    FileDsc, FileErr, FileOpn, FileRecord, FileTod, FileXfr, Fstat, StatErr, StatOps, StatSsq,
    StatXfr, UnknownRecord, close_flag, open_flag, time_flag,
};
use gridtap::xrootd::map::{MAP_CODES, Map};
use gridtap::xrootd::payload::{AuthInfo, EacInfo, SrvInfo, TokenInfo};
use gridtap::xrootd::redirect::{Redirect, RedirectEntry, Redirects};
use gridtap::xrootd::trace::{Trace, TraceRecord};
use gridtap::xrootd::{Body, Header, Message, Packet, SID_MASK};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A header around a body, with a length that fits.
fn framed(code: u8, body: &[u8]) -> Vec<u8> {
    let plen = u16::try_from(Header::SIZE + body.len()).expect("small");
    let mut out = Vec::new();
    Header { code, pseq: 7, plen, stod: 1_700_000_000 }.encode(&mut out);
    out.extend(body);
    out
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    vec(1u8..=255, 0..60)
}

/// A value without the sign that separates pairs, and without NUL.
fn value() -> impl Strategy<Value = Vec<u8>> {
    vec((1u8..=255).prop_filter("no separator", |byte| *byte != b'&'), 0..40)
}

fn values() -> impl Strategy<Value = Vec<Option<Vec<u8>>>> {
    vec(option::of(value()), 9)
}

/// A record in wire form: flags that say what is in it, and a size that counts it.
fn sized(mut bytes: Vec<u8>) -> Vec<u8> {
    let size = u16::try_from(bytes.len()).expect("small");
    bytes[2..4].copy_from_slice(&size.to_be_bytes());
    bytes
}

fn encoded(record: &FileRecord<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    record.encode(&mut out);
    sized(out)
}

/// Any f-stream record but a close, whose blocks can only be made from bytes.
fn file_record() -> impl Strategy<Value = Vec<u8>> {
    let open = (any::<u32>(), any::<i64>(), option::of((any::<u32>(), name())), 0u8..2);
    let open = open.prop_map(|(fileid, filesize, named, rw)| {
        let named_flag = if named.is_some() { open_flag::HAS_LFN } else { 0 };
        encoded(&FileRecord::Open(FileOpn {
            flags: named_flag | (rw * open_flag::READ_WRITE),
            size: 0,
            fileid,
            filesize,
            user: named.as_ref().map(|(user, _)| *user),
            lfn: named.as_ref().map(|(_, lfn)| &lfn[..]),
            padding: if named.is_some() { &[0; 5] } else { &[] },
        }))
    });
    let time = (any::<[u32; 2]>(), any::<[u16; 2]>(), option::of(any::<u64>()));
    let time = time.prop_map(|([start, end], [records_xfr, records_total], sid)| {
        let flags = if sid.is_some() { time_flag::HAS_SID } else { 0 };
        let size = 0;
        let time = FileTod { flags, size, records_xfr, records_total, start, end, sid };
        encoded(&FileRecord::Time(time))
    });
    let transfer = (any::<u32>(), any::<[i64; 3]>()).prop_map(|(fileid, [read, readv, write])| {
        let totals = StatXfr::encode(read, readv, write);
        let xfr = StatXfr::new(&totals);
        encoded(&FileRecord::Transfer(FileXfr { flags: 0, size: 0, fileid, xfr, padding: &[] }))
    });
    let end = any::<u32>()
        .prop_map(|user| encoded(&FileRecord::Disconnect(FileDsc { flags: 0, size: 0, user })));
    let failed = (any::<u32>(), option::of((any::<u32>(), name())), any::<i32>(), name());
    let failed = failed.prop_map(|(fileid, named, code, message)| {
        encoded(&FileRecord::Error(FileErr {
            flags: if named.is_some() { open_flag::HAS_LFN } else { 0 },
            size: 0,
            fileid,
            user: named.as_ref().map(|(user, _)| *user),
            lfn: named.as_ref().map(|(_, lfn)| &lfn[..]),
            err: StatErr { code, category: 1, reserved: [0; 3], message: &message, padding: &[0] },
        }))
    });
    let unknown = (6u8..=255, vec(any::<u8>(), 7..40)).prop_map(|(kind, rest)| {
        let bytes = sized([vec![kind], rest].concat());
        encoded(&FileRecord::Unknown(UnknownRecord { kind, bytes: &bytes }))
    });
    prop_oneof![open, time, transfer, end, failed, unknown]
}

/// A close with the blocks that its flags name, in wire form.
fn close_record() -> impl Strategy<Value = (Vec<u8>, Option<StatOps>, Option<StatSsq>)> {
    let ops = (any::<[i32; 3]>(), any::<[i16; 2]>(), any::<i64>(), any::<[i32; 6]>());
    let ops = ops.prop_map(|(counts, segments, rsegs, sizes)| StatOps {
        read: counts[0],
        readv: counts[1],
        write: counts[2],
        rsmin: segments[0],
        rsmax: segments[1],
        rsegs,
        rdmin: sizes[0],
        rdmax: sizes[1],
        rvmin: sizes[2],
        rvmax: sizes[3],
        wrmin: sizes[4],
        wrmax: sizes[5],
    });
    let ssq = [0.0..1e300f64, 0.0..1.0, 0.0..1e9, 0.0..1e18];
    let ssq = ssq.prop_map(|[read, readv, rsegs, write]| StatSsq { read, readv, rsegs, write });
    let blocks = option::of((ops, option::of(ssq)));
    (any::<u32>(), any::<[i64; 3]>(), blocks, 0u8..2).prop_map(
        |(fileid, totals, blocks, forced)| {
            let (ops, ssq) = blocks.map_or((None, None), |(ops, ssq)| (Some(ops), ssq));
            let mut flags = forced * close_flag::FORCED;
            flags |= if ops.is_some() { close_flag::HAS_OPS } else { 0 };
            flags |= if ssq.is_some() { close_flag::HAS_SSQ } else { 0 };
            let mut out = vec![0, flags, 0, 0];
            out.extend(fileid.to_be_bytes());
            out.extend(StatXfr::encode(totals[0], totals[1], totals[2]));
            ops.inspect(|ops| ops.encode(&mut out));
            ssq.inspect(|ssq| ssq.encode(&mut out));
            (sized(out), ops, ssq)
        },
    )
}

fn trace_record() -> impl Strategy<Value = [u8; 16]> {
    let (dictid, buflen) = (any::<u32>(), any::<i32>());
    let request = (0i64.., buflen, dictid)
        .prop_map(|(offset, buflen, dictid)| TraceRecord::ReadWrite { offset, buflen, dictid });
    let open = (0..1u64 << 56, any::<u32>(), any::<u32>())
        .prop_map(|(filesize, reserved, dictid)| TraceRecord::Open { filesize, reserved, dictid });
    let vector = (any::<(bool, u8, u16, u32)>(), any::<i32>(), any::<u32>()).prop_map(
        |((unpacked, readid, count, reserved), buflen, dictid)| TraceRecord::Readv {
            unpacked,
            readid,
            count,
            reserved,
            buflen,
            dictid,
        },
    );
    let close =
        (any::<[u8; 3]>(), any::<[u32; 3]>()).prop_map(|(bytes, words)| TraceRecord::Close {
            rshift: bytes[0],
            wshift: bytes[1],
            reserved: bytes[2],
            rval: words[0],
            wval: words[1],
            dictid: words[2],
        });
    let end =
        any::<(u8, u16, u32, u32, u32)>().prop_map(|(flags, reserved, stale, seconds, user)| {
            TraceRecord::Disc { flags, reserved, stale, seconds, user }
        });
    let window =
        (any::<(u8, u32, u32)>(), 0..=SID_MASK).prop_map(|((reserved, end, start), sid)| {
            TraceRecord::Window { reserved, sid, end, start }
        });
    prop_oneof![request, open, vector, close, end, window].prop_map(|record| {
        let mut out = Vec::new();
        record.encode(&mut out);
        let bytes: [u8; 16] = out.try_into().expect("16 bytes");
        assert_eq!(TraceRecord::decode(&bytes), record);
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..400)) {
        exercise(&bytes);
    }

    #[test]
    fn any_body_behind_a_sound_header_is_survived(
        code in prop::sample::select(&b"=diuTUxpftrgz"[..]),
        body in vec(any::<u8>(), 0..400),
    ) {
        exercise(&framed(code, &body));
    }

    #[test]
    fn any_text_behind_a_known_start_is_survived(
        start in prop::sample::select(&["{\"code\":", "code=g&", "<statistics ", "{\"statistics\":{"][..]),
        text in "[\\x00-\\x7f]{0,200}",
    ) {
        exercise(format!("{start}{text}").as_bytes());
    }

    #[test]
    fn file_records_survive_a_round_trip(
        records in vec(prop_oneof![
            file_record(),
            close_record().prop_map(|(bytes, _, _)| bytes),
        ], 1..20),
    ) {
        let body = records.concat();
        let mut faults: Vec<DecodeError> = Vec::new();
        let stream = Fstat::decode(&body, &mut faults).expect("a record");
        prop_assert_eq!(stream.records().count(), records.len());
        let ids = records.iter().map(|bytes| u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]));
        prop_assert_eq!(stream.ids().collect::<Vec<_>>(), ids.collect::<Vec<_>>());
        for (record, bytes) in stream.records().zip(&records) {
            let record = record.expect("sound");
            let mut out = Vec::new();
            record.encode(&mut out);
            prop_assert_eq!(&out, bytes);
        }
        exercise(&framed(b'f', &body));
    }

    #[test]
    fn what_was_decoded_once_decodes_again(
        records in vec((0u8..8, any::<u8>(), vec(any::<u8>(), 0..60)), 1..8),
    ) {
        let records = records.into_iter().map(|(kind, flags, rest)| {
            sized([vec![kind, flags, 0, 0, 0, 0, 0, 1], rest].concat())
        });
        let body = records.collect::<Vec<_>>().concat();
        let stream = Fstat::decode(&body, &mut Ignore).expect("a record");
        let mut out = Vec::new();
        stream.encode(&mut out);
        let kept = stream.records().flatten().count();
        match Fstat::decode(&out, &mut Ignore) {
            Some(again) => {
                prop_assert!(again.records().all(|record| record.is_ok()));
                prop_assert_eq!(again.records().count(), kept);
            }
            None => prop_assert_eq!(kept, 0),
        }
    }

    #[test]
    fn closes_keep_their_blocks((bytes, ops, ssq) in close_record()) {
        let stream = Fstat::decode(&bytes, &mut Ignore).expect("a record");
        let Some(Ok(FileRecord::Close(close))) = stream.records().next() else {
            return Err(TestCaseError::fail("no close"));
        };
        prop_assert_eq!((close.ops(), close.ssq(), close.padding()), (ops, ssq, &[][..]));
    }

    #[test]
    fn trace_records_survive_a_round_trip(records in vec(trace_record(), 1..40)) {
        let body = records.concat();
        let mut faults: Vec<DecodeError> = Vec::new();
        let trace = Trace::decode(&body, &mut faults);
        prop_assert_eq!(&faults, &[]);
        prop_assert_eq!(trace.records().len(), records.len());
        let mut out = Vec::new();
        trace.encode(&mut out);
        prop_assert_eq!(out, body);
    }

    #[test]
    fn redirects_survive_a_round_trip(
        sid in 0..=SID_MASK,
        entries in vec((0x80u8..=0xff, 1u8..20, any::<u16>(), any::<u32>(), any::<bool>()), 0..20),
    ) {
        let mut body = (0xf0u64 << 56 | sid).to_be_bytes().to_vec();
        let text = [b'x'; 8 * 20];
        let mut expected = Vec::new();
        for (kind, dent, port, dictid, mark) in entries {
            if mark {
                body.extend([0, 0, 0, 60]);
                body.extend(dictid.to_be_bytes());
                expected.push(RedirectEntry::Mark { window: 60, time: dictid });
            } else {
                let text = &text[..8 * usize::from(dent)];
                body.extend([kind, dent]);
                body.extend(port.to_be_bytes());
                body.extend(dictid.to_be_bytes());
                body.extend(text);
                let entry = Redirect { kind, dent, port, dictid, text };
                expected.push(RedirectEntry::Redirect(entry));
            }
        }
        let stream = Redirects::decode(&body, &mut Ignore).expect("a server");
        prop_assert_eq!(stream.sid, sid);
        let found: Vec<_> = stream.entries().map(|entry| entry.expect("sound")).collect();
        prop_assert_eq!(found, expected);
        let mut out = Vec::new();
        stream.encode(&mut out);
        prop_assert_eq!(out, body);
    }

    #[test]
    fn maps_survive_a_round_trip(
        code in prop::sample::select(MAP_CODES),
        dictid: u32,
        userid in vec((1u8..=255).prop_filter("no line feed", |byte| *byte != b'\n'), 0..40),
        payload in option::of(name()),
        stray in option::of(vec(any::<u8>(), 0..10)),
    ) {
        let stray = stray.map_or(vec![], |rest| [vec![0], rest].concat());
        let map = Map { code, dictid, userid: &userid, payload: payload.as_deref(), stray: &stray };
        let plen = 0;
        let header = Header { code, pseq: 1, plen, stod: 1_700_000_000 };
        let mut datagram = Vec::new();
        Packet { header, body: Body::Map(map) }.encode(&mut datagram);
        let plen = u16::try_from(datagram.len()).expect("small");
        datagram[2..4].copy_from_slice(&plen.to_be_bytes());
        let Some(Message::Binary(packet)) = Message::decode(&datagram, &mut Ignore) else {
            return Err(TestCaseError::fail("no packet"));
        };
        prop_assert_eq!(packet.header, Header { plen, ..header });
        prop_assert_eq!(packet.body, Body::Map(map));
    }

    #[test]
    fn server_information_survives_a_round_trip(texts in values(), port in option::of(any::<i64>())) {
        let info = SrvInfo {
            site: texts[0].as_deref(),
            port,
            inst: texts[1].as_deref(),
            pgm: texts[2].as_deref(),
            ver: texts[3].as_deref(),
        };
        let mut out = Vec::new();
        info.encode(&mut out);
        prop_assert_eq!(SrvInfo::decode(&out), info);
    }

    #[test]
    fn login_information_survives_a_round_trip(texts in values(), ip_version in option::of(any::<i64>())) {
        let info = AuthInfo {
            p: texts[0].as_deref(),
            n: texts[1].as_deref(),
            h: texts[2].as_deref(),
            o: texts[3].as_deref(),
            r: texts[4].as_deref(),
            g: texts[5].as_deref(),
            m: texts[6].as_deref(),
            release: texts[7].as_deref(),
            x: texts[8].as_deref(),
            y: None,
            ip_version,
        };
        let mut out = Vec::new();
        info.encode(&mut out);
        prop_assert_eq!(AuthInfo::decode(&out), info);
    }

    #[test]
    fn token_and_activity_survive_a_round_trip(
        texts in values(),
        uc in option::of(any::<u32>()),
        ec in option::of(any::<i64>()),
        ac in option::of(any::<i64>()),
    ) {
        let info = TokenInfo {
            uc,
            s: texts[0].as_deref(),
            n: texts[1].as_deref(),
            o: texts[2].as_deref(),
            r: texts[3].as_deref(),
            g: texts[4].as_deref(),
        };
        let mut out = Vec::new();
        info.encode(&mut out);
        prop_assert_eq!(TokenInfo::decode(&out), info);
        let info = EacInfo { uc, ec, ac };
        let mut out = Vec::new();
        info.encode(&mut out);
        prop_assert_eq!(EacInfo::decode(&out), info);
    }
}
