"""Times as people type them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gridtap.esmond.querying.times import parse_time, time_window

#: Early on a Tuesday in UTC; still Monday in the Americas
NOW = datetime(2024, 3, 12, 1, 30, 15, tzinfo=UTC)


def at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2021-03-01", at(2021, 3, 1)),
        ("2021-03-01 04:00", at(2021, 3, 1, 4)),
        ("2021-03-01T02:00:00+02:00", at(2021, 3, 1)),
        ("2021-03-01T23:59:59Z", at(2021, 3, 1, 23, 59, 59)),
        ("2021-03-01T23:59:59.75Z", at(2021, 3, 1, 23, 59, 59)),
        ("20210301", at(2021, 3, 1)),
        ("20210301T040000", at(2021, 3, 1, 4)),
        ("2021-W09-1", at(2021, 3, 1)),
        ("1614556800", 1614556800),
        ("1614556800.9", 1614556800),
        ("@0", 0),
        ("@-86400", -86400),
        ("now", at(2024, 3, 12, 1, 30, 15)),
        ("now-2h", at(2024, 3, 11, 23, 30, 15)),
        ("now - 90 s", at(2024, 3, 12, 1, 28, 45)),
        ("NOW-1w", at(2024, 3, 5, 1, 30, 15)),
        ("now+1d", at(2024, 3, 13, 1, 30, 15)),
        ("1 Mar 2021 00:10", at(2021, 3, 1, 0, 10)),
        ("March 2nd, 2021", at(2021, 3, 2)),
        ("January 1", at(2024, 1, 1)),
        ("March 2015", at(2015, 3, 12)),
        ("14:00", at(2024, 3, 12, 14)),
        (" 2021-03-01 ", at(2021, 3, 1)),
        ("Mon, 01 Mar 2021 04:00:00 +0100", at(2021, 3, 1, 3)),
    ],
)
def test_times(text: str, meant: int) -> None:
    assert parse_time(text, NOW) == meant


@pytest.mark.parametrize(
    "text",
    [
        "not a date",
        "2021-13-45",
        "now-",
        "now-2x",
        "now-99999999999999w",
        "@soon",
        "9" * 14,
        "99999999999999999999999",
        "",
        "\0",
    ],
)
def test_not_times(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any text will do
        parse_time(text, NOW)


def test_missing_parts_do_not_depend_on_where_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    assert parse_time("14:00", NOW) == at(2024, 3, 12, 14)


def test_the_last_day_is_meant_where_nothing_is_said() -> None:
    start, end = time_window(None, None)
    assert end - start == 86_400
    assert abs(end - datetime.now(UTC).timestamp()) < 5


@pytest.mark.parametrize(("start", "end", "at_fault"), [("x", "x", "start"), (None, "x", "end")])
def test_which_time_is_wrong(start: str | None, end: str | None, at_fault: str) -> None:
    with pytest.raises(ValueError, match=f"^--{at_fault}-time$"):
        time_window(start, end)
