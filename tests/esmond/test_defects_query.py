"""What esmond_client 4.4 gets wrong when it reads, each defect once.

The list is that of docs/esmond-client.md.
"""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import tracemalloc
import warnings
from datetime import UTC, datetime
from typing import Any

import pytest

from gridtap.esmond import ApiConnect, ApiFilters, DataPayload, DataPoint, EventType, Metadata
from gridtap.esmond.address import ArchiveAddress
from gridtap.esmond.errors import CertificateError, HostLookupError, StatusError
from gridtap.esmond.query import ApiConnectWarning
from tests.esmond.documents import (
    KEY,
    counted,
    event_type,
    metadata,
    one_metadata,
    window_of,
)
from tests.esmond.server import DATA, ROOT, Asked, Reply, Server, html_reply, json_reply


def series(count: int, first: int = 1000) -> list[dict[str, Any]]:
    return [{"ts": first + n, "val": float(n)} for n in range(count)]


def throughput(conn: ApiConnect) -> EventType:
    found = next(conn.get_metadata()).get_event_type("throughput")
    assert found is not None
    return found


def test_a01_certificates_are_verified_unless_told_otherwise() -> None:
    with Server(one_metadata(metadata(), series(1)), tls=True) as server:
        with pytest.raises(CertificateError, match=r"certificate not trusted: self.signed"):
            next(ApiConnect(server.url).get_metadata())
        assert server.asked == []

        filters = ApiFilters()
        filters.ssl_verify = str(DATA / "self-signed.crt")
        assert next(ApiConnect(server.url, filters).get_metadata()).metadata_key == KEY

        filters = ApiFilters()
        filters.ssl_verify = False
        with pytest.warns(match="Unverified HTTPS request"):
            assert next(ApiConnect(server.url, filters).get_metadata()).metadata_key == KEY


def test_a01_nothing_is_silenced_for_others() -> None:
    code = (
        "import warnings; before = list(warnings.filters)\n"
        "import gridtap.esmond, esmond_client.perfsonar.query, esmond_client.perfsonar.post\n"
        "assert list(warnings.filters) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a02_a_refused_search_warns_and_ends() -> None:
    refuse = json_reply({"detail": "Invalid token."}, 401)
    said = r"got status: 401 - response: .*Invalid token"
    with Server(lambda _: refuse) as server, pytest.warns(ApiConnectWarning, match=said):
        assert list(ApiConnect(server.url).get_metadata()) == []


def test_a02_strict_filters_raise() -> None:
    filters = ApiFilters()
    filters.strict = True
    with Server(lambda _: json_reply({"detail": "Invalid token."}, 401)) as server:
        conn = ApiConnect(server.url, filters)
        with pytest.raises(StatusError, match=r"^GET http.* 401 Unauthorized: Invalid token\.$"):
            list(conn.get_metadata())


def test_a03_any_key_can_be_read() -> None:
    one = Metadata({"bw-parallel-streams": "4", "odd_key": 1}, "http://host", ApiFilters())
    assert one.get_freeform_key_value("bw-parallel-streams") == "4"
    assert one.get_freeform_key_value("bw_parallel_streams") == "4"
    assert one.get_freeform_key_value("odd_key") == 1
    assert one.get_freeform_key_value("nothing") is None


def test_a04_connections_do_not_share_filters() -> None:
    one, other = ApiConnect("http://one"), ApiConnect("http://other")
    one.filters.source = "192.0.2.1"
    assert other.filters.source is None


def test_a04_credentials_of_the_filters_stay() -> None:
    filters = ApiFilters()
    filters.auth_username, filters.auth_apikey = "user", "abc"
    conn = ApiConnect("http://host", filters)
    assert (filters.auth_username, filters.auth_apikey) == ("user", "abc")
    assert conn.request_headers["Authorization"] == "Token abc"

    ApiConnect("http://host", filters, username="other", api_key="def")
    assert (filters.auth_username, filters.auth_apikey) == ("other", "def")


@pytest.mark.parametrize(
    ("api_url", "script_alias", "listing"),
    [
        ("http://h", "esmond", "http://h/esmond/perfsonar/archive/"),
        ("http://h:8080//", "/esmond/", "http://h:8080/esmond/perfsonar/archive/"),
        ("http://h/", None, "http://h/perfsonar/archive/"),
        ("http://h", "/", "http://h/perfsonar/archive/"),
        ("http://h", "", "http://h/perfsonar/archive/"),
        ("http://h/esmond", "esmond", "http://h/esmond/perfsonar/archive/"),
        ("http://h/esmond/", None, "http://h/esmond/perfsonar/archive/"),
        ("https://h/proxy", "esmond", "https://h/proxy/esmond/perfsonar/archive/"),
        ("https://h/esmond/perfsonar/archive", "esmond", "https://h/esmond/perfsonar/archive/"),
        ("https://h/perfsonar/archive/", "esmond", "https://h/perfsonar/archive/"),
        (f"https://h/esmond/perfsonar/archive/{KEY}/", None, "https://h/esmond/perfsonar/archive/"),
        ("https://[2001:db8::1]:8443", "a/b", "https://[2001:db8::1]:8443/a/b/perfsonar/archive/"),
    ],
)
def test_a05_addresses_have_the_alias_once(
    api_url: str, script_alias: str | None, listing: str
) -> None:
    address = ArchiveAddress(api_url, script_alias)
    assert address.listing == listing
    origin = listing[: listing.index("/", len("https://"))]
    assert address.follow("/esmond/perfsonar/archive/k/x/base") == (
        f"{origin}/esmond/perfsonar/archive/k/x/base"
    )


def test_a05_data_is_found_from_an_url_with_the_alias() -> None:
    with Server(one_metadata(metadata(), series(3))) as server:
        conn = ApiConnect(f"{server.url}/esmond/", script_alias="/esmond/")
        assert len(throughput(conn).get_data()) == 3


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "Application/JSON", "application/json;version=1"],
)
def test_a06_media_types_have_parameters(content_type: str) -> None:
    def answer(asked: Asked) -> Reply:
        reply = one_metadata(metadata(), series(2))(asked)
        reply.headers = {"Content-Type": content_type}
        return reply

    with Server(answer) as server:
        assert len(throughput(ApiConnect(server.url)).get_data()) == 2


def test_a07_connections_are_kept() -> None:
    with Server(one_metadata(metadata(), series(5000))) as server:
        conn = ApiConnect(server.url)
        for _ in range(3):
            assert len(throughput(conn).get_data()) == 5000
        assert len(server.asked) > 15
        assert server.connections == 1


def test_a07_reads_are_repeated_when_a_gateway_fails() -> None:
    good, troubles = one_metadata(metadata(), series(1)), [503, 502, 504]

    def answer(asked: Asked) -> Reply | None:
        return html_reply(troubles.pop(), "<h1>Away</h1>") if troubles else good(asked)

    with Server(answer) as server:
        assert throughput(ApiConnect(server.url)).event_type == "throughput"
        assert len(server.asked) == 4


def test_a07_points_stream_in_flat_memory() -> None:
    def answer(asked: Asked) -> Reply:
        begin, end = int(asked.query.get("time-start", 0)), 60_000
        limit = int(asked.query.get("limit", 0))
        last = min(begin + limit, end)
        return json_reply([{"ts": ts, "val": {"44.9": ts}} for ts in range(begin, last)])

    with Server(answer) as server:
        one = EventType(event_type("histogram-owdelay"), server.url, ApiFilters())
        points = one.iter_data()
        for _ in range(10_000):
            next(points)
        gc.collect()
        tracemalloc.start()
        count = sum(1 for _ in points)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == 50_000
    # A page of points and its JSON, on both sides of the connection: the server is in this process.
    assert peak < 8 << 20


def test_a08_totals_may_be_missing() -> None:
    keys = [f"{n:032x}" for n in range(7)]

    def answer(asked: Asked) -> Reply:
        offset = int(asked.query.get("offset", 0))
        return json_reply([metadata(key) for key in keys[offset : offset + 3]])

    with Server(answer) as server:
        found = [one.metadata_key for one in ApiConnect(server.url).get_metadata()]
    assert found == keys


def test_a08_the_link_header_is_followed() -> None:
    keys = [f"{n:032x}" for n in range(7)]

    def answer(asked: Asked) -> Reply:
        offset = int(asked.query.get("offset", 0))
        page = [metadata(key) for key in keys[offset : offset + 3]]
        link = f'<http://inside/x?limit=3&offset={offset + 3}>; rel="next"'
        return json_reply(page, Link=link) if offset + 3 < len(keys) else json_reply(page)

    with Server(answer) as server:
        found = [one.metadata_key for one in ApiConnect(server.url).get_metadata()]
    assert found == keys


def test_a09_metadata_come_page_by_page() -> None:
    keys = [f"{n:032x}" for n in range(6)]

    def answer(asked: Asked) -> Reply:
        offset = int(asked.query.get("offset", 0))
        return json_reply(counted(*map(metadata, keys[offset : offset + 2]), total=6))

    with Server(answer) as server:
        found = ApiConnect(server.url).get_metadata()
        assert server.asked == []
        next(found)
        assert len(server.asked) == 1
        assert [one.metadata_key for one in found] == keys[1:]
        assert [asked.query.get("offset") for asked in server.asked] == [None, "2", "4"]


def test_a10_the_last_second_of_the_window_belongs_to_it() -> None:
    filters = ApiFilters()
    filters.time_start, filters.time_end = 1000, 2000
    with Server(one_metadata(metadata(), series(5000))) as server:
        data = throughput(ApiConnect(server.url, filters)).get_data().data
    # The first page ends one second before the window does.
    assert [point.ts_epoch for point in data] == list(range(1000, 2001))


def test_a11_points_of_one_second_may_be_on_two_pages() -> None:
    # Runs of a test may start within one second: elmond has them both.
    points = series(999) + [{"ts": 1999, "val": value} for value in (1.0, 2.0, 3.0)]
    points += series(500, 2001)
    with Server(one_metadata(metadata(), points)) as server:
        data = throughput(ApiConnect(server.url)).get_data().data
    assert [(one.ts_epoch, one.val) for one in data] == [(one["ts"], one["val"]) for one in points]


def test_a11_one_second_may_fill_a_page() -> None:
    points = [{"ts": 1000, "val": float(n)} for n in range(35)] + series(3, 1001)
    filters = ApiFilters()
    filters.page_size = 10
    with Server(one_metadata(metadata(), points)) as server:
        data = throughput(ApiConnect(server.url, filters)).get_data().data
    assert [(one.ts_epoch, one.val) for one in data] == [(one["ts"], one["val"]) for one in points]


def test_a12_tests_that_still_run_are_found_in_past_windows() -> None:
    now = 1_710_231_365

    def answer(asked: Asked) -> Reply:
        """Metadata by the time of their last write, as esmond does"""
        if asked.path != ROOT:
            return json_reply(window_of(series(100, 1_700_000_000), asked))
        begin, end = int(asked.query["time-start"]), int(asked.query.get("time-end", now))
        return json_reply(counted(metadata()) if begin <= now <= end else [])

    filters = ApiFilters()
    filters.time_start, filters.time_end = 1_700_000_010, 1_700_000_019
    with Server(answer) as server:
        assert len(throughput(ApiConnect(server.url, filters)).get_data()) == 10
        assert "time-end" not in server.asked[0].query
        assert server.asked[1].query["time-end"] == "1700000019"

        filters.search_end = True
        assert list(ApiConnect(server.url, filters).get_metadata()) == []


def test_a13_points_are_made_once_and_are_small() -> None:
    payload = DataPayload(series(1000), "unspecified")
    assert payload.data is payload.data
    assert payload.data[0] is payload.data[0]
    assert not hasattr(payload.data[0], "__dict__")
    assert sys.getsizeof(payload.data[0]) <= 48


def test_a14_times_can_say_that_they_are_utc() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        point = DataPoint({"ts": 1397075053, "val": 23.0})
        assert point.ts == datetime(2014, 4, 9, 20, 24, 13)
        assert point.ts_utc == datetime(2014, 4, 9, 20, 24, 13, tzinfo=UTC)
        assert point.ts_utc.timestamp() == point.ts_epoch == 1397075053


@pytest.mark.parametrize("listed", ["86400", 86400])
@pytest.mark.parametrize("asked", ["86400", 86400, "086400"])
def test_a15_windows_are_numbers(listed: object, asked: str | int) -> None:
    summaries = [{"summary-type": "average", "summary-window": listed, "uri": "/a/b"}]
    one = EventType({"event-type": "x", "summaries": summaries}, "http://host", ApiFilters())
    found = one.get_summary("average", asked)
    assert found is not None
    assert found.summary_window == listed
    assert one.summaries == [("average", listed)]
    assert one.get_summary("average", 3600) is None
    assert one.get_summary("aggregation", asked) is None


def test_a16_statistics_are_no_histograms() -> None:
    listed = event_type("histogram-owdelay", summaries=(("statistics", 0), ("aggregation", 300)))
    with Server(one_metadata(metadata(KEY, listed), [{"ts": 1, "val": {"mean": 2.0}}])) as server:
        [one] = next(ApiConnect(server.url).get_metadata()).get_all_event_types()
        statistics, sums = one.get_summary("statistics", 0), one.get_summary("aggregation", 300)
        assert statistics is not None
        assert sums is not None
        payload = statistics.get_data()
        assert payload.data_type == statistics.data_type == "statistics"
        assert repr(payload.data[0]) == "<DataPoint: ts:1970-01-01 00:00:01 val:{'mean': 2.0}>"
        assert sums.get_data().data_type == one.data_type == "histogram"


def test_a26_both_import_paths_have_the_same_classes() -> None:
    import esmond.api.client.perfsonar.post as guide_post
    import esmond.api.client.perfsonar.query as guide_query
    import esmond.api.client.util as guide_util
    import esmond_client.perfsonar.post as pypi_post
    import esmond_client.perfsonar.query as pypi_query
    import esmond_client.util as pypi_util
    import gridtap.esmond.post
    import gridtap.esmond.query

    for ours, *theirs in (
        (gridtap.esmond.query, guide_query, pypi_query),
        (gridtap.esmond.post, guide_post, pypi_post),
        (pypi_util, guide_util),
    ):
        for module in theirs:
            assert sorted(module.__all__) == sorted(ours.__all__)
            for name in ours.__all__:
                assert getattr(module, name) is getattr(ours, name)


def test_a27_all_addresses_of_a_host_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        socket.AF_INET: ["192.0.2.1", "192.0.2.2"],
        socket.AF_INET6: ["2001:db8::1"],
    }
    real = socket.getaddrinfo
    by_address = {"192.0.2.2": "a" * 32, "2001:db8::1": "b" * 32}

    def getaddrinfo(host: str, *rest: Any) -> Any:
        """The network's names, without the network"""
        if not host.endswith(".example.net"):
            return real(host, *rest)
        if host != "dtn.example.net":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        _, family, kind = rest
        return [(family, kind, 6, "", (one, 0)) for one in answers[family]]

    def answer(asked: Asked) -> Reply:
        key = by_address.get(asked.query["source"])
        return json_reply(counted(metadata(key)) if key else [])

    filters = ApiFilters()
    filters.source = "dtn.example.net"
    filters.resolve_hosts = True
    with Server(answer) as server:
        monkeypatch.setattr("gridtap.esmond.resolve.socket.getaddrinfo", getaddrinfo)
        conn = ApiConnect(server.url, filters)
        assert [one.metadata_key for one in conn.get_metadata()] == ["a" * 32, "b" * 32]

        filters.dns_match_rule = "only-v4"
        assert [one.metadata_key for one in conn.get_metadata()] == ["a" * 32]
        filters.dns_match_rule = "prefer-v6"
        assert [one.metadata_key for one in conn.get_metadata()] == ["b" * 32]

        filters.source = "nowhere.example.net"
        with pytest.raises(HostLookupError, match=r"address for host nowhere\.example\.net$"):
            list(conn.get_metadata())
