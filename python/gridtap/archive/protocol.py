"""HTTP as uvicorn speaks it, with an end for whoever keeps a connection and does not use it."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from gridtap.archive import jsontext, limits

__all__ = ["Protocol"]

#: The head of a request, or what is left of a body after the answer
_Awaited = Literal["head", "rest"]


class Protocol(H11Protocol):
    """One connection."""

    _awaited: _Awaited | None = None
    _waiting: asyncio.TimerHandle | None = None
    _sending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Called when somebody has connected."""
        super().connection_made(transport)
        self._watch()
        if len(self.connections) >= limits.CONNECTIONS:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Called with what has come."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Called when an answer has been handed over."""
        super().on_response_complete()
        # While a connection is only kept, uvicorn's own timer runs.
        if self._what_is_awaited() == "rest":
            self._watch()

    def pause_writing(self) -> None:
        """Called when much waits to be sent."""
        super().pause_writing()
        self._sending = self.loop.call_later(limits.TAKE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Called when little waits to be sent."""
        super().resume_writing()
        self._stop_sending()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called when the connection has ended."""
        super().connection_lost(exc)
        self._cancel()
        self._stop_sending()

    def timeout_keep_alive_handler(self) -> None:
        """Called when a connection was kept for long enough."""
        super().timeout_keep_alive_handler()
        if self.transport.get_write_buffer_size():
            # Nobody takes the last answer.
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP, unless an answer is on its way already."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = jsontext.dump({"detail": msg}).encode()
            headers = [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
            ]
            answer = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
            for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle:
            # Whoever works on the request must not answer too.
            self.cycle.disconnected = True
        self.transport.close()

    def _what_is_awaited(self) -> _Awaited | None:
        if self.conn.their_state is h11.IDLE:
            return "head"
        is_answered = self.conn.our_state in (h11.DONE, h11.MUST_CLOSE)
        return "rest" if is_answered and self.conn.their_state is h11.SEND_BODY else None

    def _watch(self) -> None:
        awaited = self._what_is_awaited()
        if awaited == self._awaited:
            return
        self._cancel()
        if awaited is not None:
            seconds = limits.HEADER_SECONDS if awaited == "head" else limits.DRAIN_SECONDS
            self._awaited = awaited
            self._waiting = self.loop.call_later(seconds, self.transport.abort)

    def _cancel(self) -> None:
        self._awaited = None
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _stop_sending(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def _make_room(self) -> None:
        idle = [
            (each._waiting.when(), number, each)
            for number, each in enumerate(self.connections)
            if isinstance(each, Protocol) and each._awaited == "head" and each._waiting is not None
        ]
        if len(idle) > 1:
            _, _, longest = min(idle)
            # It ends only after this, but counts no more.
            longest._cancel()
            self.connections.discard(longest)
            longest.transport.abort()
