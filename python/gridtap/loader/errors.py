"""What keeps the loader from going on, or a transfer from being stored."""

from __future__ import annotations

from gridtap.errors import GridtapError

__all__ = [
    "ArchiveAwayError",
    "ArchiveUnusableError",
    "LoadError",
    "StateError",
    "UnusableTransferError",
]


class LoadError(GridtapError):
    """Loading can not go on; what was not acknowledged is loaded by the next run."""


class ArchiveUnusableError(LoadError):
    """The archive refuses whatever it is sent, or is none."""


class ArchiveAwayError(ArchiveUnusableError):
    """The archive does not answer, or fails with everything."""


class StateError(LoadError):
    """The state file can not be used; the text names it."""


class UnusableTransferError(GridtapError):
    """A transfer that has no place in an archive; the text says why."""
