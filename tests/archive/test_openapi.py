"""The OpenAPI document: that it is one, that it is all of the archive, and that it is true.

A longer run than the default: ``GRIDTAP_SCHEMATHESIS_EXAMPLES=200``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.applications import Starlette
from starlette.routing import Route

from gridtap.archive.app import Settings, build
from gridtap.archive.openapi import document
from gridtap.archive.openapi.values import SHOWN
from gridtap.archive.storage import SqliteStorage
from gridtap.esmond.event_types import (
    ALLOWED_SUMMARIES,
    SUMMARY_IN_URL,
    DataType,
    SummaryType,
)
from tests.archive.openapi_server import ROOT, Served, serving
from tests.archive.openapi_validator import REGISTRY, validator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

#: Generated requests for each operation, besides those for each border of each schema.
EXAMPLES = os.environ.get("GRIDTAP_SCHEMATHESIS_EXAMPLES", "5")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("archive")) as found:
        yield found


@pytest.fixture(scope="module")
def described(served: Served) -> dict[str, Any]:
    status, headers, body = served.send("GET", "/openapi.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    return dict(json.loads(body))


@pytest.mark.parametrize("alias", ["/esmond", "", "/two/parts"])
@pytest.mark.parametrize("is_private", [False, True])
def test_it_is_an_openapi_document(alias: str, is_private: bool) -> None:
    made = document(REGISTRY, alias, is_private)
    assert made["openapi"].startswith("3.1.")
    validate(made)
    assert ({} in made["security"]) is not is_private


def test_what_is_served_is_the_document(described: dict[str, Any]) -> None:
    assert described == json.loads(json.dumps(document(REGISTRY, "/esmond", False)))


def test_event_types_of_a_site_are_in_it() -> None:
    made = document({**REGISTRY, "queue-length": DataType.INTEGER}, "", False)
    check = validator(made, "MetadataPost").is_valid
    body = {"subject-type": "network-element", "source": "::1", "measurement-agent": "::1"}
    assert check({**body, "event-types": [{"event-type": "queue-length"}]})
    assert not check({**body, "event-types": [{"event-type": "queue-size"}]})


def test_every_example_is_one(described: dict[str, Any]) -> None:
    found = 0
    for name, schema in described["components"]["schemas"].items():
        for each in schema.get("examples", []):
            assert validator(described, name).is_valid(each), name
            found += 1
    assert found > 3


def test_every_reference_has_its_component_and_every_component_is_used(
    described: dict[str, Any],
) -> None:
    used = set(re.findall(r'"#/components/(\w+/[^"]+)"', json.dumps(described)))
    there = {
        f"{kind}/{name}"
        for kind, components in described["components"].items()
        for name in components
        if kind != "securitySchemes"
    }
    assert used == there


def test_it_has_every_route_of_the_application_and_no_other(
    described: dict[str, Any], tmp_path: Path
) -> None:
    app = build(SqliteStorage(tmp_path / "archive.db"), Settings())
    assert isinstance(app, Starlette)
    routes = {each.path for each in app.routes if isinstance(each, Route)}
    addresses = set()
    for path, item in described["paths"].items():
        for server in item.get("servers", described["servers"]):
            addresses.add(server["url"].rstrip("/") + path)
    assert addresses == routes


def test_it_has_every_method_that_the_archive_takes_and_no_other(
    described: dict[str, Any], served: Served
) -> None:
    parts = {"key": "0", "event_type": "throughput", "summaries": "averages", "window": "60"}
    for path, item in described["paths"].items():
        for server in item.get("servers", described["servers"]):
            address = server["url"].rstrip("/") + path.format(**parts)
            taken = {method for method in METHODS if served.send(method.upper(), address)[0] != 405}
            assert taken == set(item) & set(METHODS), address


def test_values_are_shown_as_described(described: dict[str, Any], served: Served) -> None:
    for key in served.metadata_keys:
        for name, data_type in REGISTRY.items():
            shown = _points(served, f"{key}/{name}/base")
            assert len(shown) == 1
            assert validator(described, SHOWN[data_type]).is_valid(shown[0]["val"])
            for kind in ALLOWED_SUMMARIES[data_type]:
                shown = _points(served, f"{key}/{name}/{SUMMARY_IN_URL[kind]}/3600")
                assert len(shown) == 1
                schema = "Statistics" if kind is SummaryType.STATISTICS else SHOWN[data_type]
                assert validator(described, schema).is_valid(shown[0]["val"])


def _points(served: Served, path: str) -> list[dict[str, Any]]:
    status, _, body = served.send("GET", ROOT + path)
    assert status == 200
    return list(json.loads(body))


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ([], ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", EXAMPLES]),
        # The same answers, but for who may have them.
        (
            ["--private"],
            [
                *("--phases", "fuzzing", "--max-examples", "4"),
                *("--exclude-operation-id-regex", "WithSlash|WithoutSlash"),
            ],
        ),
    ],
    ids=["public", "private"],
)
def test_schemathesis(options: list[str], arguments: list[str], tmp_path: Path) -> None:
    """Good requests are served, bad ones refused, and every answer is one that is described"""
    tests = Path(__file__).parent
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis as st; st()"]
    command += ["--config-file", str(tests / "schemathesis.toml"), "run"]
    with serving(tmp_path, *options) as served:
        result = subprocess.run(
            [*command, f"{served.origin}/openapi.json", *arguments],
            cwd=tests.parent.parent,
            env=os.environ
            | {
                "GRIDTAP_KEY": served.key,
                "GRIDTAP_METADATA_KEYS": ",".join(served.metadata_keys),
                "PYTHONPATH": os.pathsep.join([".", os.environ.get("PYTHONPATH", "")]),
                "COLUMNS": "200",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stdout
    summary = re.search(r"(\d+) generated, (\d+) passed", result.stdout)
    assert summary is not None, result.stdout
    assert summary[1] == summary[2]
    assert int(summary[1]) > 100
    print(summary[0])
