"""The spool against a model of it, and against what kills it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gridtap.collector.frames import MAGIC, frame
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.collector.spool import Spool
from gridtap.errors import SpoolError

_CAP, _SEGMENT = 2_000, 300

batches = st.builds(
    StoredBatch,
    st.integers(0, 1_000),
    st.sampled_from([None, "accesses", "sessions"]),
    st.binary(max_size=400),
)


class SpoolModel(RuleBasedStateMachine):
    """What was appended comes out once, in order; what is lost went from the front, and is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="spool-"))
        self.waiting: deque[StoredBatch] = deque()
        self.dropped = 0
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
        self.dropped += lost
        # Only the oldest may go, and only whole batches.
        left = self.spool.stored_records
        while sum(one.records for one in self.waiting) > left:
            lost -= self.waiting.popleft().records
        assert lost == 0

    @rule()
    def peek(self) -> None:
        found = self.spool.peek()
        # Batches without records leave no trace in the counters.
        while self.waiting and self.waiting[0].records == 0 and self.waiting[0] != found:
            self.waiting.popleft()
        assert found == (self.waiting[0] if self.waiting else None)

    @rule()
    def take(self) -> None:
        self.peek()
        self.spool.advance()
        if self.waiting:
            self.waiting.popleft()

    @rule()
    def advance_without_peek(self) -> None:
        # A second advance means nothing.
        self.take()
        self.spool.advance()

    @rule()
    def end_and_begin_again(self) -> None:
        self.spool.close()
        self._begin_again()

    @rule(cut=st.integers(1, 60))
    def crash_in_an_append(self, cut: int) -> None:
        """The process dies while a frame is half written"""
        self.spool.close()
        files = sorted(self.directory.glob("*.seg"))
        if files:
            with files[-1].open("ab") as file:
                file.write(frame(StoredBatch(7, "accesses", bytes(60)))[:cut])
        self._begin_again()
        assert self.spool.damaged_bytes == (cut if files else 0)

    @precondition(lambda self: (self.directory / "position").exists())
    @rule()
    def lose_the_position(self) -> None:
        """Batches may then come again, but none may be missing"""
        self.spool.close()
        (self.directory / "position").unlink()
        self.spool = self.open()
        again = []
        while (batch := self.spool.peek()) is not None:
            again.append(batch)
            self.spool.advance()
        kept = [one for one in self.waiting if one.records]
        assert [one for one in again if one.records][len(again) - len(again) :][-len(kept) :] == (
            kept if kept else [one for one in again if one.records]
        )
        self.waiting.clear()

    def _begin_again(self) -> None:
        self.spool = self.open()

    @invariant()
    def it_is_within_its_cap(self) -> None:
        sizes = [path.stat().st_size for path in self.directory.glob("*.seg")]
        assert sum(sizes) == self.spool.stored_bytes <= _CAP

    @invariant()
    def it_knows_how_much_it_has(self) -> None:
        assert self.spool.stored_records == sum(one.records for one in self.waiting)


TestSpoolModel = SpoolModel.TestCase
TestSpoolModel.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
