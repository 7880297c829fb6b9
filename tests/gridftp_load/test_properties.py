"""Whatever transfers and logs there are: nothing is lost, nothing is there twice."""

from __future__ import annotations

import gzip
import math
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gridtap.gridftp import Transfer
from gridtap.loader import state
from gridtap.loader.errors import UnusableTransferError
from gridtap.loader.grouping import group
from gridtap.loader.hosts import Hosts
from gridtap.loader.mapping import Choice, describe, points, second_of
from gridtap.loader.sources import Source
from gridtap.loader.state import Position, State

HOSTS = Hosts(["192.0.2.1", "2001:db8::1"])
NOTHING: dict[str, Any] = dict.fromkeys(Transfer._fields)

TIMES = st.integers(1_710_000_000_000_000, 1_710_000_003_000_000).map(lambda us: us / 1e6)


@st.composite
def transfers(draw: st.DrawFn) -> Transfer:
    """A transfer that may lack anything"""
    started = draw(st.none() | TIMES)
    ended = draw(st.none() | TIMES)
    size = draw(st.none() | st.integers(0, 3) | st.integers(0, 2**62))
    rate = None
    if started is not None and ended is not None and size is not None and ended > started:
        rate = 8 * size / ((round(ended * 1e6) - round(started * 1e6)) / 1e6)
    return Transfer(
        **NOTHING
        | {
            "started_at": started,
            "ended_at": ended,
            "operation": draw(st.sampled_from(["RETR", "STOR"])),
            "code": draw(st.sampled_from([226, 226, 226, 426, 599, None])),
            "host": draw(st.sampled_from(["dtn1.example.net", "198.51.100.10", None])),
            "remote_address": draw(st.sampled_from(["203.0.113.25", "2001:db8:25::7", None])),
            "transferred_bytes": size,
            "streams": draw(st.none() | st.integers(1, 4)),
            "event": draw(st.sampled_from(["FTP_INFO", "Transfer-End"])),
            "retransmits": draw(st.none() | st.lists(st.none() | st.integers(0, 9), max_size=3)),
            "throughput_bps": rate,
            "log_offset_bytes": draw(st.integers(0, 10**6)),
        }
    )


def usable(each: Transfer, choice: Choice) -> bool:
    try:
        second_of(each)
        describe(each, HOSTS, choice, 0)
    except UnusableTransferError:
        return False
    return True


@given(found=st.lists(transfers(), max_size=40), aggregate=st.booleans())
def test_each_transfer_has_one_place(found: list[Transfer], aggregate: bool) -> None:
    choice = Choice(aggregate=aggregate)
    good = [each for each in found if usable(each, choice)]
    pairs = [(describe(each, HOSTS, choice, 0), each) for each in good]
    groups, repeated = group(pairs, is_merging=aggregate)
    for each in groups.values():
        seconds = Counter((sample.ts, sample.main[0] == "failures") for sample in each.samples)
        assert set(seconds.values()) <= {1}
    count = sum(
        sum(len(sample.transfers) for sample in each.samples) + len(each.displaced)
        for each in groups.values()
    )
    assert count + repeated == len(good)
    if aggregate:
        assert not any(each.displaced for each in groups.values())


@given(found=transfers())
def test_what_is_sent_is_json_without_nulls(found: Transfer) -> None:
    if not usable(found, Choice()):
        return
    description = describe(found, HOSTS, Choice(), 0)
    assert None not in description
    assert all(value is not None for _, value in description.parameters)
    for name, value in points([found]):
        assert name in description.event_types
        assert value is not None
        if name == "throughput":
            assert math.isfinite(value)
            assert value >= 0


@given(place=st.integers(0, 5), aggregate=st.booleans(), found=transfers())
def test_places_are_different_tests(place: int, aggregate: bool, found: Transfer) -> None:
    choice = Choice(aggregate=aggregate)
    if usable(found, choice):
        seen = {describe(found, HOSTS, choice, each) for each in range(place + 1)}
        is_sized = not aggregate or found.transferred_bytes is not None
        assert len(seen) == place + 1 - (not is_sized and place > 0)


POSITIONS = st.builds(
    Position,
    st.text(max_size=20),
    *[st.integers(0, 2**63)] * 5,
    st.text(max_size=64),
    st.integers(0, 2**63),
    st.text(max_size=64),
)


@given(files=st.lists(POSITIONS, max_size=4), log=st.text(max_size=20), at=st.floats(0, 1e12))
def test_a_state_is_read_as_it_was_written(files: list[Position], log: str, at: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        state.save(State(log, tuple(files), at), path)
        found = state.state_of(path.read_bytes(), path)
        assert [each.name for each in Path(folder).iterdir()] == ["state"]
    assert (found.log, found.files, found.updated_at) == (log, tuple(files), at)


LINES = st.lists(st.binary(max_size=400).map(lambda each: each.replace(b"\n", b"")), max_size=30)


@given(lines=LINES, size=st.integers(1, 3000), at=st.integers(0, 29), packed=st.booleans())
def test_reading_goes_on_where_it_was_left(
    lines: list[bytes], size: int, at: int, packed: bool
) -> None:
    data = b"".join(each + b"\n" for each in lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        path.write_bytes(gzip.compress(data) if packed else data)
        ends = []
        with Source(path) as source:
            begun = source.begin()
            read = b""
            for piece in source.pieces(size):
                read += piece
                end = read.rfind(b"\n") + 1
                if end > len(read) - len(piece):
                    ends.append(source.position(end, read.count(b"\n", 0, end) + 1))
        assert read == data
        for position in [begun, *ends[at : at + 1]]:
            with Source(path) as source:
                assert source.resume(position)
                rest = b"".join(source.pieces(size))
            assert rest == data[position.offset_bytes :]
        for position in ends[at : at + 1]:
            changed = bytearray(data)
            changed[position.offset_bytes - 1] ^= 1
            path.write_bytes(gzip.compress(bytes(changed)) if packed else bytes(changed))
            with Source(path) as source:
                assert not source.resume(position)
