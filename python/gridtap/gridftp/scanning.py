"""A log in pieces."""

from __future__ import annotations

from gridtap import _core
from gridtap.gridftp.records import LogFault, Transfer, transfers

__all__ = ["LogScanner"]


class LogScanner:
    """Takes a log in pieces of any size; records do not depend on how it is cut.

    ::

        scanner = LogScanner("transfer.log", offset_bytes=state.offset, line=state.line)
        for transfer in scanner.feed(data):
            ...
        state.offset, state.line = scanner.consumed_bytes, scanner.line

    Memory stays bounded, whatever the log holds.

    :param name: ``log_file`` of the records
    :param offset_bytes: where the first piece begins in the log: at the first byte of a line
    :param line: number of that line, from 1
    """

    def __init__(self, name: str | None = None, *, offset_bytes: int = 0, line: int = 1) -> None:
        self._scanner = _core.TransferScanner(name, offset_bytes, line)
        self._faults: list[LogFault] = []

    def feed(self, data: bytes) -> list[Transfer]:
        """The records that this piece completes."""
        return self._taken(self._scanner.feed(data))

    def finish(self) -> list[Transfer]:
        """Says that no more will come; a last line without its line feed is a fault, not a record.

        Whoever wants to go on later does not call this.
        """
        return self._taken(self._scanner.finish())

    def take_faults(self) -> list[LogFault]:
        """The faults since the last call."""
        faults, self._faults = self._faults, []
        return faults

    @property
    def consumed_bytes(self) -> int:
        """Offset behind the last complete line: where another scanner may go on."""
        return self._scanner.consumed_bytes

    @property
    def line(self) -> int:
        """Number of the line at :py:attr:`consumed_bytes`."""
        return self._scanner.line

    @property
    def other_lines(self) -> int:
        """Lines that are neither transfers nor faults: of a server's log, other events."""
        return self._scanner.other_lines

    def _taken(self, found: _core._ScannedRows) -> list[Transfer]:
        rows, faults = found
        self._faults.extend(map(LogFault._make, faults))
        return transfers(rows)
