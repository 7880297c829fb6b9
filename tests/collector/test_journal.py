"""The journal: sealed segments never change, and numbers are never used again."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridtap.collector.frames import frame
from gridtap.collector.journal import Journal
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.errors import SinkUnavailableError

BATCHES = [StoredBatch(number, "accesses", bytes([number]) * 100) for number in range(1, 6)]


def test_batches_come_back_by_segment(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", "interval")
    assert journal.size == 0
    for batch in BATCHES[:2]:
        journal.append(batch)
    assert journal.sealed() == []
    journal.seal()
    journal.seal()
    journal.append(BATCHES[2])
    [first] = journal.sealed()
    assert list(first.batches()) == BATCHES[:2]
    journal.close()
    again = Journal(tmp_path / "j", "interval")
    assert [list(each.batches()) for each in again.sealed()] == [BATCHES[:2], BATCHES[2:3]]
    again.close()


@pytest.mark.parametrize("note", ["kept", "lost", "garbage"])
def test_numbers_are_not_used_again(tmp_path: Path, note: str) -> None:
    used = []
    for batch in BATCHES:
        journal = Journal(tmp_path, "never")
        journal.append(batch)
        journal.seal()
        used += [each.number for each in journal.sealed()]
        if note == "kept":
            for each in journal.sealed():
                journal.remove(each)
        journal.close()
        if note == "lost":
            (tmp_path / "lock").unlink()
        if note == "garbage":
            (tmp_path / "lock").write_bytes(b"\xff" * 20)
    assert sorted(set(used)) == [1, 2, 3, 4, 5]


def test_a_torn_end_is_cut(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(tmp_path, "never")
    for batch in BATCHES[:2]:
        journal.append(batch)
    journal.close()
    [path] = tmp_path.glob("*.seg")
    before = path.stat().st_mtime
    with path.open("ab") as file:
        file.write(frame(BATCHES[2])[:50])
    again = Journal(tmp_path, "never")
    [segment] = again.sealed()
    assert list(segment.batches()) == BATCHES[:2]
    assert [record.message for record in caplog.records] == ["torn_batch_cut"]
    again.close()
    whole = path.stat().st_mtime
    # What is whole is not touched: its time says when it was written.
    Journal(tmp_path, "never").close()
    assert path.stat().st_mtime == whole >= before


def test_what_fails_once_can_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / f"{7:016}.seg").mkdir()
    for _ in range(2):
        with pytest.raises(SinkUnavailableError, match="Is a directory"):
            Journal(tmp_path, "never")
    (tmp_path / f"{7:016}.seg").rmdir()
    Journal(tmp_path, "never").close()


def test_it_is_of_one_sink(tmp_path: Path) -> None:
    first = Journal(tmp_path, "never")
    with pytest.raises(SinkUnavailableError, match="another process, or another sink"):
        Journal(tmp_path, "never")
    first.close()
    Journal(tmp_path, "never").close()
