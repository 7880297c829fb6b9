"""What all writing to an archive has in common."""

from __future__ import annotations

import json
import numbers
import operator
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from gridtap.esmond.address import clean_alias
from gridtap.esmond.answers import Answer
from gridtap.esmond.connection import Connection
from gridtap.esmond.errors import AnswerError, PostException, RequestError
from gridtap.esmond.filters import ApiFilters
from gridtap.esmond.http import Transport

__all__ = ["CHUNK_POINTS", "Point", "PostBase", "bulk_body", "chunks", "whole_second"]

#: Points of one bulk request: large enough to hide latency, and 100 kB or so of JSON.
CHUNK_POINTS = 1000

#: Event type, second, value
Point = tuple[str, int, Any]


class PostBase:
    """Base of what is posted; not to be used itself.

    :param api_url: ``scheme://host[:port]``; a path to the archive is understood as well
    :param username: never sent, but without it the key is not either
    :param script_alias: deployment prefix; None, ``""`` and ``"/"`` are no prefix
    :param ssl_verify: True, False, or the file or folder of trusted authorities' certificates
    :param timeout: seconds without receiving anything; None waits for ever
    :param transport: connections to share with others
    :raises ArchiveUrlError: not an HTTP URL
    """

    wrn: type[Warning] = Warning
    error: type[PostException] = PostException

    def __init__(
        self,
        api_url: str,
        username: str = "",
        api_key: str = "",
        script_alias: str | None = "esmond",
        ssl_verify: bool | str = True,
        timeout: float | None = 20,
        *,
        transport: Transport | None = None,
    ) -> None:
        if type(self) is PostBase:
            raise PostException("Do not instantiate base class, use appropriate subclass")
        self.api_url = api_url.rstrip("/")
        self.username = username
        self.api_key = api_key
        self.script_alias = clean_alias(script_alias)
        self.ssl_verify = ssl_verify
        self.timeout = timeout
        self._connection = Connection(api_url, self._filters(), script_alias, transport)
        self.headers = self._connection.headers
        if not (username and api_key):
            warnings.warn("username and api_key not set", self.wrn, stacklevel=3)

    def json_payload(self, pp: bool = False) -> str:
        """What is to be posted, as JSON

        :param pp: indented
        :raises PostException: something is missing, or is nothing that JSON has
        """
        return self._json(self._checked(), 4 if pp else None)

    def warn(self, msg: str) -> None:
        """Warn about what is to be posted"""
        warnings.warn(msg, self.wrn, stacklevel=3)

    def ex(self, msg: str) -> NoReturn:
        """Raise the exception of this class"""
        raise self.error(msg)

    def close(self) -> None:
        """Drop the connections to the archive; they are made again when needed."""
        self._connection.transport.close()

    def _checked(self) -> Any:
        """The payload, complete."""
        raise NotImplementedError

    def _filters(self) -> ApiFilters:
        """Settings of this, for requests of others."""
        filters = ApiFilters()
        filters.auth_username = self.username
        filters.auth_apikey = self.api_key
        filters.ssl_verify = self.ssl_verify
        filters.timeout = self.timeout
        return filters

    def _json(self, payload: Any, indent: int | None = None) -> str:
        try:
            return json.dumps(payload, indent=indent, allow_nan=False, default=_plain)
        except (ValueError, TypeError, RecursionError) as error:
            # An archive takes NaN, and then fails whenever a range with it is read.
            raise self.error(f"not JSON: {error}") from error

    def _write(
        self, method: str, url: str, body: str, *, repeatable: bool = False, stored: int = 0
    ) -> Answer:
        try:
            return self._connection.write(method, url, body, repeatable=repeatable)
        except AnswerError as error:
            said = f"status_code: {error.status}, message: {error.answer.excerpt}"
            raise self.error(f"POST error: {said}", stored) from error
        except RequestError as error:
            raise self.error(f"POST connection error: {error}", stored) from error


def whole_second(ts: object) -> int | None:
    """A time stamp as whole seconds; None if it is not a whole number"""
    if isinstance(ts, bool):
        return None
    if isinstance(ts, numbers.Real) and not isinstance(ts, numbers.Integral):
        number = float(ts)
        return int(number) if number.is_integer() else None
    try:
        return operator.index(ts)  # type: ignore[arg-type]
    except TypeError:
        return None


def chunks(points: Iterable[Point], size: int) -> Iterator[list[Point]]:
    """Points in the requests that they are to be sent with, in their order.

    A request never has one event type twice at one second: esmond adds the numbers instead of
    refusing the second. Nor does it have two histograms of one event type: of those in one window
    esmond keeps only the last in the summaries. In requests of their own both are right.
    """
    chunk: list[Point] = []
    taken: set[object] = set()
    for point in points:
        event_type, ts, _ = point
        own = event_type if event_type.startswith("histogram-") else (event_type, ts)
        if len(chunk) >= size or own in taken:
            yield chunk
            chunk, taken = [], set()
        chunk.append(point)
        taken.add(own)
    if chunk:
        yield chunk


def bulk_body(points: Iterable[Point]) -> dict[str, list[dict[str, Any]]]:
    """Points grouped by second, in the order in which the seconds first appear"""
    seconds: dict[int, list[dict[str, Any]]] = {}
    for event_type, ts, value in points:
        seconds.setdefault(ts, []).append({"event-type": event_type, "val": value})
    return {"data": [{"ts": ts, "val": values} for ts, values in seconds.items()]}


def _plain(value: object) -> Any:
    """Numbers of other libraries, such as NumPy's, as JSON has them."""
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise TypeError(f"a {type(value).__name__} is nothing that JSON has")
