"""Requests that are answered with an error on purpose."""

from __future__ import annotations

from gridtap.errors import GridtapError

__all__ = ["ConflictError", "RefusedError", "UnavailableError"]


class RefusedError(GridtapError):
    """A request that is answered with a status and ``{"detail": ...}``.

    :param detail: what is wrong, in esmond's words where it has some
    :param status: HTTP status
    """

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status


class ConflictError(RefusedError):
    """A number is there already, with another value.

    :param ts: UTC epoch seconds
    """

    def __init__(self, event_type: str, ts: int) -> None:
        super().__init__(
            f"Time series value already exists with event type {event_type} at time {ts}", 409
        )


class UnavailableError(RefusedError):
    """The archive cannot serve a good request now: busy, full, or not writable.

    :param cause: for the log, where it says more than the caller is told
    """

    def __init__(self, detail: str, cause: str = "") -> None:
        super().__init__(detail, 503)
        self.cause = cause or detail
