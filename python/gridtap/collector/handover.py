"""Batches between the core and a sink: a few in memory, the others on disk, always in order."""

from __future__ import annotations

import threading
from collections import deque
from enum import Enum, auto

from gridtap.collector.logs import event_log
from gridtap.collector.sinks.protocol import StoredBatch
from gridtap.collector.spool import Spool
from gridtap.errors import SpoolError

__all__ = ["HandOver"]

_LOG = event_log(__name__)

#: How long to wait before the disk of a spool is tried again, in seconds
_DISK_WAIT_S = 1.0


class _Head(Enum):
    """Where the batch is that the sink has before it"""

    NOWHERE = auto()
    MEMORY = auto()
    SPOOL = auto()


class HandOver:
    """A queue between one thread that puts batches and one that takes them.

    What is on disk is always older than what is in memory, so that the order stays.

    :param spool: None: who puts has to wait when memory is full
    :param max_bytes: of batches in memory, which one batch alone may exceed
    """

    def __init__(self, spool: Spool | None, max_bytes: int) -> None:
        #: Records that neither memory nor disk had room for when the collector had to end
        self.lost_records = 0
        self._spool = spool
        self._max_bytes = max_bytes
        self._waiting: deque[StoredBatch] = deque()
        self._bytes = 0
        self._head = _Head.NOWHERE
        self._is_down = False
        self._is_closed = False
        self._is_abandoned = False
        self._changed = threading.Condition()

    @property
    def waiting_bytes(self) -> int:
        """Of batches in memory"""
        return self._bytes

    @property
    def spool(self) -> Spool | None:
        """What is on disk; for its counters"""
        return self._spool

    @property
    def is_closed(self) -> bool:
        """Nothing is put any more"""
        return self._is_closed

    def is_full(self) -> bool:
        """Memory has no room for another batch"""
        return self._bytes > self._max_bytes and len(self._waiting) > 1

    def put(self, batch: StoredBatch) -> None:
        """Adds a batch behind all others; waits while there is no room for it."""
        with self._changed:
            if self._is_abandoned:
                self.lost_records += batch.records
                return
            self._waiting.append(batch)
            self._bytes += len(batch.data)
            self._changed.notify_all()
            while not self._is_closed:
                if self._is_down or self.is_full():
                    self._try_to_spill()
                if not self.is_full():
                    break
                self._changed.wait(_DISK_WAIT_S)

    def head(self, timeout_s: float) -> StoredBatch | None:
        """The oldest batch; None when there is none in time, or when it is left for the next run.

        :raises SpoolError: the disk cannot be read
        """
        with self._changed:
            found = self._oldest()
            if found is None and not self._is_closed:
                self._changed.wait(timeout_s)
                found = self._oldest()
            return found

    def done(self) -> None:
        """The batch that :py:meth:`head` gave needs no further care.

        :raises SpoolError: this cannot be noted; it is given again
        """
        with self._changed:
            if self._head is _Head.SPOOL and self._spool is not None:
                self._spool.advance()
            elif self._head is _Head.MEMORY:
                self._bytes -= len(self._waiting.popleft().data)
            self._head = _Head.NOWHERE
            self._is_down = False
            self._changed.notify_all()

    def down(self) -> None:
        """The sink takes nothing: all goes to disk until :py:meth:`done` is called again."""
        with self._changed:
            self._is_down = True
            self._try_to_spill()
            self._changed.notify_all()

    def sync(self) -> None:
        """What is on disk survives a crash of the host.

        :raises SpoolError: it may not
        """
        with self._changed:
            if self._spool is not None:
                self._spool.sync()

    def close(self) -> None:
        """Nothing is put any more. What is on disk stays there for the next run."""
        with self._changed:
            self._is_closed = True
            if self._is_down or (self._spool is not None and self._spool.stored_records):
                self._try_to_spill()
            self._changed.notify_all()

    def abandon(self) -> None:
        """Nothing is taken any more: what is left goes to disk, or is lost and counted."""
        with self._changed:
            self._is_closed = self._is_abandoned = True
            self._try_to_spill()
            self.lost_records += sum(batch.records for batch in self._waiting)
            self._waiting.clear()
            self._bytes = 0
            # Whoever is still at it has no head any more to be done with.
            self._head = _Head.NOWHERE
            if self._spool is not None:
                self._spool.close()

    def _oldest(self) -> StoredBatch | None:
        if self._spool is not None and not (self._is_closed and not self._waiting):
            batch = self._spool.peek()
            if batch is not None:
                self._head = _Head.SPOOL
                return batch
        self._head = _Head.MEMORY if self._waiting else _Head.NOWHERE
        return self._waiting[0] if self._waiting else None

    def _try_to_spill(self) -> None:
        """Moves what is in memory to disk, as far as the disk takes it"""
        if self._spool is None:
            return
        try:
            while self._waiting:
                self._spool.append(self._waiting[0])
                self._bytes -= len(self._waiting.popleft().data)
                if self._head is _Head.MEMORY:
                    self._head = _Head.SPOOL
                    # So that the spool knows which one is meant when it is done, also when its cap
                    # makes it go meanwhile.
                    self._spool.peek()
        except SpoolError as error:
            _LOG.error("spool_failed", reason=str(error))
