"""The little of the XRootD protocol that it takes to read and write exactly what a test wants.

Numbers of requests are those of ``XProtocol.hh``.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Self

KXR_CLOSE, KXR_LOGIN, KXR_OPEN, KXR_READ, KXR_WRITE, KXR_READV = 3003, 3007, 3010, 3013, 3019, 3025
OPEN_DELETE, OPEN_READ, OPEN_UPDATE, OPEN_MAKE_PATH = 0x02, 0x10, 0x20, 0x100
STATUS_MORE = 4000


class RawClient:
    """One connection; leaving the ``with`` block cuts it like a process that was killed"""

    def __init__(self, port: int, user: bytes, pid: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.sendall(struct.pack(">iiiii", 0, 0, 0, 4, 2012))
        self._receive(16)
        # Version 5 of the protocol, no further capabilities.
        self._request(KXR_LOGIN, struct.pack(">i8sBBBB", pid, user, 0, 0, 5, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # An abortive close: the server sees a reset.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def open(self, path: str, *, write: bool = False) -> bytes:
        """A file handle"""
        flags = OPEN_DELETE | OPEN_UPDATE | OPEN_MAKE_PATH if write else OPEN_READ
        mode = 0o644 if write else 0
        return self._request(KXR_OPEN, struct.pack(">HH12x", mode, flags), path.encode())[:4]

    def read(self, handle: bytes, offset: int, length: int) -> bytes:
        return self._request(KXR_READ, handle + struct.pack(">qi", offset, length))

    def read_vector(self, handle: bytes, segments: Sequence[tuple[int, int]]) -> None:
        parts = (handle + struct.pack(">iq", length, offset) for offset, length in segments)
        self._request(KXR_READV, bytes(16), b"".join(parts))

    def write(self, handle: bytes, offset: int, data: bytes) -> None:
        self._request(KXR_WRITE, handle + struct.pack(">qi", offset, 0), data)

    def close_file(self, handle: bytes) -> None:
        self._request(KXR_CLOSE, handle + bytes(12))

    def _request(self, code: int, parameters: bytes, data: bytes = b"") -> bytes:
        head = struct.pack(">HH", 1, code) + parameters + struct.pack(">i", len(data))
        self._socket.sendall(head + data)
        body = b""
        while True:
            _, status, length = struct.unpack(">HHi", self._receive(8))
            body += self._receive(length)
            if status != STATUS_MORE:
                assert status == 0, (code, status, body)
                return body

    def _receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self._socket.recv(count - len(data))
            assert piece, "the server hung up"
            data += piece
        return data
