"""The exceptions of gridtap.

::

    GridtapError
    ├── ArchiveError                           an archive, or a file for it, that cannot be used
    ├── ConfigError                            a configuration that cannot be used
    ├── DecodeError        (also ValueError)   a packet that could not be decoded
    ├── MissingExtraError  (also ImportError)  an optional dependency is not installed
    ├── NotBinaryError     (also ValueError)   a text datagram where a binary packet was expected
    ├── SinkError                              a sink of the collector did not take records
    │   ├── RefusedError                           and never will take these: reason, records
    │   ├── SinkSettingError   (also ValueError)   it cannot work with such settings
    │   └── SinkUnavailableError                   but may do so later
    └── SpoolError                             the disk spool of a sink cannot be used
"""

from __future__ import annotations

__all__ = [
    "ArchiveError",
    "ConfigError",
    "DecodeError",
    "GridtapError",
    "MissingExtraError",
    "NotBinaryError",
    "RefusedError",
    "SinkError",
    "SinkSettingError",
    "SinkUnavailableError",
    "SpoolError",
]


class GridtapError(Exception):
    """Base of all exceptions that gridtap raises on purpose."""


class ArchiveError(GridtapError):
    """An archive's file, or one to be read into it, that cannot be used; the text names it."""


class ConfigError(GridtapError):
    """A configuration that cannot be used; the text names the file and what is wrong there."""


class DecodeError(GridtapError, ValueError):
    """A packet that could not be decoded.

    :param kind: stable name of the fault, the same in metrics and documentation
    :param offset: byte offset in the packet
    :param context: what was being read
    """

    def __init__(self, kind: str, offset: int, context: str) -> None:
        super().__init__(kind, offset, context)
        self.kind = kind
        self.offset = offset
        self.context = context

    def __str__(self) -> str:
        return f"{self.kind} at byte {self.offset}: {self.context}"


class NotBinaryError(GridtapError, ValueError):
    """A text g-stream or a summary report, which :py:class:`~gridtap.xrootd.Packet` is not for."""

    def __str__(self) -> str:
        return (
            "not a binary packet but text: use gridtap.xrootd.read_packets or gridtap.xrootd.decode"
        )


class MissingExtraError(GridtapError, ImportError):
    """An optional dependency is not installed.

    :param what: what needs it
    :param extra: the extra of gridtap that brings it
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, extra)
        self.what = what
        self.extra = extra

    def __str__(self) -> str:
        return f"{self.what} needs an extra: pip install 'gridtap[{self.extra}]'"


class SinkError(GridtapError):
    """Base of what sinks of the collector raise; the text names the sink's file or URL."""


class SinkUnavailableError(SinkError):
    """A sink cannot take records now: its disk is full, its server is down. Try again later."""


class SinkSettingError(SinkError, ValueError):
    """A sink cannot work with such settings."""


class RefusedError(SinkError):
    """Records that a sink will never take, so that trying again is of no use.

    What else was in the batch is taken.

    :param reason: stable name, the same in metrics and documentation
    :param records: how many were refused
    :param text: one line
    :param is_late: they came with earlier batches; all of the batch at hand is taken
    """

    def __init__(self, reason: str, records: int, text: str, is_late: bool = False) -> None:
        super().__init__(reason, records, text, is_late)
        self.reason = reason
        self.records = records
        self.text = text
        self.is_late = is_late

    def __str__(self) -> str:
        return f"{self.text} ({self.reason}, {self.records:,} records)"


class SpoolError(GridtapError):
    """The disk spool of a sink cannot be written or read; the text names the file."""
