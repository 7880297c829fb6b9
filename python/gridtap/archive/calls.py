"""A request and its answer, without the web server around them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

__all__ = ["Answer", "Call"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    :param path: without the script alias, as the routes spell it
    :param query: of a repeated parameter the last
    :param body: whole; empty without one
    :param origin: scheme, host and port as the caller addressed them
    :param alias: the script alias, empty or with a leading slash
    """

    method: str
    path: str
    parts: Mapping[str, str]
    query: Mapping[str, str]
    content_type: str
    body: bytes
    origin: str
    alias: str

    def link(self, query: Mapping[str, str]) -> str:
        """The absolute URL of this path with another query, its parameters in order."""
        url = self.origin + quote(self.alias + self.path)
        return f"{url}?{urlencode(sorted(query.items()))}" if query else url


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send.

    :param body: pieces of JSON text
    """

    status: int = 200
    body: Iterable[bytes] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
