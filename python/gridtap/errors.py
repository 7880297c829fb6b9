"""The exceptions of gridtap.

::

    GridtapError
    ├── ArchiveError                           an archive, or a file for it, that cannot be used
    ├── DecodeError        (also ValueError)   a packet that could not be decoded
    ├── MissingExtraError  (also ImportError)  an optional dependency is not installed
    └── NotBinaryError     (also ValueError)   a text datagram where a binary packet was expected
"""

from __future__ import annotations

__all__ = ["ArchiveError", "DecodeError", "GridtapError", "MissingExtraError", "NotBinaryError"]


class GridtapError(Exception):
    """Base of all exceptions that gridtap raises on purpose."""


class ArchiveError(GridtapError):
    """An archive's file, or one to be read into it, that cannot be used; the text names it."""


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
