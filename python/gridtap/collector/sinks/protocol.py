"""What a sink is to the collector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

__all__ = ["Form", "Sink", "StoredBatch"]

#: ``lines``: whole lines of a text profile. ``arrow``: an Arrow IPC stream of native records.
Form = Literal["lines", "arrow"]


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """Records on their way to a sink, or in its spool.

    :param records: how many
    :param kind: what they are (``accesses``, ``sessions`` ...); None: mixed
    :param data: whole lines, or an Arrow IPC stream. A view is of memory that is used again once
        the view is gone: who keeps data longer than the batch keeps a copy
    """

    records: int
    kind: str | None
    data: bytes | memoryview


class Sink(Protocol):
    """Where records go.

    One thread calls all of it, so that a sink needs no locks. Making a sink touches nothing outside
    the process: files and connections are opened by the first :py:meth:`write`
    or, if an earlier process left something to do, :py:meth:`tick`.

    Sinks that gather before they store may find out late that something is refused. They say so at
    the next :py:meth:`write`, which takes its own batch all the same, or in the log when they end.
    """

    #: What batches hold
    form: ClassVar[Form]

    def write(self, batch: StoredBatch) -> None:
        """Takes a batch, whole or not at all.

        What it takes survives the end of the process at any point afterwards. After
        :py:class:`~gridtap.errors.SinkUnavailableError` the same batch is given again, and no other
        before it. A batch may be given twice, after a crash of the collector.

        :raises SinkUnavailableError: not now
        :raises RefusedError: some of its records never; the others are taken
        """

    def flush(self) -> None:
        """Afterwards what was written survives a crash, as far as the sink's settings say.

        :raises SinkUnavailableError: it may not
        """

    def tick(self, now: float) -> None:
        """Called about once a second, for what is due by the clock.

        :param now: UTC epoch seconds
        :raises SinkUnavailableError: what is due could not be done; it is tried again
        """

    def reopen(self) -> None:
        """SIGHUP: files that may have been moved away are to be opened anew."""

    def close(self) -> None:
        """Flushes, and lets go of everything. Nothing is called afterwards.

        :raises SinkUnavailableError: what was written may not survive a crash
        """
