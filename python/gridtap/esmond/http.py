"""HTTP for the client: the only user of requests, which is imported when the first request is made.

What a server may cost: a request takes no longer than its retries allow, its body no more than the
bytes and seconds of :py:class:`Limits`, whatever the server sends and however slowly.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from gridtap.esmond.answers import Answer
from gridtap.esmond.errors import (
    BodyLimitError,
    CertificateError,
    NoAnswerError,
    RequestError,
    UnreachableError,
)

if TYPE_CHECKING:
    import requests
    from urllib3.util import Retry

__all__ = ["Access", "Limits", "Request", "Transport"]

#: Gateways say these when the archive behind them is away for a moment.
_PASSING = frozenset({502, 503, 504})

#: Longest wait for a connection, in seconds: hosts that are up take one round trip.
_CONNECT_S = 10.0

#: Longest pause before another attempt, in seconds, even if the server asks for more.
_PAUSE_S = 10.0

#: Longest random addition to a pause, in seconds.
_JITTER_S = 0.25

_CHUNK = 1 << 16
_SMALL_CHUNK = 1 << 12


@dataclass(frozen=True, slots=True)
class Limits:
    """How much patience one request gets.

    :param retries: further attempts after a connection error or a 502, 503 or 504
    :param body_bytes: largest body, decompressed: a page of 10,000 long traces has about 50 MB
    :param body_s: longest time for one body, in seconds
    """

    retries: int = 3
    body_bytes: int = 256 << 20
    body_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Access:
    """How to talk to an archive.

    :param headers: sent with every request
    :param ssl_verify: False, or the file or folder with the certificates of trusted authorities
    :param timeout: seconds without receiving anything; None waits for ever
    :param limits: of retries and bodies
    """

    headers: Mapping[str, str]
    ssl_verify: bool | str = True
    timeout: float | None = 20
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    :param repeatable: doing it twice is the same as doing it once, so that it may be repeated when
        it is unknown whether it was done
    """

    method: str
    url: str
    params: Mapping[str, str] | None = None
    body: bytes | None = None
    repeatable: bool = False


class Transport:
    """Connections that are kept and shared, by threads too."""

    def __init__(self) -> None:
        self._session: requests.Session | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def close(self) -> None:
        """Drop the connections, and wake who waits before another attempt."""
        self._closing.set()
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def send(self, request: Request, access: Access) -> Answer:
        """Send a request, repeatedly if need be and allowed, and read its answer to the end.

        :raises UnreachableError: no connection, or it broke off
        :raises NoAnswerError: nothing was received for ``timeout`` seconds
        :raises BodyLimitError: the body does not end
        :raises RequestError: anything else that prevents an answer
        """
        from urllib3.exceptions import MaxRetryError

        retry = _policy(access.limits.retries if request.repeatable else 0)
        while True:
            failure: RequestError | None = None
            answer: Answer | None = None
            try:
                answer = self._once(request, access)
                if answer.status_code not in _PASSING:
                    return answer
            except CertificateError:
                raise
            except UnreachableError as error:
                failure = error
            try:
                retry = retry.increment(request.method, request.url, error=failure)
            except MaxRetryError:
                if answer is not None:
                    return answer
                raise failure or _unreachable(request, "no answer") from None
            self._closing.wait(_pause(retry, answer))

    def _once(self, request: Request, access: Access) -> Answer:
        timeout = access.timeout
        connect = _CONNECT_S if timeout is None else min(timeout, _CONNECT_S)
        with _mapped(request, access):
            response = self._open().request(
                request.method,
                request.url,
                params=request.params,
                data=request.body,
                headers=dict(access.headers),
                # A .netrc entry would otherwise take the place of the token.
                auth=_as_it_is if "Authorization" in access.headers else None,
                timeout=(connect, timeout),
                verify=access.ssl_verify,
                # A redirected POST comes back as a GET without its body.
                allow_redirects=request.method == "GET",
                stream=True,
            )
            with response:
                return Answer(
                    request.method,
                    _without_password(response.url),
                    response.status_code,
                    _body(response, request, access.limits),
                    {name.lower(): value for name, value in response.headers.items()},
                )

    def _open(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                import requests

                self._closing.clear()
                self._session = requests.Session()
                self._session.max_redirects = 5
                adapter = requests.adapters.HTTPAdapter(pool_maxsize=32)
                self._session.mount("http://", adapter)
                self._session.mount("https://", adapter)
            return self._session


def _policy(retries: int) -> Retry:
    from urllib3.util import Retry

    return Retry(total=max(0, retries), backoff_factor=0.25)


def _pause(retry: Retry, answer: Answer | None) -> float:
    from urllib3.exceptions import InvalidHeader

    wanted = answer.headers.get("retry-after") if answer is not None else None
    try:
        asked = retry.parse_retry_after(wanted) if wanted else 0.0
    except InvalidHeader:
        asked = 0.0
    # Clients that failed together shall not come back together.
    pause = max(asked, retry.get_backoff_time()) + random.uniform(0, _JITTER_S)
    return min(pause, _PAUSE_S)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _body(response: requests.Response, request: Request, limits: Limits) -> bytes:
    """Reads whatever has arrived, so that a body that drips cannot outstay its time."""
    deadline = time.monotonic() + limits.body_s
    chunks: list[bytes] = []
    size = 0
    while chunk := _piece(response):
        chunks.append(chunk)
        size += len(chunk)
        if size > limits.body_bytes:
            raise _too_long(request, f"more than {limits.body_bytes:,} bytes")
        if time.monotonic() > deadline:
            raise _too_long(request, f"not at its end after {limits.body_s:g} s")
    return b"".join(chunks)


def _piece(response: requests.Response) -> bytes:
    raw = response.raw
    if hasattr(raw, "read1"):
        return bytes(raw.read1(_CHUNK, decode_content=True))
    # urllib3 before 2.2 waits until a piece is full, so that the clock is looked at less often.
    return bytes(raw.read(_SMALL_CHUNK, decode_content=True))


def _too_long(request: Request, what: str) -> BodyLimitError:
    return BodyLimitError(request.method, _without_password(request.url), f"the body is {what}")


@contextmanager
def _mapped(request: Request, access: Access) -> Iterator[None]:
    """Turns what requests and urllib3 raise into errors of ours."""
    import ssl

    import requests
    import urllib3

    method, url = request.method, _without_password(request.url)
    try:
        yield
    except RequestError:
        raise
    except (requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError) as error:
        raise _unreachable(request, "no connection in time") from error
    except (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError) as error:
        reason = f"nothing received for {access.timeout:g} s" if access.timeout else "no answer"
        raise NoAnswerError(method, url, reason) from error
    except (
        requests.exceptions.ConnectionError,
        requests.exceptions.ChunkedEncodingError,
        urllib3.exceptions.HTTPError,
    ) as error:
        certificate = _find(error, ssl.SSLCertVerificationError)
        if isinstance(certificate, ssl.SSLCertVerificationError):
            reason = f"certificate not trusted: {certificate.verify_message}"
            raise CertificateError(method, url, reason) from error
        raise _unreachable(request, _innermost(error)) from error
    except (requests.exceptions.RequestException, OSError, ValueError) as error:
        # OSError: a file of certificates that is not there; ValueError: a header with a line break.
        raise RequestError(method, url, " ".join(str(error).split())) from error


def _unreachable(request: Request, reason: str) -> UnreachableError:
    return UnreachableError(request.method, _without_password(request.url), reason)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and everything that it was made of, outermost first."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [one.__context__, one.__cause__, getattr(one, "reason", None), *one.args]
        waiting.extend(each for each in inner if isinstance(each, BaseException))


def _find(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    return next((one for one in _chain(error) if isinstance(one, kind)), None)


def _innermost(error: BaseException) -> str:
    """The operating system's words if it has any: libraries wrap them in several layers."""
    spoken = [one for one in _chain(error) if isinstance(one, OSError) and one.strerror]
    if spoken:
        return str(spoken[-1].strerror)
    return " ".join(str(list(_chain(error))[-1]).split()) or type(error).__name__


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
