"""An archive that comes and goes at one URL."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gridtap.esmond import ApiConnect
from tests.archive.servers import add_user, serving

__all__ = ["Archive"]

USER = "gridtap"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Archive:
    """gridtap's archive in a directory, which runs when it is told to."""

    directory: Path
    port: int = field(default_factory=_free_port)

    def __post_init__(self) -> None:
        self.key = add_user(self.database, USER)

    @property
    def database(self) -> Path:
        return self.directory / "archive.db"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        with serving(self.database, self.directory / "log", "--port", str(self.port)):
            yield

    def points(self) -> dict[tuple[str, str], dict[int, float]]:
        """What it has, by source and destination; no pair may have two metadata"""
        found: dict[tuple[str, str], dict[int, float]] = {}
        for metadata in ApiConnect(self.url).get_metadata():
            event_type = metadata.get_event_type("throughput")
            assert event_type is not None
            pair = (metadata.source, metadata.destination)
            assert pair not in found
            found[pair] = {point.ts_epoch: point.val for point in event_type.iter_data()}
        return found
