"""What an archive answers, read with the tolerance that esmond, elmond and proxies need."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from gridtap.esmond.errors import BadAnswerError, StatusError

__all__ = ["Answer"]

#: Longest text of a server that is repeated in a message.
_DETAIL_CHARS = 300
_BODY_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read to its end.

    :param method: of the request
    :param url: of the request, without any password
    :param status_code: HTTP status
    :param content: the body, decompressed
    :param headers: names in lower case
    """

    method: str
    url: str
    status_code: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The body as text"""
        return self.content.decode("utf-8", "replace")

    @property
    def excerpt(self) -> str:
        """The beginning of the body, for a message"""
        return self.text[:_BODY_CHARS]

    @property
    def media_type(self) -> str:
        """Media type of the body without its parameters"""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def detail(self) -> str:
        """What the server says about a failure: JSON ``detail``, or the text of an HTML page"""
        if self.media_type == "application/json":
            try:
                body = json.loads(self.content)
            except ValueError:
                body = self.text
            if isinstance(body, dict):
                body = body.get("detail", body.get("error", body))
            said = body if isinstance(body, str) else json.dumps(body)
        elif "html" in self.media_type or self.content.lstrip()[:1] == b"<":
            # Loaded for the rare page alone: it takes longer than all of this module.
            from gridtap.esmond.html_text import html_text

            said = html_text(self.text)
        else:
            said = self.text
        said = " ".join(said.split())
        return said if len(said) <= _DETAIL_CHARS else said[:_DETAIL_CHARS] + "..."

    @property
    def next_query(self) -> dict[str, str] | None:
        """Query of the address that the ``Link`` header calls the next page"""
        for link in self.headers.get("link", "").split(","):
            address, _, attributes = link.partition(";")
            if 'rel="next"' in attributes or "rel=next" in attributes:
                return dict(parse_qsl(urlsplit(address.strip().strip("<>")).query))
        return None

    def expect(self, status: int) -> Answer:
        """This answer, if it has that status

        :raises StatusError: it has another
        """
        if self.status_code != status:
            location = self.headers.get("location")
            if location and 300 <= self.status_code < 400:
                raise StatusError(self, f"{self.status_code}: the archive is at {location}")
            raise StatusError(self)
        return self

    def json(self, shape: Literal["array", "object"]) -> Any:
        """The body, decoded

        :param shape: what it has to be
        :raises BadAnswerError: it is not JSON, broke off, or is something else
        """
        if self.media_type != "application/json":
            what = self.media_type or "a body without a type"
            raise BadAnswerError(self, f"JSON expected, but {what} came: {self.detail}")
        try:
            body = json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise BadAnswerError(self, f"not whole JSON: {error}") from error
        if not isinstance(body, list if shape == "array" else dict):
            raise BadAnswerError(self, f"a JSON {shape} expected, but {type(body).__name__} came")
        return body
