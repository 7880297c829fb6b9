"""What can go wrong between a client and an archive.

::

    GridtapError
    └── EsmondError
        ├── ArchiveUrlError    (also ValueError)       the archive's URL cannot be used
        ├── TimeFilterError    (also ValueError)       a time window that ends before it begins
        ├── RequestError                               a request failed: method, url
        │   ├── UnreachableError   (also ConnectionError)  no connection, or it broke off
        │   │   └── CertificateError                       the server's certificate is not trusted
        │   ├── NoAnswerError      (also TimeoutError)     nothing received for too long
        │   ├── BodyLimitError                             the answer's body does not end
        │   └── AnswerError                                an answer came: status, body, detail
        │       ├── StatusError                            its status says that it failed
        │       ├── BadAnswerError                         not JSON, or not of the documented shape
        │       └── PagingError                            pages that repeat, or are out of order
        ├── HostLookupError    (also OSError)          a host name without an address
        └── PostException                              a write failed, or could not be made
            ├── MetadataPostException
            ├── EventTypePostException
            └── EventTypeBulkPostException

``QueryLimitException`` is :py:class:`AnswerError` under the name that esmond_client gave it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridtap.errors import GridtapError

if TYPE_CHECKING:
    from gridtap.esmond.answers import Answer

__all__ = [
    "AnswerError",
    "ArchiveUrlError",
    "BadAnswerError",
    "BodyLimitError",
    "CertificateError",
    "EsmondError",
    "EventTypeBulkPostException",
    "EventTypePostException",
    "HostLookupError",
    "MetadataPostException",
    "NoAnswerError",
    "PagingError",
    "PostException",
    "QueryLimitException",
    "RequestError",
    "StatusError",
    "TimeFilterError",
    "UnreachableError",
]


class EsmondError(GridtapError):
    """Base of what the esmond client raises on purpose."""


class ArchiveUrlError(EsmondError, ValueError):
    """The URL of an archive cannot be used."""


class TimeFilterError(EsmondError, ValueError):
    """A time window that ends before it begins."""


class HostLookupError(EsmondError, OSError):
    """A host name, to be resolved here, has no address of the wanted family."""


class RequestError(EsmondError):
    """A request failed.

    :param method: ``GET``, ``POST`` or ``PUT``
    :param url: what was asked for, without any password
    :param reason: one line
    """

    def __init__(self, method: str, url: str, reason: str) -> None:
        # One argument: OSError, a base of some, would take several for errno and the like.
        super().__init__(f"{method} {url}: {reason}")
        self.method = method
        self.url = url
        self.reason = reason

    def __reduce__(self) -> tuple[type[RequestError], tuple[Any, ...]]:
        return type(self), (self.method, self.url, self.reason)


class UnreachableError(RequestError, ConnectionError):
    """No connection could be made, or it broke off."""


class CertificateError(UnreachableError):
    """The server's certificate is not trusted.

    The two ways out are ``ssl_verify`` set to the file of the right authority's certificate, or to
    False, which trusts anybody who answers.
    """


class NoAnswerError(RequestError, TimeoutError):
    """Nothing was received for as long as ``timeout`` says, in seconds."""


class BodyLimitError(RequestError):
    """The body of an answer is larger, or takes longer, than the limits allow."""


class AnswerError(RequestError):
    """The archive answered, but not with what was asked for.

    :param answer: what came
    :param reason: one line
    """

    def __init__(self, answer: Answer, reason: str) -> None:
        super().__init__(answer.method, answer.url, reason)
        self.answer = answer

    def __reduce__(self) -> tuple[type[AnswerError], tuple[Any, ...]]:
        return type(self), (self.answer, self.reason)

    @property
    def status(self) -> int:
        """HTTP status code"""
        return self.answer.status_code

    @property
    def detail(self) -> str:
        """What the server said, as text: its JSON detail, or what its HTML page says"""
        return self.answer.detail


class StatusError(AnswerError):
    """The answer's status says that the request failed."""

    def __init__(self, answer: Answer, reason: str = "") -> None:
        super().__init__(answer, reason or _status_line(answer))


class BadAnswerError(AnswerError):
    """The answer is not JSON, or not of the documented shape."""


class PagingError(AnswerError):
    """The server's pages repeat, or are not in order: the rest cannot be asked for."""


#: esmond_client's name
QueryLimitException = AnswerError


def _status_line(answer: Answer) -> str:
    from http import HTTPStatus

    code = answer.status_code
    phrase = HTTPStatus(code).phrase if code in HTTPStatus._value2member_map_ else ""
    status = f"{code} {phrase}".rstrip()
    return f"{status}: {answer.detail}" if answer.detail else status


class PostException(EsmondError):  # noqa: N818 - the documented name
    """A write failed, or could not be made.

    :param value: what happened
    :param stored: points that the archive has confirmed before the failure
    """

    def __init__(self, value: str, stored: int = 0) -> None:
        super().__init__(value, stored)
        self.value = value
        self.stored = stored

    def __str__(self) -> str:
        return str(self.value)

    @property
    def status(self) -> int | None:
        """HTTP status of the answer that refused the write, if there was an answer"""
        cause = self.__cause__
        return cause.status if isinstance(cause, AnswerError) else None

    @property
    def detail(self) -> str:
        """What the server said, or why there was no answer; empty for a faulty argument"""
        cause = self.__cause__
        if isinstance(cause, AnswerError):
            return cause.detail
        return cause.reason if isinstance(cause, RequestError) else ""


class MetadataPostException(PostException):
    """A metadata could not be posted."""


class EventTypePostException(PostException):
    """Points of one event type could not be posted."""


class EventTypeBulkPostException(PostException):
    """Points of several event types could not be posted."""
