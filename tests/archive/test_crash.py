"""``kill -9`` at random points of a bulk load: nothing acknowledged is lost, nothing half-written.

``GRIDTAP_CRASHES`` is the number of kills (200 before a release), ``GRIDTAP_CRASH_SEED`` draws
them.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from gridtap.archive.storage import SqliteStorage
from tests.archive import samples
from tests.archive.checking import check_acknowledged, check_summaries, check_whole
from tests.archive.loading import SHARED, Loader, Points
from tests.archive.process import Server, command, prepare, serving

_CRASHES = int(os.environ.get("GRIDTAP_CRASHES", "8"))
_SEED = int(os.environ.get("GRIDTAP_CRASH_SEED", "20240229"))
_CLIENTS = 4

#: Kills after which a new file is begun, so that looking through it stays quick
_PER_FILE = 25


def test_kill_during_bulk_load(tmp_path: Path) -> None:
    random = Random(_SEED)
    tally: Counter[str] = Counter()
    for first in range(0, _CRASHES, _PER_FILE):
        crashes = range(first, min(first + _PER_FILE, _CRASHES))
        try:
            _crash_one_file(tmp_path / f"archive-{first}.db", crashes, random, tally)
        except AssertionError as error:
            error.add_note(f"GRIDTAP_CRASH_SEED={_SEED}, crash {tally['kills']}")
            raise
    print(", ".join(f"{number:,} {what}" for what, number in tally.items()))
    assert tally["writes acknowledged"] > _CRASHES, "the load never got going"


def _crash_one_file(db: Path, crashes: range, random: Random, tally: Counter[str]) -> None:
    prepare(db)
    shared = _shared(db)
    wanted: Points = defaultdict(dict)
    for crash in crashes:
        loaders = _load_until_killed(db, crash, shared, random)
        tally["kills"] += 1
        if random.random() < 0.2:
            tally["kills while starting"] += 1
            _kill_at_start(db, random.uniform(0.0, 0.3))
        # What was there before has to be there still.
        loaders[0].acknowledged[shared, SHARED].update(wanted[shared, SHARED])
        wanted.update(_check(db, shared, loaders))
        tally["writes acknowledged"] += sum(each.writes for each in loaders)
        for loader in loaders:
            if loader.under_way:
                tally["writes cut off"] += 1
                tally["of them stored, whole"] += all(
                    wanted[series].items() >= values.items()
                    for series, values in loader.under_way.items()
                )
    tally["points checked"] += sum(map(len, wanted.values()))
    with closing(SqliteStorage(db)) as storage:
        found = check_summaries(storage, {key for key, _ in wanted})
    assert _without_empty(found) == _without_empty(wanted)


def _check(db: Path, shared: str, loaders: Sequence[Loader]) -> Points:
    """Starts the server again, and compares"""
    with serving(db, "--values", "exact") as server, closing(SqliteStorage(db)) as storage:
        keys = {shared}
        for loader in loaders:
            assert not loader.refused, loader.refused
            keys.update(loader.made)
        found = check_summaries(storage, keys)
        wanted = check_acknowledged(found, loaders)
        _check_answers(server, min(keys), found)
    check_whole(db)
    return wanted


def _without_empty(points: Points) -> Points:
    return {series: values for series, values in points.items() if values}


def _shared(db: Path) -> str:
    with serving(db) as server, server.caller() as caller:
        status, body = caller.call("POST", "", samples.description())
        assert status == 201, body
        return str(body["metadata-key"])


def _load_until_killed(db: Path, crash: int, shared: str, random: Random) -> list[Loader]:
    with serving(db) as server:
        loaders = [
            Loader(server.port, crash * _CLIENTS + each + 1, shared, Random(random.random()))
            for each in range(_CLIENTS)
        ]
        for loader in loaders:
            loader.start()
        time.sleep(random.uniform(0.02, 1.0))
        server.kill()
        for loader in loaders:
            loader.join(20)
            assert not loader.is_alive()
        assert "Traceback" not in server.log(), server.log()
    return loaders


def _kill_at_start(db: Path, seconds: float) -> None:
    """Also while it puts in order what the last kill left"""
    process = subprocess.Popen(
        [*command(), "archive", "serve", "--db", str(db), "--port", "0"], stderr=subprocess.DEVNULL
    )
    time.sleep(seconds)
    process.kill()
    process.wait()


def _check_answers(server: Server, key: str, found: Points) -> None:
    """What the server says is what is in the file"""
    with server.caller(key=None) as caller:
        for (each, event_type), values in found.items():
            if each == key:
                shown = caller.get(f"{key}/{event_type}/base?time-start=0&limit=100000")
                assert [row["ts"] for row in shown] == sorted(values)
                assert [row["val"] for row in shown] == [
                    _shown(values[ts]) for ts in sorted(values)
                ]


def _shown(value: Any) -> Any:
    if isinstance(value, dict) and "denominator" in value:
        return value["numerator"] / value["denominator"]
    return value
