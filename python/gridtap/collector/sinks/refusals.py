"""What a sink that gathers finds out late: records that it will never be able to store."""

from __future__ import annotations

from collections import deque

from gridtap.collector.logs import event_log
from gridtap.errors import RefusedError

__all__ = ["Refusals"]

_LOG = event_log(__name__)


class Refusals:
    """Refusals of records that were taken before, to be told with a later batch.

    :param where: the sink's place, for the log
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._waiting: deque[RefusedError] = deque()

    def add(self, reason: str, records: int, text: str) -> None:
        """Keeps one"""
        self._waiting.append(RefusedError(reason, records, text, is_late=True))

    def tell(self) -> None:
        """Raises the oldest, if there is one.

        :raises RefusedError: records of earlier batches
        """
        if self._waiting:
            raise self._waiting.popleft()

    def close(self) -> None:
        """Nobody will ask any more: the log has them."""
        while self._waiting:
            error = self._waiting.popleft()
            _LOG.error(
                "records_refused",
                where=self._where,
                kind=error.reason,
                records=error.records,
                reason=error.text,
            )
