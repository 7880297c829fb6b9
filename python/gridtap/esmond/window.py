"""Time windows: the table by which an archive reads its four time parameters, read once, here.

Pages are asked for by moving ``time-start``. With ``time-range`` beside it that would move the end
as well, and ``time`` would win over it; so windows are sent as a beginning and an end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridtap.esmond.errors import TimeFilterError

__all__ = ["Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """A time window, in seconds of the epoch, both ends inside; None is open.

    :param reach: seconds back from the server's now, where neither end is given
    """

    begin: int | None = None
    end: int | None = None
    reach: int | None = None

    @classmethod
    def of(cls, times: Mapping[str, int | None]) -> Window:
        """The window that time filters mean

        :param times: by their dashed names
        :raises TimeFilterError: it ends before it begins
        """
        at, start, end, reach = (
            times.get(name) for name in ("time", "time-start", "time-end", "time-range")
        )
        if at is not None:
            return cls(at, at)
        if start is not None and end is None and reach is not None:
            end = start + reach
        elif start is None and end is not None:
            start = end - reach if reach is not None else 0
        if start is not None and end is not None and end < start:
            raise TimeFilterError(f"the time window ends ({end}) before it begins ({start})")
        return cls(start, end, reach if start is None and end is None else None)

    def params(self, *, with_end: bool = True) -> dict[str, str]:
        """Query parameters, as text

        :param with_end: whether the end is sent
        """
        given = {
            "time-start": self.begin,
            "time-end": self.end if with_end else None,
            "time-range": self.reach,
        }
        return {name: str(value) for name, value in given.items() if value is not None}

    def since(self, begin: int) -> Window:
        """The part of this window that begins at ``begin``"""
        return Window(begin, self.end)
