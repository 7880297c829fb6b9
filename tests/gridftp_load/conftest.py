"""The archive of the client's tests."""

from __future__ import annotations

from tests.esmond.conftest import archive, database

__all__ = ["archive", "database"]
