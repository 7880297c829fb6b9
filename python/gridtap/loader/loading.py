"""A log into an archive: scanned, stored in batches, and the state moved behind each of them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from gridtap import _core
from gridtap.gridftp import LogFault, LogScanner, Transfer
from gridtap.loader import limits, old_state, rotation, state
from gridtap.loader.batch import Batch
from gridtap.loader.dead_letter import DeadLetter, bury
from gridtap.loader.mapping import Choice, is_loaded
from gridtap.loader.reporting import Counts, Reporter
from gridtap.loader.sources import DamagedLogError, ReplacedLogError, Source
from gridtap.loader.state import Position, State

__all__ = ["Loader", "Paths"]

_LOST = frozenset(name for name, cost in _core.fault_kinds() if cost != "flagged")


@dataclass(frozen=True, slots=True)
class Paths:
    """Files of a run.

    :param is_kept: whether the state is written
    :param dead_letters: None to write none
    """

    log: Path
    state: Path
    is_kept: bool = True
    dead_letters: Path | None = None


class _Piece(NamedTuple):
    """Bytes of a log, and where they begin."""

    begin: int
    data: bytes

    def record(self, offset: int) -> str | None:
        """The rest of the line that begins, or goes on, at an offset"""
        at = offset - self.begin
        if not 0 <= at < len(self.data):
            return None
        end = self.data.find(b"\n", at, at + limits.RECORD_BYTES)
        line = self.data[at : end if end >= 0 else at + limits.RECORD_BYTES]
        return line.decode("utf-8", "surrogateescape")


class Loader:
    """Loads a log, and what is left of those that it was rotated to.

    :param batch: who stores transfers
    :param stopping: set to end after the batch under way
    :param is_single: stop after the first line with a record that is loaded
    """

    def __init__(
        self,
        paths: Paths,
        choice: Choice,
        batch: Batch,
        reporter: Reporter,
        stopping: threading.Event,
        *,
        is_single: bool = False,
    ) -> None:
        self._paths = paths
        self._choice = choice
        self._batch = batch
        self._say = reporter
        self._stopping = stopping
        self._is_single = is_single
        self._is_done = False
        #: How far files are loaded, oldest first, and which of them were looked at
        self._files: list[Position] = []
        self._seen: list[Position] = []
        self._name = os.path.abspath(paths.log)
        self._is_same = True
        self._saved: Sequence[Position] | None = None
        #: Device, inode and size of the file that was read last
        self._last = (0, 0, 0)
        self.counts = Counts()

    def run(self) -> None:
        """Loads until the end of the log.

        :raises LoadError: it can not go on; what was acknowledged is noted in the state
        :raises OSError: a log can not be read
        """
        log = self._paths.log
        if not log.is_file():
            # A pipe has no place to go on at.
            self._say.started(log, None)
            self._say.processing(log, None)
            self._load(rotation.Part(log))
            return
        self._files = list(self._known())
        self._say.started(log, self._last_record)
        is_first = True
        while not self._pass(is_first):
            is_first = False
        self._save()

    @property
    def _last_record(self) -> Position | None:
        """Where the last record ends; None if there is none"""
        return next((each for each in reversed(self._files) if each.offset_bytes), None)

    @property
    def _is_ended(self) -> bool:
        return self._is_done or self._stopping.is_set()

    def _pass(self, is_first: bool) -> bool:
        """Loads what there is now; False if the log was rotated meanwhile."""
        log = self._paths.log
        parts, is_known = rotation.plan(log, self._files, self._is_same)
        if is_first or not is_known:
            self._say.processing(log, is_known if self._last_record else None)
        if not self._is_same:
            self._files = [each.position for each in parts if each.position is not None]
            self._is_same = True
        self._seen = []
        for part in parts:
            if self._is_ended:
                return True
            if part.path != log:
                self._say.noted("main.process", f"File {part.path} was rotated away, finishing it")
            if not self._load(part):
                return False
        self._forget()
        return self._is_ended or self._is_current()

    def _known(self) -> Sequence[Position]:
        path = self._paths.state
        data = state.read_bytes(path)
        if data is None:
            return ()
        if not data:
            text = f"{path} is empty, as the original command may leave it; ignored"
            self._say.noted("main.warn", text)
            return ()
        if not old_state.looks_pickled(data):
            found = state.state_of(data, path)
            self._saved = found.files
            self._is_same = found.log == self._name
            return self._saved
        try:
            record = old_state.read(data)
        except old_state.BadPickleError as error:
            self._say.noted("main.warn", f"{path} can not be converted ({error}); ignored")
            return ()
        return self._converted(record)

    def _converted(self, record: dict[str, object]) -> Sequence[Position]:
        log = self._paths.log
        for each in (log, *reversed(rotation.rotated(log))):
            position = old_state.find(record, each)
            if position is not None:
                text = f"{self._paths.state} is of the original command; converted"
                self._say.noted("main.start", text)
                return (position,)
        self._say.processing(log, False)
        return ()

    def _load(self, part: rotation.Part) -> bool:
        """Loads the rest of a file; False if it was replaced meanwhile."""
        try:
            source = Source(part.path)
        except FileNotFoundError:
            # Renamed a moment ago, and not created again yet.
            return True
        with source:
            place = part.position
            if place is not None:
                if not source.resume(place):
                    return False
                place = self._moved(place, source)
            elif not self._files and source.is_regular and self._paths.is_kept:
                # Should it be rotated before anything is acknowledged, the next run knows it.
                place = source.begin()
                self._files.append(place)
                self._save()
            offset, line = (place.offset_bytes, place.line) if place is not None else (0, 1)
            scanner = LogScanner(str(part.path), offset_bytes=offset, line=line)
            try:
                for piece in source.pieces(limits.PIECE_BYTES):
                    self._piece(_Piece(source.offset_bytes - len(piece), piece), scanner, part.path)
                    place = self._advance(place, source, scanner)
                    self._say.passed(part.path, source.position_bytes)
                    if self._is_ended:
                        return True
            except ReplacedLogError:
                return False
            except DamagedLogError as error:
                fault = ("bad_compression", scanner.line, scanner.consumed_bytes, str(error))
                self._fault(part.path, LogFault(*fault))
            self._last = (source.device, source.inode, source.position_bytes)
            if not source.is_seekable:
                # Nobody writes the rest of its last line any more.
                self._found(scanner.finish(), scanner, _Piece(0, b""), part.path)
            if place is not None and not source.is_packed:
                self._seen.append(place)
        return True

    def _piece(self, piece: _Piece, scanner: LogScanner, log: Path) -> None:
        for some in piece.data.splitlines(keepends=True) if self._is_single else (piece.data,):
            self._found(scanner.feed(some), scanner, piece, log)
            if self._is_done:
                return

    def _found(
        self, found: Sequence[Transfer], scanner: LogScanner, piece: _Piece, log: Path
    ) -> None:
        for fault in scanner.take_faults():
            self._fault(log, fault)
        transfers = [each for each in found if is_loaded(each, self._choice)]
        self.counts.ignored += len(found) - len(transfers)
        if not transfers:
            return
        result = self._batch.store(transfers, self._say.stored)
        letters = []
        for each in result.unstored:
            line, offset = each.transfer.log_line or 0, each.transfer.log_offset_bytes or 0
            letters.append(DeadLetter(each.reason, str(log), line, offset, piece.record(offset)))
            self._say.unstored(log, each)
        if self._paths.dead_letters is not None:
            bury(letters, self._paths.dead_letters)
        self.counts.loaded += result.stored
        self.counts.tests += result.tests
        self.counts.refused += len(result.unstored)
        self._is_done = self._is_single

    def _fault(self, log: Path, fault: LogFault) -> None:
        is_lost = fault.kind in _LOST
        self.counts.lost += is_lost
        self.counts.faults[log, fault.kind] += 1
        count = self.counts.faults[log, fault.kind]
        if count <= limits.SHOWN_FAULTS:
            self._say.faulty(log, fault, is_lost)
        if count == limits.SHOWN_FAULTS:
            text = f"{log}: further faults of the kind {fault.kind} are only counted"
            self._say.noted("main.warn", text)

    def _moved(self, place: Position, source: Source) -> Position:
        """The same place in the file that it was found in."""
        now = replace(place, name=source.path.name, device=source.device, inode=source.inode)
        self._files[self._files.index(place)] = now
        return now

    def _advance(
        self, place: Position | None, source: Source, scanner: LogScanner
    ) -> Position | None:
        """Notes that everything up to here is acknowledged; returns the new place."""
        behind = place.offset_bytes if place is not None else 0
        if not source.is_regular or scanner.consumed_bytes == behind:
            return place
        now = source.position(scanner.consumed_bytes, scanner.line)
        if place is None:
            self._files.append(now)
        else:
            self._files[self._files.index(place)] = now
        del self._files[: -limits.EARLIER_LOGS]
        self._save()
        return now

    def _forget(self) -> None:
        """Drops the places in files that are gone, or packed and will not grow any more; but never
        the last one.
        """
        last = self._files[-1:]
        self._files = [each for each in self._files if each in self._seen or each in last]

    def _is_current(self) -> bool:
        """Whether the log is still the file that was read last."""
        with suppress(FileNotFoundError):
            now = self._paths.log.stat()
            device, inode, size = self._last
            return (now.st_dev, now.st_ino) == (device, inode) and now.st_size >= size
        # Whoever rotates it will create it again; nothing of it is left to read now.
        return True

    def _save(self) -> None:
        files = tuple(self._files)
        if not self._paths.is_kept or not files or files == self._saved:
            return
        state.save(State(self._name, files, time.time()), self._paths.state)
        self._saved = files
