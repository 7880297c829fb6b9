"""kill -9 at random points, with rotation in between: every transfer is in the archive once.

``GRIDTAP_KILLS`` is how often (8 by default), ``GRIDTAP_KILL_SEED`` draws the moments.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.esmond.conftest import Archive
from tests.esmond_cli.command import environment
from tests.gridftp_load.command import HOSTS, access, line, load, start, stored
from tests.gridftp_load.rotating import Log, pack

KILLS = int(os.environ.get("GRIDTAP_KILLS", "8"))
SEED = int(os.environ.get("GRIDTAP_KILL_SEED", "1"))

#: Kills in one scene, which has an archive of its own
SCENE = 10

#: Some five records, so that there are many batches
SMALL = {"PIECE_BYTES": 1300}


class Scene:
    """A log, a server that writes it, and what happens to it"""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.log = Log(folder)
        self._chance = chance
        self._old: Path | None = None
        self._number = 0

    def record(self) -> bytes:
        """A record that can be told from all others by its retransmits

        Now and then several begin in one second, and are alike.
        """
        self._number += 1
        second = self._number if self._chance.random() < 0.7 else self._number // 4 * 4
        mark = line(second, size=10**9, taskid=f"task-{self._number}").rstrip(b"\n")
        date, rest = mark.split(b".750000", 1)
        # Their durations differ, and so do their rates, as an archive shows them.
        return b"%s.%06d%s retrans=%d\n" % (date, 750_000 + self._number, rest, self._number)

    def go_on(self) -> None:
        """Something happens to the log"""
        for _ in range(self._chance.randrange(1, 4)):
            records = [self.record() for _ in range(self._chance.randrange(1, 12))]
            self.log.append(b"".join(records))
            match self._chance.randrange(6):
                case 0:
                    self._old = self.log.rotate()
                case 1:
                    self.log.rotate(by_copying=True)
                case 2 if self._old is not None and self._old.exists():
                    # The server has not noticed that its log was rotated.
                    self.log.append(self.record(), self._old)
                case 3 if self._old is not None and self._old.exists():
                    pack(self._old, self._chance.choice([".gz", ".xz"]))

    @property
    def marks(self) -> Counter[int]:
        return Counter(range(1, self._number + 1))


@pytest.mark.parametrize("number", range(-(-KILLS // SCENE)))
def test_killed_at_any_moment(number: int, archive: Archive, tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} {number}")
    scene = Scene(tmp_path, chance)
    options = ("-f", str(scene.log.path), *access(archive))
    if number % 2:
        options = (*options, "--aggregate")
    # Of a log that was never loaded, nobody looks for what it was rotated to.
    scene.log.append(scene.record())
    assert load(*options, cwd=tmp_path).exit_status == 0
    for _ in range(min(SCENE, KILLS - number * SCENE)):
        scene.go_on()
        kill_at_random(options, tmp_path, chance)
    got = load(*options, cwd=tmp_path, limits=SMALL)
    assert got.exit_status == 0, got.stderr
    assert loaded_marks(archive) == scene.marks
    assert not (tmp_path / "load_grid_ftp.pickle.dead-letter").exists()


def kill_at_random(options: tuple[str, ...], folder: Path, chance: random.Random) -> None:
    command = [*start(SMALL), *HOSTS, *options]
    with subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stderr is not None
        # Its first line: all that comes before does nothing.
        process.stderr.readline()
        time.sleep(chance.choice([0.0, chance.uniform(0, 0.1), chance.uniform(0, 0.8)]))
        process.kill()
        process.stderr.read()


def loaded_marks(archive: Archive) -> Counter[int]:
    """How often each record is in the archive"""
    return Counter(
        mark
        for test in stored(archive)
        for _, marks in test["values"]["streams-packet-retransmits"]
        for mark in marks
    )
