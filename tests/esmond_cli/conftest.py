"""One archive for all tests of the query commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.esmond_cli.archive import seeded, serving


@pytest.fixture(scope="session")
def seed_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File of an archive that holds the seed; not to be written to"""
    db = tmp_path_factory.mktemp("archive") / "seed.db"
    seeded(db)
    return db


@pytest.fixture(scope="session")
def archive_url(seed_db: Path) -> Iterator[str]:
    """URL of the seeded archive, without path"""
    with serving(seed_db) as (url, _):
        yield url
