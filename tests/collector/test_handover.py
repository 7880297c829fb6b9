"""Batches between the core and a sink: in order, none lost, whatever the sink does meanwhile."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtap.collector.handover import HandOver
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.collector.spool import Spool

CAP = 1 << 20


def batch(number: int, size: int = 100) -> StoredBatch:
    return StoredBatch(1, "accesses", f"{number:05}\n".encode() * (size // 6 or 1))


def number_of(found: StoredBatch | None) -> int | None:
    return None if found is None else int(found.data[:5])


def taken(line: HandOver) -> list[int | None]:
    """Takes all that is there"""
    found = []
    while (each := line.head(0.0)) is not None:
        found.append(number_of(each))
        line.done()
    return found


def test_memory_only(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", CAP)
    line = HandOver(spool, 1000)
    for number in range(5):
        line.put(batch(number))
    assert (spool.stored_records, line.waiting_bytes) == (0, 480)
    assert taken(line) == [0, 1, 2, 3, 4]
    assert line.waiting_bytes == 0


def test_what_memory_has_no_room_for_goes_to_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", CAP)
    line = HandOver(spool, 250)
    for number in range(20):
        line.put(batch(number))
        assert line.waiting_bytes <= 250
    assert spool.stored_records > 10
    assert taken(line) == list(range(20))


def test_the_batch_in_hand_is_not_given_twice_when_it_goes_to_disk(tmp_path: Path) -> None:
    line = HandOver(Spool(tmp_path / "spool", CAP), 250)
    line.put(batch(0))
    assert number_of(line.head(0.0)) == 0
    for number in range(1, 20):
        line.put(batch(number))
    line.done()
    assert taken(line) == list(range(1, 20))


def test_the_batch_in_hand_may_be_dropped_by_the_cap_of_the_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 2_000, segment_bytes=500)
    line = HandOver(spool, 100)
    line.put(batch(0))
    assert number_of(line.head(0.0)) == 0
    for number in range(1, 60):
        line.put(batch(number))
    assert spool.dropped_records > 10
    # It was taken all the same, and what comes next is not skipped.
    line.done()
    left = taken(line)
    assert left == list(range(60 - len(left), 60))
    assert spool.dropped_records == 60 - len(left)


def test_while_the_sink_is_down_all_is_on_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", CAP)
    line = HandOver(spool, 1 << 20)
    line.put(batch(0))
    line.head(0.0)
    line.down()
    line.put(batch(1))
    assert (spool.stored_records, line.waiting_bytes) == (2, 0)
    assert number_of(line.head(0.0)) == 0
    line.done()
    line.put(batch(2))
    assert (spool.stored_records, line.waiting_bytes) == (1, len(batch(2).data))
    assert taken(line) == [1, 2]


def test_what_is_on_disk_is_left_for_the_next_run(tmp_path: Path) -> None:
    line = HandOver(Spool(tmp_path / "spool", CAP), 250)
    for number in range(9):
        line.put(batch(number))
    line.close()
    assert line.head(0.0) is None
    line.abandon()
    assert line.lost_records == 0
    line = HandOver(Spool(tmp_path / "spool", CAP), 250)
    line.put(batch(9))
    assert taken(line) == list(range(10))


def test_without_a_spool_who_puts_has_to_wait() -> None:
    line = HandOver(None, 250)
    for number in range(3):
        thread = threading.Thread(target=line.put, args=(batch(number),))
        thread.start()
        thread.join(0.2)
        assert thread.is_alive() == (number == 2)
    assert number_of(line.head(0.0)) == 0
    line.done()
    thread.join(5)
    assert not thread.is_alive()
    line.close()
    assert taken(line) == [1, 2]


def test_what_nobody_takes_is_counted() -> None:
    line = HandOver(None, 1000)
    line.put(batch(0))
    line.put(batch(1))
    assert number_of(line.head(0.0)) == 0
    line.abandon()
    # The sink may still be at it.
    line.done()
    assert line.lost_records == 2
    line.put(batch(2))
    assert line.lost_records == 3


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", CAP)
    # No more files can be made there.
    for each in (tmp_path / "spool").iterdir():
        each.unlink()
    (tmp_path / "spool").rmdir()
    line = HandOver(spool, 250)
    line.put(batch(0))
    line.put(batch(1))
    thread = threading.Thread(target=line.put, args=(batch(2),))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    (tmp_path / "spool").mkdir()
    thread.join(5)
    assert not thread.is_alive()
    assert taken(line) == [0, 1, 2]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["put", "head", "done", "down", "restart"]), max_size=40))
def test_order_holds_whatever_happens(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        line = HandOver(Spool(Path(directory), CAP), 250)
        put = 0
        due = 0
        in_hand = False
        for step in steps:
            match step:
                case "put":
                    line.put(batch(put))
                    put += 1
                case "head":
                    found = number_of(line.head(0.0))
                    assert found == (due if due < put else None)
                    in_hand = found is not None
                case "done" if in_hand:
                    line.done()
                    due += 1
                    in_hand = False
                case "down":
                    line.down()
                case "restart":
                    line.abandon()
                    in_hand = False
                    line = HandOver(Spool(Path(directory), CAP), 250)
        assert taken(line) == list(range(due, put))
        assert line.lost_records == 0
        line.abandon()


@pytest.mark.parametrize("size", [100, 400])
def test_one_batch_may_be_larger_than_memory(tmp_path: Path, size: int) -> None:
    line = HandOver(None, 50)
    line.put(batch(0, size))
    assert taken(line) == [0]
