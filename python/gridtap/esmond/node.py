"""What all that an archive lists has in common."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

from gridtap.esmond.alerts import NodeInfoWarning
from gridtap.esmond.answers import Answer
from gridtap.esmond.connection import Connection
from gridtap.esmond.errors import AnswerError, PagingError
from gridtap.esmond.filters import ApiFilters

__all__ = ["NodeInfo", "alert_text"]


def alert_text(error: AnswerError) -> str:
    """What the client warns of a failed request"""
    if isinstance(error, PagingError):
        return str(error)
    answer = error.answer
    return f"Request for {answer.url} got status: {answer.status_code} - response: {answer.excerpt}"


class NodeInfo:
    """What metadata, event types and summaries have in common.

    :param data: what the archive sent
    :param api_url: the archive's, without path
    :param filters: time window and settings of the requests
    :param connection: of whoever found this; otherwise a new one is made when needed
    """

    wrn: type[Warning] = NodeInfoWarning

    def __init__(
        self,
        data: Mapping[str, Any],
        api_url: str,
        filters: ApiFilters,
        connection: Connection | None = None,
    ) -> None:
        self._data = data
        self.api_url = api_url
        self.filters = filters
        self._shared = connection

    @property
    def _connection(self) -> Connection:
        if self._shared is None:
            self._shared = Connection(self.api_url, self.filters)
        return self._shared

    @property
    def request_headers(self) -> dict[str, str]:
        """Sent with every request"""
        return self._connection.headers

    @property
    def dump(self) -> str:
        """What the archive sent, indented"""
        return json.dumps(self._data, indent=4)

    def http_alert(self, r: Answer) -> None:
        """Warn about an answer"""
        self.warn(alert_text(AnswerError(r, "")))

    def warn(self, msg: str) -> None:
        """Warn about this"""
        warnings.warn(msg, self.wrn, stacklevel=3)

    def inspect_request(self, r: Answer) -> None:
        """Show where an answer came from, if verbose"""
        self._connection.trace(f"[url: {r.url}]")

    def _list(self, name: str) -> list[dict[str, Any]]:
        listed = self._data.get(name)
        if not isinstance(listed, list):
            return []
        return [one for one in listed if isinstance(one, dict)]
