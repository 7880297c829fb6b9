"""For each type of sink: where it stores, what is there, and how that place fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.dataset as ds

from gridtap.collector.sinks.protocol import Sink, StoredBatch
from gridtap.collector.sinks.registry import SINK_TYPES
from tests.cli.command import DATA
from tests.collector.full_disk import small_disk
from tests.collector.sinks.archive import USER, Archive
from tests.collector.sinks.batches import arrow_batches, line_batches
from tests.collector.sinks.test_esmond import expected

__all__ = ["PLACES", "Place", "sink_at"]

_CAPTURE = DATA / "two-servers.pcap"


class Place(Protocol):
    """Where a sink stores.

    :param type_name: of the sink
    """

    type_name: str

    def settings(self) -> dict[str, Any]:
        """Of a sink that stores here"""

    def batches(self) -> list[StoredBatch]:
        """Real records, in the form that the sink takes"""

    def holds(self, batches: list[StoredBatch]) -> bool:
        """Whether all of these are stored, and nothing else"""

    def is_untouched(self) -> bool:
        """Whether nothing at all is stored"""

    def fails(self) -> Any:
        """A context in which nothing can be stored"""


def sink_at(place: Place, **more: Any) -> Sink:
    kind = SINK_TYPES[place.type_name]
    return kind.make(kind.settings(**{**place.settings(), **more}))


@contextmanager
def _full(disk: Path) -> Iterator[None]:
    ballast = disk / "ballast"
    with ballast.open("wb", 0) as file:
        while free := shutil.disk_usage(disk).free:
            file.write(bytes(free))
    try:
        yield
    finally:
        ballast.unlink()


@dataclass
class File:
    disk: Path
    type_name: str = "jsonl"

    def settings(self) -> dict[str, Any]:
        return {"path": str(self.disk / "a.jsonl")}

    def batches(self) -> list[StoredBatch]:
        return line_batches(_CAPTURE)

    def holds(self, batches: list[StoredBatch]) -> bool:
        # A clock that jumps rotates the file.
        found = b"".join(path.read_bytes() for path in self.disk.glob("a*.jsonl"))
        wanted = b"".join(batch.data for batch in batches)
        return sorted(found.splitlines(keepends=True)) == sorted(wanted.splitlines(keepends=True))

    def is_untouched(self) -> bool:
        return not list(self.disk.iterdir())

    def fails(self) -> Any:
        return _full(self.disk)


@dataclass
class Files:
    disk: Path
    type_name: str = "parquet"

    def settings(self) -> dict[str, Any]:
        return {"directory": str(self.disk / "set")}

    def batches(self) -> list[StoredBatch]:
        return arrow_batches(_CAPTURE)

    def holds(self, batches: list[StoredBatch]) -> bool:
        found = ds.dataset(str(self.disk / "set"), format="parquet").to_table().to_pylist()
        wanted = [
            row
            for batch in batches
            for row in pa.ipc.open_stream(batch.data).read_all().to_pylist()
        ]
        return sorted(map(json.dumps, found)) == sorted(map(json.dumps, wanted))

    def is_untouched(self) -> bool:
        return not list(self.disk.iterdir())

    def fails(self) -> Any:
        return _full(self.disk)


@dataclass
class Measurements:
    directory: Path
    type_name: str = "esmond"
    archive: Archive = field(init=False)
    running: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        place = self.directory / "archive"
        place.mkdir()
        self.archive = Archive(place)
        self.running.enter_context(self.archive.running())

    def settings(self) -> dict[str, Any]:
        return {
            "url": self.archive.url,
            "directory": str(self.directory / "waiting"),
            "user": USER,
            "key": self.archive.key,
        }

    def batches(self) -> list[StoredBatch]:
        return line_batches(_CAPTURE)

    def holds(self, batches: list[StoredBatch]) -> bool:
        # Averages of parts of a minute are as many as there were parts: values are another test's.
        return _minutes(self.archive.points()) == _minutes(expected(batches))

    def is_untouched(self) -> bool:
        return self.archive.points() == {} and not (self.directory / "waiting").exists()

    @contextmanager
    def fails(self) -> Iterator[None]:
        self.running.close()
        try:
            yield
        finally:
            self.running.enter_context(self.archive.running())


def _minutes(points: Any) -> Any:
    return {pair: {ts // 60 for ts in found} for pair, found in points.items()}


@contextmanager
def _on_small_disk(make: Any) -> Iterator[Place]:
    with small_disk(1 << 20) as disk:
        yield make(disk)


@contextmanager
def _beside_archive(directory: Path) -> Iterator[Place]:
    place = Measurements(directory)
    with place.running:
        yield place


#: By type of sink: what makes a place of it in an empty directory
PLACES: dict[str, Any] = {
    "jsonl": lambda _: _on_small_disk(File),
    "parquet": lambda _: _on_small_disk(Files),
    "esmond": _beside_archive,
}
