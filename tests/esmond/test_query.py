"""The documented classes that read."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gridtap.esmond.query import (
    MAX_DATETIME,
    MAX_EPOCH,
    PS_ROOT,
    ApiConnect,
    ApiConnectWarning,
    ApiFilters,
    ApiFiltersWarning,
    DataHistogram,
    DataHistogramWarning,
    DataPayload,
    DataPayloadWarning,
    DataPoint,
    DataPointWarning,
    EventType,
    EventTypeWarning,
    Metadata,
    MetadataWarning,
    NodeInfo,
    NodeInfoWarning,
    QueryLimitWarning,
    Summary,
    SummaryWarning,
)
from gridtap.esmond.window import Window
from tests.esmond.documents import KEY, counted, event_type, metadata, one_metadata
from tests.esmond.server import ROOT, Server, json_reply

CRITERIA = [
    "destination",
    "dns_match_rule",
    "event_type",
    "input_destination",
    "input_source",
    "limit",
    "measurement_agent",
    "metadata_key",
    "source",
    "subject_type",
    "summary_type",
    "summary_window",
    "tool_name",
]

TIMES = ["time", "time_start", "time_end", "time_range"]


def test_constants() -> None:
    assert PS_ROOT == "perfsonar"
    assert datetime(9999, 12, 29, 23, 59, 59, 999999) == MAX_DATETIME
    assert MAX_EPOCH == 253402127999


def test_defaults_of_filters() -> None:
    filters = ApiFilters()
    assert (filters.verbose, filters.ssl_verify, filters.timeout) == (False, True, 20)
    assert (filters.auth_username, filters.auth_apikey) == ("", "")
    assert filters.wrn is ApiFiltersWarning
    assert (filters.metadata_filters, filters.time_filters) == ({}, {})


@pytest.mark.parametrize("name", CRITERIA)
def test_criteria(name: str) -> None:
    filters = ApiFilters()
    assert getattr(filters, name) is None
    with pytest.raises(KeyError):
        delattr(filters, name)
    setattr(filters, name, "x")
    assert getattr(filters, name) == "x"
    assert filters.metadata_filters == {name.replace("_", "-"): "x"}
    delattr(filters, name)
    assert filters.metadata_filters == {}


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (1.9, 1),
        ("1400000000.7", 1400000000),
        (datetime(2014, 4, 9, 20, 24, 13), 1397075053),
        (datetime(2014, 4, 9, 20, 24, 13, tzinfo=UTC), 1397075053),
        (datetime(2014, 4, 9, 22, 24, 13, tzinfo=timezone(timedelta(hours=2))), 1397075053),
    ],
)
def test_times(name: str, given: object, kept: int) -> None:
    filters = ApiFilters()
    setattr(filters, name, given)
    assert getattr(filters, name) == kept
    assert filters.time_filters == {name.replace("_", "-"): kept}


@pytest.mark.parametrize("given", ["soon", float("nan"), float("inf")])
def test_times_that_are_none(given: object) -> None:
    filters = ApiFilters()
    said = f"^The timestamp value {given} is not a valid integer$"
    with pytest.warns(ApiFiltersWarning, match=said) as got:
        filters.time_start = given  # type: ignore[assignment]
    assert got[0].filename == __file__
    assert filters.time_start is None
    with pytest.raises(TypeError):
        filters.time_start = None


def test_what_is_sent() -> None:
    filters = ApiFilters()
    filters.source, filters.event_type, filters.summary_window = "192.0.2.1", "throughput", 3600
    filters.tool_name = None
    filters.metadata_filters["dns-match-rule"] = "only-v4"
    filters.add_freeform_key_value("bw_parallel_streams", 4)
    filters.time_start, filters.time_end = 1000, 2000
    with Server(lambda _: json_reply([])) as server:
        conn = ApiConnect(server.url, filters, username="user", api_key="key")
        assert server.asked == []
        assert list(conn.get_metadata()) == []
        [asked] = server.asked
    assert asked.path == ROOT
    assert asked.query == {
        "source": "192.0.2.1",
        "event-type": "throughput",
        "summary-window": "3600",
        "dns-match-rule": "only-v4",
        "bw-parallel-streams": "4",
        "time-start": "1000",
    }
    assert asked.headers["authorization"] == "Token key"


def test_no_key_without_a_user() -> None:
    filters = ApiFilters()
    filters.auth_apikey = "key"
    assert "Authorization" not in ApiConnect("http://host", filters).request_headers


@pytest.mark.parametrize(
    ("times", "window"),
    [
        ({"time": 5, "time-start": 1}, Window(5, 5)),
        ({"time-start": 1, "time-end": 9, "time-range": 3}, Window(1, 9)),
        ({"time-start": 1, "time-range": 3}, Window(1, 4)),
        ({"time-end": 9, "time-range": 3}, Window(6, 9)),
        ({"time-start": 1}, Window(1)),
        ({"time-end": 9}, Window(0, 9)),
        ({"time-range": 3}, Window(reach=3)),
        ({}, Window()),
        ({"time-start": 4, "time-end": 4}, Window(4, 4)),
    ],
)
def test_windows_are_read_as_archives_do(times: dict[str, int], window: Window) -> None:
    assert Window.of(times) == window


def test_a_range_does_not_move_with_the_pages() -> None:
    points = [{"ts": 1000 + n, "val": 1.0} for n in range(5000)]
    filters = ApiFilters()
    filters.time_start, filters.time_range = 1000, 1500
    with Server(one_metadata(metadata(), points)) as server:
        one = EventType(event_type("throughput"), server.url, filters)
        found = [point.ts_epoch for point in one.get_data().data]
    assert found == list(range(1000, 2501))


def test_limit_is_the_size_of_a_page() -> None:
    keys = [f"{n:032x}" for n in range(5)]

    def answer(asked):  # type: ignore[no-untyped-def]
        offset, limit = int(asked.query.get("offset", 0)), int(asked.query["limit"])
        return json_reply(counted(*map(metadata, keys[offset : offset + limit]), total=5))

    filters = ApiFilters()
    filters.limit = 2
    with Server(answer) as server:
        assert [one.metadata_key for one in ApiConnect(server.url, filters).get_metadata()] == keys
        assert len(server.asked) == 3


def test_metadata() -> None:
    one = Metadata(
        metadata(KEY, event_type("failures"), event_type("throughput")), "http://h", ApiFilters()
    )
    assert one.event_types == ["failures", "throughput"]
    assert (one.source, one.destination) == ("198.51.100.10", "203.0.113.25")
    assert (one.subject_type, one.tool_name) == ("point-to-point", "bwctl/iperf3")
    assert (one.time_duration, one.ip_transport_protocol) == ("30", "tcp")
    assert (one.uri, one.metadata_key) == (f"{ROOT}{KEY}/", KEY)
    assert (one.ip_packet_interval, one.sample_bucket_width) == (None, None)
    assert (one.time_interval, one.time_interval_randomization) == (None, None)
    assert one.metadata_count_total is None
    assert repr(one) == f"<Metadata/{KEY}: uri:{ROOT}{KEY}/>"
    assert json.loads(one.dump) == one._data
    assert one.get_event_type("nothing") is None
    assert Metadata({}, "http://h", ApiFilters()).event_types == []


def test_what_was_kept_can_be_looked_at_without_an_archive() -> None:
    one = Metadata(metadata(), "", ApiFilters())
    assert one.event_types == ["throughput"]
    assert repr(one) == f"<Metadata/{KEY}: uri:{ROOT}{KEY}/>"


def test_event_types_and_summaries() -> None:
    listed = event_type("histogram-rtt", summaries=(("aggregation", 3600), ("statistics", 0)))
    one = EventType(listed, "http://h", ApiFilters())
    assert one.base_uri == one.query_uri == f"{ROOT}{KEY}/histogram-rtt/base"
    assert (one.event_type, one.data_type) == ("histogram-rtt", "histogram")
    assert one.summaries == [("aggregation", "3600"), ("statistics", "0")]
    assert repr(one) == f"<EventType/histogram-rtt: uri:{one.base_uri}>"
    first, second = one.get_all_summaries()
    assert (first.summary_type, first.summary_window) == ("aggregation", "3600")
    assert first.uri == first.query_uri == f"{ROOT}{KEY}/histogram-rtt/aggregations/3600"
    assert repr(second) == "<Summary/statistics: window:0>"
    other = EventType(event_type("throughput"), "http://h", ApiFilters())
    assert other.data_type == "unspecified"
    assert Summary({"summary-type": "average"}, "http://h", ApiFilters()).data_type == "unspecified"


def test_payloads_and_points() -> None:
    payload = DataPayload([{"ts": 1397075053, "val": 23.0}], "unspecified")
    assert repr(payload) == "<DataPayload: len:1 type:unspecified>"
    assert repr(payload.data[0]) == "<DataPoint: ts:2014-04-09 20:24:13 val:23.0>"
    assert json.loads(payload.dump) == [{"ts": 1397075053, "val": 23.0}]
    assert json.loads(payload.data[0].dump) == {"ts": 1397075053, "val": 23.0}
    assert (DataPayload().data, DataPayload().data_type) == ([], None)

    [histogram] = DataPayload([{"ts": 0, "val": {"1": 2, "3": 4}}], "histogram").data
    assert isinstance(histogram, DataHistogram)
    assert repr(histogram) == "<DataHistogram: ts:1970-01-01 00:00:00 len:2>"

    late = DataPoint({"ts": MAX_EPOCH + 1, "val": 0})
    assert (late.ts, late.ts_epoch) == (MAX_DATETIME, MAX_EPOCH + 1)
    assert DataPoint({"ts": -(10**15), "val": 0}).ts == datetime(1, 1, 1)
    for kind in (DataPoint, DataHistogram):
        with pytest.raises(TypeError):
            kind()


def test_warnings_are_a_family() -> None:
    family = (
        MetadataWarning,
        EventTypeWarning,
        SummaryWarning,
        DataPayloadWarning,
        DataPointWarning,
        DataHistogramWarning,
    )
    assert all(issubclass(one, NodeInfoWarning) for one in family)
    alone = (ApiFiltersWarning, ApiConnectWarning, QueryLimitWarning, NodeInfoWarning)
    assert all(issubclass(one, Warning) for one in alone)
    assert (NodeInfo.wrn, Metadata.wrn) == (NodeInfoWarning, MetadataWarning)
    assert (EventType.wrn, Summary.wrn) == (EventTypeWarning, SummaryWarning)


def test_tracing_leaves_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    filters = ApiFilters()
    filters.verbose = True
    with Server(one_metadata(metadata(), [{"ts": 1, "val": 2.0}])) as server:
        [one] = next(ApiConnect(server.url, filters).get_metadata()).get_all_event_types()
        one.get_data()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"[url: {server.url}{ROOT}]",
        "got 1 results",
        "",
        f" * looping query for: {one.query_uri}",
        f"[url: {server.url}{one.query_uri}?limit=1000]",
        "  ** got 1 results",
        "  *** finished with 1 results",
    ]


def test_what_takes_long_to_import_waits_until_it_is_needed() -> None:
    late = "requests urllib3 ssl socket html.parser click dateutil pyarrow concurrent logging"
    code = (
        "import sys\n"
        "import gridtap.esmond, gridtap.esmond.post, esmond_client.perfsonar.query\n"
        "gridtap.esmond.ApiConnect('http://127.0.0.1:1').get_metadata()\n"
        f"early = [one for one in '{late}'.split() if one in sys.modules]\n"
        "assert not early, early"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
