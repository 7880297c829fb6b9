"""What a run tells others, and what it counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gridtap.gridftp import LogFault
from gridtap.loader.batch import Unstored
from gridtap.loader.state import Position

__all__ = ["Counts", "Reporter"]


@dataclass(slots=True)
class Counts:
    """What a run did.

    :param loaded: transfers that the archive has
    :param tests: that they belong to, counted anew in each batch
    :param refused: transfers that it has not
    :param lost: lines and records that could not be read
    :param ignored: listings, and other records that are no transfers
    :param faults: by file and kind
    """

    loaded: int = 0
    tests: int = 0
    refused: int = 0
    lost: int = 0
    ignored: int = 0
    faults: Counter[tuple[Path, str]] = field(default_factory=Counter)

    @property
    def is_complete(self) -> bool:
        """Whether everything is stored"""
        return not self.refused and not self.lost


class Reporter(Protocol):
    """Who is told. All calls come from the thread that loads."""

    def started(self, log: Path, place: Position | None) -> None:
        """The state was read.

        :param place: of the last record; None if there is none
        """

    def processing(self, log: Path, is_known: bool | None) -> None:
        """A log is begun.

        :param is_known: whether it, or what it was rotated to, has the last record; None if there
            is no such record
        """

    def noted(self, event: str, text: str) -> None:
        """Something else that the user should know."""

    def faulty(self, log: Path, fault: LogFault, is_lost: bool) -> None:
        """Something is wrong with a log.

        :param is_lost: a line or a record could not be read
        """

    def unstored(self, log: Path, one: Unstored) -> None:
        """A transfer is not stored."""

    def stored(self, count: int) -> None:
        """So many more transfers are stored."""

    def passed(self, log: Path, position_bytes: int) -> None:
        """So many bytes of a file, as it is, are done with."""
