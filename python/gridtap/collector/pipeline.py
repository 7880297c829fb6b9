"""One sink's way: a thread that pulls batches from the core, one that hands them to the sink."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from gridtap import _core
from gridtap.collector.dead_letters import DeadLetters
from gridtap.collector.handover import HandOver
from gridtap.collector.logs import event_log
from gridtap.collector.sinks.protocol import Sink, StoredBatch
from gridtap.collector.stored import stored
from gridtap.errors import RefusedError, SinkUnavailableError, SpoolError

__all__ = ["Pipeline", "Source"]

_LOG = event_log(__name__)

#: How long the core is asked to wait for a batch, in seconds
_PULL_WAIT_S = 1.0

#: Between two calls of ``Sink.tick``, in seconds
_TICK_S = 1.0

#: Before a sink is tried again: at first, and at most, in seconds
_RETRY_S = (0.5, 30.0)


class Source(Protocol):
    """What batches come from: the core."""

    def next(self, sink: int, timeout_s: float) -> _core.Batch | None: ...

    def drained(self, sink: int) -> bool: ...


class Pipeline:
    """Moves the batches of one sink until the core is drained.

    Counters may be read by any thread.

    :param index: of the sink in the core
    """

    def __init__(
        self, name: str, source: Source, index: int, sink: Sink, line: HandOver, dead: DeadLetters
    ) -> None:
        self.name = name
        self.line = line
        #: Records that the sink took, and those that it refused, by reason
        self.written_records = 0
        self.refused_records: dict[str, int] = {}
        #: How often it could not take a batch
        self.failures = 0
        #: Why it takes nothing now; None: it does
        self.trouble: str | None = None
        self._source = source
        self._index = index
        self._sink = sink
        self._dead = dead
        self._retry_s = _RETRY_S[0]
        self._ticked_at = 0.0
        self._next_sink: Sink | None = None
        self._is_renewal_due = threading.Event()
        self._is_ending = threading.Event()
        self._puller = threading.Thread(target=self._pull, name=f"pull {name}", daemon=True)
        self._writer = threading.Thread(target=self._write, name=f"write {name}", daemon=True)

    def start(self) -> None:
        """Starts both threads."""
        self._writer.start()
        self._puller.start()

    def renew(self, sink: Sink | None) -> None:
        """The sink is to open its files anew, soon, or to make place for another one."""
        self._next_sink = sink
        self._is_renewal_due.set()

    def is_running(self) -> bool:
        """Both threads are there, or have done their work."""
        return self._writer.is_alive() and (self._puller.is_alive() or self._is_ending.is_set())

    def finish(self, timeout_s: float) -> None:
        """Waits for the end of what the core has, and closes the sink.

        What the sink does not take in time goes to its spool, or is lost and counted.
        """
        deadline = time.monotonic() + timeout_s
        self._puller.join(timeout_s)
        self._is_ending.set()
        self.line.close()
        self._writer.join(max(_TICK_S, deadline - time.monotonic()))
        self.line.abandon()
        if self.line.lost_records:
            _LOG.error("records_lost", sink=self.name, records=self.line.lost_records)

    def _pull(self) -> None:
        while not self._is_ending.is_set():
            batch = self._source.next(self._index, _PULL_WAIT_S)
            if batch is not None:
                self.line.put(stored(batch, self._sink.form))
            elif self._source.drained(self._index):
                return

    def _write(self) -> None:
        while True:
            self._look_after()
            try:
                batch = self.line.head(_TICK_S / 2)
                if batch is not None:
                    self._hand_over(batch)
                elif self.line.is_closed:
                    break
            except SpoolError as error:
                self._fail(str(error))
        self._try(self._sink.close)

    def _hand_over(self, batch: StoredBatch) -> None:
        try:
            self._sink.write(batch)
        except SinkUnavailableError as error:
            self.line.down()
            self._fail(str(error))
            return
        except RefusedError as error:
            if error.is_late:
                # Of earlier batches. This one was taken.
                self.written_records += batch.records
                self._count(error.reason, error.records, error.text)
            else:
                self._refuse(batch, error.reason, error.records, error.text)
        except Exception as error:
            # A fault of the sink's: the next batch may go well, and this one is kept.
            self._refuse(batch, "failed", batch.records, f"{type(error).__name__}: {error}")
        else:
            self.written_records += batch.records
        self.line.done()
        self._retry_s = _RETRY_S[0]
        if self.trouble is not None:
            self.trouble = None
            _LOG.info("sink_available", sink=self.name)

    def _refuse(self, batch: StoredBatch, kind: str, records: int, reason: str) -> None:
        self.written_records += batch.records - records
        self._dead.keep(batch, kind)
        self._count(kind, records, reason)

    def _count(self, kind: str, records: int, reason: str) -> None:
        self.refused_records[kind] = self.refused_records.get(kind, 0) + records
        _LOG.error("records_refused", sink=self.name, kind=kind, records=records, reason=reason)

    def _fail(self, reason: str) -> None:
        """Says what is wrong, and waits before the next try"""
        self.failures += 1
        if self.trouble is None:
            _LOG.warning("sink_unavailable", sink=self.name, reason=reason)
        self.trouble = reason
        if self._is_ending.is_set():
            time.sleep(_RETRY_S[0])
        else:
            self._is_ending.wait(self._retry_s)
        self._retry_s = min(2 * self._retry_s, _RETRY_S[1])

    def _look_after(self) -> None:
        """What is due by the clock or by SIGHUP"""
        if self._is_renewal_due.is_set():
            self._is_renewal_due.clear()
            following, self._next_sink = self._next_sink, None
            self._try(self._sink.reopen if following is None else self._sink.close)
            self._sink = following or self._sink
        now = time.time()
        # Also when the clock was set back.
        if abs(now - self._ticked_at) >= _TICK_S:
            self._ticked_at = now
            self._try(lambda: self._sink.tick(now))
            self._try(self.line.sync)

    def _try(self, call: Callable[[], None]) -> None:
        try:
            call()
        except (SinkUnavailableError, SpoolError) as error:
            _LOG.warning("sink_trouble", sink=self.name, reason=str(error))
