"""Archives to talk to."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from gridtap.esmond import ApiConnect, ApiFilters
from tests.esmond.server import Server
from tests.esmond.small_archive import API_KEY, SmallArchive


@dataclass
class Archive:
    """An archive that may be written to"""

    url: str
    username: str
    api_key: str
    server: Server

    def connect(self, filters: ApiFilters | None = None) -> ApiConnect:
        return ApiConnect(self.url, filters)

    @property
    def credentials(self) -> dict[str, str]:
        return {"username": self.username, "api_key": self.api_key}


@pytest.fixture
def archive() -> Iterator[Archive]:
    """An empty archive"""
    with Server(SmallArchive()) as server:
        yield Archive(server.url, "pS_user", API_KEY, server)


@pytest.fixture(autouse=True)
def _warnings_are_noticed() -> Iterator[None]:
    """A test that does not expect a warning fails when there is one"""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
