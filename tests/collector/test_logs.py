"""Logs that machines and people read, and that a flood does not drown."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from gridtap.collector.logs import RateLimit, event_log, set_up_logs

_LOG = event_log("gridtap.collector.test")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger("gridtap.collector")
    before = root.handlers[:], root.level, root.propagate
    yield
    root.handlers[:], root.level, root.propagate = before


def test_json_lines() -> None:
    stream = io.StringIO()
    set_up_logs("debug", "json", stream)
    _LOG.debug("began", path='with "quotes"\nand lines', records=3, of=None, event="not this")
    try:
        raise OSError("no disk")
    except OSError:
        logging.getLogger("gridtap.collector.other").exception("fell over")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("ts"))
    assert list(first)[:2] == ["level", "event"]
    assert first == {
        "level": "debug",
        "event": "began",
        "path": 'with "quotes"\nand lines',
        "records": 3,
        "of": None,
    }
    assert (second["level"], second["event"]) == ("error", "fell over")
    assert second["exception"].endswith("OSError: no disk")


def test_text() -> None:
    stream = io.StringIO()
    set_up_logs("info", "text", stream)
    _LOG.debug("not this")
    _LOG.warning("torn_line_moved", path="/a b.jsonl", bytes=7, empty="", line="a\nb", plain="x=y")
    [line] = stream.getvalue().splitlines()
    moment, rest = line.split(" ", 1)
    assert moment.endswith("Z")
    assert rest == (
        'warning torn_line_moved path="/a b.jsonl" bytes=7 empty="" line="a\\nb" plain="x=y"'
    )


def test_setting_up_again_takes_the_place_of_before() -> None:
    first, second = io.StringIO(), io.StringIO()
    set_up_logs("info", "text", first)
    set_up_logs("error", "json", second)
    _LOG.warning("quiet")
    _LOG.error("loud")
    assert first.getvalue() == ""
    assert json.loads(second.getvalue())["event"] == "loud"


@pytest.mark.parametrize(("level", "form"), [("loud", "text"), ("info", "xml")])
def test_what_cannot_be(level: str, form: str) -> None:
    with pytest.raises(ValueError, match="no such log"):
        set_up_logs(level, form)  # type: ignore[arg-type]


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def passed(limit: RateLimit, event: str, level: int = logging.INFO) -> logging.LogRecord | None:
    record = logging.LogRecord("gridtap.collector", level, "", 0, event, (), None)
    return record if limit.filter(record) else None


def test_a_flood_is_counted_instead() -> None:
    clock = Clock()
    limit = RateLimit(3, 60.0, clock)
    assert sum(passed(limit, "rejected") is not None for _ in range(1_000)) == 3
    # Others have rates of their own.
    assert passed(limit, "stopped")
    assert passed(limit, "rejected", logging.ERROR)
    clock.now += 60
    record = passed(limit, "rejected")
    assert record is not None
    assert vars(record)["fields"] == {"suppressed": 997}
    again = passed(limit, "rejected")
    assert again is not None
    assert "fields" not in vars(again)


def test_many_names_cost_no_memory() -> None:
    limit = RateLimit(3, 60.0, Clock())
    for number in range(10_000):
        assert passed(limit, f"event {number}")
    assert len(limit._seen) <= RateLimit._KEYS
