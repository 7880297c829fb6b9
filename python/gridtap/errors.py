"""The exceptions of gridtap.

::

    GridtapError
    ├── DecodeError        (also ValueError)  a packet that could not be decoded
    └── NotBinaryError     (also ValueError)  a text datagram where a binary packet was expected
"""

from __future__ import annotations

__all__ = ["DecodeError", "GridtapError", "NotBinaryError"]


class GridtapError(Exception):
    """Base of all exceptions that gridtap raises on purpose."""


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
