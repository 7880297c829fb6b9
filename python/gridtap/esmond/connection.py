"""What all requests to one archive share: address, credentials, settings, kept connections."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from gridtap.esmond.address import ArchiveAddress
from gridtap.esmond.answers import Answer
from gridtap.esmond.filters import ApiFilters
from gridtap.esmond.http import Access, Request, Transport

__all__ = ["Connection", "credentials"]


def credentials(username: str, api_key: str) -> dict[str, str]:
    """The header that identifies a user; the archive knows who a key belongs to.

    :param username: never sent, but without it the key is not either
    """
    return {"Authorization": f"Token {api_key}"} if username and api_key else {}


class Connection:
    """An archive and how to talk to it. Threads may share one.

    :param filters: whose settings hold, at the time of each request
    :raises ArchiveUrlError: not an HTTP URL
    """

    def __init__(
        self,
        api_url: str,
        filters: ApiFilters,
        script_alias: str | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.address = ArchiveAddress(api_url, script_alias)
        self.filters = filters
        self.headers = {"content-type": "application/json", "accept": "application/json"}
        self.headers |= credentials(filters.auth_username, filters.auth_apikey)
        self.transport = transport or Transport()

    def get(self, url: str, params: Mapping[str, str]) -> Answer:
        """Read something

        :raises RequestError: it cannot be had
        """
        answer = self._send(Request("GET", url, params, repeatable=True))
        return answer.expect(200)

    def write(self, method: str, url: str, body: Any, *, repeatable: bool = False) -> Answer:
        """POST or PUT something

        :param body: JSON, as text
        :param repeatable: the archive makes nothing new of the same thing sent twice
        :raises RequestError: it was not confirmed
        """
        self.trace_payload(body)
        request = Request(method, url, body=body.encode(), repeatable=repeatable)
        return self._send(request).expect(201)

    def _send(self, request: Request) -> Answer:
        filters = self.filters
        access = Access(self.headers, filters.ssl_verify, filters.timeout, filters.limits)
        answer = self.transport.send(request, access)
        self.trace(f"[url: {answer.url}]")
        return answer

    def trace(self, text: str) -> None:
        """Show what is going on, if the filters say so, on standard error: output stays clean."""
        if self.filters.verbose:
            print(text, file=sys.stderr)

    def trace_payload(self, body: str) -> None:
        """Show what is sent, if the filters say so emphatically"""
        if self.filters.verbose > 1:
            shown = json.dumps(json.loads(body), indent=4)
            print(f"[POST payload: {shown}]", file=sys.stderr)
