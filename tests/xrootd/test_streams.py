"""Streams of packets and of events."""

from __future__ import annotations

import io
import random

import pytest

from gridtap.xrootd import (
    AuthInfo,
    Buff,
    Burr,
    Close,
    Disc,
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
    ReadU,
    ReadV,
    ReadWrite,
    Redirect,
    ServerIdent,
    SrvInfo,
    UserId,
    Window,
    WindowMark,
)
from gridtap.xrootd.redir import XROOTD_MON
from xrootdlib.streams.XrdXrootdMon import fstat, map_streams, redir, stream_packets, trace
from xrootdlib.streams.XrdXrootdMon.map import (
    MapInfoError,
    MapInfoStore,
    PathAccessInfo,
    ServerInfo,
    UserInfo,
)
from xrootdlib.streams.XrdXrootdMon.utility import (
    PacketBufferExhausted,
    PSeq,
    packet_from_buffer,
)

from . import examples
from .captures import DATA, packets

STOD = 1700000000
SID, OTHER = 111, 222


def user_id(sid: int = SID, prot: bytes = b"xroot") -> UserId:
    return UserId(prot, b"u", 1, sid, b"client")


def packet(code: bytes, record: object, stod: int = STOD) -> Packet:
    return Packet(Header(code, 0, 8, stod), record)


def server(sid: int = SID, host: bytes = b"srv", stod: int = STOD) -> Packet:
    info = SrvInfo(b"xrootd", b"v5", b"anon", 1094, b"SITE")
    return packet(b"=", Map(0, UserId(b"=", b"x", 1, sid, host), info), stod)


def login(dictid: int, sid: int = SID) -> Packet:
    return packet(b"u", Map(dictid, user_id(sid), AuthInfo(*[None] * 9)))


def path(dictid: int, name: bytes, sid: int = SID) -> Packet:
    return packet(b"d", Map(dictid, user_id(sid), Path(name)))


def fstat_packet(*records: object, sid: int | None = SID) -> Packet:
    return packet(b"f", Fstat(FileTOD(1, 0, len(records), 10, 20, sid), list(records)))


def trace_packet(*records: object, sid: int = SID) -> Packet:
    marks = Window(sid, 10, 10), Window(sid, 20, 20)
    return packet(b"t", Buff([marks[0], *records, marks[1]]))


def events(*source: Packet) -> list[object]:
    return list(iter(source) >> map_streams())


def test_packets_of_a_file() -> None:
    with open(DATA / "trace-io.bin", "rb") as source:
        stream = stream_packets(source)
        assert len(list(stream)) == sum(name == "trace-io.bin" for name, _, _ in packets())
    assert not stream.skipped


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9])
def test_short_input_is_yielded(count: int) -> None:
    data = examples.SERVER * count
    assert len(list(stream_packets(io.BytesIO(data)))) == count


def test_groups_are_sorted_by_themselves() -> None:
    def numbered(code: bytes, pseq: int) -> bytes:
        template = {b"d": examples.PATH, b"f": examples.FSTAT, b"g": examples.CACHE}[code]
        return template[:1] + bytes([pseq % 256]) + template[2:]

    sent = [(b"d", 250 + n) for n in range(40)]
    sent = [
        item for pair in zip(sent, [(b"f", n) for n in range(40)], strict=True) for item in pair
    ]
    sent += [(b"g", 1), (b"g", 2)]
    order = list(range(len(sent)))
    shuffle = random.Random(7)
    for start in range(0, len(order) - 6, 6):
        part = order[start : start + 6]
        shuffle.shuffle(part)
        order[start : start + 6] = part
    assert order != sorted(order)
    data = b"".join(numbered(*sent[index]) for index in order)
    found = [(p.header.code, p.header.pseq) for p in stream_packets(io.BytesIO(data), 16)]
    assert len(found) == len(sent)
    for code in (b"d", b"f", b"g"):
        expected = [(c, n % 256) for c, n in sent if c == code]
        assert [item for item in found if item[0] == code] == expected


def test_bad_packets_are_skipped_and_counted() -> None:
    unknown, bad = bytes.fromhex("7a0000086553f100"), bytes.fromhex("670000106553f100") + bytes(8)
    data = examples.SERVER + unknown + bad + examples.PATH + examples.PATH[:20]
    stream = stream_packets(io.BytesIO(data))
    assert [p.header.code for p in stream] == [b"=", b"d"]
    assert stream.skipped == {"unknown_code": 1, "short_gstream": 1, "truncated_datagram": 1}


def test_sort_window_is_checked() -> None:
    for wrong in (0, 128):
        with pytest.raises(ValueError, match="sort_window"):
            stream_packets(io.BytesIO(), sort_window=wrong)


def test_packet_from_buffer() -> None:
    source = io.BytesIO(examples.SERVER + examples.PATH)
    assert packet_from_buffer(source).header.code == b"="
    assert packet_from_buffer(source).record.payload == Path(b"/data/f1.root")
    with pytest.raises(PacketBufferExhausted):
        packet_from_buffer(source)


def test_sequence_numbers_wrap() -> None:
    assert PSeq(250) < PSeq(3)
    assert PSeq(3) > PSeq(250)
    assert PSeq(3) >= PSeq(3)
    assert sorted(map(PSeq, [2, 254, 0, 255, 1])) == list(map(PSeq, [254, 255, 0, 1, 2]))
    assert (int(PSeq(7)), str(PSeq(7)), repr(PSeq(7))) == (7, "7", "<packet sequence 7>")


def test_chains_take_callables() -> None:
    stream = stream_packets(io.BytesIO(examples.SERVER + examples.PATH))
    stream >>= map_streams()
    stream >>= type
    assert list(stream) == [ServerInfo, PathAccessInfo]


def test_server_user_and_path() -> None:
    found_server, found_user, found_path = events(server(), login(5), path(6, b"/a"))
    assert isinstance(found_server, ServerInfo)
    assert (found_server.program, found_server.port, found_server.site) == (
        b"xrootd",
        1094,
        b"SITE",
    )
    assert isinstance(found_user, UserInfo)
    assert found_user.server is found_server
    assert (found_user.user, found_user.host, found_user.pid) == (b"u", b"client", 1)
    assert isinstance(found_path, PathAccessInfo)
    assert (found_path.path, found_path.protocol) == (b"/a", b"xroot")
    assert repr(found_path).startswith("<PathAccessInfo, client=UserId(")


def test_late_server_is_bound() -> None:
    user, window, info = events(login(5), fstat_packet(FileDSC(0, 5)), server())
    assert isinstance(window, fstat.FstatWindow)
    assert window.server_info is user.server is info
    assert window.server_info.site == b"SITE"


def test_unknown_server_has_empty_texts() -> None:
    (user,) = events(login(5))
    assert (user.server.site, user.server.known, user.server.sid) == (b"", False, SID)


def test_servers_of_one_second_are_kept_apart() -> None:
    *_, window = events(
        server(SID, b"a"),
        server(OTHER, b"b"),
        login(5, SID),
        login(5, OTHER),
        path(6, b"/mine", SID),
        path(6, b"/other", OTHER),
        fstat_packet(FileOPN(0, 16, 6, 99), sid=SID),
    )
    assert window.records[0].lfn == b"/mine"
    assert window.server_info.host == b"a"


def test_other_maps_pass() -> None:
    record = Packet.from_buffer(examples.APPINFO).record
    assert events(packet(b"i", record)) == [record]


def test_restarted_servers_replace_their_former_run() -> None:
    store = MapInfoStore()
    for index in range(5):
        store.digest_map(STOD + index, server(stod=STOD + index).record)
        store.digest_map(STOD + index, login(5).record)
    assert store.get_user(STOD + 4, 5, SID).server.stod == STOD + 4
    with pytest.raises(MapInfoError):
        store.get_user(STOD, 5, SID)


def test_transfers_keep_the_file() -> None:
    close = FileCLS(0, 32, 6, 1, 0, 0, None, None)
    transfers = [fstat_packet(FileXFR(0, 6, 1, 0, 0)) for _ in range(5000)]
    opened = fstat_packet(FileOPN(1, 40, 6, 9, 5, b"/a"))
    *_, last = events(server(), login(5), opened, *transfers, fstat_packet(close))
    assert isinstance(last.records[0], fstat.Close)
    assert (last.records[0].lfn, last.records[0].stats) == (b"/a", close)
    assert last.records[0].client.user == b"u"


def test_open_with_a_name_needs_no_login() -> None:
    (window,) = events(fstat_packet(FileOPN(3, 40, 6, 9, 77, b"/a")))
    opened = window.records[0]
    assert (opened.lfn, opened.client.client, opened.readwrite) == (b"/a", None, True)
    assert (window.start, window.end) == (10, 20)


def test_fstat_without_server_id_finds_its_server() -> None:
    *_, window = events(server(), login(5), fstat_packet(FileDSC(0, 5), sid=None))
    assert window.server_info.site == b"SITE"
    assert window.records[0].client.user == b"u"


def test_closed_files_are_forgotten_at_last() -> None:
    store = MapInfoStore()
    for dictid in range(10_000):
        store.digest_map(STOD, path(dictid, b"/a").record)
        store.free_access(STOD, dictid, SID)
    with pytest.raises(MapInfoError):
        store.get_access(STOD, 0, SID)
    assert store.get_access(STOD, 9_999, SID).path == b"/a"


def test_trace_events() -> None:
    *_, window = events(
        login(5),
        path(6, b"/a"),
        trace_packet(
            Open(100, 6),
            ReadWrite(10, 20, 6),
            ReadWrite(30, -40, 6),
            ReadV(1, 3, 90, 6),
            ReadU(2, 2, 30, 6),
            ReadWrite(0, 10, 6),
            ReadWrite(50, 20, 6),
            Close(50, 40, 6),
            Disc(1, 60, 5),
        ),
    )
    assert isinstance(window, trace.TraceWindow)
    assert (window.start, window.end) == (10, 20)
    opened, read, write, packed, unpacked, first, second, close, gone = window.records
    assert (opened.lfn, opened.filesize) == (b"/a", 100)
    assert (read.offset, read.read, read.write) == (10, 20, 0)
    assert (write.offset, write.read, write.write) == (30, 0, 40)
    assert (packed.reads, packed.count, packed.unpacked) == ([90], 3, False)
    assert (unpacked.reads, unpacked.count, unpacked.unpacked) == ([10, 20], 2, True)
    assert [first.read, second.read] == [10, 20]
    assert (close.rtot, close.wtot) == (50, 40)
    assert (gone.client.user, gone.duration, gone.forced) == (b"u", 60, True)


def test_missing_marks_are_tolerated() -> None:
    bare = packet(b"t", Buff([ReadWrite(10, 20, 6)]))
    *_, window = events(path(6, b"/a"), bare)
    assert (window.start, window.end, window.server_info.sid) == (None, None, SID)
    assert events(packet(b"t", Buff([]))) == []
    burr = Burr(ServerIdent(SID), [Redirect(XROOTD_MON.REDIRECT, 5, 1, 1, 5, b"t", b"/a")])
    *_, window = events(login(5), packet(b"r", burr))
    assert (window.start, window.end) == (None, None)
    assert repr(window).startswith("<RedirWindow, start=None, end=None, record_size=1")


def test_redirections() -> None:
    mon = XROOTD_MON
    records = [
        WindowMark(100, 60),
        Redirect(mon.REDIRECT, mon.OPENR, 2, 1094, 5, b"ds1", b"/a"),
        Redirect(mon.REDLOCAL, mon.STAT, 2, 1095, 5, b"ds2", b"/b"),
        Redirect(mon.REDLOCAL, mon.STAT, 2, 1095, 99, b"ds2", b"/nobody"),
        WindowMark(160, 60),
    ]
    *_, window = events(login(5), packet(b"r", Burr(ServerIdent(SID), records)))
    assert (window.start, window.end) == (100, 160)
    cluster, local = window.records
    assert isinstance(cluster, redir.CmsdRedir)
    assert isinstance(local, redir.XrootdRedir)
    assert (cluster.action, cluster.target, cluster.port, cluster.path) == (
        redir.Action.OPENR,
        b"ds1",
        1094,
        b"/a",
    )
    assert cluster.client.user == b"u"


def test_plugin_packets_pass() -> None:
    (found,) = events(Packet.from_buffer(examples.CACHE))
    assert isinstance(found, Plugin)


@pytest.mark.parametrize("name", sorted({name for name, _, _ in packets()}))
def test_real_captures(name: str) -> None:
    with open(DATA / name, "rb") as source:
        stream = stream_packets(source)
        found = list(stream >> map_streams())
    assert not stream.skipped
    assert found
    for event in found:
        assert repr(event)


def test_every_close_of_a_capture_has_its_name() -> None:
    with open(DATA / "fstat-full.bin", "rb") as source:
        windows = [
            event
            for event in stream_packets(source) >> map_streams()
            if isinstance(event, fstat.FstatWindow)
        ]
    closes = [r for w in windows for r in w.records if isinstance(r, fstat.Close)]
    assert closes
    assert all(close.lfn.startswith(b"/") for close in closes)
