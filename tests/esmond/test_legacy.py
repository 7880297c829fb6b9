"""The side modules of esmond_client."""

from __future__ import annotations

import importlib
import sys
import warnings
from datetime import datetime
from pathlib import Path

import pytest

from esmond_client.util import (
    MONTHLY_NS,
    SUMMARY_NS,
    AlertMixin,
    ConfigException,
    add_apikey_header,
    atdecode,
    atencode,
    get_config,
    get_month_start_and_end,
    get_summary_name,
    get_type_map,
    lastmonth,
    nextmonth,
)
from gridtap.esmond.answers import Answer
from gridtap.esmond.legacy import RemovedModuleError


def test_constants() -> None:
    assert (SUMMARY_NS, MONTHLY_NS) == ("summary", "monthly")


def test_the_header_of_a_key() -> None:
    headers = {"a": "b"}
    add_apikey_header("user", "key", headers)
    assert headers == {"a": "b", "Authorization": "Token key"}


@pytest.mark.parametrize(
    ("text", "escaped", "minimal", "graphite"),
    [
        ("rtr_a.Y-7", "rtr_a.Y-7", "rtr_a.Y-7", "rtr_a@2EY-7"),
        ("xe-0/1/0", "xe-0@2F1@2F0", "xe-0@2F1@2F0", "xe-0@2F1@2F0"),
        ("a@b (c)", "a@40b@20@28c@29", "a@40b@20(c)", "a@40b@20@28c@29"),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}\x7f", "@C3@A9@7F", "@C3@A9@7F", "@C3@A9@7F"),
    ],
)
def test_escapes(text: str, escaped: str, minimal: str, graphite: str) -> None:
    assert atencode(text) == escaped
    assert atencode(text, minimal=True) == minimal
    assert atencode(text, graphite=True) == graphite
    assert atdecode(escaped) == atdecode(minimal) == atdecode(graphite) == text


def test_what_is_no_escape_stays() -> None:
    assert atdecode("100@ @zz @2f@59") == "100@ @zz /Y"


def test_months() -> None:
    assert [lastmonth(2024, month) for month in (1, 2, 12)] == [(2023, 12), (2024, 1), (2024, 11)]
    assert [nextmonth(2024, month) for month in (1, 11, 12)] == [(2024, 2), (2024, 12), (2025, 1)]
    assert get_month_start_and_end(datetime(2024, 2, 10, 12)) == (1706745600, 1709251199)
    assert get_month_start_and_end(datetime(2023, 12, 31)) == (1701388800, 1704067199)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "sum.py")])
    return tmp_path


def test_the_configuration_beside_a_script(script: Path) -> None:
    (script / "sum.conf").write_text("[ifDescr__contains]\nme0.0 = me0\n")
    assert get_config().sections() == ["ifDescr__contains"]
    assert get_type_map() == {"ifDescr__contains": {"me0.0": "me0"}}
    assert get_summary_name({"ifDescr__contains": "me0.0"}) == "me0"
    for wrong in ({"a": "b"}, {"ifDescr__contains": "b"}, {}, {"a": "b", "c": "d"}):
        with pytest.raises(ConfigException):
            get_summary_name(wrong)


def test_a_configuration_that_is_not_there(script: Path) -> None:
    with pytest.raises(ConfigException, match=f"{script}/sum.conf$"):
        get_config()
    (script / "sum.conf").write_text("no section\n")
    with pytest.raises(ConfigException, match=r"sum\.conf: File contains no section headers"):
        get_config()


def test_alerts() -> None:
    class Client(AlertMixin):
        wrn = UserWarning

    said = "^Request for http://h/ got status: 404 - response: gone$"
    with pytest.warns(UserWarning, match=said):
        Client().http_alert(Answer("GET", "http://h/", 404, b"gone"))


@pytest.mark.parametrize("name", ["snmp", "timeseries", "jmx"])
def test_modules_that_are_gone_say_so(name: str) -> None:
    with warnings.catch_warnings(), pytest.raises(RemovedModuleError) as got:
        importlib.import_module(f"esmond_client.{name}")
    assert isinstance(got.value, ImportError)
    assert str(got.value).startswith(f"esmond_client.{name} is not part of gridtap: it talked to ")
