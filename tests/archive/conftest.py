"""One real server for nearly all tests, and others where options matter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.archive.client import Client
from tests.archive.servers import Servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with ExitStack() as running:
        yield Servers(tmp_path_factory.mktemp("archives"), running)


@pytest.fixture(scope="session")
def archive(servers: Servers) -> Client:
    """A server with the default options, and a key that may write"""
    return servers.get()
