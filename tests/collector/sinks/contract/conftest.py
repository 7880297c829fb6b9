"""Each test here is one for every type of sink."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gridtap.collector.sinks.registry import SINK_TYPES
from tests.collector.sinks.contract.places import PLACES, Place


@pytest.fixture(params=sorted(SINK_TYPES))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with PLACES[request.param](tmp_path) as made:
        yield made
