"""Whatever the bytes, readers end and raise nothing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtap import _core
from gridtap.xrootd import read_accesses, read_packets, read_records
from gridtap.xrootd.records import RECORDS

DATA = Path(__file__).resolve().parent.parent / "data" / "xrootd"

#: Small captures with a bit of everything, in each form of source.
SEEDS = [
    DATA.joinpath(name).read_bytes()
    for name in (
        "fstat-full.bin",
        "redir-static.bin",
        "trace-iov-auth.bin",
        "gstream-tcpmon-bin.bin",
        "gstream-pfc-json.pcap",
        "report-same-port.pcap",
        "odd-names.pcap",
        "v610-token.bin",
    )
]

MAGICS = [
    b"",
    b"\xd4\xc3\xb2\xa1\x02\0\x04\0",
    b"\xa1\xb2\xc3\xd4\0\x02\0\x04",
    b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0",
    b'{"data":"',
    b"=\0\0\x20",
    b"f\0\xff\xff",
    b"t\x07\0\x18\x6a\0\0\0",
    b"<statistics ",
]


class Trickle(io.BytesIO):
    """Gives a few bytes at each read"""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(7)


def exercise(data: bytes) -> None:
    """Reads the bytes in every way; all ways must agree on how much there is"""
    packets = list(read_packets(io.BytesIO(data)))
    lines = read_records(io.BytesIO(data), "packets")
    rows = list(lines)
    counts = lines.counts()
    assert counts["datagrams"] == len(rows) >= len(packets)
    trickled = read_packets(Trickle(data[:3000]))
    assert list(trickled) == list(read_packets(io.BytesIO(data[:3000])))
    for what in RECORDS:
        reader = _core.RecordReader(io.BytesIO(data), what)
        while reader.rows():
            pass
        assert reader.counts()["datagrams"] == len(rows)
    for access in read_accesses(io.BytesIO(data)):
        assert access.close_reason is not None


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(MAGICS), st.binary(max_size=4000))
def test_arbitrary_bytes(magic: bytes, data: bytes) -> None:
    exercise(magic + data)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real capture with bytes changed, inserted, left out, repeated or cut off"""
    data = bytearray(draw(st.sampled_from(SEEDS))[: draw(st.integers(100, 6000))])
    for _ in range(draw(st.integers(1, 12))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 64)))
        match draw(st.sampled_from(["set", "insert", "leave out", "repeat", "cut"])):
            case "set":
                value = draw(st.sampled_from([0, 1, 7, 8, 0x7F, 0x80, 0xFF]))
                data[at:end] = bytes([value]) * min(end - at, draw(st.integers(1, 8)))
            case "insert":
                data[at:at] = draw(st.binary(max_size=32))
            case "leave out":
                del data[at:end]
            case "repeat":
                data[at:at] = data[at:end] * draw(st.integers(1, 20))
            case _:
                del data[max(at, len(data) - 50) :]
    return bytes(data)


@settings(deadline=None, max_examples=200)
@given(mutated())
def test_damaged_captures(data: bytes) -> None:
    exercise(data)


@settings(deadline=None, max_examples=50)
@given(mutated())
def test_damaged_captures_through_arrow(data: bytes) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(read_records(io.BytesIO(data), "packets"))
    table.validate(full=True)
    assert table.num_rows == sum(1 for _ in read_records(io.BytesIO(data), "packets"))


@settings(deadline=None, max_examples=50)
@given(mutated(), mutated())
def test_damaged_sources_one_after_the_other(first: bytes, second: bytes) -> None:
    run = _core.Extractor("accesses", "arrow")
    for data in (first, second):
        run.open(io.BytesIO(data))
        while run.step()[0]:
            pass
        for kind, _, offset, _, context in run.faults():
            assert kind in dict(_core.fault_kinds())
            assert 0 <= offset <= len(data)
            assert context
    run.finish()
    accesses = run.counts()["accesses"]
    assert run.take().rows == sum(accesses.values())
