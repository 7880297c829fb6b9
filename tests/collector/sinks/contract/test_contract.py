"""What every sink must do."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gridtap.collector.sinks.protocol import Sink, StoredBatch
from gridtap.errors import SinkUnavailableError
from tests.collector.sinks.contract.places import Place, sink_at

ROOT = Path(__file__).resolve().parents[4]

_FAR = 1e10


def test_making_one_touches_nothing(place: Place) -> None:
    sink = sink_at(place)
    sink.tick(time.time())
    sink.flush()
    sink.reopen()
    sink.close()
    assert place.is_untouched()


def test_what_is_written_is_there(place: Place) -> None:
    sink = sink_at(place)
    for batch in place.batches():
        sink.write(batch)
        sink.tick(time.time())
    sink.close()
    assert place.holds(place.batches())


def test_it_goes_on_where_another_has_ended(place: Place) -> None:
    batches = place.batches()
    for part in (batches[:2], batches[2:]):
        sink = sink_at(place)
        for batch in part:
            sink.write(batch)
        sink.close()
    assert place.holds(batches)


def test_a_batch_without_records(place: Place) -> None:
    sink = sink_at(place)
    sink.write(StoredBatch(0, "accesses", b""))
    for batch in place.batches():
        sink.write(batch)
    sink.close()
    assert place.holds(place.batches())


def test_reopening_loses_nothing(place: Place) -> None:
    sink = sink_at(place)
    for batch in place.batches():
        sink.write(batch)
        sink.reopen()
    sink.close()
    assert place.holds(place.batches())


def test_a_clock_that_jumps(place: Place) -> None:
    sink = sink_at(place)
    for number, batch in enumerate(place.batches()):
        sink.write(batch)
        sink.tick((0.0, _FAR, time.time())[number % 3])
    sink.flush()
    sink.close()
    assert place.holds(place.batches())


def test_a_place_that_fails_for_a_while(place: Place) -> None:
    """Nothing is lost, nothing is there twice, and no error but the one of the contract is seen"""
    sink = sink_at(place)
    first, *batches = place.batches()
    sink.write(first)
    refused = 0
    with place.fails():
        while batches and not refused:
            refused += _refused(sink, lambda sink: sink.write(batches[0]))
            if not refused:
                batches.pop(0)
            refused += _refused(sink, lambda sink: sink.tick(time.time() + 86_400))
        assert refused
        for _ in range(3):
            _refused(sink, lambda sink: sink.flush())
            _refused(sink, lambda sink: sink.reopen())
            if batches:
                assert _refused(sink, lambda sink: sink.write(batches[0]))
    for batch in batches:
        sink.write(batch)
    sink.close()
    assert place.holds(place.batches())


def _refused(sink: Sink, call: Callable[[Sink], None]) -> bool:
    try:
        call(sink)
    except SinkUnavailableError:
        return True
    return False


def test_ending_while_the_place_fails(place: Place) -> None:
    batches = place.batches()
    sink = sink_at(place)
    for batch in batches[:2]:
        sink.write(batch)
    with place.fails():
        _refused(sink, lambda sink: sink.close())
    sink = sink_at(place)
    for batch in batches[2:]:
        sink.write(batch)
    sink.close()
    assert place.holds(batches)


_KILLED = """
import os, pickle, signal, sys
from gridtap.collector.sinks.registry import SINK_TYPES

name, given, batches, policy = pickle.load(sys.stdin.buffer)
kind = SINK_TYPES[name]
sink = kind.make(kind.settings(**given, fsync=policy))
for batch in batches:
    sink.write(batch)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("policy", ["never", "interval", "always"])
def test_what_it_has_taken_survives_its_death(place: Place, policy: str) -> None:
    batches = place.batches()
    given = pickle.dumps((place.type_name, place.settings(), batches[:4], policy))
    killed = subprocess.run([sys.executable, "-c", _KILLED], input=given, check=False, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    sink = sink_at(place)
    sink.tick(time.time())
    for batch in batches[4:]:
        sink.write(batch)
    sink.close()
    assert place.holds(batches)


@pytest.mark.parametrize("policy", ["never", "interval", "always"])
def test_the_policy_is_kept(place: Place, policy: str, tmp_path: Path) -> None:
    """Batches are synced one by one, or with a flush, or not at all"""
    script = _KILLED.replace("os.kill(os.getpid(), signal.SIGKILL)", "sink.flush(); os._exit(0)")
    batches = place.batches()[:4]
    given = pickle.dumps((place.type_name, place.settings(), batches, policy))
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-y", "-e", "trace=fdatasync", "-o", str(trace)]
    try:
        subprocess.run([*strace, sys.executable, "-c", script], input=given, check=True, cwd=ROOT)
    except FileNotFoundError:
        pytest.skip("strace is not installed")
    synced = [
        line for line in trace.read_text().splitlines() if ".seg>" in line or "jsonl>" in line
    ]
    assert len(synced) == {"never": 0, "interval": 1, "always": len(batches)}[policy]
