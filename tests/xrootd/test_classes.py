"""The packet classes as Python objects."""

from __future__ import annotations

import array
import contextlib
import copy
import inspect
import pickle
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gridtap import _core, xrootd
from gridtap.errors import DecodeError, GridtapError, NotBinaryError
from gridtap.xrootd import plugin
from xrootdlib.utility import slot_repr

from . import examples
from .captures import packets

CLASSES = sorted(
    (
        value
        for value in vars(_core).values()
        # Readers are no packets.
        if isinstance(value, type) and value.__module__ == "gridtap.xrootd"
    ),
    key=lambda cls: cls.__name__,
)
PACKETS = [packet for _, _, packet in packets()]
VIEWS = [cls for cls in CLASSES if cls.__name__.endswith("View")]


def parts(value: Any) -> list[Any]:
    """An object and all objects in it"""
    if isinstance(value, list):
        return [part for item in value for part in parts(item)]
    if type(value) not in CLASSES:
        return []
    return [value, *(part for name in value.__slots__ for part in parts(getattr(value, name)))]


def one_of_each() -> dict[str, Any]:
    """An example of every class that real packets hold"""
    found: dict[str, Any] = {}
    texts = [value for value in vars(examples).values() if isinstance(value, bytes)]
    for packet in PACKETS + texts:
        try:
            message = xrootd.decode(packet)
        except DecodeError:
            continue
        for part in parts(message):
            found.setdefault(type(part).__name__, part)
    return found


EXAMPLES = one_of_each()


def test_real_packets_hold_nearly_all_classes() -> None:
    never = {"AppId", "Fault", "FileERR", "Read", "StatERR", "Summary", "Unknown", "UnknownRecord"}
    assert {cls.__name__ for cls in CLASSES} - set(EXAMPLES) == never | {
        cls.__name__ for cls in VIEWS
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_constructing_by_hand_gives_an_equal_object(name: str) -> None:
    value = EXAMPLES[name]
    cls = type(value)
    fields = {field: getattr(value, field) for field in cls.__slots__}
    for twin in (cls(*fields.values()), cls(**fields)):
        assert twin == value
        assert hash(twin) == hash(value)
        assert repr(twin) == repr(value)
        assert (twin != value) is False
    assert value != fields
    with pytest.raises(TypeError):
        assert value < value


@pytest.mark.parametrize("cls", CLASSES)
def test_signatures_tell_the_fields(cls: type[Any]) -> None:
    assert tuple(inspect.signature(cls).parameters) == cls.__slots__ == cls.__match_args__
    with pytest.raises(TypeError):
        cls(*range(20))
    with pytest.raises(TypeError):
        cls(nonsense=1)


@pytest.mark.parametrize("name", EXAMPLES)
def test_fields_cannot_be_set(name: str) -> None:
    value = EXAMPLES[name]
    with pytest.raises(AttributeError):
        setattr(value, type(value).__slots__[0], 1)


@pytest.mark.parametrize("packet", PACKETS[::7])
def test_copies_and_pickles_are_equal(packet: bytes) -> None:
    decoded = xrootd.Packet.from_buffer(packet)
    for twin in (
        copy.copy(decoded),
        copy.deepcopy(decoded),
        *(pickle.loads(pickle.dumps(decoded, protocol)) for protocol in (2, 4, 5)),
    ):
        assert twin == decoded
        assert hash(twin) == hash(decoded)
        assert twin.faults == decoded.faults
        assert twin.size == decoded.size
    for part in parts(decoded):
        assert pickle.loads(pickle.dumps(part)) == part


def test_types_differ_even_if_values_do_not() -> None:
    assert xrootd.ReadU(1, 2, 3, 4) != xrootd.ReadV(1, 2, 3, 4)
    assert isinstance(xrootd.ReadU(1, 2, 3, 4), xrootd.Read)
    assert len({xrootd.ReadU(1, 2, 3, 4), xrootd.ReadV(1, 2, 3, 4)}) == 2


def test_nan_equals_itself() -> None:
    nan = float("nan")
    assert xrootd.StatSSQ(nan, 0.0, 0.0, 0.0) == xrootd.StatSSQ(nan, 0.0, 0.0, 0.0)


def test_representations() -> None:
    assert repr(xrootd.Path(b"/a")) == "Path(b'/a')"
    assert repr(xrootd.FileDSC(0, 7)) == "<FileDSC, flags=0, dictid=7>"
    assert repr(xrootd.FileDSC(0, 7)) == slot_repr(xrootd.FileDSC(0, 7))
    user = xrootd.UserId(b"x", b"u", 1, 2, b"h")
    shown = "Map(dictid=1, userid=UserId(b'x', b'u', 1, 2, b'h'), payload=Path(b'/a'))"
    assert repr(xrootd.Map(1, user, xrootd.Path(b"/a"))) == shown
    assert repr(plugin.RawEvent(b"x")) == "<RawEvent, line=b'x'>"


@pytest.mark.parametrize("packet", PACKETS[::11])
def test_every_buffer_decodes_alike(packet: bytes) -> None:
    expected = xrootd.Packet.from_buffer(packet)
    for buffer in (
        bytearray(packet),
        memoryview(packet),
        memoryview(bytearray(packet)),
        memoryview(b"?" + packet)[1:],
        array.array("b", packet),
        memoryview(packet[::-1])[::-1],
        packet + b"following packet",
        memoryview(packet + b"following packet"),
    ):
        decoded = xrootd.Packet.from_buffer(buffer)
        assert decoded == expected
        assert decoded.faults == expected.faults
    assert xrootd.Packet.from_buffer(buffer=packet) == expected


@pytest.mark.parametrize("wrong", ["text", None, 7, []])
def test_other_inputs_are_refused(wrong: Any) -> None:
    with pytest.raises(TypeError):
        xrootd.Packet.from_buffer(wrong)


@pytest.mark.parametrize("packet", PACKETS[::5])
def test_parts_decode_by_themselves(packet: bytes) -> None:
    decoded = xrootd.Packet.from_buffer(packet)
    assert xrootd.Header.from_buffer(packet) == decoded.header
    owner = xrootd.Packet.record_dispatch[decoded.header.code]
    assert type(decoded.record) is owner
    assert owner.from_record(packet[8:], decoded.header.code) == decoded.record


def test_records_decode_by_themselves() -> None:
    trace = xrootd.Packet.from_buffer(examples.TRACE).record
    for index, record in enumerate(trace.records):
        data = examples.TRACE[8 + 16 * index :]
        assert type(record).from_buffer(data) == record
        assert record.size == 16
    data, fstat = examples.FSTAT[8:], xrootd.Packet.from_buffer(examples.FSTAT).record
    for record in (fstat.tod, *fstat.records):
        assert type(record).from_buffer(data) == record
        data = data[record.size :]
    assert data == b""
    data, burr = examples.REDIRECT[8:], xrootd.Packet.from_buffer(examples.REDIRECT).record
    for record in (burr.sid, *burr.records):
        assert type(record).from_buffer(data) == record
        data = data[record.size :]
    assert data == b""


def test_statistics_decode_by_themselves() -> None:
    close = xrootd.Packet.from_buffer(examples.FSTAT).record.records[2]
    data = examples.FSTAT[-8 - 80 : -8]
    assert xrootd.StatOPS.from_buffer(data) == close.ops
    assert xrootd.StatSSQ.from_buffer(data[48:]) == close.ssq


def test_wrong_records_are_refused() -> None:
    window = examples.TRACE[8:24]
    with pytest.raises(ValueError, match="no Close"):
        xrootd.Close.from_buffer(window)
    with pytest.raises(ValueError, match="unknown record code"):
        xrootd.Buff.from_record(window, b"f")
    with pytest.raises(ValueError, match="unknown record code b'z'"):
        xrootd.Map.from_record(b"\0\0\0\0", b"z")
    with pytest.raises(DecodeError):
        xrootd.StatOPS.from_buffer(b"")


def test_unknown_records_keep_their_bytes() -> None:
    trace = xrootd.Packet.from_buffer(b"t\0\0\x18" + b"\x65\x53\xf1\0" + b"\xb0" + bytes(15)).record
    assert trace.records == [xrootd.UnknownRecord(0xB0, b"\xb0" + bytes(15))]
    fstat = xrootd.Fstat.from_record(b"\x09\0\0\x08\0\0\0\x01")
    assert fstat.records == [xrootd.UnknownRecord(9, b"\x09\0\0\x08\0\0\0\x01")]


def test_errors_after_6_1() -> None:
    err = b"\0\0\x0b\xc3" + b"\x01" + bytes(3) + b"denied\0\0"
    failed = b"\x05\x01\0\x24" + b"\0\0\0\x07" + b"\0\0\0\x01" + b"/a/b/c\0\0"[:8]
    body = failed[:12] + b"/a/b/c\0" + err
    body = body[:2] + len(body).to_bytes(2, "big") + body[4:]
    (record,) = xrootd.Fstat.from_record(body).records
    error = xrootd.StatERR(3011, 1, b"denied")
    assert record == xrootd.FileERR(1, len(body), 7, error, 1, b"/a/b/c")


def test_events() -> None:
    event = xrootd.ProxyCache.from_string('{"lfn": "/é", "new": [1]}')
    assert (event.lfn, event.extra, event.size) == ("/é", {"new": [1]}, None)
    assert hash(event) == hash(pickle.loads(pickle.dumps(event)))
    with pytest.raises(DecodeError, match="bad_event_line"):
        xrootd.ContextCache.from_string("not json")
    monitor = xrootd.TCPConnectionMonitor.from_string(b'{"rtt": 1.5e3}')
    assert monitor.data == {"rtt": 1500.0}
    assert monitor != xrootd.GenericEvent({"rtt": 1500.0})
    assert repr(monitor) == "<TCPConnectionMonitor, data={'rtt': 1500.0}>"


def test_bad_event_lines_stay_raw() -> None:
    head = (1700000060).to_bytes(4, "big") * 2 + b"Z\0" + bytes(6)
    stream = xrootd.Plugin.from_record(head + b'{"a":1}\n{"p":"a"b"}\n\0\0')
    assert stream.records == [xrootd.GenericEvent({"a": 1}), xrootd.RawEvent(b'{"p":"a"b"}')]
    assert stream.provider == b"Z"


def test_summaries() -> None:
    report = b'<statistics tod="5" pgm="xrootd"><stats id="link"><num>3</num></stats></statistics>'
    summary = xrootd.decode(report)
    assert summary == xrootd.Summary({"link": {"num": 3}}, tod=5, pgm="xrootd")
    assert hash(summary) == hash(pickle.loads(pickle.dumps(summary)))


def test_exceptions_pickle() -> None:
    error = DecodeError("short_map", 8, "dictid")
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.kind, twin.offset, twin.context) == ("short_map", 8, "dictid")
    assert issubclass(NotBinaryError, GridtapError)


def test_objects_do_not_leak() -> None:
    packet = PACKETS[0]
    xrootd.Packet.from_buffer(packet)
    before = (sys.getrefcount(xrootd.Map), sys.getrefcount(None))
    for _ in range(1000):
        xrootd.Packet.from_buffer(packet)
        xrootd.FileDSC(None, None)
    after = (sys.getrefcount(xrootd.Map), sys.getrefcount(None))
    assert abs(after[0] - before[0]) < 50
    assert abs(after[1] - before[1]) < 500


def attempt(data: bytes) -> None:
    """Decoding returns or raises what it says it raises"""
    try:
        decoded = xrootd.Packet.from_buffer(data)
    except (DecodeError, NotBinaryError):
        pass
    else:
        assert repr(decoded)
        assert hash(decoded) == hash(pickle.loads(pickle.dumps(decoded)))
        assert isinstance(decoded.faults, tuple)
    with contextlib.suppress(DecodeError):
        assert repr(xrootd.decode(data))


@given(st.binary(max_size=300))
@example(b"")
@example(b"code=")
@example(b"{}")
def test_arbitrary_bytes(data: bytes) -> None:
    attempt(data)


@given(
    st.sampled_from(PACKETS),
    st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), max_size=6),
    st.integers(0, 1500),
)
def test_damaged_packets(packet: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(packet)
    for at, byte in changes:
        damaged[at % len(damaged)] = byte
    attempt(bytes(damaged))
    attempt(bytes(damaged[: cut % len(damaged)]))


def test_a_derived_class_makes_objects_of_its_own() -> None:
    class Marked(xrootd.Read):
        """A script's own kind of read."""

    kept = [xrootd.Read(1, 2, 3, 4) for _ in range(8)]
    del kept
    made = Marked(1, 2, 3, 4)
    assert type(made) is Marked
    assert made.buflen == 3
