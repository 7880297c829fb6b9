"""Transfers that GridFTP servers logged, in the netlogger form or as JSON.

:py:func:`read_transfers` reads a file, packed or not; :py:class:`LogScanner` takes a log in pieces
and says where another run may go on.
"""

from __future__ import annotations

from gridtap.gridftp.reading import Transfers, read_transfers
from gridtap.gridftp.records import LogFault, Transfer
from gridtap.gridftp.scanning import LogScanner

__all__ = ["LogFault", "LogScanner", "Transfer", "Transfers", "read_transfers"]
