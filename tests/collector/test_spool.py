"""The spool against a model of it, and against what kills it."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gridtap.collector.frames import MAGIC, frame
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.collector.spool import Spool
from gridtap.errors import SpoolError
from tests.collector.full_disk import small_disk

_CAP, _SEGMENT = 2_000, 300

batches = st.builds(
    StoredBatch,
    st.integers(1, 1_000),
    st.sampled_from([None, "accesses", "sessions"]),
    st.binary(max_size=400),
)


class SpoolModel(RuleBasedStateMachine):
    """What was appended comes out once, in order; what is lost is the oldest, and is counted"""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="spool-"))
        self.waiting: deque[StoredBatch] = deque()
        self.spool = self.open()

    def open(self) -> Spool:
        return Spool(self.directory, _CAP, segment_bytes=_SEGMENT, fsync="never")

    def teardown(self) -> None:
        self.spool.close()
        shutil.rmtree(self.directory)

    @rule(batch=batches)
    def append(self, batch: StoredBatch) -> None:
        before = self.spool.dropped_records
        self.spool.append(batch)
        self.waiting.append(batch)
        lost = self.spool.dropped_records - before
        while lost > 0:
            lost -= self.waiting.popleft().records
        assert lost == 0
        # Room is made for a batch, not more: segments are far smaller than the cap.
        if self.spool.dropped_records > before:
            assert self.spool.stored_bytes > _CAP - _SEGMENT - 2 * len(frame(batch)) - 500

    @rule()
    def peek(self) -> None:
        assert self.spool.peek() == (self.waiting[0] if self.waiting else None)

    @rule()
    def take(self) -> None:
        self.peek()
        self.spool.advance()
        if self.waiting:
            self.waiting.popleft()

    @rule()
    def advance_twice(self) -> None:
        self.take()
        self.spool.advance()

    @rule(batch=batches)
    def append_while_the_oldest_is_on_its_way(self, batch: StoredBatch) -> None:
        """The cap may drop it meanwhile; then nothing else may be taken for it"""
        if not self.waiting:
            return
        oldest = self.spool.peek()
        self.append(batch)
        self.spool.advance()
        if self.waiting and self.waiting[0] is not batch and self.waiting[0] == oldest:
            self.waiting.popleft()

    @rule()
    def end_and_begin_again(self) -> None:
        self.spool.close()
        self.spool = self.open()
        assert self.spool.damaged_bytes == 0

    @rule(cut=st.integers(1, 60))
    def die_in_an_append(self, cut: int) -> None:
        self.spool.close()
        files = sorted(self.directory.glob("*.seg"))
        if files:
            with files[-1].open("ab") as file:
                file.write(frame(StoredBatch(7, "accesses", bytes(60)))[:cut])
        self.spool = self.open()
        assert self.spool.damaged_bytes == (cut if files else 0)

    @rule()
    def lose_the_position(self) -> None:
        """Batches may then come again, but none may be missing"""
        self.spool.close()
        (self.directory / "position").unlink()
        self.spool = self.open()
        found = []
        while (batch := self.spool.peek()) is not None:
            found.append(batch)
            self.spool.advance()
        assert found[len(found) - len(self.waiting) :] == list(self.waiting)
        self.waiting.clear()

    @invariant()
    def it_is_within_its_cap(self) -> None:
        sizes = [path.stat().st_size for path in self.directory.glob("*.seg")]
        assert sum(sizes) == self.spool.stored_bytes <= _CAP

    @invariant()
    def it_knows_how_much_it_has(self) -> None:
        assert self.spool.stored_records == sum(one.records for one in self.waiting)


TestSpoolModel = SpoolModel.TestCase
TestSpoolModel.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)

#: Takes some batches, appends others, and says what it has done: until it is killed.
_WORKER = """
import sys
from pathlib import Path
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.collector.spool import Spool

spool = Spool(Path(sys.argv[1]), 1 << 30, segment_bytes=20_000, fsync="never")
number, seed = int(sys.argv[2]), int(sys.argv[3])
while True:
    spool.append(StoredBatch(1, "accesses", b"%d " % number + b"x" * (number * 7919 % 3000)))
    print("a", number, flush=True)
    number += 1
    if number % 3:
        batch = spool.peek()
        print("p", int(bytes(batch.data).split()[0]), flush=True)
        spool.advance()
        print("t", int(bytes(batch.data).split()[0]), flush=True)
"""


def test_nothing_is_lost_and_order_is_kept_when_it_is_killed(tmp_path: Path) -> None:
    dice = random.Random(6)
    appended = -1
    unknown: set[int] = set()
    seen: list[int] = []
    taken = -1
    for round_ in range(12):
        # What was being appended when it died may have been, or not.
        unknown.add(appended + 1)
        command = [sys.executable, "-c", _WORKER, str(tmp_path), str(appended + 2), str(round_)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            lines = [worker.stdout.readline()]
            time.sleep(dice.uniform(0.0, 0.08))
            worker.kill()
            lines += worker.stdout.readlines()
        for line in lines:
            if not line.endswith("\n"):
                continue
            what, text = line.split()
            number = int(text)
            if what == "a":
                appended = number
            elif what == "p":
                # Given again only if it was not confirmed.
                assert number > taken
                seen.append(number)
            else:
                taken = number
    spool = Spool(tmp_path, 1 << 30)
    while (batch := spool.peek()) is not None:
        seen.append(int(bytes(batch.data).split()[0]))
        spool.advance()
    assert spool.stored_records == spool.dropped_records == 0
    assert appended > 500
    assert seen == sorted(seen)
    assert set(range(appended + 1)) - set(seen) <= unknown
    # At most one batch a death comes twice.
    assert len(seen) - len(set(seen)) <= 12


def _filled(directory: Path, count: int, size: int = 100) -> list[StoredBatch]:
    spool = Spool(directory, 1 << 20)
    made = [StoredBatch(10, "accesses", bytes([number]) * size) for number in range(count)]
    for batch in made:
        spool.append(batch)
    spool.close()
    return made


def test_damage_is_noticed_and_counted(tmp_path: Path) -> None:
    made = _filled(tmp_path, 5)
    [segment] = tmp_path.glob("*.seg")
    data = bytearray(segment.read_bytes())
    size = len(frame(made[0]))
    data[len(MAGIC) + 2 * size + size // 2] ^= 1
    segment.write_bytes(data)
    spool = Spool(tmp_path, 1 << 20)
    for each in made[:2]:
        assert spool.peek() == each
        spool.advance()
    assert spool.peek() is None
    assert spool.dropped_records == 30
    assert spool.damaged_bytes == 3 * size
    spool.append(made[0])
    assert spool.peek() == made[0]


@pytest.mark.parametrize("torn", [b"", b"GTFR", b"another file"])
def test_a_segment_without_a_beginning(tmp_path: Path, torn: bytes) -> None:
    made = _filled(tmp_path, 2)
    (tmp_path / f"{2:016}.seg").write_bytes(torn)
    (tmp_path / "notes.seg").write_bytes(b"no segment")
    spool = Spool(tmp_path, 1 << 20)
    assert spool.damaged_bytes == len(torn)
    spool.append(made[0])
    found = []
    while (batch := spool.peek()) is not None:
        found.append(batch)
        spool.advance()
    assert found == [*made, made[0]]
    assert (tmp_path / "notes.seg").exists()


def test_a_batch_larger_than_the_cap(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1_000)
    small = StoredBatch(1, None, b"small")
    spool.append(small)
    spool.append(StoredBatch(5, None, bytes(1_000)))
    assert spool.dropped_records == 5
    assert spool.peek() == small


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1_000)
    with pytest.raises(SpoolError, match="another process uses this spool"):
        Spool(tmp_path, 1_000)
    spool.close()
    Spool(tmp_path, 1_000).close()


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SpoolError, match=f"{file}/spool: Not a directory"):
        Spool(file / "spool", 1_000)


def test_a_full_disk_costs_only_what_did_not_fit() -> None:
    with small_disk(1 << 20) as disk:
        spool = Spool(disk / "spool", 1 << 30, segment_bytes=1 << 18)
        stored = []
        while shutil.disk_usage(disk).free > 10_000:
            batch = StoredBatch(1, None, bytes([len(stored)]) * 10_000)
            spool.append(batch)
            stored.append(batch)
        assert len(stored) > 50
        with pytest.raises(SpoolError, match="No space left on device"):
            spool.append(batch)
        # It can be emptied all the same, and then has room again.
        assert spool.peek() == stored.pop(0)
        for each in stored:
            spool.advance()
            assert spool.peek() == each
        spool.append(stored[0])
        spool.advance()
        assert spool.peek() == stored[0]
        assert spool.dropped_records == spool.damaged_bytes == 0
        spool.close()
