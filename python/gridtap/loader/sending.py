"""Samples of one test into an archive: all of them, each once, whatever the archive answers.

Nobody knows what became of a request that was not answered, and of one that esmond refused some
points may be stored. So what may be there already is looked up before it is sent again; an equal
value at the same second is the same transfer.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple, TypeVar

from gridtap.esmond.errors import (
    AnswerError,
    ArchiveUrlError,
    BadAnswerError,
    BodyLimitError,
    CertificateError,
    MetadataPostException,
    NoAnswerError,
    PostException,
    RequestError,
    UnreachableError,
)
from gridtap.esmond.posting import CHUNK_POINTS
from gridtap.gridftp import Transfer
from gridtap.loader import limits
from gridtap.loader.archive import Archive, Target
from gridtap.loader.errors import ArchiveAwayError, ArchiveUnusableError
from gridtap.loader.grouping import Sample
from gridtap.loader.mapping import Description

__all__ = ["Outcome", "Refused", "Sender"]

T = TypeVar("T")

#: Answers of gateways and of archives that are busy or full: another time it may be different.
_PASSING = frozenset({408, 429, 502, 503, 504, 507})

#: Answers to a whole user, or to a wrong address, whatever the record.
_FOR_ALL = frozenset({301, 302, 307, 308, 401, 403, 405, 407})


class Refused(NamedTuple):
    """A transfer that is not stored."""

    transfer: Transfer
    reason: str


@dataclass(slots=True)
class Outcome:
    """What became of the samples of a test.

    :param stored: transfers that the archive has now
    :param refused: by the archive
    :param doubtful: refused with a 500, which may be the archive's trouble and not the record's
    :param displaced: transfers whose second another one has in the archive
    """

    stored: int = 0
    refused: list[Refused] = field(default_factory=list)
    doubtful: list[Refused] = field(default_factory=list)
    displaced: list[Transfer] = field(default_factory=list)


class _Cause(Enum):
    """Why a request failed."""

    AWAY = auto()
    CONFLICT = auto()
    FAULT = auto()
    REFUSED = auto()
    FOR_ALL = auto()


class Sender:
    """Stores samples; threads may share it, one test belongs to one of them at a time.

    :param patience_s: how long an archive may be away
    :param stopping: set when the process is told to end: then nobody waits for an archive
    """

    def __init__(self, archive: Archive, patience_s: float, stopping: threading.Event) -> None:
        self._archive = archive
        self._patience_s = patience_s
        self._stopping = stopping
        self._targets: dict[Description, Target] = {}
        self._lock = threading.Lock()
        self._faults = 0
        #: Whether the archive has stored anything
        self.has_stored = False

    def store(self, test: Description, samples: Sequence[Sample]) -> Outcome:
        """Announces a test and stores samples of it.

        :raises ArchiveUnusableError: the archive can not be used
        """
        outcome = Outcome()
        try:
            target = self._target(test)
        except _FailedError as failed:
            everything = (transfer for sample in samples for transfer in sample.transfers)
            self._refuse(failed, everything, outcome)
            return outcome
        for chunk in _chunks(samples):
            self._chunk(target, chunk, outcome)
        return outcome

    def _target(self, test: Description) -> Target:
        target = self._targets.get(test)
        if target is None:
            target = self._patiently(lambda: self._archive.announce(test))
            with self._lock:
                if len(self._targets) >= limits.TESTS:
                    del self._targets[next(iter(self._targets))]
                self._targets[test] = target
        return target

    def _chunk(self, target: Target, samples: Sequence[Sample], outcome: Outcome) -> None:
        look_first = target.has_points and any(sample.is_replaceable for sample in samples)
        singly = False
        waiting = _Waiting(self._patience_s, self._stopping)
        while samples:
            if look_first:
                samples = self._missing(target, samples, outcome)
            together = samples[:1] if singly else samples
            if not together:
                return
            try:
                self._archive.put(target, together)
            except PostException as error:
                cause = _cause(error)
                if cause is _Cause.FOR_ALL:
                    raise ArchiveUnusableError(str(error)) from error
                if cause is _Cause.AWAY:
                    waiting.wait(error)
                    look_first = True
                    continue
                if len(together) > 1:
                    # One of them, and nobody knows what became of the others.
                    self._patiently(lambda: self._archive.settle(target))
                    look_first = singly = True
                    continue
                self._refuse_one(target, together[0], _FailedError(cause, error), outcome)
            else:
                self._succeeded(target, together, outcome)
            samples = samples[len(together) :]
            look_first = False

    def _succeeded(self, target: Target, samples: Sequence[Sample], outcome: Outcome) -> None:
        target.has_points = self.has_stored = True
        self._faults = 0
        outcome.stored += sum(len(sample.transfers) for sample in samples)

    def _refuse_one(
        self, target: Target, sample: Sample, failed: _FailedError, outcome: Outcome
    ) -> None:
        if failed.cause is _Cause.CONFLICT:
            # Refused because something is there: it may be this very transfer.
            if self._missing(target, [sample], outcome):
                outcome.refused += [Refused(each, str(failed)) for each in sample.transfers]
        else:
            self._refuse(failed, sample.transfers, outcome)

    def _refuse(
        self, failed: _FailedError, transfers: Sequence[Transfer] | Iterator[Transfer], o: Outcome
    ) -> None:
        refused = [Refused(transfer, str(failed)) for transfer in transfers]
        if failed.cause is not _Cause.FAULT:
            o.refused += refused
            return
        o.doubtful += refused
        self._faults += 1
        if self._faults >= limits.FAULTS and not self.has_stored:
            raise ArchiveAwayError(str(failed))

    def _missing(self, target: Target, samples: Sequence[Sample], outcome: Outcome) -> list[Sample]:
        """The samples of whose seconds the archive has nothing yet; of the others it is noted what
        became of them.
        """
        known = self._patiently(lambda: self._archive.stored(target, samples))
        missing = []
        for sample in samples:
            place = (sample.main[0], sample.ts)
            if place not in known:
                missing.append(sample)
                continue
            count = _stored_part(sample, known[place])
            outcome.stored += count
            outcome.displaced += sample.transfers[count:]
        return missing

    def _patiently(self, work: Callable[[], T]) -> T:
        """Does what may be repeated until it is done or refused."""
        waiting = _Waiting(self._patience_s, self._stopping)
        while True:
            try:
                return work()
            except (PostException, RequestError, ArchiveUrlError) as error:
                cause = _cause(error)
                if cause is _Cause.AWAY:
                    waiting.wait(error)
                elif cause is _Cause.FOR_ALL or not isinstance(error, PostException):
                    raise ArchiveUnusableError(str(error)) from error
                else:
                    raise _FailedError(cause, error) from error


class _FailedError(Exception):
    """A request that was refused."""

    def __init__(self, cause: _Cause, error: Exception) -> None:
        super().__init__(str(error))
        self.cause = cause


class _Waiting:
    """Pauses that get longer, until patience is at its end."""

    def __init__(self, patience_s: float, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._end = time.monotonic() + patience_s
        self._pause_s, self._longest_s = limits.BACKOFF_S

    def wait(self, error: Exception) -> None:
        """Waits before another attempt.

        :raises ArchiveAwayError: it is of no use any more
        """
        left = self._end - time.monotonic()
        if left <= 0 or self._stopping.wait(min(self._pause_s, left)):
            raise ArchiveAwayError(str(error)) from error
        self._pause_s = min(2 * self._pause_s, self._longest_s)


def _cause(error: Exception) -> _Cause:
    failure = error.__cause__ if isinstance(error, PostException) else error
    if isinstance(failure, BadAnswerError):
        # Something else than an archive answers there.
        return _Cause.FOR_ALL
    if isinstance(failure, AnswerError):
        return _of_status(failure.status, isinstance(error, MetadataPostException))
    if isinstance(failure, CertificateError):
        return _Cause.FOR_ALL
    if isinstance(failure, UnreachableError | NoAnswerError | BodyLimitError):
        return _Cause.AWAY
    return _Cause.FOR_ALL if isinstance(failure, RequestError) else _Cause.REFUSED


def _of_status(status: int, is_metadata: bool) -> _Cause:
    if status in _PASSING:
        return _Cause.AWAY
    if status in _FOR_ALL or (status == 404 and is_metadata):
        return _Cause.FOR_ALL
    if status == 409:
        return _Cause.CONFLICT
    return _Cause.FAULT if status >= 500 else _Cause.REFUSED


def _chunks(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """Samples in the requests that they are sent with: what archives refuse when it is there, what
    they replace, and failures apart.
    """
    kinds: dict[tuple[bool, bool], list[Sample]] = {}
    for sample in samples:
        kind = (sample.is_replaceable, sample.main[0] == "failures")
        kinds.setdefault(kind, []).append(sample)
    for alike in kinds.values():
        chunk: list[Sample] = []
        size = 0
        for sample in alike:
            if chunk and size + len(sample.points) > CHUNK_POINTS:
                yield chunk
                chunk, size = [], 0
            chunk.append(sample)
            size += len(sample.points)
        yield chunk


def _stored_part(sample: Sample, value: Any) -> int:
    """How many of a sample's transfers, from the first, make the value that the archive has.

    A run that did not see the later ones, because they were still to be logged, has stored those
    before them.
    """
    for count in range(len(sample.transfers), 0, -1):
        part = sample if count == len(sample.transfers) else _first(sample, count)
        if part.main[0] == sample.main[0] and _is_equal(part.main[1], value):
            return count
    return 0


def _first(sample: Sample, count: int) -> Sample:
    return Sample(sample.ts, sample.transfers[:count])


def _is_equal(posted: Any, stored: Any) -> bool:
    """Whether an archive shows a value that was posted so: whole numbers as floats, cut."""
    if isinstance(posted, float) and isinstance(stored, int | float):
        return math.isfinite(stored) and int(posted) == int(stored)
    return json.dumps(posted, sort_keys=True) == json.dumps(stored, sort_keys=True)
