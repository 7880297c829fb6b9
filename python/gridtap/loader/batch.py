"""Some thousand transfers at a time, several tests at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import NamedTuple

from gridtap.gridftp import Transfer
from gridtap.loader import limits
from gridtap.loader.errors import ArchiveAwayError, UnusableTransferError
from gridtap.loader.grouping import Group, group
from gridtap.loader.hosts import Hosts
from gridtap.loader.mapping import Choice, Description, describe, second_of
from gridtap.loader.sending import Outcome, Sender

__all__ = ["Batch", "BatchResult", "Unstored"]

_TAKEN = f"more than {limits.PLACES} transfers alike in one second; --aggregate would merge them"


class Unstored(NamedTuple):
    """A transfer that is not stored.

    :param is_mapped: whether it got as far as the archive
    """

    transfer: Transfer
    reason: str
    is_mapped: bool


@dataclass(slots=True)
class BatchResult:
    """What became of transfers.

    :param stored: how many the archive has
    :param tests: that they belong to
    """

    stored: int = 0
    tests: int = 0
    unstored: list[Unstored] = field(default_factory=list)


class Batch:
    """Stores transfers.

    :param sender: None to store nothing, and only find out what would be
    :param jobs: tests that are sent at a time
    """

    def __init__(self, sender: Sender | None, hosts: Hosts, choice: Choice, jobs: int) -> None:
        self._sender = sender
        self._hosts = hosts
        self._choice = choice
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="gridtap-load")

    def store(self, transfers: Iterable[Transfer], done: Callable[[int], None]) -> BatchResult:
        """Stores transfers, or says why not.

        :param done: told, from time to time, how many more the archive has
        :raises ArchiveUnusableError: the archive can not be used; nobody knows which are stored
        """
        result = BatchResult()
        left = list(transfers)
        for place in range(limits.PLACES):
            if left:
                left = self._pass(left, place, result, done)
        result.unstored += [Unstored(each, _TAKEN, True) for each in left]
        return result

    def _pass(
        self,
        transfers: Iterable[Transfer],
        place: int,
        result: BatchResult,
        done: Callable[[int], None],
    ) -> list[Transfer]:
        """Stores what has room, and returns those whose second is taken."""
        is_merging = self._choice.aggregate and place == 0
        groups, repeated = group(self._mapped(transfers, place, result), is_merging)
        result.stored += repeated
        result.tests += len(groups)
        displaced = [transfer for each in groups.values() for transfer in each.displaced]
        if self._sender is None:
            result.stored += sum(_count(each) for each in groups.values())
            return displaced
        doubtful: list[Unstored] = []
        for outcome in self._sent(groups, self._sender, done):
            result.stored += outcome.stored
            displaced += outcome.displaced
            result.unstored += [Unstored(*each, True) for each in outcome.refused]
            doubtful += [Unstored(*each, True) for each in outcome.doubtful]
        if doubtful and not self._sender.has_stored:
            raise ArchiveAwayError(doubtful[0].reason)
        result.unstored += doubtful
        # Threads end in any order; which of two came first is the log's matter.
        displaced.sort(key=lambda each: each.log_offset_bytes or 0)
        return displaced

    def _mapped(
        self, transfers: Iterable[Transfer], place: int, result: BatchResult
    ) -> list[tuple[Description, Transfer]]:
        mapped = []
        for transfer in transfers:
            try:
                second_of(transfer)
                mapped.append((describe(transfer, self._hosts, self._choice, place), transfer))
            except UnusableTransferError as error:
                result.unstored.append(Unstored(transfer, str(error), False))
        return mapped

    def _sent(
        self, groups: dict[Description, Group], sender: Sender, done: Callable[[int], None]
    ) -> Sequence[Outcome]:
        futures: list[Future[Outcome]] = [
            self._pool.submit(sender.store, test, each.samples) for test, each in groups.items()
        ]
        try:
            for future in as_completed(futures):
                done(future.result().stored)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return [future.result() for future in futures]

    def close(self) -> None:
        """Ends the threads; not waiting for requests under way, of which nothing is noted."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _count(one: Group) -> int:
    return sum(len(sample.transfers) for sample in one.samples)
