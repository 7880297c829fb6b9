"""Packets with known content decode to exactly that."""

from __future__ import annotations

import pytest

from gridtap import xrootd
from gridtap.errors import DecodeError, NotBinaryError
from gridtap.xrootd import (
    AppInfo,
    AuthInfo,
    Buff,
    Burr,
    Close,
    Disc,
    EacInfo,
    FileCLS,
    FileDSC,
    FileOPN,
    FileTOD,
    FileXFR,
    Fstat,
    Header,
    Map,
    Open,
    Packet,
    Path,
    Plugin,
    PrgInfo,
    ProxyCache,
    ReadU,
    ReadV,
    ReadWrite,
    Redirect,
    ServerIdent,
    SrvInfo,
    StatOPS,
    StatSSQ,
    ThirdPartyCopy,
    ThrottleUpdate,
    TokenInfo,
    Unknown,
    UserId,
    Window,
    WindowMark,
    XfrInfo,
)
from gridtap.xrootd.redir import XROOTD_MON

from . import examples

SID = 71913380019031
STOD = 1700000000
ALICE = UserId(b"xroot", b"alice", 4242, SID, b"wn07.example.org")


def decode(packet: bytes) -> Packet:
    decoded = Packet.from_buffer(packet)
    assert decoded.header == Header(packet[:1], packet[1], len(packet), STOD)
    assert decoded.size == len(packet)
    return decoded


@pytest.mark.parametrize(
    ("packet", "record"),
    [
        (
            examples.SERVER,
            Map(
                0,
                UserId(b"=", b"xrootd", 1234, SID, b"xrd1.example.org"),
                SrvInfo(b"xrootd", b"v5.5.3", b"anon", 1094, b"EXAMPLE-SITE"),
            ),
        ),
        (
            examples.LOGIN,
            Map(
                1,
                ALICE,
                AuthInfo(
                    b"gsi",
                    b"alice",
                    b"wn07.example.org",
                    b"atlas",
                    b"NULL",
                    b"/atlas",
                    b"/DC=ch/DC=cern/CN=Alice",
                    b"xrdcp",
                    b"",
                    release=b"v5.5.3",
                    ip_version=4,
                ),
            ),
        ),
        (examples.PATH, Map(2, ALICE, Path(b"/data/f1.root"))),
        (examples.APPINFO, Map(3, ALICE, AppInfo(b"job 17"))),
        (examples.ACTIVITY, Map(4, ALICE, EacInfo(1, 2, 14))),
        (
            examples.TOKEN,
            Map(
                5,
                ALICE,
                TokenInfo(
                    1,
                    b"alice-sub",
                    b"alice",
                    b"https://iss.example.org",
                    b"",
                    b"/atlas /atlas/prod ",
                ),
            ),
        ),
        (
            examples.TRANSFER,
            Map(
                0,
                UserId(None, b"alice", 4242, SID, b"wn07"),
                XfrInfo(b"/data/st.dat", 1700000100, 5000, 3, b"6", 0, b"src=tape7", qt=2),
            ),
        ),
        (
            examples.PURGE,
            Map(
                0,
                UserId(None, b"frm_purged", None, SID, b"localhost"),
                PrgInfo(
                    b"/data/old.dat",
                    1700000200,
                    100000,
                    1690000000,
                    1690000001,
                    1690000002,
                    b"l",
                ),
            ),
        ),
    ],
)
def test_maps(packet: bytes, record: Map) -> None:
    decoded = decode(packet)
    assert decoded.record == record
    assert decoded.faults == ()


def test_trace() -> None:
    decoded = decode(examples.TRACE)
    assert decoded.record == Buff(
        [
            Window(SID, 1700000060, 1700000060),
            Open(1024000, 2),
            ReadWrite(0, 65536, 2),
            ReadWrite(4096, -512, 2),
            ReadU(1, 3, 112, 2),
            ReadWrite(0, 16, 2),
            ReadWrite(1000, 32, 2),
            ReadWrite(2000, 64, 2),
            Window(SID, 1700000120, 1700000180),
            ReadV(2, 2, 96, 2),
            Close(4294967296, 512, 2),
            Disc(1, 95, 1),
            Window(SID, 1700000240, 1700000240),
        ]
    )
    assert decoded.faults == ()
    read, write = decoded.record.records[2:4]
    assert (read.readlen, read.writelen, write.readlen, write.writelen) == (65536, 0, 0, 512)
    assert decoded.record.records[11].seconds == 95


def test_application_id_loses_its_padding() -> None:
    record = bytes.fromhex("a00000006d7961707000000000000000")
    assert xrootd.AppId.from_buffer(record).appid == b"myapp"


def test_redirect() -> None:
    decoded = decode(examples.REDIRECT)
    mon = XROOTD_MON
    assert decoded.record == Burr(
        ServerIdent(SID),
        [
            WindowMark(1700000060, 60),
            Redirect(mon.REDIRECT, mon.OPENR, 4, 1094, 1, b"ds3.example.org", b"/data/f1.root"),
            Redirect(mon.REDLOCAL, mon.STAT, 3, 51095, 1, b"[2001:db8::7]", b"/data/x:y"),
            Redirect(mon.REDIRECT, mon.LOCATE, 2, 1094, 1, b"", b"/local/f1"),
            WindowMark(1700000120, 60),
        ],
    )
    assert (decoded.record.start, decoded.record.end) == (1700000060, 1700000120)
    first, second, third = decoded.record.records[1:4]
    assert [first.size, second.size, third.size] == [40, 32, 24]
    assert [first.local, second.local, third.local] == [False, False, True]
    assert isinstance(first.type, mon)
    assert isinstance(first.subtype, mon)
    assert first.arg0.type == 0x85
    assert second.arg1.serverpath == b"[2001:db8::7]:/data/x:y"
    assert decoded.faults == ()


def test_fstat() -> None:
    decoded = decode(examples.FSTAT)
    close = FileCLS(
        6,
        112,
        2,
        108,
        128,
        0,
        StatOPS(2, 2, 0, 1, 3, 4, 8, 100, 16, 112, 0, 0),
        StatSSQ(10064.0, 12800.0, 10.0, 0.0),
    )
    assert decoded.record == Fstat(
        FileTOD(1, 1, 4, 1700000060, 1700000120, SID),
        [
            FileOPN(1, 40, 2, 1024000, 1, b"/data/f1.root"),
            FileXFR(0, 2, 108, 128, 0),
            close,
            FileDSC(0, 1),
        ],
    )
    assert decoded.faults == ()
    opened = decoded.record.records[0]
    assert (opened.fsz, opened.ufn.user, opened.ufn.lfn) == (1024000, 1, b"/data/f1.root")
    xfr = decoded.record.records[2].xfr
    assert (xfr.read, xfr.readv, xfr.write) == (108, 128, 0)


def test_fstat_without_names() -> None:
    decoded = decode(examples.FSTAT_NO_LFN)
    counts = StatOPS(1, 0, 0, 0, 0, 0, 2147483647, 0, 0, 0, 0, 0)
    assert decoded.record == Fstat(
        FileTOD(1, 0, 3, 1700000120, 1700000180, SID),
        [
            FileOPN(2, 16, 9, 0),
            FileCLS(1, 32, 9, 0, 0, 1025000, None, None),
            FileCLS(2, 80, 10, 1024000, 0, 0, counts, None),
        ],
    )
    assert decoded.record.records[0].ufn is None
    assert decoded.faults == ()


def test_fstat_before_4_4() -> None:
    decoded = decode(examples.FSTAT_OLD)
    tod = FileTOD(0, 0, 1, 1700000120, 1700000180, None)
    assert decoded.record == Fstat(tod, [FileDSC(0, 1)])


def test_proxy_cache() -> None:
    cache = {
        "event": "file_close",
        "lfn": "/data/f1.root",
        "size": 1024000,
        "blk_size": 131072,
        "n_blks": 8,
        "n_blks_done": 8,
        "access_cnt": 1,
        "attach_t": 1700000050,
        "detach_t": 1700000060,
        "remotes": ["origin.example.org:1094"],
        "b_hit": 0,
        "b_miss": 1024000,
        "b_bypass": 0,
    }
    new = ProxyCache(**cache, b_todisk=1024000, b_prefetch=0, n_cks_errs=0)
    times = (1700000060, 1700000061)
    assert decode(examples.CACHE).record == Plugin(*times, [new], b"C", SID)
    old = ProxyCache(**cache)
    assert decode(examples.CACHE_OLD).record == Plugin(*times, [old], b"C", SID)


def test_third_party_copy() -> None:
    copy = decode(examples.COPY).record.records[0]
    assert isinstance(copy, ThirdPartyCopy)
    assert (copy.protocol, copy.client, copy.direction) == ("http", "bob.5:23@[::1]", "push")
    assert (copy.began_at, copy.ended_at) == (1700000000.000045, 1700000070.004321)
    assert (copy.return_code, copy.streams, copy.ip_version, copy.size) == (0, 4, 6, 1024000)
    assert copy.source == "http://xrd1.example.org:1094//data/f1.root"
    assert copy.destination == "https://dst.example.org/f1"
    assert copy.extra == {}


def test_json_text() -> None:
    text = xrootd.decode(examples.TEXT_JSON)
    assert isinstance(text, xrootd.TextGstream)
    assert (text.framing, text.code, text.pseq, text.stod, text.sid) == (
        "json",
        b"g",
        2,
        STOD,
        SID,
    )
    assert text.src == xrootd.TextOrigin(site="EXAMPLE-SITE")
    assert (text.provider, text.tBeg, text.tEnd) == (b"R", 1700000001, 1700000002)
    assert text.records == [
        ThrottleUpdate("throttle_update", 0.012, 2, 99),
        ThrottleUpdate("throttle_update", 0.0125, 0, 101),
    ]


def test_cgi_text() -> None:
    text = xrootd.decode(examples.TEXT_CGI)
    assert isinstance(text, xrootd.TextGstream)
    assert (text.framing, text.pseq, text.sid, text.provider) == ("cgi", 2, SID, b"P")
    assert (text.tBeg, text.tEnd) == (1700000001, 1700000002)
    assert text.records == [xrootd.GenericEvent({"event": "x"})]


@pytest.mark.parametrize(
    "packet", [examples.TEXT_JSON, examples.TEXT_CGI, b"<statistics tod='1'></statistics>"]
)
def test_text_is_no_packet(packet: bytes) -> None:
    with pytest.raises(NotBinaryError, match="read_packets"):
        Packet.from_buffer(packet)


def test_truncated_map() -> None:
    middle = 1367 - len(examples.CUT_HEAD) - len(examples.CUT_TAIL)
    decoded = decode(examples.CUT_HEAD + b"a" * middle + examples.CUT_TAIL)
    assert decoded.record == Map(6, ALICE, Path(b"/data/" + b"a" * 1224), truncated=True)
    assert [fault.kind for fault in decoded.faults] == ["truncated_map"]


def test_absent_and_empty_payloads() -> None:
    absent = decode(examples.NO_PAYLOAD)
    empty = decode(examples.NO_PAYLOAD[:2] + b"\x00\x3a" + examples.NO_PAYLOAD[4:] + b"\n")
    assert absent.record.payload == empty.record.payload == AuthInfo(*[None] * 9)
    assert (absent.record.payload_present, empty.record.payload_present) == (False, True)
    assert absent.record.userid == UserId(b"xroot", b"eve", 7, SID, b"[::ffff:192.0.2.9]")
    assert absent.record != empty.record


@pytest.mark.parametrize(
    ("packet", "kind"),
    [
        ("", "empty_datagram"),
        ("64000007", "short_header"),
        ("640000146553f100000000017872", "truncated_datagram"),
        ("640000076553f100", "bad_packet_length"),
        ("670000106553f1006553f13c6553f13d", "short_gstream"),
    ],
)
def test_rejected(packet: str, kind: str) -> None:
    with pytest.raises(DecodeError) as caught:
        Packet.from_buffer(bytes.fromhex(packet))
    error = caught.value
    assert (error.kind, isinstance(error, ValueError)) == (kind, True)
    assert str(error) == f"{kind} at byte {error.offset}: {error.context}"


@pytest.mark.parametrize(
    ("packet", "record", "kinds"),
    [
        ("7a0000086553f100", Unknown(b"z", b""), ["unknown_code"]),
        (
            "7400000c6553f100e0000000",
            Buff([]),
            ["trace_partial_record", "trace_no_records"],
        ),
        (
            "660000186553f10001000000000000010000000000000001",
            Fstat(None, []),
            ["fstat_record_overrun", "fstat_no_time"],
        ),
        (
            "720000286553f100f0004167a3787b570000003c6553f13c85000446000000010000003c6553f178",
            Burr(
                ServerIdent(SID),
                [
                    WindowMark(1700000060, 60),
                    Redirect(0x80, 5, 0, 1094, 1, None, b""),
                    WindowMark(1700000120, 60),
                ],
            ),
            ["redirect_no_text"],
        ),
    ],
)
def test_flagged(packet: str, record: object, kinds: list[str]) -> None:
    decoded = Packet.from_buffer(bytes.fromhex(packet))
    assert decoded.record == record
    assert [fault.kind for fault in decoded.faults] == kinds
