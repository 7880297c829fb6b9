"""Reading data: order, years, and what is empty rather than an error."""

from __future__ import annotations

import pytest

from tests.archive.client import Client, with_summaries

HOUR = 3600
UNKNOWN = "0" * 32


@pytest.fixture(scope="module")
def key(archive: Client) -> str:
    key = archive.key_of(with_summaries("throughput", ("average", HOUR)), "failures")
    assert archive.post_point(key, "throughput", 1600002000, 5).status == 201
    return key


def test_ascending_across_years(archive: Client) -> None:
    key = archive.key_of(with_summaries("throughput", ("aggregation", 86400)))
    stamps = [
        1420070399,  # the last second of 2014
        1420070400,
        1451606399,
        1483228800,
        1577836799,
        1577836800,
        1600000000,
        1609459199,
        1609459200,  # the first one of 2021
    ]
    for ts in (stamps[5], stamps[0], stamps[8], stamps[3]):
        assert archive.post_point(key, "throughput", ts, ts).status == 201
    rest = [("throughput", ts, ts) for ts in reversed(stamps)]
    assert archive.put(key, *rest).status == 201
    assert archive.data(key, "throughput") == [(ts, float(ts)) for ts in stamps]
    window = {"time_start": stamps[1], "time_end": stamps[-2]}
    assert [ts for ts, _ in archive.data(key, "throughput", **window)] == stamps[1:-1]
    days = archive.data(key, "throughput", "aggregations/86400")
    assert [ts for ts, _ in days] == sorted({ts // 86400 * 86400 for ts in stamps})


def test_the_very_bytes(archive: Client, key: str) -> None:
    """Integers are shown as floats; the order of the two names is fixed"""
    answer = archive.get(f"{key}/throughput/base")
    assert answer.body.replace(b" ", b"") == b'[{"ts":1600002000,"val":5.0}]'


@pytest.mark.parametrize(
    "path",
    [
        f"{UNKNOWN}/throughput/base",
        f"{UNKNOWN}/throughput/base/0",
        f"{UNKNOWN}/throughput/averages/3600",
        "no-key/throughput/base",
        # Known, but not of this metadata
        "{key}/path-mtu/base",
        "{key}/path-mtu/averages/3600",
        # Windows that are not kept
        "{key}/throughput/averages/60",
        "{key}/throughput/averages/0",
        "{key}/throughput/averages/-3600",
        "{key}/throughput/aggregations/3600",
        "{key}/throughput/statistics/3600",
        "{key}/throughput/base/300",
        # Declared, but never written
        "{key}/failures/base",
    ],
)
def test_empty(archive: Client, key: str, path: str) -> None:
    answer = archive.get(path.format(key=key))
    assert answer.status == 200
    assert answer.json() == []


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("{key}/nonesuch/base", "Unsupported event type 'nonesuch' provided"),
        ("{key}/nonesuch/averages/3600", "Unsupported event type 'nonesuch' provided"),
        ("{key}/Throughput/base", "Unsupported event type 'Throughput' provided"),
        (f"{UNKNOWN}/nonesuch/base", "Unsupported event type 'nonesuch' provided"),
        ("{key}/throughput/average/3600", "Invalid summary type 'average'"),
        ("{key}/throughput/averages/abc", "Summary window parameter must be an integer"),
        ("{key}/throughput/averages/36.5", "Summary window parameter must be an integer"),
        ("{key}/throughput/base/abc", "Summary window parameter must be an integer"),
    ],
)
def test_refused(archive: Client, key: str, path: str, detail: str) -> None:
    answer = archive.get(path.format(key=key))
    assert (answer.status, answer.detail) == (400, detail)


def test_other_parameters_are_ignored(archive: Client, key: str) -> None:
    plain = archive.data(key, "throughput")
    for query in ("source=nonesuch.invalid", "event-type=failures", "x=1", "summary-window=abc",
                  "summary-type=average", "dns-match-rule=any&source=x"):  # fmt: skip
        answer = archive.send("GET", f"{key}/throughput/base?{query}")
        assert [(point["ts"], point["val"]) for point in answer.json()] == plain


def test_data_of_one_metadata_alone(archive: Client, key: str) -> None:
    other = archive.key_of(with_summaries("throughput", ("average", HOUR)))
    assert archive.post_point(other, "throughput", 1600002000, 7).status == 201
    assert archive.data(key, "throughput") == [(1600002000, 5.0)]
    assert archive.data(other, "throughput") == [(1600002000, 7.0)]
    assert archive.data(other, "throughput", "averages/3600") == [(1600002000, 7.0)]


def test_data_is_visible_at_once_to_everybody(archive: Client) -> None:
    key = archive.key_of("throughput")
    readers = [archive.anonymous() for _ in range(3)]
    for number in range(10):
        assert archive.post_point(key, "throughput", number, number).status == 201
        for reader in readers:
            assert len(reader.data(key, "throughput")) == number + 1
