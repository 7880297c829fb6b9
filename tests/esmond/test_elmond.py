"""elmond, the read-only archive of perfSONAR 5, over real HTTP.

The documents are shaped as https://github.com/perfsonar/elmond makes them: indented, with sorted
keys and numbers as numbers; errors are HTML.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from gridtap.esmond import ApiConnect, ApiFilters
from gridtap.esmond.errors import PostException, StatusError
from gridtap.esmond.post import EventTypePost
from gridtap.esmond.query import EventTypeWarning
from tests.esmond.server import Asked, Reply, Server, html_reply

BASE = "/esmond/perfsonar/archive"


def page(status: int, title: str, text: str) -> Reply:
    return html_reply(
        status,
        f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n"
        f"<h1>{title}</h1>\n<p>{text}</p>\n",
    )


def checksum(number: int) -> str:
    return f"{number:064x}"


def a_test(number: int) -> dict[str, Any]:
    key = checksum(number)
    uri = f"{BASE}/{key}"
    return {
        "destination": "203.0.113.25",
        "event-types": [
            {
                "base-uri": f"{uri}/throughput/base/0",
                "event-type": "throughput",
                "summaries": [
                    {
                        "event-type": "throughput",
                        "summary-type": "average",
                        "summary-window": 86400,
                        "uri": f"{uri}/throughput/averages/86400",
                    }
                ],
                "time-updated": 1710231365,
            },
            {
                "base-uri": f"{uri}/pscheduler-run-href/base/0",
                "event-type": "pscheduler-run-href",
                "summaries": [],
            },
        ],
        "bw-parallel-streams": 4,
        "input-source": "dtn1.example.net",
        "measurement-agent": "198.51.100.10",
        "metadata-key": key,
        "source": "198.51.100.10",
        "subject-type": "point-to-point",
        "time-duration": 20,
        "tool-name": "pscheduler/iperf3",
        "uri": uri,
        "url": f"https://127.0.0.1{BASE}{BASE}/{key}",
    }


class Elmond:
    """Tests that it has, newest first, and the runs of each: second, and value or None"""

    def __init__(self, tests: int, runs: list[tuple[int, float | None]]) -> None:
        self.tests, self.runs = tests, runs
        self.size = 1000
        self.believes = tests

    def __call__(self, asked: Asked) -> Reply:
        if asked.method != "GET":
            return page(
                405, "Method Not Allowed", "The method is not allowed for the requested URL."
            )
        if int(asked.query.get("limit", 1)) > 10_000:
            return page(400, "Bad Request", "limit parameter cannot exceed 10000")
        if asked.path == f"{BASE}/":
            return self._list(asked)
        parts = asked.path.removeprefix(f"{BASE}/").split("/")
        if asked.path.endswith("/") or len(parts) != 4:
            return page(404, "Not Found", "The requested URL was not found on the server.")
        return self._data(asked, *parts[1:])

    def _list(self, asked: Asked) -> Reply:
        limit = int(asked.query.get("limit", self.size))
        offset = int(asked.query.get("offset", 0))
        found = [a_test(number) for number in range(self.tests)[offset : offset + limit]]
        # Runs without what a metadata needs are left out of the page, but counted.
        found = [one for one in found if int(one["metadata-key"], 16) % 10 != 7]
        if found:
            found[0]["metadata-count-total"] = self.believes
            found[0]["metadata-previous-page"] = None
            left = self.believes - offset - limit
            link = f"http://127.0.0.1{BASE}/?limit={min(limit, left)}&offset={offset + limit}"
            found[0]["metadata-next-page"] = link if left > 0 else None
        return _indented(found)

    def _data(self, asked: Asked, event_type: str, summary: str, window: str) -> Reply:
        begin, end = (
            int(asked.query.get("time-start", 0)),
            int(asked.query.get("time-end", 1 << 40)),
        )
        runs = [run for run in self.runs if begin <= run[0] <= end]
        if summary == "averages":
            if window not in {"300", "3600", "86400"}:
                return page(400, "Bad Request", f"{window} is not a supported summary_window")
            days = sorted({ts // 86400 * 86400 for ts, _ in runs})
            return _indented([{"ts": day, "val": len(days)} for day in days])
        if event_type == "failures":
            return page(500, "Internal Server Error", "The server encountered an internal error.")
        runs = runs[: int(asked.query.get("limit", 1000))]
        return _indented([{"ts": ts, "val": value} for ts, value in runs if value is not None])


def _indented(value: Any) -> Reply:
    text = json.dumps(value, sort_keys=True, indent=4, separators=(",", ": "))
    return Reply(200, f"{text}\n".encode())


def test_a_test_and_its_data() -> None:
    with Server(Elmond(1, [(86400, 1e9), (86460, 2e9)])) as server:
        [one] = ApiConnect(server.url).get_metadata()
        assert one.metadata_key == checksum(0)
        assert (one.tool_name, one.time_duration) == ("pscheduler/iperf3", 20)
        assert one.input_destination is None
        assert one.get_freeform_key_value("bw_parallel_streams") == 4
        assert one.event_types == ["throughput", "pscheduler-run-href"]
        throughput = one.get_event_type("throughput")
        href = one.get_event_type("pscheduler-run-href")
        assert throughput is not None
        assert href is not None
        assert href.time_updated is None
        assert [point.val for point in throughput.get_data().data] == [1e9, 2e9]


def test_windows_are_numbers_there() -> None:
    with Server(Elmond(1, [(86400, 1e9), (200_000, 2e9)])) as server:
        throughput = next(ApiConnect(server.url).get_metadata()).get_event_type("throughput")
        assert throughput is not None
        one = throughput.get_summary("average", "86400")
        assert one is not None
        assert (one.summary_type, one.summary_window) == ("average", 86400)
        assert [point.ts_epoch for point in one.get_data().data] == [86400, 172800]
        # Summaries come whole: nothing more is asked for.
        assert len(server.asked) == 2


def test_a_page_that_lacks_points_is_not_the_last() -> None:
    runs = [(1000 + n, None if n % 3 else float(n)) for n in range(4000)]
    with Server(Elmond(1, runs)) as server:
        throughput = next(ApiConnect(server.url).get_metadata()).get_event_type("throughput")
        assert throughput is not None
        found = [(point.ts_epoch, point.val) for point in throughput.iter_data()]
    assert found == [run for run in runs if run[1] is not None]


@pytest.mark.parametrize("believes", [95, 100, 110])
def test_tests_are_all_found_whatever_it_believes(believes: int) -> None:
    elmond = Elmond(100, [])
    elmond.size, elmond.believes = 30, believes
    with Server(elmond) as server:
        found = [one.metadata_key for one in ApiConnect(server.url).get_metadata()]
    assert found == [checksum(number) for number in range(100) if number % 10 != 7]


def test_no_tests() -> None:
    with Server(Elmond(0, [])) as server:
        assert list(ApiConnect(server.url).get_metadata()) == []
        assert len(server.asked) == 1


def test_its_errors_are_read() -> None:
    filters = ApiFilters()
    filters.page_size = 10_001
    with Server(Elmond(1, [])) as server:
        throughput = next(ApiConnect(server.url, filters).get_metadata()).get_event_type(
            "throughput"
        )
        assert throughput is not None
        with pytest.warns(EventTypeWarning, match="limit parameter cannot exceed 10000"):
            throughput.get_data()
        filters.strict = True
        said = "400 Bad Request: limit parameter cannot exceed 10000$"
        with pytest.raises(StatusError, match=said):
            throughput.get_data()


def test_it_cannot_be_written_to() -> None:
    with Server(Elmond(1, [])) as server:
        post = EventTypePost(server.url, "u", "k", metadata_key="x", event_type="throughput")
        post.add_data_point(1, 1)
        with pytest.raises(PostException, match="status_code: 405") as got:
            post.post_data()
        assert got.value.detail == "The method is not allowed for the requested URL."
